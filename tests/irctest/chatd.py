"""irctest's controller of chatd: how irctest starts, configures and stops it.

`CHATD_BIN` names the server's program.
"""

import itertools
import os
import secrets
import socket
from pathlib import Path
from typing import Iterator, Optional, Tuple, Type

from irctest import patma
from irctest.basecontrollers import BaseServerController, DirectoryBasedController, ProcessStopped
from irctest.runner import NotImplementedByController
from irctest.specifications import Capabilities, OptionalBehaviors

HOST = "127.0.0.1"

# Everything that would slow a test down is off: the cost of a password, delays, penalties and rates.
CONFIG = """\
listen = ["irc://{host}:{port}?guests=bare", "line://{host}:{line_port}"]

[irc]
name = "My.Little.Server"

[accounts]
password_min_bytes = 1
argon2 = {{ memory_kib = 8, iterations = 1, parallelism = 1 }}

[login]
failure_delay_ms = 0
penalties = false

[limits]
rate_lines_per_s = 0
rate_bytes_per_s = 0

[operator]
socket = ""
"""


def free_ports() -> Iterator[int]:
    """Ports that nobody listens on, below those that the kernel gives to clients. Each worker has its own, and begins
    anywhere among them, for runs at the same time."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    first = 12_000 + int(worker.removeprefix("gw")) % 8 * 2_000
    begin = first + secrets.randbelow(2_000)
    for port in itertools.cycle([*range(begin, first + 2_000), *range(first, begin)]):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        yield port


PORTS = free_ports()


class ChatdController(BaseServerController, DirectoryBasedController):
    software_name = "chatd"
    supported_sasl_mechanisms = {"PLAIN"}
    supports_sts = False
    _port_wait_interval = 0.02

    # A test that needs one of these fails without it. Otherwise it would be skipped.
    capabilities = frozenset(
        {
            Capabilities.ACCOUNT_NOTIFY,
            Capabilities.ACCOUNT_TAG,
            Capabilities.AWAY_NOTIFY,
            Capabilities.BATCH,
            Capabilities.ECHO_MESSAGE,
            Capabilities.EXTENDED_JOIN,
            Capabilities.LABELED_RESPONSE,
            Capabilities.MESSAGE_TAGS,
            Capabilities.MULTI_PREFIX,
            Capabilities.READ_MARKER,
            Capabilities.SERVER_TIME,
            Capabilities.SETNAME,
        }
    )
    optional_behaviors = frozenset(
        {
            OptionalBehaviors.CAP_REQ_MINUS,
            OptionalBehaviors.MULTI_JOIN,
            OptionalBehaviors.MULTI_KICK,
            OptionalBehaviors.MULTI_PRIVMSG,
            OptionalBehaviors.SASL_AFTER_REGISTRATION,
        }
    )
    isupport = {
        "AWAYLEN": "200",
        "CASEMAPPING": "ascii",
        "CHANLIMIT": "#:32",
        "CHANMODES": ",k,,Pnt",
        "CHANNELLEN": "33",
        "CHANTYPES": "#&",
        "CHATHISTORY": "50",
        "CLIENTTAGDENY": "*",
        "KICKLEN": "200",
        "MODES": "1",
        "MONITOR": "100",
        "MSGREFTYPES": "msgid,timestamp",
        "NETWORK": "chatd",
        "NICKLEN": "32",
        "PREFIX": "(o)@",
        "SAFELIST": None,
        "TARGMAX": patma.ANYSTR,
        "TOPICLEN": "300",
        "UTF8ONLY": None,
        "WHOX": None,
    }

    def get_hostname_and_port(self) -> Tuple[str, int]:
        return (HOST, next(PORTS))

    def run(
        self,
        hostname: str,
        port: int,
        *,
        password: Optional[str],
        ssl: bool,
        run_services: bool,
        faketime: Optional[str],
        websocket_hostname: Optional[str],
        websocket_port: Optional[int],
    ) -> None:
        if websocket_port is not None:
            raise NotImplementedByController("IRC by WebSocket")
        if ssl:
            raise NotImplementedByController("TLS in tests")
        self.hostname, self.port = hostname, port
        (_, self.line_port) = self.get_hostname_and_port()
        self.create_config()
        assert self.directory is not None
        config = Path(self.directory) / "config.toml"
        config.write_text(CONFIG.format(host=hostname, port=port, line_port=self.line_port))
        command = [os.environ["CHATD_BIN"], "--config", config]
        if self.debug_mode:
            self.proc = self.execute(command, proc_name="chatd")
        else:
            with self.open_file("chatd.log") as log:
                self.proc = self.execute(command, stderr=log)
        if password is not None:
            # chatd has no password of the server. PASS logs in, and the clients of these tests are all called foo.
            self.register("foo", password)

    def registerUser(self, case: object, username: str, password: Optional[str] = None) -> None:
        assert password is not None
        self.register(username, password)

    def register(self, name: str, password: str) -> None:
        """Makes an account at the line door. `230` says that it is on disk."""
        self.wait_for_port()
        with socket.create_connection((self.hostname, self.line_port), timeout=10) as line:
            replies = line.makefile("r", encoding="utf-8", newline="\n")

            def expect(code: str) -> None:
                reply = replies.readline()
                if self.debug_mode:
                    print(f"line door: {reply.rstrip()}")
                assert reply.startswith(f"C {code}"), f"expected {code} for {name}, got {reply!r}"

            expect("220")
            line.sendall(f"{name}\n".encode())
            expect("332")
            line.sendall(f"{password}\n".encode())
            expect("230")
            line.sendall(b"EX\n")
            expect("221")

    def wait_for_services(self) -> None:
        """They are part of the server."""

    def check_is_alive(self) -> None:
        assert self.proc is not None and self.directory is not None
        if self.proc.poll() is not None:
            log = Path(self.directory) / "chatd.log"
            told = log.read_text() if log.exists() else "see above"
            raise ProcessStopped(f"chatd has ended with {self.proc.returncode}: {told}")

    def kill_proc(self) -> None:
        """At once: by SIGTERM, chatd would wait for the test's clients to hang up."""
        assert self.proc is not None
        self.proc.kill()
        self.proc.wait()
        self.proc = None


def get_irctest_controller_class() -> Type[ChatdController]:
    return ChatdController
