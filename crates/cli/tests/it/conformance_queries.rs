//! The fifth seed's cases: its files imported, then summary, comparison,
//! trends and export compared with what the seed prints.
//!
//! Ours say more (every type of agent seen, where the seed knows two), so JSON
//! is compared on the seed's keys; each difference in text is listed.

use std::fs;
use std::path::PathBuf;

use crate::conformance::{data, differences, read, read_json};
use crate::harness::{Desk, Said};

const CASES: [&str; 3] = ["01_shipped_metrics", "02_400_records", "04_empty"];

fn case(name: &str) -> PathBuf {
    data("io_telco").join(name)
}

/// A home with the case's records, and questions as of its instant.
struct Home {
    desk: Desk,
    now: String,
}

impl Home {
    fn of(name: &str) -> Self {
        let desk = Desk::new();
        let now = read_json(&case(name).join("case.json"))["now"]
            .as_str()
            .unwrap()
            .to_owned();
        let input = case(name).join("input/monitoring/metrics.json");
        if input.exists() {
            desk.ok(&["import", input.to_str().unwrap()]);
        }
        Self { desk, now }
    }

    fn ask(&self, args: &[&str]) -> Said {
        let mut all = vec!["--as-of", self.now.as_str()];
        all.extend(args);
        self.desk.ok(&all)
    }
}

/// Names and arguments of `expected_{kind}_{window}.json` in a case.
fn windows(name: &str, kind: &str, unit: char) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(case(name)).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let window = file
            .strip_prefix(&format!("expected_{kind}_"))
            .and_then(|rest| rest.strip_suffix(&format!("{unit}.json")));
        if let Some(window) = window {
            found.push((path.clone(), window.to_owned()));
        }
    }
    assert!(!found.is_empty(), "{name} {kind}");
    found
}

#[test]
fn summaries_agree_on_the_seeds_keys() {
    for name in CASES {
        let home = Home::of(name);
        for (path, hours) in windows(name, "summary", 'h') {
            let said = home.ask(&[
                "report",
                "--section",
                "queries",
                "--hours",
                &hours,
                "--json",
            ]);
            let found = differences(&read_json(&path), &said.json(), true);
            assert!(found.is_empty(), "{name} {hours}: {found:#?}");
        }
    }
}

#[test]
fn trends_agree_on_the_seeds_keys() {
    for name in CASES {
        let home = Home::of(name);
        for (path, days) in windows(name, "trends", 'd') {
            let said = home.ask(&["trends", "--days", &days, "--json"]);
            let found = differences(&read_json(&path), &said.json(), true);
            assert!(found.is_empty(), "{name} {days}: {found:#?}");
        }
    }
}

#[test]
fn comparisons_of_agents_agree_on_the_seeds_keys() {
    for name in CASES {
        let said = Home::of(name).ask(&["stats", "--json"]);
        let expected = read_json(&case(name).join("expected_agent_performance.json"));
        let found = differences(&expected, &said.json(), true);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn every_type_of_agent_is_shown() {
    let home = Home::of("01_shipped_metrics");
    let summary = home
        .ask(&[
            "report",
            "--section",
            "queries",
            "--hours",
            "1000",
            "--json",
        ])
        .json();
    assert_eq!(summary["agent_usage"]["selector_agent"]["count"], 2);
    let stats = home.ask(&["stats", "--json"]).json();
    assert_eq!(stats["selector_agent"]["total_queries"], 2);
    let day = &home.ask(&["trends", "--days", "60", "--json"]).json()["trend_data"][0];
    assert!((day["agent_usage"]["selector"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
}

/// The seed's texts, by its own arguments: each becomes a command of ours and
/// what its output must hold.
#[test]
fn texts_are_the_seeds() {
    for name in CASES {
        let home = Home::of(name);
        let runs = read_json(&case(name).join("expected_cli.json"));
        let mut compared = 0;
        for run in runs.as_array().unwrap() {
            let args: Vec<&str> = run["args"]
                .as_array()
                .unwrap()
                .iter()
                .map(|arg| arg.as_str().unwrap())
                .collect();
            let Some(ours) = command(&args) else { continue };
            let said = home.ask(&ours);
            let theirs = run["stdout"].as_str().unwrap();
            // Where the seed broke off with a traceback, what it had printed.
            let missing: Vec<&str> = theirs
                .lines()
                .filter(|line| !said.stdout.lines().any(|ours| ours == *line))
                .collect();
            assert!(
                missing.is_empty(),
                "{name} {args:?}: {missing:#?}\n{}",
                said.stdout
            );
            let added: Vec<&str> = said
                .stdout
                .lines()
                .filter(|line| !theirs.lines().any(|other| other == *line))
                .collect();
            let whole = run["rc"] == 0 && args != ["stats"];
            if whole {
                let explained = added.iter().all(|line| line.contains("Selector Agent"));
                assert!(explained, "{name} {args:?}: {added:#?}");
            }
            compared += 1;
        }
        assert!(compared >= 4, "{name}");
    }
}

/// Which command of ours prints what the seed's prints.
fn command<'a>(args: &[&'a str]) -> Option<Vec<&'a str>> {
    if args.contains(&"--format") {
        return None;
    }
    match args {
        ["report", "--hours", hours] => {
            Some(vec!["report", "--section", "queries", "--hours", hours])
        }
        ["stats", ..] | ["trends", "--days", _] => Some(args.to_vec()),
        // config and clean are about its own files; export is compared below.
        _ => None,
    }
}

#[test]
fn exported_queries_equal_the_seeds_but_for_text_that_is_not_kept() {
    for name in ["01_shipped_metrics", "02_400_records"] {
        let home = Home::of(name);
        let said = home.ask(&["export", "--shape", "queries", "--format", "csv"]);
        let (ours, theirs) = (
            rows(&said.stdout),
            rows(&read(&case(name).join("expected_export.csv"))),
        );
        assert_eq!(ours.len(), theirs.len(), "{name}");
        assert_eq!(ours[0], theirs[0], "{name}");
        let text: Vec<usize> = ["query_text", "error_message"]
            .map(|column| theirs[0].iter().position(|name| name == column).unwrap())
            .into();
        let mut ordered = theirs[1..].to_vec();
        ordered.sort_by(|a, b| a[1].cmp(&b[1]));
        for (ours, theirs) in ours[1..].iter().zip(&ordered) {
            for (at, (mine, other)) in ours.iter().zip(theirs).enumerate() {
                if text.contains(&at) {
                    assert_eq!(mine, "", "{name}: text must not be kept");
                } else {
                    assert_eq!(mine, other, "{name} {ours:?}");
                }
            }
        }
    }
}

/// Records of CSV with quotes.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    for c in text.trim_end().chars() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\r' => {}
            '\n' if !quoted => rows.push(vec![String::new()]),
            c => row.last_mut().unwrap().push(c),
        }
    }
    rows
}
