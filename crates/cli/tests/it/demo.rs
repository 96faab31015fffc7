//! `tacho demo`: labelled, deterministic, with its story in it, and never in
//! anybody's way.

use crate::harness::Desk;

const AS_OF: &[&str] = &["--as-of", "2025-11-20T12:00:00Z", "demo"];

#[test]
fn a_fortnight_is_told_and_can_be_asked() {
    let desk = Desk::new();
    let said = desk.ok(AS_OF);
    assert!(
        said.stdout.contains("=== ") && said.stdout.contains("Health Check"),
        "{}",
        said.stdout
    );
    assert!(
        said.stderr.contains("a made-up fortnight") && said.stderr.contains("Try next:"),
        "{}",
        said.stderr
    );
    for found in [
        "web_fetch (tool call): failure rate",
        "sql_query (tool call): median latency",
        "claude-opus (llm call): cost a day",
    ] {
        assert!(said.stdout.contains(found), "{found}: {}", said.stdout);
    }
    assert!(!desk.home().exists(), "the user's own home is left alone");
    let home = desk.cwd().join("tachograph-demo");
    assert!(
        std::fs::read_to_string(home.join("README.md"))
            .unwrap()
            .contains("Made-up")
    );
    let ask = |sql: &str| -> serde_json::Value {
        let said = desk.ok(&["--home", "tachograph-demo", "sql", "--format", "jsonl", sql]);
        serde_json::from_str(said.stdout.lines().next().unwrap()).unwrap()
    };
    let count = ask("select count(*) as n from events")["n"]
        .as_u64()
        .unwrap();
    assert!((80_000..=120_000).contains(&count), "{count} events");
    let label = ask("select source, name, value from events where name = 'synthetic'");
    assert_eq!(
        label,
        serde_json::json!({"source": "tacho-demo", "name": "synthetic", "value": 1.0})
    );
    // The incident, the slow regression, the cost spike.
    let at = "timestamp >= timestamp '2025-11-18T13:00:00' and timestamp < timestamp '2025-11-18T15:00:00'";
    let incident = ask(&format!(
        "select avg(case when success then 0.0 else 1.0 end) as rate from events where event_type = 'tool_call' and name = 'web_fetch' and {at}"
    ));
    assert!(incident["rate"].as_f64().unwrap() > 0.5, "{incident}");
    let slower = ask(
        "select avg(duration_ms) filter (where timestamp >= timestamp '2025-11-19T12:00:00') \
                      / avg(duration_ms) filter (where timestamp < timestamp '2025-11-15T12:00:00') as times \
                      from events where event_type = 'tool_call' and name = 'sql_query'",
    );
    assert!(slower["times"].as_f64().unwrap() > 1.7, "{slower}");
    let spike = ask(
        "select sum(cost_usd) filter (where timestamp >= timestamp '2025-11-17T00:00:00' and timestamp < timestamp '2025-11-18T00:00:00') \
                     / sum(cost_usd) filter (where timestamp >= timestamp '2025-11-13T00:00:00' and timestamp < timestamp '2025-11-14T00:00:00') as times \
                     from events",
    );
    assert!(spike["times"].as_f64().unwrap() > 3.0, "{spike}");
}

/// Whenever the fortnight ends, the part of its last day that there is hides
/// nothing, and is nothing of its own.
#[test]
fn what_gets_slower_is_named_with_its_day_whenever_the_fortnight_ends() {
    let desk = Desk::new();
    // Early on a Monday, late on a Sunday, noon of a Saturday, just after
    // midnight; five days before each it began.
    for (end, since) in [
        ("2025-11-17T05:30:00Z", ["2025-11-12", "2025-11-13"]),
        ("2025-11-23T22:00:00Z", ["2025-11-18", "2025-11-19"]),
        ("2025-11-22T12:00:00Z", ["2025-11-17", "2025-11-18"]),
        // Of the first two days, a quiet weekend, there is hardly anything.
        ("2025-11-20T00:20:00Z", ["2025-11-16", "2025-11-17"]),
    ] {
        let home = &end[..10];
        desk.ok(&["--home", home, "--as-of", end, "demo"]);
        let told = desk.ok(&["--home", home, "--as-of", end, "changes", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        let changes = told["changes"].as_array().unwrap();
        let of = |figure: &str| {
            let of = changes.iter().filter(|change| change["figure"] == figure);
            let of = of.map(|change| (change["name"].as_str(), change["finding"].as_str(), change));
            of.collect::<Vec<_>>()
        };
        let [(Some("sql_query"), Some("level_shift"), slower)] = of("median_ms")[..] else {
            panic!("{end}: {changes:?}");
        };
        assert_eq!(slower["worse"], true, "{end}");
        assert!(
            since.iter().any(|day| slower["since"] == *day),
            "{end}: {slower}"
        );
        assert!(slower["p"].as_f64().unwrap() < 0.05, "{end}: {slower}");
        let [(Some("web_fetch"), Some("outlier"), _)] = of("failure_ratio")[..] else {
            panic!("{end}: {changes:?}");
        };
    }
}

#[test]
fn the_same_seed_gives_the_same_events() {
    let desk = Desk::new();
    // Events of the same instant may come in any order.
    let export = |home: &str| {
        let said = desk.ok(&["--home", home, "export", "--format", "jsonl"]);
        let mut lines: Vec<String> = said.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for home in ["a", "b"] {
        let mut args = vec!["--home", home];
        args.extend(AS_OF);
        desk.ok(&args);
    }
    let first = export("a");
    assert!(first == export("b"), "two demos differ");
    // Filled anew, not added to.
    let mut args = vec!["--home", "a"];
    args.extend(AS_OF);
    desk.ok(&args);
    assert_eq!(export("a").len(), first.len());
}

#[test]
fn a_home_with_something_else_in_it_is_left_alone() {
    let desk = Desk::new();
    desk.ok(&["--home", "mine", "record", "tool_call", "--tool", "x"]);
    desk.tacho(&["--home", "mine", "demo"])
        .fails(2, &["holds something that is no demo", "hint: "]);
    assert_eq!(crate::harness::events_in(&desk.cwd().join("mine")).len(), 1);
}
