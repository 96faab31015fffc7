//! Who is told of alerts: by servers that are down, slow, wrong or hostile, over
//! restarts, and never with a secret in what is said of it.

mod fake;
mod silences;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::{Appender, DurableLog, Home};
use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::alert::read;
use tachograph_serve::config::{Alerts, Config};
use tachograph_serve::notify::{Again, Channels, Given};

use self::fake::{Answer, Mail, Web, ok, usual};
use crate::common::{Door, NoEngine, config, get, post};

/// In whatever is configured, and in nothing that is said.
const SECRET: &str = "hunter22";

fn channels(all: &Json) -> Channels {
    let given = Given {
        channels: all,
        ..Given::default()
    };
    Channels::from_config(&given).expect("channels")
}

/// What comes of a test of such a channel.
fn test(keys: &Json) -> Result<(), (String, Again)> {
    let all = channels(&json!({"x": keys}));
    let told = all.get("x").expect("it is there").test(None);
    told.map_err(|failure| {
        let whole = format!("{failure} {failure:?} {all:?}");
        assert!(!whole.contains(SECRET), "{whole}");
        assert!(failure.what.len() < 700, "{failure}");
        (failure.what, failure.again)
    })
}

#[test]
fn webhooks_that_do_not_take_it_say_why_without_secrets() {
    let check = |kind: &str, answer: Answer, said: &str, again: Again| {
        let web = Web::new(vec![answer]);
        let mut keys = json!({"kind": kind, "timeout_seconds": 1,
            "url": format!("http://{}/services/T0/{SECRET}?k={SECRET}", web.address)});
        if kind == "webhook" {
            keys["token"] = format!("{SECRET} token").into();
        }
        let began = Instant::now();
        let (what, how) = test(&keys).expect_err(said);
        assert!(what.contains(said), "{kind}: {what}");
        assert_eq!(how, again, "{kind}: {what}");
        assert!(began.elapsed() < Duration::from_secs(8), "{kind}: {what}");
    };
    let say = |status: u16, text: &str| Answer::Say(status, text.to_owned());
    let (later, never) = (Again::Later, Again::Never);
    for kind in ["slack", "webhook", "alertmanager"] {
        check(kind, say(500, "it broke"), "answers 500: it broke", later);
        check(
            kind,
            say(404, "no_service"),
            "answers 404: no_service",
            never,
        );
        check(kind, say(302, ""), "302, a redirect", never);
        check(
            kind,
            say(307, ""),
            "give the address that it leads to",
            never,
        );
        check(kind, Answer::Echo, "(hidden)", later);
        check(
            kind,
            Answer::Hang(Duration::from_secs(5)),
            "not answer within 1 s",
            later,
        );
        check(
            kind,
            Answer::Raw(b"hello\r\n\r\n".to_vec()),
            "127.0.0.1",
            later,
        );
        check(kind, Answer::Raw(Vec::new()), "127.0.0.1", later);
        check(
            kind,
            Answer::Flood(Duration::from_secs(5)),
            "answers 500: xxx",
            later,
        );
    }
    check(
        "slack",
        say(200, "not so"),
        "answers 200 and not `ok`",
        never,
    );
    let busy = "HTTP/1.1 429 X\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let after = Again::After(Duration::from_secs(7));
    check("slack", Answer::Raw(busy.into()), "answers 429", after);
    let gone = json!({"kind": "webhook", "url": format!("http://127.0.0.1:1/{SECRET}")});
    let (what, _) = test(&gone).expect_err("nobody is there");
    assert!(what.contains("cannot be reached"), "{what}");
    let unknown = json!({"kind": "webhook", "url": format!("http://no.invalid/{SECRET}")});
    assert_eq!(test(&unknown).expect_err("nowhere").1, Again::Later);
}

#[test]
fn webhooks_that_take_it_get_what_they_read() {
    let web = Web::new(vec![ok()]);
    let of = |kind: &str| json!({"kind": kind, "url": format!("http://{}/a", web.address)});
    test(&of("slack")).expect("told");
    let mut hook = of("webhook");
    hook["token"] = "abc".into();
    test(&hook).expect("told");
    test(&of("alertmanager")).expect("told");
    let got = web.got();
    assert!(
        got[0].json()["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("TEST FIRING"))
    );
    assert!(got[1].head.contains("Bearer abc") && got[1].head.contains("application/json"));
    assert_eq!(got[1].json()["version"], "4");
    assert!(
        got[2].head.starts_with("POST /a/api/v2/alerts "),
        "{}",
        got[2].head
    );
    assert_eq!(got[2].json()[0]["labels"]["test"], "true");
}

#[test]
fn mail_is_taken_or_it_is_said_why_without_secrets() {
    let keys = |mail: &Mail| {
        json!({"kind": "email", "server": "127.0.0.1", "port": mail.port, "to": "me@example.com",
            "user": "me", "password": SECRET, "timeout_seconds": 1})
    };
    let kind = Mail::kind();
    test(&keys(&kind)).expect("told");
    let got = kind.got();
    assert!(got[0].contains("Subject: TEST FIRING info"), "{}", got[0]);
    assert!(got[0].contains("nothing needs to be done"), "{}", got[0]);
    let check = |when: &'static str, say: &'static str, said: &str, again: Again| {
        let mail = Mail::new(move |line| {
            let now = line.split([' ', ':']).next() == Some(when);
            // What a server that is not careful repeats.
            let say = say.replace("LINE", line);
            if now { say } else { usual(line).to_owned() }
        });
        let began = Instant::now();
        let (what, how) = test(&keys(&mail)).expect_err(said);
        assert!(what.contains(said), "{when}: {what}");
        assert_eq!(how, again, "{when}: {what}");
        assert!(began.elapsed() < Duration::from_secs(5), "{when}: {what}");
    };
    let (later, never) = (Again::Later, Again::Never);
    check("", "554 not you\r\n", "not you", never);
    check("", "421 not now\r\n", "not now", later);
    check("", "", "within 1 s", later);
    check("", "HTTP/1.1 400 what?\r\n", "127.0.0.1", later);
    check("EHLO", "250 here\r\n", "authentication", never);
    check("AUTH", "535 no: LINE\r\n", "(hidden)", never);
    check("RCPT", "550 nobody\r\n", "nobody", never);
    check("DATA", "452 full\r\n", "full", later);
    check(".", "554 spam\r\n", "spam", never);
    check("MAIL", "250-x\r\n", "within 1 s", later);
    // One that promises TLS to nobody gets no password.
    let mut plain = keys(&kind);
    plain["security"] = "starttls".into();
    let (what, _) = test(&plain).expect_err("no TLS");
    assert!(what.contains("127.0.0.1"), "{what}");
    assert_eq!(kind.got().len(), 1);
    plain["security"] = "tls".into();
    test(&plain).expect_err("no TLS");
    plain["port"] = 1.into();
    assert_eq!(test(&plain).expect_err("nobody is there").1, later);
}

#[cfg(unix)]
#[test]
fn a_command_that_says_what_another_channel_knows_is_covered() {
    let all = json!({
        "own": {"kind": "exec", "command": ["sh", "-c", format!("echo x {SECRET} >&2; exit 1")]},
        "hook": {"kind": "webhook", "url": "http://127.0.0.1:1/", "token": SECRET},
    });
    let failure = channels(&all).get("own").expect("it is there").test(None);
    let what = failure.expect_err("it fails").what;
    assert!(what.ends_with(": x (hidden)"), "{what}");
}

fn watching(all: &Json, rules: &Json) -> Config {
    Config {
        alerts: Alerts {
            watch: true,
            builtin: false,
            rules: read::config(rules, UnixNanos::now()).expect("rules"),
            channels: channels(all),
        },
        ..config()
    }
}

fn rules() -> Json {
    json!([{"name": "high", "metric": "*", "source": "s", "condition": "max > 10",
        "window_seconds": 1, "cooldown_seconds": 0}])
}

fn hook(web: &Web) -> Json {
    json!({"kind": "webhook", "url": format!("http://{}/{SECRET}", web.address),
        "group_seconds": 0, "timeout_seconds": 2})
}

fn append(door: &Door, name: &str, value: f64) {
    let event = Event::new(UnixNanos(UnixNanos::now().0 / 1000 * 1000), "metric")
        .with(Column::Source, "s")
        .with(Column::Name, name)
        .with(Column::Value, value);
    let appender = Appender::new(&Home::at(door.folder()));
    appender.append(&event.to_line()).expect("appended");
    door.running().hub().live.wake();
}

/// Appends it until it is so: within the window there is always one.
fn until(door: &Door, feed: Option<(&str, f64)>, what: &str, so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < patience, "{what}");
        if let Some((name, value)) = feed {
            append(door, name, value);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn again(folder: tempfile::TempDir, config: Config) -> Door {
    let home = Home::create(folder.path()).expect("a home");
    Door::on(
        folder,
        config,
        Arc::new(DurableLog::new(&home)),
        Arc::new(NoEngine),
    )
}

fn now(door: &Door) -> Json {
    get(door.addresses().dashboard, "/api/v1/alerts", &[]).json()
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[test]
fn a_webhook_is_tried_again_and_told_once_over_a_restart() {
    let fails = || Answer::Say(500, "not yet".to_owned());
    let web = Web::new(vec![fails(), fails(), ok()]);
    let all = json!({"hook": hook(&web)});
    let door = Door::with(watching(&all, &rules()));
    until(&door, Some(("m", 11.0)), "told", || web.got().len() == 3);
    let got = web.got();
    assert_eq!(web.said(), ["m firing"; 3]);
    let waits = [got[1].at - got[0].at, got[2].at - got[1].at];
    assert!(waits[0] >= Duration::from_millis(750), "{waits:?}");
    assert!(waits[1] >= Duration::from_millis(1500), "{waits:?}");
    until(&door, Some(("m", 11.0)), "noted", || {
        now(&door)["channels"][0]["waiting"] == 0
    });
    let shown = now(&door)["channels"][0].clone();
    assert_eq!(
        (&shown["name"], &shown["kind"]),
        (&json!("hook"), &json!("webhook"))
    );
    assert!(
        shown["last_ok"].is_string() && shown["last_error"].is_null(),
        "{shown}"
    );

    let door = again(door.close(), watching(&all, &rules()));
    let firing = || now(&door)["alerts"][0]["state"] == "firing";
    until(&door, Some(("m", 11.0)), "it fires on", firing);
    let before = Instant::now();
    until(&door, Some(("m", 11.0)), "a while", || {
        before.elapsed().as_secs() >= 2
    });
    assert_eq!(web.got().len(), 3, "nothing is repeated");
    until(&door, Some(("m", 1.0)), "it is over", || {
        web.got().len() == 4
    });
    assert_eq!(web.got()[3].said(), ["m resolved"]);
}

#[test]
fn what_was_not_told_at_the_end_is_told_by_the_next_and_slow_ones_hold_up_nobody() {
    let hangs = || Web::new(vec![Answer::Hang(Duration::from_secs(120))]);
    let (down, slow, well) = (hangs(), hangs(), Web::new(vec![ok()]));
    let mut patient = hook(&slow);
    patient["timeout_seconds"] = 120.into();
    let all = json!({"down": hook(&down), "slow": patient, "well": hook(&well)});
    let door = Door::with(watching(&all, &rules()));
    until(&door, Some(("m", 11.0)), "told", || !well.got().is_empty());
    until(&door, Some(("m", 11.0)), "tried", || !down.got().is_empty());
    let until_failed = || now(&door)["channels"][0]["last_error"].is_string();
    until(&door, Some(("m", 11.0)), "failed", until_failed);
    let shown = now(&door);
    assert!(!shown.to_string().contains(SECRET), "{shown}");
    let error = shown["channels"][0]["last_error"].to_string();
    assert!(error.contains("does not answer within 2 s"), "{error}");
    assert_eq!(shown["channels"][0]["waiting"], 1);
    until(&door, Some(("m", 11.0)), "amid", || !slow.got().is_empty());
    let began = Instant::now();
    let folder = door.close();
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let state = std::fs::read_to_string(folder.path().join("alerts/state.json")).expect("kept");
    assert!(!state.contains(SECRET), "{state}");

    down.becomes(vec![ok()]);
    let before = down.got().len();
    let door = again(folder, watching(&all, &rules()));
    until(&door, Some(("m", 11.0)), "told", || {
        down.got().len() > before
    });
    assert_eq!(down.got()[before].said(), ["m firing"]);
    assert_eq!(well.said(), ["m firing"]);
}

#[test]
fn a_rule_that_is_deleted_and_a_state_that_is_torn_tell_what_is_so() {
    let web = Web::new(vec![ok()]);
    let all = json!({"hook": hook(&web)});
    let door = Door::with(watching(&all, &rules()));
    until(&door, Some(("m", 11.0)), "told", || web.got().len() == 1);
    let stored = || {
        door.stored()
            .iter()
            .any(|event| event["event_type"] == "alert")
    };
    until(&door, Some(("m", 11.0)), "in the log", stored);
    let folder = door.close();
    // Torn, or gone: what the log says was told is not told again.
    let mut folder = folder;
    for torn in [true, false] {
        let path = folder.path().join("alerts/state.json");
        match torn {
            true => {
                let state = std::fs::read(&path).expect("kept");
                std::fs::write(&path, &state[..state.len() / 2]).expect("torn");
            }
            false => std::fs::remove_file(&path).expect("kept"),
        }
        let door = again(folder, watching(&all, &rules()));
        let firing = || now(&door)["alerts"][0]["state"] == "firing";
        until(&door, Some(("m", 11.0)), "it fires on", firing);
        let before = Instant::now();
        until(&door, Some(("m", 11.0)), "a while", || {
            before.elapsed().as_secs() >= 2
        });
        assert_eq!(web.got().len(), 1, "nothing is repeated");
        let lost = &door.running().hub().counters.alert_states_lost;
        assert!(lost.why().is_some(), "it is said");
        folder = door.close();
    }
    // Deleted while nobody watched.
    let door = again(folder, watching(&all, &json!([])));
    until(&door, None, "it is over", || web.got().len() == 2);
    assert_eq!(web.said(), ["m firing", "m resolved"]);
}

#[test]
fn a_test_is_sent_at_once_and_says_what_happened() {
    let (well, down) = (Web::new(vec![ok()]), Web::new(vec![Answer::Echo]));
    let all = json!({"well": hook(&well), "down": hook(&down)});
    let door = Door::with(watching(&all, &json!([])));
    let test = |name: &str| {
        let path = format!("/api/v1/alerts/test/{name}");
        post(door.addresses().dashboard, &path, &JSON, b"")
    };
    let told = test("well");
    assert_eq!(told.status, 200, "{}", told.text());
    assert_eq!(
        (&told.json()["sent"], &told.json()["channel"]),
        (&json!(true), &json!("well"))
    );
    assert_eq!(well.got()[0].json()["commonLabels"]["test"], "true");
    let page = well.got()[0].json()["externalURL"].to_string();
    assert!(page.contains("http://127.0.0.1:"), "{page}");
    let told = test("down");
    assert_eq!(told.status, 502, "{}", told.text());
    let problem = told.json();
    assert_eq!(problem["type"], "urn:tachograph:problem:not-delivered");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|it| it.contains("answers 500"))
    );
    assert!(!told.text().contains(SECRET), "{}", told.text());
    assert_eq!(test("wel").status, 404);
    assert!(test("wel").text().contains("did you mean well?"));
    // Rules name channels that there are.
    let rule = json!({"metric_name": "m", "source": "s", "condition": "avg > 1", "threshold": 1,
        "channels": ["wel"]});
    let url = door.addresses().dashboard.expect("it is open");
    let url = format!("http://{url}/api/v1/alerts/rules/r");
    let put = ureq::put(&url).header("content-type", "application/json");
    assert!(put.send(rule.to_string().as_bytes()).is_err());
}

#[test]
fn what_is_given_up_is_noted_counted_and_shown_without_secrets() {
    let web = Web::new(vec![Answer::Say(404, format!("no {SECRET}"))]);
    let door = Door::with(watching(&json!({"hook": hook(&web)}), &rules()));
    let given_up = || now(&door)["channels"][0]["undelivered"] == 1;
    until(&door, Some(("<script>\r\nm", 11.0)), "given up", given_up);
    let error = now(&door)["channels"][0]["last_error"].to_string();
    assert!(error.contains("answers 404: no (hidden)"), "{error}");
    let path = door.folder().join("alerts/undelivered.jsonl");
    until(&door, None, "noted", || path.exists());
    let text = std::fs::read_to_string(&path).expect("noted");
    assert!(!text.contains(SECRET), "{text}");
    let line: Json = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (&line["channel"], &line["rule"]),
        (&json!("hook"), &json!("high"))
    );
    let metrics = get(door.addresses().prometheus, "/metrics", &[]).text();
    assert!(
        metrics.contains("tachograph_alerts_undelivered_total 1"),
        "{metrics}"
    );
}

#[test]
fn what_flaps_is_told_within_its_bounds() {
    let web = Web::new(vec![ok()]);
    let mut rules = rules();
    rules[0]["cooldown_seconds"] = 3600.into();
    let door = Door::with(watching(&json!({"hook": hook(&web)}), &rules));
    let began = Instant::now();
    let mut at = 0;
    while began.elapsed() < Duration::from_secs(8) {
        append(&door, "m", if at % 40 < 20 { 11.0 } else { 1.0 });
        at += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    let said = web.said();
    assert!(
        said == ["m firing"] || said == ["m firing", "m resolved"],
        "{said:?}"
    );
}
