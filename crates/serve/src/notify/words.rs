//! Alerts in words, for people: one title, a few lines each. Names come from
//! outside; whatever they are, they stay on their line.

use tachograph_model::alert::SEVERITIES;
use tachograph_model::render::human::counted;
use tachograph_model::render::width::clean;
use tachograph_model::render::{amount, stamp, threshold};

use super::item::{Item, Notification};
use super::shape::fnv;

/// Characters of a name.
const MOST_NAME: usize = 160;

/// A severity's place, the least first; of one that is unknown: the highest, so
/// that it is told.
pub(super) fn severity(name: &str) -> usize {
    let known = SEVERITIES.iter().position(|it| *it == name);
    known.unwrap_or(SEVERITIES.len() - 1)
}

/// A name on one line; of long ones the beginning, and what tells them apart.
pub(super) fn short(text: &str) -> String {
    let text = clean(text);
    match text.char_indices().nth(MOST_NAME) {
        None => text,
        Some((end, _)) => format!("{}…{:08x}", &text[..end], fnv([text.as_str()]) as u32),
    }
}

/// `FIRING critical High CPU Usage: system cpu_usage_percent`
pub(super) fn title(notification: &Notification) -> String {
    let Notification { alerts, more, .. } = notification;
    let mark = if notification.test { "TEST " } else { "" };
    let state = match (notification.firing(), alerts.len()) {
        (0, _) => "RESOLVED",
        (firing, all) if firing == all => "FIRING",
        _ => "FIRING AND RESOLVED",
    };
    let at = notification.instance.as_ref();
    let at = at.map_or(String::new(), |instance| format!(" ({})", short(instance)));
    let first = match alerts.as_slice() {
        [] => String::new(),
        [one] if *more == 0 => format!("{}: {}", short(&one.rule), series(one)),
        all => {
            let many = counted((all.len() + more) as u64, "alert", "alerts");
            format!("{many} of {}", short(&notification.group))
        }
    };
    let severe = alerts.iter().max_by_key(|item| severity(&item.severity));
    let severe = severe.map_or("", |item| item.severity.as_str());
    format!("{mark}{state} {severe} {first}{at}")
}

/// Source and name of what is watched.
pub(super) fn series(item: &Item) -> String {
    let source = match (item.source.as_str(), item.family.as_str()) {
        ("", family) => family.to_owned(),
        (source, _) => short(source),
    };
    format!("{source} {}", short(&item.name))
}

/// `p95 is 812 ms (rule: p95 > 100, threshold 100 ms, over 300 s)`
pub(super) fn figures(item: &Item) -> String {
    let stat = item.condition.split_whitespace().next().unwrap_or("");
    let shown = |value| amount(&item.family, &item.condition, value).shown();
    let value = item.value.map_or_else(
        || "no value now".to_owned(),
        |value| format!("{stat} is {}", shown(value)),
    );
    let threshold = threshold(&item.family, &item.condition, item.threshold);
    format!(
        "{value} (rule: {}, threshold {threshold}, over {} s)",
        clean(&item.condition),
        item.window_seconds
    )
}

/// Since when, and until when.
pub(super) fn times(item: &Item) -> String {
    let since = stamp(item.fired_at);
    match item.resolved_at {
        Some(at) => format!("from {since} to {} UTC", stamp(at)),
        None => format!("since {since} UTC"),
    }
}

/// One alert, a line each.
pub(super) fn lines(item: &Item) -> Vec<String> {
    let state = item.status.name().to_uppercase();
    let mut lines = vec![
        format!(
            "{state} {}: {} ({})",
            short(&item.rule),
            series(item),
            item.severity
        ),
        figures(item),
    ];
    if !item.description.is_empty() {
        lines.push(clean(&item.description));
    }
    let labels = item.labels.iter();
    let labels: Vec<String> = labels
        .map(|(key, value)| format!("{}={}", short(key), short(value)))
        .collect();
    if !labels.is_empty() {
        lines.push(labels.join(" "));
    }
    lines.push(times(item));
    lines
}

/// How many are not shown, if any.
pub(super) fn more(notification: &Notification) -> Option<String> {
    let more = notification.more;
    (more > 0).then(|| format!("and {} more", counted(more as u64, "alert", "alerts")))
}

/// Where to look.
pub(super) fn page(notification: &Notification) -> Option<String> {
    let link = notification.link.as_ref()?;
    Some(format!("{}/#/alerts", link.trim_end_matches('/')))
}

/// All of it, as a text.
pub(super) fn text(notification: &Notification) -> String {
    let mut out = String::new();
    for item in &notification.alerts {
        for (at, line) in lines(item).into_iter().enumerate() {
            out += if at == 0 { "" } else { "  " };
            out += &line;
            out.push('\n');
        }
        out.push('\n');
    }
    for line in more(notification).into_iter().chain(page(notification)) {
        out += &line;
        out.push('\n');
    }
    out
}

/// A line an alert.
pub(super) fn terminal(notification: &Notification) -> Vec<String> {
    let mark = if notification.test { "TEST " } else { "" };
    let one = |item: &Item| {
        let lines = lines(item);
        format!("{mark}{}: {}, {}", lines[0], figures(item), times(item))
    };
    let lines = notification.alerts.iter().map(one);
    lines.chain(more(notification)).collect()
}
