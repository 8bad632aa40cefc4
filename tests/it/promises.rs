//! Checks docs/promises.md: it states each promise once, its table has one row for each, and the tests that the table
//! names exist. README.md repeats some of the promises under their numbers.

use std::fs;
use std::path::{Path, PathBuf};

/// The title of the section that holds the table.
const SECTION: &str = "## Tests for each promise";
/// The number of promises.
const PROMISES: usize = 22;

/// The text of a file in the repository.
#[track_caller]
fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The table's rows: the number of a promise, and its tests. The error is a sentence.
fn rows(document: &str) -> Result<Vec<(usize, Vec<&str>)>, String> {
    let (_, section) = document.split_once(SECTION).ok_or_else(|| format!("there is no section {SECTION:?}"))?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    // The first is the heading.
    rows.skip(1)
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [number, _, shown_by] = cells[..] else { return Err(format!("not three cells: {row}")) };
            let number = number.parse().map_err(|_| format!("no number: {row}"))?;
            Ok((number, shown_by.split('`').skip(1).step_by(2).collect()))
        })
        .collect()
}

/// The numbers in a page's list of promises.
fn listed(page: &str) -> Vec<usize> {
    page.lines().filter_map(|line| line.strip_prefix("* **")?.split_once(".**")?.0.parse().ok()).collect()
}

/// Whether the test `file::function` runs by default. The error says what is wrong with the name.
fn runs(test: &str) -> Result<bool, String> {
    let (file, function) = test.split_once("::").ok_or_else(|| format!("{test} is not `file::function`"))?;
    let is_path = ["src/", "client/", "load/"].iter().any(|root| file.starts_with(root));
    let folder = if is_path { PathBuf::new() } else { PathBuf::from("tests/it") };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = [folder.join(format!("{file}.rs")), folder.join(file).join("mod.rs")];
    let path = paths.iter().find(|path| root.join(path).exists()).unwrap_or(&paths[0]);
    let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{test}: {}: {error}", path.display()))?;
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let head = format!("fn {function}(");
    let place = lines
        .iter()
        .position(|line| line.starts_with(&head))
        .ok_or_else(|| format!("{test}: there is no such test"))?;
    let attributes: Vec<&&str> = lines[..place].iter().rev().take_while(|line| line.starts_with("#[")).collect();
    if !attributes.iter().any(|line| **line == "#[test]") {
        return Err(format!("{test} is not a test"));
    }
    Ok(!attributes.iter().any(|line| line.starts_with("#[ignore")))
}

/// The errors of a table, a line each.
fn faults(document: &str) -> Vec<String> {
    let rows = match rows(document) {
        Ok(rows) => rows,
        Err(fault) => return vec![fault],
    };
    let mut found = Vec::new();
    for number in 1..=PROMISES {
        let count = rows.iter().filter(|(row, _)| *row == number).count();
        if count != 1 {
            found.push(format!("promise {number} stands there {count} times"));
        }
    }
    for (number, tests) in &rows {
        if !(1..=PROMISES).contains(number) {
            found.push(format!("there is no promise {number}"));
        }
        let (good, bad): (Vec<_>, Vec<_>) = tests.iter().map(|test| runs(test)).partition(Result::is_ok);
        found.extend(bad.into_iter().filter_map(Result::err).map(|fault| format!("promise {number}: {fault}")));
        if !good.contains(&Ok(true)) {
            found.push(format!("promise {number}: no test that always runs shows it"));
        }
    }
    found
}

#[test]
fn every_promise_names_tests_that_exist() {
    let found = faults(&read("docs/promises.md"));
    assert!(found.is_empty(), "docs/promises.md:\n{}", found.join("\n"));
}

#[test]
fn every_promise_is_stated_once() {
    assert_eq!(listed(&read("docs/promises.md")), (1..=PROMISES).collect::<Vec<_>>());
}

#[test]
fn the_readme_repeats_seven_promises() {
    let numbers = listed(&read("README.md"));
    assert_eq!(numbers.len(), 7);
    assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.iter().all(|number| (1..=PROMISES).contains(number)));
}

#[test]
fn what_is_wrong_with_a_table_is_found() {
    const GOOD: &str = "`promises::every_promise_is_stated_once`";
    let table = |last: &str| {
        let rows: String = (1..PROMISES).map(|number| format!("| {number} | it is kept | {GOOD} |\n")).collect();
        format!(
            "{SECTION}\n\n| | promise | shown by |\n| --- | --- | --- |\n{rows}{last}\n\n## Else\n\n| 99 | x | y |\n"
        )
    };
    // The last promise is `N`, the one before it `M`, and there is no `X`.
    let numbered = |text: &str| {
        let [before, beyond] = [PROMISES - 1, PROMISES + 1].map(|number| number.to_string());
        text.replace('N', &PROMISES.to_string()).replace('M', &before).replace('X', &beyond)
    };
    let check = |last: &str, expected: &[&str]| {
        let expected: Vec<_> = expected.iter().map(|fault| numbered(fault)).collect();
        assert_eq!(faults(&table(&numbered(last))), expected, "{last}");
    };
    check(&format!("| N | it is kept | {GOOD}, `src/engine/guard::ten_in_a_minute_are_too_many` |"), &[]);
    check("", &["promise N stands there 0 times"]);
    check(&format!("| M | again | {GOOD} |"), &["promise M stands there 2 times", "promise N stands there 0 times"]);
    check(&format!("| X | more | {GOOD} |"), &["promise N stands there 0 times", "there is no promise X"]);
    check("| N | it is kept | by how it is built |", &["promise N: no test that always runs shows it"]);
    check(
        &format!("| N | it is kept | {GOOD}, `promises::no_such_thing` |"),
        &["promise N: promises::no_such_thing: there is no such test"],
    );
    check(&format!("| N | it is kept | {GOOD}, `promises::runs` |"), &["promise N: promises::runs is not a test"]);
    check(
        "| N | it is kept | `faults/network::who_vanishes_is_gone_in_two_minutes` |",
        &["promise N: no test that always runs shows it"],
    );
    check("| N | two cells |", &["not three cells: | N | two cells |"]);
    assert_eq!(faults("nothing"), [format!("there is no section {SECTION:?}")]);
}
