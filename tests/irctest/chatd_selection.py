"""A pytest plugin: which tests of irctest run against chatd, and what each of them must give.

* `deselected.args` lists the tests that do not run, with their reasons. pytest's own `--deselect` takes prefixes, and
  would leave out others too, so these are compared whole.
* `skipped.args` lists the tests that skip themselves. A test that skips without being listed fails, and so does one that
  is listed and runs.
* `--deselected-only` runs the tests of `deselected.args` and nothing else. One that passes fails.
* `--whole` says that all tests run: their numbers must be those below. With `--collect-only`, it checks that irctest has
  the tests of the lists.
"""

import signal
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

import pytest

FOLDER = Path(__file__).parent

# The numbers of a whole run.
WHOLE = {"passed": 213, "skipped": 125, "xpassed": 3}
DESELECTED_ONLY = {"xfailed": 98}

# Tests that upstream marks as expected failures of servers in general, and that chatd passes.
XPASSED = {
    r"sasl.py::SaslTestCase::testNulInPassword[sesa\x00me]",
    r"sasl.py::SaslTestCase::testNulInPassword[sesame\x00]",
    r"sasl.py::SaslTestCase::testNulInPassword[sesame\x00extra]",
}

# Seconds for a test, and for one that is deselected. irctest itself waits for an answer for ever.
PATIENCE = 30
PATIENCE_DESELECTED = 10

SKIPPED = pytest.StashKey[Dict[str, str]]()


def listed(name: str) -> Dict[str, str]:
    """The tests of a list, each with the comment above it."""
    tests: Dict[str, str] = {}
    reason: List[str] = []
    was_comment = False
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("#"):
            reason = [*(reason if was_comment else []), line.removeprefix("# ")]
        elif line:
            assert line not in tests, f"{name} lists {line} twice"
            tests[line] = " ".join(reason)
        was_comment = line.startswith("#")
    return tests


def name_of(item: pytest.Item) -> str:
    """A test as the lists name it."""
    return item.nodeid.removeprefix("irctest/server_tests/")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chatd")
    group.addoption("--deselected-only", action="store_true", help="run what deselected.args lists; nothing may pass")
    group.addoption("--whole", action="store_true", help="all tests run: hold their numbers")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    deselected = listed("deselected.args")
    is_only = config.getoption("deselected_only")
    if config.getoption("whole") and config.option.collectonly:
        hold_names(items, deselected)
    kept, left_out = [], []
    for item in items:
        (kept if (name_of(item) in deselected) == is_only else left_out).append(item)
    if is_only:
        for item in kept:
            item.add_marker(pytest.mark.xfail(strict=True, reason=deselected[name_of(item)]))
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def hold_names(items: List[pytest.Item], deselected: Dict[str, str]) -> None:
    """Every listed test exists, and is on one list."""
    names: Set[str] = {name_of(item) for item in items}
    skipped = listed("skipped.args")
    unknown = sorted(name for name in [*deselected, *skipped, *XPASSED] if name not in names)
    twice = sorted(name for name in deselected if name in skipped)
    if unknown or twice:
        raise pytest.UsageError(f"tests that irctest lacks: {unknown}; tests on both lists: {twice}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """No test waits for ever."""

    patience = PATIENCE_DESELECTED if item.config.getoption("deselected_only") else PATIENCE

    def give_up(*_: object) -> None:
        pytest.fail(f"no end after {patience} s")  # irctest itself catches TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(patience)
    try:
        return (yield)
    finally:
        signal.alarm(0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport]:
    """A test that skips, or no longer skips, against the lists has failed."""
    report = yield
    if item.config.getoption("deselected_only"):
        return report
    name, is_xfail = name_of(item), hasattr(report, "wasxfail")
    wrong = None
    if report.skipped and name in XPASSED:
        wrong = "it passed before; XPASSED lists it"
    elif report.skipped and (is_xfail or name not in item.config.stash[SKIPPED]):
        wrong = f"it must not skip: {call.excinfo.value if call.excinfo else report.longrepr}"
    elif report.when == "call" and report.passed and name in item.config.stash[SKIPPED]:
        wrong = "it passes now: take it off skipped.args"
    elif report.when == "call" and report.passed and is_xfail and name not in XPASSED:
        wrong = "it passes, against the expectation of irctest: add it to XPASSED"
    if wrong is not None:
        report.outcome, report.longrepr = "failed", f"{name}: {wrong}"
        if is_xfail:
            del report.wasxfail
    return report


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SKIPPED] = listed("skipped.args")


def is_whole(config: pytest.Config) -> bool:
    """All tests have run. Workers of xdist know a part only."""
    is_worker = hasattr(config, "workerinput")
    return config.getoption("whole") and not config.option.collectonly and not is_worker


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if is_whole(session.config) and session.exitstatus == pytest.ExitCode.OK:
        expected, counts = numbers(session.config)
        if counts != expected:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if is_whole(config):
        expected, counts = numbers(config)
        if counts != expected:
            terminalreporter.write_line(f"the numbers of a whole run are {expected}, not {counts}", red=True)


def numbers(config: pytest.Config) -> Tuple[Dict[str, int], Dict[str, int]]:
    """How many tests must end in each way, and how many did."""
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    ways = ("passed", "skipped", "xpassed", "xfailed", "failed", "error")
    expected = DESELECTED_ONLY if config.getoption("deselected_only") else WHOLE
    return expected, {way: len(stats[way]) for way in ways if stats.get(way)}
