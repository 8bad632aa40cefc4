//! A long history, and workloads with and without one.

use serde_json::Value;

use super::load::{Load, all_heard, json};

#[test]
fn a_long_history_is_read_searched_and_written_to() {
    let report = json("history --rows 6000 --places 100 --asks 40 --seconds 5");
    assert_eq!(report["history"], "on", "{report}");
    let store = &report["store"];
    assert_eq!((&store["rows"], &store["places"], &store["places_each"]), (&6000.into(), &100.into(), &28.into()));
    assert!(store["bytes"].as_u64().unwrap() > 6000 * 29 && store["start_s"].as_f64().unwrap() > 0.0, "{report}");
    let questions = store["questions"].as_array().unwrap();
    let lines = |what: &str| {
        let question = questions.iter().find(|question| question["what"] == what);
        let question = question.unwrap_or_else(|| panic!("no {what:?} in {report}"));
        assert!(question["answered"].as_u64().unwrap() > 0, "{question}");
        assert_eq!(question["refused"], Value::Object(serde_json::Map::new()), "{question}");
        let latency = &question["latency_us"];
        assert!(latency["p50"].as_f64().unwrap() <= latency["max"].as_f64().unwrap(), "{question}");
        question["lines_each"].as_f64().unwrap()
    };
    assert!(lines("page of 50") > 10.0);
    assert!(lines("200 after an id") > 100.0);
    assert!((26.0..=28.0).contains(&lines("unread")), "most readers have 28 places");
    assert!(lines("search: common") > 10.0 && lines("search: prefix") > 10.0 && lines("search: two words") > 1.0);
    assert_eq!((lines("search: absent"), lines("250 kept")), (0.0, 0.0));
    // Somebody who comes back gets what was said meanwhile, all of it.
    let missed = lines("resume");
    assert!((900.0..1100.0).contains(&missed), "{missed}");
    assert!(report["process"]["rss_bytes"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn a_history_is_on_unless_it_is_turned_off() {
    for (switch, expected) in [("", "on"), (" --history on", "on"), (" --history off", "off")] {
        let report = json(&format!("pingpong --spawn --seconds 1{switch}"));
        all_heard(&report, 1);
        assert_eq!(report["history"], expected, "{report}");
        let process = &report["process"];
        assert!(process["loop_cpu_us_per_delivery"].as_f64().unwrap() > 0.0, "{report}");
        assert_eq!(process.get("history_cpu_us_per_line").is_some(), expected == "on", "{report}");
        assert_eq!(report["lines"]["not_kept"], 0, "{report}");
    }
}

#[test]
fn with_and_without_a_history_in_turn() {
    let comparison = json("mesh --spawn --connections 5 --rate 20 --seconds 1 --turns 1");
    assert_eq!((&comparison["work"], &comparison["turns"]), (&"mesh".into(), &1.into()));
    let runs = comparison["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| run["history"].as_str().unwrap()).collect::<Vec<_>>(), ["on", "off"]);
    runs.iter().for_each(|run| all_heard(run, 4));
    let figures = comparison["compared"].as_array().unwrap();
    let figure = figures.iter().find(|figure| figure["what"] == "loop CPU for each delivery, us").expect("a figure");
    let value = |key: &str| figure[key].as_f64().unwrap();
    assert!(value("on") > 0.0 && (value("ratio") - value("on") / value("off")).abs() < 1e-9, "{figure}");
    let outcome = Load::start("idle --spawn --connections 5 --seconds 1 --turns 1").finish();
    outcome.check(0, &[]);
    assert!(outcome.stdout.contains("on/off") && outcome.stdout.contains("server's memory"), "{outcome:?}");
}

#[test]
fn what_cannot_be_is_told() {
    for (args, told) in [
        ("history --server localhost", "of its own"),
        ("history --history off", "leave out"),
        ("history --places 5", "33"),
        ("mesh --server localhost --history on", "cannot be used with"),
        ("mesh --spawn --history sideways", "sideways"),
        ("mesh --spawn --turns 0", "--turns"),
    ] {
        Load::start(args).finish().check(2, &[told]);
    }
}
