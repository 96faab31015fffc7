//! `tacho config`: precedence, errors, where each value came from.

use crate::harness::Desk;

fn home_with(desk: &Desk, yaml: &str) {
    std::fs::create_dir_all(desk.home()).unwrap();
    std::fs::write(desk.home().join("config.yaml"), yaml).unwrap();
}

#[test]
fn later_sources_count_more() {
    let desk = Desk::new();
    let check = |env: Option<&str>, value: f64, source: &str| {
        let mut command = desk.command(&["config", "slow_query_ms", "--json"]);
        if let Some(text) = env {
            command.env("METRICS_SLOW_THRESHOLD_MS", text);
        }
        let output = command.output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let setting = &json["slow_query_ms"];
        assert_eq!(setting["value"], value);
        assert!(
            setting["source"].as_str().unwrap().contains(source),
            "{setting}"
        );
    };
    check(None, 5000.0, "default");
    home_with(&desk, "slow_query_ms: 1\n");
    check(None, 1.0, "config.yaml");
    desk.file(".env", "# mine\nexport METRICS_SLOW_THRESHOLD_MS=\"2\"\n");
    check(None, 2.0, ".env");
    check(Some("3"), 3.0, "in the environment");
}

#[test]
fn the_home_comes_from_flag_environment_or_user() {
    let desk = Desk::new();
    let said = desk.ok(&["--home", "elsewhere", "config", "home", "--json"]);
    assert_eq!(said.json()["home"]["source"], "--home");
    let said = desk.ok(&["config", "home", "--json"]);
    assert_eq!(
        said.json()["home"]["source"],
        "TACHOGRAPH_HOME in the environment"
    );
    let output = desk
        .command(&["config", "home", "--json"])
        .env_remove("TACHOGRAPH_HOME")
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        json["home"]["value"],
        desk.user().join(".tachograph").to_str().unwrap()
    );
}

#[test]
fn a_wrong_value_names_key_value_range_and_way_out() {
    let desk = Desk::new();
    let output = desk
        .command(&["config"])
        .env("METRICS_WINDOW_SIZE", "0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        words,
        "error: METRICS_WINDOW_SIZE (environment): 0 is not a whole number from 1 to 1000000\n\
         hint: set METRICS_WINDOW_SIZE to a whole number from 1 to 1000000, or unset it\n"
    );
    home_with(&desk, "target_cache_hit_rate: 120\n");
    desk.tacho(&["config"]).fails(
        2,
        &[
            "target_cache_hit_rate",
            "config.yaml",
            "120 is not a number from 0 to 100",
            "hint: ",
        ],
    );
    desk.tacho(&["record", "tool_call"])
        .fails(2, &["target_cache_hit_rate"]);
    home_with(&desk, "a: [1\n");
    desk.tacho(&["config"])
        .fails(2, &["config.yaml", "hint: settings are `key: value`"]);
    home_with(&desk, "- a\n- b\n");
    desk.tacho(&["config"]).fails(2, &["not a mapping"]);
    home_with(&desk, "");
    desk.ok(&["config"]);
}

#[test]
fn what_a_command_does_not_use_stands_not_in_its_way() {
    let desk = Desk::new();
    // One of no command yet, and one of the server's.
    for (variable, of_the_server) in [("TELEMETRY_TIMEOUT", false), ("PROMETHEUS_PORT", true)] {
        let run = |args: &[&str]| {
            let mut command = desk.command(args);
            command.env(variable, "no").status().unwrap().code()
        };
        assert_eq!(run(&["record", "tool_call"]), Some(0), "{variable}");
        assert_eq!(run(&["config"]), Some(2), "{variable}");
        if of_the_server {
            assert_eq!(run(&["start"]), Some(2), "{variable}");
        }
    }
}

#[test]
fn misspelt_keys_are_told() {
    let desk = Desk::new();
    desk.tacho(&["config", "slow_qery_ms"])
        .fails(2, &["did you mean `slow_query_ms`?"]);
    home_with(&desk, "slow_qery_ms: 7\n");
    let said = desk.ok(&["config"]);
    assert!(
        said.stderr
            .contains("no setting is called `slow_qery_ms`; did you mean `slow_query_ms`?"),
        "{said:?}"
    );
    assert_eq!(desk.ok(&["-q", "config"]).stderr, "");
}

#[test]
fn secrets_are_not_printed() {
    let desk = Desk::new();
    let output = desk
        .command(&["config"])
        .env("TELEMETRY_SALT", "tell-nobody")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("(hidden)") && !text.contains("tell-nobody"),
        "{text}"
    );
}

#[test]
fn another_tool_s_settings_file_is_taken_as_it_is() {
    let desk = Desk::new();
    home_with(&desk, include_str!("../data/freeagentics.yaml"));
    let said = desk.ok(&["config", "--json"]);
    assert_eq!(said.stderr, "");
    assert_eq!(said.json()["dashboard_port"]["value"], 8090);
}

/// What the fourth seed honours of its file, we do, at its values.
#[test]
fn the_fourth_seed_s_keys_are_honoured() {
    let desk = Desk::new();
    let case = include_str!("../data/conformance/freeagentics/19_config_yaml/expected.json");
    let case: serde_json::Value = serde_json::from_str(case).unwrap();
    let honoured = case["honoured"].as_array().unwrap();
    assert_eq!(honoured.len(), 20);
    let value = |config: &serde_json::Value, key: &str| {
        // Recording as a whole has a name of its own here.
        let key = if key == "enable_metrics" {
            "recording"
        } else {
            key
        };
        config[key]["value"].clone()
    };
    let same = |found: &serde_json::Value, wanted: &serde_json::Value| {
        found == wanted || (found.is_number() && found.as_f64() == wanted.as_f64())
    };
    let check = |said: &serde_json::Value, but: &[(&str, serde_json::Value)]| {
        for key in honoured {
            let key = key.as_str().unwrap();
            let other = but.iter().find(|(other, _)| *other == key);
            let wanted = other.map_or(&case["defaults"][key], |(_, wanted)| wanted);
            let found = value(said, key);
            assert!(same(&found, wanted), "{key}: {found} is not {wanted}");
        }
    };
    // It listened to the whole network unless told otherwise; and nothing to
    // do is nothing here.
    let but = [
        ("dashboard_host", "127.0.0.1".into()),
        ("load_test_scenarios", serde_json::Value::Null),
    ];
    check(&desk.ok(&["config", "--json"]).json(), &but);
    home_with(&desk, include_str!("../data/freeagentics.yaml"));
    let said = desk.ok(&["config", "--json"]).json();
    let all = serde_json::json!(["database", "websocket", "agent", "coordination"]);
    check(&said, &[("load_test_scenarios", all)]);
    // Nor did it ever look at these.
    for key in [
        "alert_rules",
        "anomaly_detection",
        "collection_intervals",
        "baselines",
    ] {
        assert!(!said[key]["value"].is_null(), "{key}");
    }
}

#[test]
fn opt_outs_are_listed_with_their_state() {
    let desk = Desk::new();
    desk.file(".env", "PERFORMANCE_METRICS_ENABLED=no\n");
    let run = |args: &[&str]| {
        let mut command = desk.command(args);
        command
            .env("MYCELIUM_TELEMETRY", "0")
            .env("METRICS_ENABLED", "true");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let text = run(&["config"]);
    for row in [
        "TACHOGRAPH_DISABLED          -      on         everything",
        "MYCELIUM_TELEMETRY           0      off        everything",
        "PERFORMANCE_METRICS_ENABLED  no     off        tool calls and caches",
        "METRICS_ENABLED              true   on         queries and what they used",
    ] {
        assert!(text.contains(row), "{row}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&run(&["config", "--json"])).unwrap();
    let out = &json["opt_outs"]["MYCELIUM_TELEMETRY"];
    assert_eq!((&out["off"], &out["value"]), (&true.into(), &"0".into()));
    assert_eq!(json["opt_outs"]["METRICS_ENABLED"]["off"], false);
}

#[test]
fn what_only_embedding_programs_use_is_no_setting_of_ours() {
    let desk = Desk::new();
    let text = desk.ok(&["config"]).stdout;
    for name in ["window_size", "sampling_rate"] {
        assert!(!text.contains(&format!("\n{name} ")), "{text}");
        let said = desk.ok(&["config", name]).stdout;
        assert!(said.contains("programs that embed the recorder"), "{said}");
    }
    assert!(text.contains("METRICS_SAMPLING_RATE"), "{text}");
}
