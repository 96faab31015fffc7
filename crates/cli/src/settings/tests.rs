use serde_json::{Value as Json, json};

use super::sources::{dotenv, yaml};
use super::*;

fn inputs(file: &str, dotenv_text: &str, env: &[(&str, &str)]) -> Inputs {
    Inputs {
        file: Some(("config.yaml".into(), yaml(file).expect("YAML"))),
        dotenv: dotenv(dotenv_text),
        env: env
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn settled(key: Key, inputs: &Inputs) -> (Json, String) {
    let (settings, wrong) = Settings::resolve(inputs);
    assert_eq!(wrong, [], "{inputs:?}");
    let settled = settings.get(key);
    (settled.value.clone(), settled.source.to_string())
}

#[test]
fn a_setting_s_number_is_its_place_and_its_default_fits() {
    let (settings, wrong) = Settings::resolve(&Inputs::default());
    assert_eq!(wrong, []);
    for (at, def) in SETTINGS.iter().enumerate() {
        assert_eq!(def.key as usize, at, "{}", def.name);
        let value = &settings.get(def.key).value;
        let again = format!("{}: {value}", def.name);
        let (_, wrong) = Settings::resolve(&inputs(&again, "", &[]));
        assert_eq!(wrong, [], "default of {}", def.name);
    }
}

#[test]
fn what_only_the_server_uses_says_so() {
    for def in SETTINGS {
        let says_so = def.doc.starts_with("start: ");
        assert_eq!(def.key.is_for_serving(), says_so, "{}", def.name);
    }
}

#[test]
fn later_sources_count_more() {
    let check = |file, dotenv, env: &[(&str, &str)], value: Json, source: &str| {
        assert_eq!(
            settled(Key::SlowQueryMs, &inputs(file, dotenv, env)),
            (value, source.to_owned())
        );
    };
    const V: &str = "METRICS_SLOW_THRESHOLD_MS";
    check("", "", &[], json!(5000.0), "default");
    check("slow_query_ms: 1", "", &[], json!(1.0), "config.yaml");
    check(
        "slow_query_ms: 1",
        "METRICS_SLOW_THRESHOLD_MS=2",
        &[],
        json!(2.0),
        "METRICS_SLOW_THRESHOLD_MS in .env",
    );
    check(
        "slow_query_ms: 1",
        "METRICS_SLOW_THRESHOLD_MS=2",
        &[(V, "3")],
        json!(3.0),
        "METRICS_SLOW_THRESHOLD_MS in the environment",
    );
    check(
        "slow_query_ms: 1",
        "METRICS_SLOW_THRESHOLD_MS=2",
        &[(V, "")],
        json!(2.0),
        "METRICS_SLOW_THRESHOLD_MS in .env",
    );
    check("slow_query_ms: null", "", &[], json!(5000.0), "default");
}

#[test]
fn the_seeds_opt_outs_are_obeyed() {
    let recording = |env: &[(&str, &str)]| settled(Key::Recording, &inputs("", "", env)).0;
    for (text, on) in [
        ("0", false),
        ("1", true),
        ("", true),
        ("false", true),
        ("no", true),
        ("off", true),
        ("00", true),
        (" 0", true),
        ("2", true),
    ] {
        assert_eq!(
            recording(&[("MYCELIUM_TELEMETRY", text)]),
            json!(on),
            "{text:?}"
        );
    }
    assert_eq!(recording(&[("TACHOGRAPH_DISABLED", "1")]), json!(false));
    assert_eq!(
        recording(&[("TACHOGRAPH_DISABLED", "no"), ("MYCELIUM_TELEMETRY", "0")]),
        json!(false)
    );
    let tools = |text| {
        settled(
            Key::ToolMetrics,
            &inputs("", "", &[("PERFORMANCE_METRICS_ENABLED", text)]),
        )
        .0
    };
    assert_eq!(
        ["True", "false", "1", ""].map(tools),
        [json!(true), json!(false), json!(false), json!(false)]
    );
    assert_eq!(
        settled(Key::Recording, &inputs("enable_metrics: false", "", &[])).0,
        json!(false)
    );
}

#[test]
fn a_wrong_value_names_key_value_range_and_way_out() {
    let wrong = |file, env: &[(&str, &str)]| {
        let (_, wrong) = Settings::resolve(&inputs(file, "", env));
        assert_eq!(wrong.len(), 1);
        wrong[0].message.clone()
    };
    assert_eq!(
        wrong("", &[("METRICS_WINDOW_SIZE", "0")]),
        "METRICS_WINDOW_SIZE (environment): 0 is not a whole number from 1 to 1000000\n\
         hint: set METRICS_WINDOW_SIZE to a whole number from 1 to 1000000, or unset it"
    );
    assert_eq!(
        wrong("slow_query_ms: fast", &[]),
        "slow_query_ms (config.yaml): \"fast\" is not a number from 0 to 86400000\n\
         hint: correct `slow_query_ms` in that file, or remove it for the default (5000.0)"
    );
    assert!(wrong("", &[("METRICS_SLOW_THRESHOLD_MS", "NaN")]).contains("NaN is not a number"));
    assert!(!wrong("telemetry_salt: 17", &[]).contains("17"));
}

#[test]
fn an_unknown_key_is_told_with_the_nearest() {
    let (settings, _) = Settings::resolve(&inputs("slow_query_mss: 1\nzebra: 2", "", &[]));
    assert_eq!(
        settings.unknown,
        [
            ("slow_query_mss".to_owned(), Some("slow_query_ms")),
            ("zebra".to_owned(), None)
        ]
    );
}

#[test]
fn another_tool_s_yaml_is_taken_as_it_is() {
    let text = include_str!("../../tests/data/freeagentics.yaml");
    let (settings, wrong) = Settings::resolve(&inputs(text, "", &[]));
    assert_eq!((wrong.len(), settings.unknown.len()), (0, 0));
    assert!(settings.is(Key::Recording));
    assert_eq!(settings.text(Key::DashboardHost), Some("0.0.0.0"));
    assert_eq!(
        settings.get(Key::AlertRules).value.as_array().map(Vec::len),
        Some(8)
    );
}

#[test]
fn dotenv_forms() {
    let text = "# comment\nA=1\nexport B = two words # comment\nC=\"x\\ny # not\"\nD='a\\nb'\nE=\nbad line\n=x\nF=a#b\n\u{feff}G=ok\r\n";
    let pairs = dotenv(text);
    let expected = [
        ("A", "1"),
        ("B", "two words"),
        ("C", "x\ny # not"),
        ("D", "a\\nb"),
        ("E", ""),
        ("F", "a#b"),
        ("G", "ok"),
    ];
    assert_eq!(
        pairs,
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
}
