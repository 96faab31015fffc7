//! What live state sees of odd events, a replay sees too.

/// Events of every kind that a series is made of, odd ones among them.
const ODD: &str = r#"
{"event_type":"tool_call","tool":"a","duration_ms":5,"success":true}
{"event_type":"tool_call","tool":"a","agent":"g","duration_ms":50,"success":false,"error_type":"Timeout"}
{"event_type":"tool_call","tool":"a","error_type":"Timeout"}
{"event_type":"tool_call","tool":"a","duration_ms":-5}
{"event_type":"tool_call","tool":"b\u202e","agent":"h\u202e","success":false}
{"event_type":"llm_call","provider":"p","model":"m","duration_ms":7,"input_tokens":5,"output_tokens":6,"cost_usd":0.5,"success":true,"agent":"g"}
{"event_type":"llm_call","provider":"p","model":"m","agent":"h","duration_ms":9,"cost_usd":-1,"error_type":"RateLimit"}
{"event_type":"llm_call","duration_ms":9,"input_tokens":5}
{"event_type":"cache","cache":"c","operation":"hit","hit":true}
{"event_type":"cache","cache":"c","operation":"miss","hit":false}
{"event_type":"cache","cache":"c","operation":"eviction"}
{"event_type":"cache","cache":"c","hit":true}
{"event_type":"agent_usage","agent_id_hash":"g","duration_ms":3,"success":false}
{"event_type":"query","agent_type":"q","duration_ms":30,"success":true}
{"event_type":"query","agent_type":"q","success":false}
{"event_type":"agent_selection","selected_agent":"q","complexity_score":0.4}
{"event_type":"agent_selection","selected_agent":"q"}
{"event_type":"error","error_type":"E","source":"s"}
{"event_type":"error","source":"s"}
{"event_type":"agent_discovery","operation":"search","duration_ms":2}
{"event_type":"profile","component":"x","operation":"parse","duration_ms":4}
{"event_type":"loss","kind":"tool_call","reason":"overload","count":3}
{"event_type":"loss","kind":"tool_call","reason":"overload"}
{"event_type":"metric","source":"s","name":"v","value":3}
{"event_type":"metric","source":"s","name":"v","value":-4,"count":3}
{"event_type":"metric","source":"s","name":"none"}
{"event_type":"performance","metric_name":"speed","value":3}
{"event_type":"span","name":"step","duration_ms":5,"success":false}
{"event_type":"nobody_knows_it","name":"x"}
"#;

#[test]
fn a_replay_sees_what_live_state_sees() {
    use std::time::Duration;
    use tachograph_analyze::{Engine, EngineConfig};
    use tachograph_model::alert::{Condition, EVERY, Rule, Stat};
    use tachograph_model::{Scope, UnixNanos, Window, question};
    use tachograph_serve::alert::figures;
    use tachograph_serve::live::{Family, State};

    let now = UnixNanos(1_763_640_000_000_000_000);
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for (at, line) in ODD.lines().filter(|line| !line.is_empty()).enumerate() {
        // Within the window, and the last of them by a clock that goes ahead.
        let seconds = 20 - at as i64;
        let mut stamp = Vec::new();
        UnixNanos(now.0 - seconds * 1_000_000_000).write(&mut stamp);
        let stamp = String::from_utf8(stamp).unwrap();
        lines.push_str(&format!("{{\"timestamp\":\"{stamp}\",{}\n", &line[1..]));
    }
    std::fs::write(folder.path().join("events.jsonl"), &lines).unwrap();
    let mut live = State::new(4096);
    live.take(lines.as_bytes(), now);
    let home = tachograph_log::Home::at(folder.path());
    let store = tachograph_store::Store::open(&home);
    let engine = Engine::open(store, EngineConfig::default());
    let scope = Scope {
        window: Window {
            from: UnixNanos(now.0 - 3_600_000_000_000),
            to: UnixNanos::MAX,
        },
        ..Scope::all(now)
    };
    let mut compared = 0;
    for family in Family::ALL {
        for stat in Stat::NAMES {
            let condition = Condition::parse(&format!("{stat} != -12345")).unwrap();
            // Any source but for a metric, of which a rule names one.
            let sources = match family {
                Family::Metric => &["s", "performance"][..],
                _ => &[""],
            };
            let rule = |source: &&str| Rule {
                family: family.name().to_owned(),
                ..Rule::new(source, EVERY, source, condition)
            };
            let rules = sources.iter().map(rule);
            let rules = rules
                .map(|rule| Rule {
                    name: "r".to_owned(),
                    ..rule
                })
                .collect();
            let asked = question::RuleValues {
                rules,
                now,
                within: Duration::from_secs(60),
            };
            let values = engine.rule_values(&asked).unwrap();
            let asked = question::Backtest {
                scope,
                rules: asked.rules,
            };
            let (found, _) = engine.backtest(&asked, &mut |_| {}).unwrap();
            let near = |one: Option<f64>, other: Option<f64>| match (one, other) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                (a, b) => a == b,
            };
            for (past, values) in found.rules.iter().zip(&values.rules) {
                let values = values.as_ref().expect("found out");
                let same = past.alerts.len() == values.len()
                    && past.alerts.iter().zip(values).all(|(one, other)| {
                        (&one.source, &one.name) == (&other.source, &other.name)
                            && near(one.value, other.value)
                    });
                assert!(same, "{family:?} {stat}: {values:?} {past:?}");
            }
            let standing = found.rules.iter().flat_map(|past| &past.alerts);
            let mut any = false;
            for one in standing {
                let length = Duration::from_secs(300);
                let reading = live.reading(family, &one.source, &one.name, length, now);
                let reading = reading.unwrap_or_else(|| panic!("{family:?} {one:?}"));
                let (happened, window) = (reading.happened.as_ref(), reading.window.as_ref());
                let wanted = figures(family, happened, window).figure(condition.stat);
                // Of values that stand for several live state knows buckets.
                let near = near(one.value, wanted) || one.name == "v" && stat.starts_with('p');
                assert!(near, "{family:?} {stat} {one:?}: {wanted:?}");
                any = true;
                compared += 1;
            }
            assert!(any, "{family:?} has no series");
        }
    }
    assert!(compared > 200, "{compared}");
}
