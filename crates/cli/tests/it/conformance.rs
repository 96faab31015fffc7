//! The first seed's cases: its logs read in place, as of the instant each case
//! was made, compared with what the seed prints.
//!
//! Reports must be equal: text byte for byte, JSON key by key. The health
//! check differs where the seed is wrong; every such difference has a name in
//! [`DIFFERENCES`].

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::harness::{Desk, Said};

/// Cases with a folder of events and what the seed says of it.
const CASES: [&str; 6] = [
    "01_empty_store",
    "03_test_percentiles",
    "04_test_cache_hit_rate",
    "05_test_token_savings",
    "09_malformed_lines_skipped",
    "18_rotated_files",
];

/// How our health check differs from the seed's, line by line.
///
/// - `window_line_fits_the_box`: the seed's line is four columns too wide.
/// - `hint_names_our_command`: the seed's last line names a Python module.
/// - `tip_needs_data`: the seed says that all operations meet their targets
///   although there are none.
/// - `tips_for_missed_targets`: the seed has none.
/// - `distinct_agents`: the seed counts loads as agents.
/// - `verdict_needs_data`: the seed says that metrics are below their targets
///   although nothing was recorded, or none is.
const DIFFERENCES: [&str; 6] = [
    "window_line_fits_the_box",
    "hint_names_our_command",
    "tip_needs_data",
    "tips_for_missed_targets",
    "distinct_agents",
    "verdict_needs_data",
];

pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/conformance")
        .join(path)
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn read_json(path: &Path) -> Json {
    serde_json::from_str(&read(path)).unwrap()
}

/// As the cases are compared: structural, 1 is 1.0, floats within 1e-9,
/// `"<…>"` matches anything, no key more or less unless `more` is allowed.
pub fn differences(expected: &Json, actual: &Json, more: bool) -> Vec<String> {
    let mut found = Vec::new();
    compare(expected, actual, more, "$", &mut found);
    found
}

fn compare(expected: &Json, actual: &Json, more: bool, at: &str, found: &mut Vec<String>) {
    match (expected, actual) {
        (Json::String(text), _) if text.starts_with('<') && text.ends_with('>') => {}
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            if (a - b).abs() > 1e-9 {
                found.push(format!("{at}: {a} != {b}"));
            }
        }
        (Json::Object(a), Json::Object(b)) => {
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => compare(value, other, more, &format!("{at}.{key}"), found),
                    None => found.push(format!("{at}.{key}: missing")),
                }
            }
            let extra = b.keys().filter(|key| !more && !a.contains_key(*key));
            found.extend(extra.map(|key| format!("{at}.{key}: unexpected")));
        }
        (Json::Array(a), Json::Array(b)) => {
            if a.len() != b.len() {
                found.push(format!("{at}: length {} != {}", a.len(), b.len()));
            }
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                compare(a, b, more, &format!("{at}[{place}]"), found);
            }
        }
        (a, b) if a != b => found.push(format!("{at}: {a} != {b}")),
        _ => {}
    }
}

fn case(name: &str) -> PathBuf {
    data("mycelium_analytics").join(name)
}

/// Runs a command on a copy of the case's events; an empty store is a folder
/// without any.
fn ask(desk: &Desk, name: &str, args: &[&str]) -> Said {
    let folder = desk.cwd().join("analytics");
    if !folder.exists() {
        fs::create_dir(&folder).unwrap();
        let input = case(name).join("input/analytics");
        for file in fs::read_dir(input).into_iter().flatten() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    let now = read_json(&case(name).join("case.json"))["now"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut all = vec!["--events", "analytics", "--as-of", &now];
    all.extend(args);
    desk.ok(&all)
}

#[test]
fn reports_as_json_equal_the_first_seeds_key_by_key() {
    for name in CASES {
        let desk = Desk::new();
        for days in ["7", "30"] {
            let said = ask(&desk, name, &["report", "--days", days, "--format", "json"]);
            let expected = read_json(&case(name).join(format!("expected_report_{days}.json")));
            let found = differences(&expected, &said.json(), false);
            assert!(found.is_empty(), "{name} {days}: {found:#?}");
        }
    }
}

#[test]
fn reports_as_text_equal_the_first_seeds_byte_for_byte() {
    for name in CASES {
        let desk = Desk::new();
        for days in ["7", "30"] {
            let path = case(name).join(format!("expected_report_{days}.txt"));
            if path.exists() {
                let said = ask(&desk, name, &["report", "--days", days]);
                assert_eq!(said.stdout, read(&path), "{name} {days}");
            }
        }
    }
}

#[test]
fn storage_stats_equal_the_first_seeds() {
    for name in CASES {
        let said = ask(
            &Desk::new(),
            name,
            &["stats", "--storage", "--format", "json"],
        );
        let expected = read_json(&case(name).join("expected_storage_stats.json"));
        let found = differences(&expected, &said.json(), false);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn the_health_check_equals_the_first_seeds_but_for_named_differences() {
    for name in CASES {
        let desk = Desk::new();
        for days in ["7", "30"] {
            let said = ask(&desk, name, &["health", "--days", days]);
            let expected = read(&case(name).join(format!("expected_health_{days}.txt")));
            let (theirs, ours) = (lines(&expected), lines(&said.stdout));
            for (line, why) in unmatched(&theirs, &ours, "-").chain(unmatched(&ours, &theirs, "+"))
            {
                assert!(
                    why.is_some_and(|why| DIFFERENCES.contains(&why)),
                    "{name} {days}: {line}\n{}",
                    said.stdout
                );
            }
        }
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// Lines of one side that the other has not, each with the reason, if there is
/// a known one.
fn unmatched<'a>(
    one: &'a [&'a str],
    other: &'a [&'a str],
    sign: &'a str,
) -> impl Iterator<Item = (String, Option<&'static str>)> + 'a {
    let missing = one.iter().filter(move |line| !other.contains(line));
    missing.map(move |line| (format!("{sign} {line}"), reason(sign, line)))
}

fn reason(sign: &str, line: &str) -> Option<&'static str> {
    let tip = line.starts_with("  • ");
    match sign {
        _ if line.starts_with("║        Last ") => Some("window_line_fits_the_box"),
        "-" if line.starts_with("Run `uv run python") => Some("hint_names_our_command"),
        "+" if line == "Run `tacho report` for details." => Some("hint_names_our_command"),
        "-" if line == "  • All operations meeting performance targets" => Some("tip_needs_data"),
        "+" if tip
            && ["Nothing was recorded", "`tacho run", "`tacho demo`"]
                .iter()
                .any(|tip| line.contains(tip)) =>
        {
            Some("tip_needs_data")
        }
        "-" if line.ends_with("Some Metrics Below Target - Review Recommended") => {
            Some("verdict_needs_data")
        }
        "+" if line.contains("No Data Yet") || line.contains("No Target Missed") => {
            Some("verdict_needs_data")
        }
        "+" if tip && line.contains("target is ") => Some("tips_for_missed_targets"),
        _ if line.starts_with("Agents Loaded:") => Some("distinct_agents"),
        _ => None,
    }
}

#[test]
fn the_trend_follows_the_first_seeds_rule() {
    let vectors = read_json(&case("11_trend_rule").join("vectors.json"));
    let now = read_json(&case("11_trend_rule").join("case.json"))["now"]
        .as_str()
        .unwrap()
        .to_owned();
    for (name, vector) in vectors.as_object().unwrap() {
        let desk = Desk::new();
        let mut log = String::new();
        for event in vector["events_days_ago_and_ms"].as_array().unwrap() {
            let at = days_before(&now, event[0].as_u64().unwrap());
            let ms = &event[1];
            log.push_str(&format!(
                "{{\"timestamp\":\"{at}\",\"event_type\":\"agent_discovery\",\"operation\":\"list_agents\",\"duration_ms\":{ms},\"cache_hit\":false,\"agent_count\":1}}\n"
            ));
        }
        fs::create_dir(desk.cwd().join("analytics")).unwrap();
        fs::write(desk.cwd().join("analytics/events.jsonl"), log).unwrap();
        let said = desk.ok(&[
            "--events",
            "analytics",
            "--as-of",
            &now,
            "report",
            "--days",
            "30",
            "--json",
        ]);
        let found = differences(&vector["expected"], &said.json()["trends"], false);
        assert!(
            found.is_empty() || WEIGHTED.contains(&name.as_str()),
            "{name}: {found:#?}"
        );
    }
}

/// Vectors in which weighting the days by what they hold, on exact means,
/// decides otherwise than the seed's unweighted rounded ones (its defect):
/// there, only rounding to 0.01 ms carries the mean over the limit.
const WEIGHTED: [&str; 1] = ["rounding_hides_change"];

/// Instants within one month and the one before, which the vectors need.
fn days_before(now: &str, days: u64) -> String {
    let day: u64 = now[8..10].parse().unwrap();
    let (month, day) = if days < day {
        (&now[5..7], day - days)
    } else {
        ("10", 31 + day - days)
    };
    format!("{}-{month}-{day:02}{}", &now[..4], &now[10..])
}

#[test]
fn percentiles_are_the_first_seeds() {
    let vectors = read_json(&case("12_percentile_vectors").join("vectors.json"));
    let desk = Desk::new();
    let mut log = String::new();
    let vectors = vectors.as_array().unwrap();
    for (at, vector) in vectors.iter().enumerate() {
        for value in vector["data"].as_array().unwrap() {
            log.push_str(&format!(
                "{{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"agent_discovery\",\"operation\":\"v{at}\",\"duration_ms\":{value}}}\n"
            ));
        }
    }
    fs::create_dir(desk.cwd().join("analytics")).unwrap();
    fs::write(desk.cwd().join("analytics/events.jsonl"), log).unwrap();
    let said = desk.ok(&[
        "--events",
        "analytics",
        "--as-of",
        "2025-11-20T12:00:00Z",
        "report",
        "--json",
    ]);
    let by_operation = said.json()["discovery_stats"]["by_operation"].clone();
    let mut compared = 0;
    for (at, vector) in vectors.iter().enumerate() {
        // Negative durations are left out of answers; the vectors' arithmetic
        // is tested where the arithmetic is.
        let values = vector["data"].as_array().unwrap();
        if values.is_empty() || values.iter().any(|value| value.as_f64().unwrap() < 0.0) {
            continue;
        }
        for (p, key) in [("50", "p50_ms"), ("95", "p95_ms"), ("99", "p99_ms")] {
            let ours = &by_operation[format!("v{at}")][key];
            let found = differences(&vector["expected"][p], ours, false);
            assert!(found.is_empty(), "vector {at} {p}: {found:?}");
            compared += 1;
        }
    }
    assert!(compared > 20);
}

#[test]
fn the_real_tool_log_adds_up() {
    let folder = data("exai_metrics/11_real_metrics_jsonl");
    let expected = read_json(&folder.join("expected.json"));
    let desk = Desk::new();
    desk.ok(&[
        "import",
        folder.join("input/metrics.jsonl").to_str().unwrap(),
    ]);
    let report = desk
        .ok(&["report", "--since", "2000-01-01", "--json"])
        .json();
    let caches = report["caches"]["caches"].as_array().unwrap();
    let sum = |key: &str| {
        caches
            .iter()
            .map(|cache| cache[key].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(sum("hits"), expected["file_cache"]["hit"]);
    assert_eq!(sum("misses"), expected["file_cache"]["miss"]);
    let models = report["models"]["models"].as_array().unwrap();
    for (name, tokens) in expected["tokens_by_model"].as_object().unwrap() {
        let of = |key: &str| {
            let rows = models.iter().filter(|model| model["model"] == *name);
            rows.map(|model| model["tokens"][key].as_i64().unwrap())
                .sum::<i64>()
        };
        assert_eq!(
            of("input"),
            tokens["input_tokens"].as_i64().unwrap(),
            "{name}"
        );
        assert_eq!(
            of("output"),
            tokens["output_tokens"].as_i64().unwrap(),
            "{name}"
        );
    }
    let again = desk
        .ok(&["report", "--since", "2000-01-01", "--json"])
        .json();
    assert_eq!(report["tools"], again["tools"]);
}
