//! Slack's incoming webhooks, and what speaks like them (Mattermost).

use serde_json::{Value, json};

use super::Failure;
use super::http::Http;
use super::item::{Item, Notification};
use super::words;

/// Slack takes fifty blocks and 3000 characters in each; few read more than this.
const MOST_ALERTS: usize = 20;
const MOST_TEXT: usize = 2900;

pub(super) struct Slack(pub(super) Http);

impl Slack {
    pub(super) fn send(&self, notification: &Notification) -> Result<(), Failure> {
        let taken = self.0.post(&body(notification).to_string())?;
        // What it does not take it may answer with 200 all the same.
        match (taken.status, taken.text.as_str()) {
            (200, "ok") => Ok(()),
            (status, text) => Err(Failure::never(format!(
                "{} answers {status} and not `ok`, as Slack does: {text}",
                self.0.place()
            ))),
        }
    }
}

fn body(notification: &Notification) -> Value {
    let title = escape(&words::title(notification));
    let section =
        |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": cut(text)}});
    let mut blocks = vec![section(format!("*{title}*"))];
    let shown = notification.alerts.iter().take(MOST_ALERTS);
    blocks.extend(shown.map(|item| section(alert(item))));
    let more = notification.more + notification.alerts.len().saturating_sub(MOST_ALERTS);
    let more = Notification {
        alerts: Vec::new(),
        more,
        ..notification.clone()
    };
    let last = words::more(&more).into_iter().chain(words::page(&more));
    let last: Vec<String> = last.map(|line| escape(&line)).collect();
    if !last.is_empty() {
        blocks.push(section(last.join("\n")));
    }
    json!({"text": title, "blocks": blocks})
}

fn alert(item: &Item) -> String {
    let lines = words::lines(item);
    let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
    lines.join("\n")
}

/// What Slack asks for; so no name calls a whole channel.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::shape::tests::hostile;

    #[test]
    fn names_of_any_kind_are_text_and_fit() {
        let mut notification = hostile();
        let one = notification.alerts[0].clone();
        notification.alerts = vec![one; 60];
        notification.more = 5;
        let body = body(&notification);
        let blocks = body["blocks"].as_array().expect("blocks");
        assert_eq!(blocks.len(), MOST_ALERTS + 2);
        for block in blocks {
            let text = block["text"]["text"].as_str().expect("a text");
            assert!(text.chars().count() <= 3000);
            assert!(!text.contains('<') && !text.contains('\r'), "{text}");
        }
        let last = blocks[MOST_ALERTS + 1]["text"]["text"].as_str();
        assert!(last.is_some_and(|text| text.starts_with("and 45 alerts more")));
        let text = body["text"].as_str().expect("a text");
        assert!(text.starts_with("TEST FIRING info 65 alerts"), "{text}");
    }
}
