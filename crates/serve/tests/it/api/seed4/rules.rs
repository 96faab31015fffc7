//! Rules of alerts, and the alerts that the seed lists.

use serde_json::{Value as Json, json};
use tachograph_model::{Column, Event};

use super::{ago, append, check, holding};
use crate::api::engine::HOSTILE;
use crate::common::{Door, post};

fn add(door: &Door, rule: &Json) -> (u16, Json) {
    let json = [("content-type", "application/json")];
    let body = rule.to_string();
    let reply = post(
        door.addresses().dashboard,
        "/api/alerts/rules",
        &json,
        body.as_bytes(),
    );
    (reply.status, reply.json())
}

#[test]
fn rules_are_kept_and_alerts_listed() {
    let door = holding(&[]);
    let nothing = [
        ("/alerts", json!([])),
        ("/rules", json!([])),
        ("/total_alerts", 0.into()),
        ("/active_rules", 0.into()),
    ];
    check(&door, "/api/alerts", 200, &nothing);
    let rule = |name: &str| {
        json!({"name": name, "metric_name": "cpu_usage_percent", "source": "system",
            "condition": "avg > 90", "threshold": 90, "severity": "critical"})
    };
    let (status, said) = add(&door, &rule(HOSTILE));
    assert_eq!(status, 400, "a name with an escape: {said}");
    let (status, said) = add(&door, &rule("<b>high</b> '\"&"));
    assert_eq!(status, 200);
    let message = "Alert rule '<b>high</b> '\"&' added successfully";
    assert_eq!(said, json!({"status": "success", "message": message}));
    let mut off = rule("off");
    off["enabled"] = false.into();
    assert_eq!(add(&door, &off).0, 200);
    let two = [
        ("/rules/0/name", "<b>high</b> '\"&".into()),
        ("/rules/0/window_seconds", 300.into()),
        ("/rules/0/threshold", 90.0.into()),
        ("/rules/1/enabled", false.into()),
        ("/active_rules", 1.into()),
    ];
    check(&door, "/api/alerts", 200, &two);
    let (status, said) = add(&door, &json!({"name": "x", "threshold": 1}));
    let missing = "Missing required fields: ['metric_name', 'source', 'condition']";
    assert_eq!((status, &said), (400, &json!({"error": missing})));
    for body in ["", "{", "[]", "null", "\"rule\""] {
        let json = [("content-type", "application/json")];
        let reply = post(
            door.addresses().dashboard,
            "/api/alerts/rules",
            &json,
            body.as_bytes(),
        );
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json()["error"].is_string());
    }
    let mut huge = rule("huge");
    huge["description"] = "x".repeat(20_000).into();
    assert_eq!(add(&door, &huge).0, 413);
    std::fs::write(door.folder().join("alerts/rules.json"), "broken").expect("written");
    check(&door, "/api/alerts", 500, &[]);
    assert_eq!(add(&door, &rule("y")).0, 500);

    // Without asking anybody: this engine answers nothing.
    let door = Door::open();
    let old = Event::new(ago(2), "alert").with(Column::Name, "bare");
    let event = Event::new(ago(1), "alert")
        .with(Column::Name, "slow")
        .with(Column::Source, "agent")
        .with(Column::Type, "warning")
        .with(Column::Status, "firing")
        .with(Column::Value, 120.5)
        .with(
            Column::Tags,
            json!({"metric": "m", "condition": "p95 > 100", "threshold": 100, "window_seconds": 60})
                .as_object()
                .expect("an object")
                .clone(),
        );
    append(&door, &[old, event]);
    let listed = [
        ("/total_alerts", 2.into()),
        ("/alerts/0/rule_name", "bare".into()),
        ("/alerts/0/threshold", Json::Null),
        ("/alerts/1/rule_name", "slow".into()),
        ("/alerts/1/source", "agent".into()),
        ("/alerts/1/severity", "warning".into()),
        ("/alerts/1/status", "firing".into()),
        ("/alerts/1/actual_value", 120.5.into()),
        ("/alerts/1/metric_name", "m".into()),
        ("/alerts/1/condition", "p95 > 100".into()),
        ("/alerts/1/threshold", 100.into()),
        ("/alerts/1/window_seconds", 60.into()),
        ("/alerts/1/description", Json::Null),
    ];
    check(&door, "/api/alerts", 200, &listed);
    check(
        &door,
        "/api/metrics/summary",
        200,
        &[("/alert_count", 2.into())],
    );
    // The newest hundred.
    let many = (0..150).map(|at| Event::new(ago(0), "alert").with(Column::Name, format!("a{at}")));
    append(&door, &many.collect::<Vec<_>>());
    let newest = [
        ("/total_alerts", 100.into()),
        ("/alerts/0/rule_name", "a50".into()),
        ("/alerts/99/rule_name", "a149".into()),
    ];
    check(&door, "/api/alerts", 200, &newest);
}
