//! Alerts in Alertmanager's shapes: labels, annotations, the body of its
//! webhooks (version 4) and of `/api/v2/alerts`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::render::iso;

use super::item::{Item, Notification};
use super::words::{figures, page, series, short};

/// While it fires, the body of a webhook has no time here.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// FNV-1a over texts, as Prometheus hashes labels: each is closed by a byte that
/// no text has.
pub(super) fn fnv<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in texts {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// What tells an alert apart. A rule's own labels do not replace ours.
pub(super) fn labels(item: &Item, notification: &Notification) -> BTreeMap<String, String> {
    let own = item.labels.iter();
    let mut labels: BTreeMap<String, String> = own
        .map(|(key, value)| (label_name(key), short(value)))
        .collect();
    let instance = notification.instance.as_deref().unwrap_or("");
    for (key, value) in [
        ("alertname", &*item.rule),
        ("severity", &item.severity),
        ("family", &item.family),
        ("source", &item.source),
        ("name", &item.name),
        ("group", &item.group),
        ("instance", instance),
    ] {
        if !value.is_empty() {
            labels.insert(key.to_owned(), short(value));
        }
    }
    // An empty label is none.
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// Older Alertmanagers take letters, digits and `_` only.
fn label_name(key: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = short(key).chars().map(fit).collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{name}"),
        false => name,
    }
}

/// What is told of it beside.
pub(super) fn annotations(item: &Item) -> BTreeMap<String, String> {
    let mut told = BTreeMap::from([
        (
            "summary".to_owned(),
            format!("{}: {}", series(item), figures(item)),
        ),
        ("condition".to_owned(), short(&item.condition)),
        ("threshold".to_owned(), item.threshold.to_string()),
    ]);
    if let Some(value) = item.value {
        told.insert("value".to_owned(), value.to_string());
    }
    if !item.description.is_empty() {
        told.insert("description".to_owned(), item.description.clone());
    }
    told
}

/// As Alertmanager has it, 16 hexadecimal digits.
pub(super) fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let texts = labels.iter();
    let texts = texts.flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    format!("{:016x}", fnv(texts))
}

/// The body of a webhook.
pub(super) fn webhook(receiver: &str, notification: &Notification) -> Value {
    let labels: Vec<_> = notification
        .alerts
        .iter()
        .map(|item| labels(item, notification))
        .collect();
    let told: Vec<_> = notification.alerts.iter().map(annotations).collect();
    let link = page(notification).unwrap_or_default();
    let alert = |(at, item): (usize, &Item)| {
        json!({
            "status": item.status.name(),
            "labels": labels[at],
            "annotations": told[at],
            "startsAt": iso(item.fired_at),
            "endsAt": item.resolved_at.map_or_else(|| NEVER.to_owned(), iso),
            "generatorURL": link,
            "fingerprint": fingerprint(&labels[at]),
        })
    };
    let alerts: Vec<Value> = notification.alerts.iter().enumerate().map(alert).collect();
    let group = short(&notification.group);
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{group={group:?}}}"),
        "truncatedAlerts": notification.more,
        "status": notification.status().name(),
        "receiver": receiver,
        "groupLabels": {"group": group},
        "commonLabels": common(&labels),
        "commonAnnotations": common(&told),
        "externalURL": notification.link.clone().unwrap_or_default(),
        "alerts": alerts,
    })
}

/// What all of them say alike.
fn common(maps: &[BTreeMap<String, String>]) -> Map<String, Value> {
    let Some((first, others)) = maps.split_first() else {
        return Map::new();
    };
    let alike = first
        .iter()
        .filter(|(key, value)| others.iter().all(|other| other.get(*key) == Some(value)));
    alike
        .map(|(key, value)| (key.clone(), value.as_str().into()))
        .collect()
}

/// The body of `/api/v2/alerts`; what fires does so until `until`, unless it is
/// told of again.
pub(super) fn push(notification: &Notification, until: UnixNanos) -> Value {
    let link = page(notification);
    let alert = |item: &Item| {
        let mut alert = json!({
            "labels": labels(item, notification),
            "annotations": annotations(item),
            "startsAt": iso(item.fired_at),
            "endsAt": iso(item.resolved_at.unwrap_or(until)),
        });
        if let Some(link) = &link {
            alert["generatorURL"] = link.as_str().into();
        }
        alert
    };
    notification.alerts.iter().map(alert).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A notification of two alerts whose names are not nice.
    pub(in crate::notify) fn hostile() -> Notification {
        let mut notification = Notification::test(Some("http://127.0.0.1:8090".to_owned()));
        let item = &mut notification.alerts[0];
        item.rule = "a\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>".to_owned();
        item.name = format!("x\u{202e}\0<!channel> & {}", "é".repeat(10_000));
        item.labels.insert("0 a-b".to_owned(), "c\nd".to_owned());
        item.labels.insert("severity".to_owned(), "none".to_owned());
        let mut other = item.clone();
        other.name = format!("{}!", item.name);
        notification.alerts.push(other);
        notification
    }

    #[test]
    fn labels_are_those_that_alertmanager_takes() {
        let notification = hostile();
        let of = |at: usize| labels(&notification.alerts[at], &notification);
        let labels = of(0);
        assert_eq!(labels["_0_a_b"], "c\\nd");
        assert_eq!(labels["severity"], "info");
        assert!(!labels.contains_key("group"));
        assert!(labels["name"].chars().count() < 200);
        // Cut, and told apart all the same.
        assert_ne!(of(0)["name"], of(1)["name"]);
        for (key, value) in &labels {
            assert!(!value.chars().any(char::is_control), "{key}");
            assert!(!value.contains('\u{202e}'), "{key}");
        }
    }

    #[test]
    fn a_fingerprint_is_alertmanagers() {
        // Of prometheus/common: model.LabelSet{}.Fingerprint() is the offset.
        assert_eq!(fingerprint(&BTreeMap::new()), "cbf29ce484222325");
        let one = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        assert_eq!(fingerprint(&one), format!("{:016x}", fnv(["a", "b"])));
        let other = BTreeMap::from([("ab".to_owned(), String::new())]);
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }

    #[test]
    fn a_webhook_has_the_shape_of_version_4() {
        let mut notification = hostile();
        notification.more = 3;
        let body = webhook("ops", &notification);
        for (key, value) in [
            ("version", json!("4")),
            ("status", json!("firing")),
            ("receiver", json!("ops")),
            ("truncatedAlerts", json!(3)),
            ("externalURL", json!("http://127.0.0.1:8090")),
        ] {
            assert_eq!(body[key], value, "{key}");
        }
        assert_eq!(body["alerts"].as_array().map(Vec::len), Some(2));
        assert_eq!(body["alerts"][0]["endsAt"], NEVER);
        assert_eq!(body["commonLabels"]["severity"], "info");
        assert_eq!(body["commonLabels"]["name"], Value::Null);
        let generator = &body["alerts"][0]["generatorURL"];
        assert_eq!(*generator, "http://127.0.0.1:8090/#/alerts");
    }
}
