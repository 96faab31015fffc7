//! Who is told nothing, and until when.

use std::time::Instant;

use serde_json::{Value as Json, json};
use tachograph_model::UnixNanos;

use super::fake::{Web, ok};
use super::{JSON, append, hook, now, rules, until, watching};
use crate::common::{Door, post};

#[test]
fn a_silence_tells_nobody_and_shows_until_when() {
    let web = Web::new(vec![ok()]);
    let door = Door::with(watching(&json!({"hook": hook(&web)}), &rules()));
    let address = door.addresses().dashboard;
    let ask = |body: Json| {
        let body = body.to_string();
        post(address, "/api/v1/alerts/silences", &JSON, body.as_bytes())
    };
    let made = ask(json!({"rule": "high", "source": "", "name": "m", "minutes": 5}));
    assert_eq!(made.status, 201, "{}", made.text());
    let silence = made.json();
    assert_eq!(
        (&silence["source"], &silence["name"]),
        (&Json::Null, &json!("m"))
    );
    for (body, status) in [
        (json!({"rule": "high"}), 400),
        (json!({"rule": "high", "minutes": 0}), 400),
        (json!({"rule": "high", "minutes": 5, "for": "me"}), 400),
        (json!({"rule": "hgih", "minutes": 5}), 404),
    ] {
        assert_eq!(ask(body.clone()).status, status, "{body}");
    }
    let silenced = || now(&door)["alerts"][0]["silenced_until"] == silence["until"];
    until(&door, Some(("m", 11.0)), "silenced", silenced);
    until(&door, Some(("m", 11.0)), "fires", || {
        now(&door)["alerts"][0]["state"] == "firing"
    });
    until(&door, Some(("n", 11.0)), "told", || web.got().len() == 1);
    assert_eq!(web.said(), ["n firing"]);
    assert_eq!(now(&door)["silences"], json!([silence]));
    // Another program ends it: what still fires is told.
    let silences = tachograph_serve::alert::silence::Silences::of(door.folder());
    let id = silence["id"].as_str().expect("an id");
    append(&door, "m", 11.0);
    assert!(silences.remove(id, UnixNanos::now()).expect("removed"));
    until(&door, Some(("m", 11.0)), "told", || {
        web.said().contains(&"m firing".to_owned())
    });
    assert_eq!(now(&door)["silences"], json!([]));
    let made = ask(json!({"rule": "*", "minutes": 5})).json();
    let url = format!(
        "http://{}/api/v1/alerts/silences/{}",
        address.expect("it is open"),
        made["id"].as_str().expect("an id")
    );
    let removed = || {
        ureq::delete(&url)
            .call()
            .map(|answer| answer.status().as_u16())
    };
    assert_eq!(removed().expect("removed"), 200);
    assert!(removed().is_err());
}

/// Changes a rule of the API.
fn change(door: &Door, method: &str, body: Option<&Json>) -> Json {
    let address = door.addresses().dashboard.expect("it is open");
    let url = format!("http://{address}/api/v1/alerts/rules/high");
    let answer = match body {
        Some(body) => ureq::put(&url)
            .header("content-type", "application/json")
            .send(body.to_string().as_bytes()),
        None => ureq::delete(&url).call(),
    };
    let mut answer = answer.unwrap_or_else(|error| panic!("{method}: {error}"));
    let body = answer.body_mut().read_to_vec().expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn a_rule_that_is_deleted_takes_its_silences_and_nobody_is_told_of_what_they_hid() {
    let web = Web::new(vec![ok()]);
    let door = Door::with(watching(&json!({"hook": hook(&web)}), &json!([])));
    let mut rule = rules()[0].clone();
    rule["metric_name"] = rule["metric"].take();
    rule.as_object_mut().expect("an object").remove("metric");
    rule["threshold"] = 10.into();
    change(&door, "PUT", Some(&rule));
    let silence = |body: Json| {
        let body = body.to_string();
        let made = post(
            door.addresses().dashboard,
            "/api/v1/alerts/silences",
            &JSON,
            body.as_bytes(),
        );
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    };
    let own = [
        silence(json!({"rule": "high", "minutes": 5})),
        silence(json!({"rule": "high", "name": "m", "minutes": 5})),
    ];
    let other = silence(json!({"rule": "*", "name": "n", "minutes": 5}));
    until(&door, Some(("m", 11.0)), "fires", || {
        now(&door)["alerts"][0]["state"] == "firing"
    });
    let told = change(&door, "DELETE", None);
    assert_eq!(
        told,
        json!({"removed": "high", "now": null, "silences_ended": own, "notes": []})
    );
    // As a page does that shows at once what is left.
    now(&door);
    let resolved = || {
        let mut stored = door.stored().into_iter();
        stored.any(|event| event["event_type"] == "alert" && event["status"] == "resolved")
    };
    until(&door, Some(("m", 11.0)), "resolved", resolved);
    until(&door, None, "ended", || {
        now(&door)["silences"] == json!([other])
    });
    let before = Instant::now();
    until(&door, Some(("m", 11.0)), "a while", || {
        before.elapsed().as_secs() >= 2
    });
    assert_eq!(web.said(), Vec::<String>::new());
    // One that is made anew by its name is another one.
    change(&door, "PUT", Some(&rule));
    until(&door, Some(("m", 11.0)), "told", || {
        web.said() == ["m firing"]
    });
}

#[test]
fn a_silence_stays_for_the_rule_that_is_left_of_that_name() {
    let door = Door::with(watching(&json!({}), &rules()));
    let mut rule = rules()[0].clone();
    rule["metric_name"] = rule["metric"].take();
    rule.as_object_mut().expect("an object").remove("metric");
    rule["threshold"] = 5.into();
    change(&door, "PUT", Some(&rule));
    let body = json!({"rule": "high", "minutes": 5}).to_string();
    let address = door.addresses().dashboard;
    let made = post(address, "/api/v1/alerts/silences", &JSON, body.as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    let told = change(&door, "DELETE", None);
    assert_eq!(
        (&told["now"], &told["silences_ended"]),
        (&json!("config"), &json!([]))
    );
    assert_eq!(now(&door)["silences"], json!([made.json()]));
}
