use std::time::Duration;

use serde_json::json;

use super::*;

fn read(block: &Value) -> Result<Vec<Channel>, String> {
    channels(&Given {
        channels: block,
        env: &|name| (name == "HOOK").then(|| "http://example.com/T0secret".to_owned()),
        ..Given::default()
    })
}

#[test]
fn channels_are_what_their_keys_say() {
    let all = json!({
        "mail": {"kind": "email", "server": "smtp.example.com", "to": ["a@b.c", "d@e.f"],
            "user": "a@b.c", "password": "hunter22", "severity": "critical"},
        "chat": {"kind": "slack", "url_env": "HOOK"},
        "hook": {"kind": "webhook", "url": "https://example.com/x", "token": "abc",
            "retry_seconds": 60, "instance": "laptop"},
        "am": {"kind": "alertmanager", "url": "http://127.0.0.1:9093/"},
        "desk": {"kind": "desktop"},
        "own": {"kind": "exec", "command": ["./on-alert", "x"], "timeout_seconds": 5},
        "log": {"kind": "terminal", "group_seconds": 0, "repeat_seconds": 0},
    });
    let found = read(&all).expect("channels");
    let kinds: Vec<&str> = found.iter().map(Channel::kind).collect();
    assert_eq!(kinds, KINDS);
    assert_eq!(found[0].severity(), "critical");
    assert_eq!(found[2].terms.retry_for, Duration::from_secs(60));
    assert_eq!(found[3].terms.repeat, Duration::from_secs(60));
    assert_eq!(found[4].terms.repeat, Duration::from_secs(4 * 3600));
    // As a list, too.
    let list = json!([{"name": "desk", "kind": "desktop"}, {"name": "b", "kind": "terminal"}]);
    let found = read(&list).expect("channels");
    assert_eq!((found[0].name(), found[1].name()), ("desk", "b"));
}

#[test]
fn what_is_wrong_is_named_and_no_secret_is() {
    let check = |keys: Value, said: &str| {
        let error = read(&json!({"x": keys})).expect_err(said);
        assert!(error.contains(said), "{error}");
        assert!(error.contains("alert_channels: x: "), "{error}");
        assert!(!error.contains("hunter22"), "{error}");
    };
    let mail = |key: &str, value: Value| {
        let mut mail = json!({"kind": "email", "server": "smtp.example.com", "to": "a@b.c"});
        mail[key] = value;
        mail
    };
    check(json!({}), "no `kind`, one of email");
    check(json!({"kind": "slak"}), "did you mean slack?");
    check(json!({"kind": "slack"}), "no `url`");
    check(json!({"kind": "slack", "url": 7}), "`url` must be text");
    check(
        json!({"kind": "slack", "url": "hunter22"}),
        "none of http://",
    );
    check(
        json!({"kind": "slack", "url": "ftp://hunter22"}),
        "none of http://",
    );
    check(
        json!({"kind": "slack", "url_env": "HOK"}),
        "names HOK, which is not set",
    );
    // Put there by mistake.
    check(
        json!({"kind": "slack", "url_env": "https://hooks.slack.com/hunter22"}),
        "`url_env` names a variable that is not set",
    );
    check(
        json!({"kind": "slack", "url_env": "HOOK", "url": "hunter22"}),
        "both `url`",
    );
    check(
        json!({"kind": "slack", "urll": "hunter22"}),
        "did you mean url?",
    );
    check(
        json!({"kind": "webhook", "url": "http://a", "proxy": "ftp://hunter22"}),
        "proxy",
    );
    check(
        json!({"kind": "desktop", "url": "hunter22"}),
        "has no `url`",
    );
    check(
        json!({"kind": "desktop", "severity": "bad"}),
        "`severity` is one of info",
    );
    check(
        json!({"kind": "desktop", "timeout_seconds": 0}),
        "`timeout_seconds` must be",
    );
    check(
        json!({"kind": "desktop", "repeat_seconds": "1h"}),
        "`repeat_seconds` must be",
    );
    check(json!({"kind": "exec"}), "no `command`");
    check(
        json!({"kind": "exec", "command": [7]}),
        "`command` must be a list",
    );
    check(json!({"kind": "email"}), "no `server`");
    check(mail("to", json!([])), "`to` must be 1 to 20");
    check(mail("to", json!("nobody")), "`to` is no address");
    check(
        mail("to", json!("a@b.c\r\nBcc: d@e.f")),
        "`to` is no address",
    );
    check(mail("port", json!(70_000)), "`port` must be");
    check(mail("password", json!("hunter22")), "go together");
    check(mail("security", json!("none")), "for all to read");
    check(mail("security", json!("ssl")), "`security` is one of");
    check(mail("ca_file", json!("no/such.pem")), "no such file");
    for (all, said) in [
        (json!("hunter22"), "no list of channels"),
        (json!({"x": "hunter22"}), "no list of channels"),
        (json!([{"kind": "desktop"}]), "has a `name`"),
        (
            json!([{"name": "a", "kind": "desktop"}, {"name": "a", "kind": "desktop"}]),
            "another",
        ),
        (json!({"": {"kind": "desktop"}}), "a name is text"),
    ] {
        let error = read(&all).expect_err(said);
        assert!(
            error.contains(said) && !error.contains("hunter22"),
            "{error}"
        );
    }
    let many: Map<String, Value> = (0..=MOST_CHANNELS)
        .map(|at| (at.to_string(), json!({"kind": "terminal"})))
        .collect();
    assert!(
        read(&many.into())
            .expect_err("many")
            .contains("more than 16")
    );
}

#[test]
fn the_fourth_seeds_keys_are_channels() {
    let of = |all: Value, email, webhook| {
        let given = Given {
            channels: &all,
            email,
            webhook,
            ..Given::default()
        };
        let found = channels(&given)?;
        let found = found.iter();
        let told = found.map(|channel| format!("{} {}", channel.name(), channel.kind()));
        Ok::<_, String>(told.collect::<Vec<_>>())
    };
    let hook = Some("https://hooks.slack.com/services/T0/B0/x");
    let found = of(Value::Null, Some("a@b.c"), hook).expect("channels");
    assert_eq!(found, ["alert_email email", "alert_webhook slack"]);
    let mail = json!({"mail": {"kind": "email", "server": "localhost"}});
    let found = of(mail.clone(), Some("a@b.c"), Some("http://a/b")).expect("channels");
    assert_eq!(found, ["mail email", "alert_webhook webhook"]);
    assert!(of(mail, None, None).expect_err("nobody").contains("`to`"));
    assert!(of(Value::Null, Some("nobody"), None).is_err());
}

#[test]
fn what_is_shown_of_settings_is_no_secret() {
    let shown = redacted(
        &json!({"a": {"kind": "slack", "url": "x1", "pasword": "x2", "url_env": "x7"},
        "b": "x3", "c": [{"password": "x4"}]}),
    );
    assert_eq!(shown["a"]["kind"], "slack");
    assert!(!shown.to_string().contains('x'), "{shown}");
    let list = redacted(&json!([{"name": "a", "url": "x5", "token_env": "T"}]));
    assert_eq!(
        list[0],
        json!({"name": "a", "url": "(hidden)", "token_env": "T"})
    );
    assert_eq!(redacted(&json!("x6")), "(hidden)");
}
