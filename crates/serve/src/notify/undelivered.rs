//! `alerts/undelivered.jsonl`: what a channel was never told of, a line each,
//! for whoever wants to know afterwards. Bounded; the oldest lines go first.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use tachograph_model::UnixNanos;
use tachograph_model::render::iso;

use super::outbox::Lost;
use crate::alert::file;

/// Bytes of the file; when it has more, the older half goes.
const MOST_BYTES: u64 = 1 << 20;
/// Of what is added at once: so much there is always room for.
const MOST_AT_ONCE: usize = MOST_BYTES as usize / 2;

/// The file.
#[derive(Debug)]
pub(super) struct Undelivered {
    path: PathBuf,
    /// Channels give up at the same time, each in its own thread.
    writing: Mutex<()>,
}

impl Undelivered {
    /// That of the home at `root`; touches nothing.
    pub(super) fn of(root: &Path) -> Self {
        Self {
            path: root.join("alerts").join("undelivered.jsonl"),
            writing: Mutex::default(),
        }
    }

    /// Adds them; of more than there is room for, the newest.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn add(&self, channel: &str, kind: &str, lost: &[Lost]) -> io::Result<()> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        for lost in lost.iter().rev() {
            let line = line(channel, kind, lost);
            bytes += line.len();
            if bytes > MOST_AT_ONCE {
                break;
            }
            lines.push(line);
        }
        lines.reverse();
        let lines = lines.concat();
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = file::open_private(&self.path)?;
        if file.metadata()?.len() + lines.len() as u64 > MOST_BYTES {
            self.halve()?;
            file = file::open_private(&self.path)?;
        }
        file.write_all(lines.as_bytes())
    }

    fn halve(&self) -> io::Result<()> {
        let text = std::fs::read(&self.path)?;
        let keep = text.len().saturating_sub(MOST_BYTES as usize / 2);
        let begin = memchr::memchr(b'\n', &text[keep..]).map_or(text.len(), |at| keep + at + 1);
        file::replace(&self.path, &text[begin..])
    }
}

fn line(channel: &str, kind: &str, Lost { item, why }: &Lost) -> String {
    let line = json!({
        "timestamp": iso(UnixNanos::now()),
        "channel": channel,
        "kind": kind,
        "why": why,
        "status": item.status.name(),
        "rule": item.rule,
        "severity": item.severity,
        "family": item.family,
        "source": item.source,
        "name": item.name,
        "value": item.value,
        "condition": item.condition,
        "threshold": item.threshold,
        "fired_at": iso(item.fired_at),
        "resolved_at": item.resolved_at.map(iso),
    });
    format!("{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Notification;

    fn lost(at: usize) -> Lost {
        Lost {
            item: Notification::test(None).alerts[0].clone(),
            why: format!("{at} {}", "x".repeat(1000)),
        }
    }

    #[test]
    fn the_newest_stay_and_the_file_ends_somewhere() {
        let home = tempfile::tempdir().expect("a folder");
        let undelivered = Undelivered::of(home.path());
        for at in 0..20 {
            let batch: Vec<Lost> = (0..100).map(|in_batch| lost(at * 100 + in_batch)).collect();
            undelivered.add("chat", "slack", &batch).expect("written");
        }
        let text = std::fs::read_to_string(&undelivered.path).expect("there");
        assert!(text.len() as u64 <= MOST_BYTES);
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a whole line"))
            .collect();
        let number = |line: &serde_json::Value| {
            let why = line["why"].as_str().expect("why").split(' ').next();
            why.and_then(|at| at.parse::<usize>().ok())
                .expect("a number")
        };
        let first = number(&lines[0]);
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(number(line), first + at);
        }
        assert_eq!(first + lines.len(), 2000);
    }

    #[test]
    fn of_more_than_there_is_room_for_the_newest_are_added() {
        let home = tempfile::tempdir().expect("a folder");
        let undelivered = Undelivered::of(home.path());
        let all: Vec<Lost> = (0..5000).map(lost).collect();
        undelivered.add("chat", "slack", &all[..1]).expect("added");
        undelivered.add("chat", "slack", &all).expect("added");
        let text = std::fs::read_to_string(&undelivered.path).expect("there");
        assert!(text.len() <= MOST_BYTES as usize, "{}", text.len());
        let last = text.lines().last().expect("a line");
        assert!(last.contains("\"4999 x"), "{last}");
        let first = text.lines().next().expect("a line");
        assert!(first.contains("\"0 x"), "what was there stays: {first}");
        assert!(text.lines().count() > 300, "{}", text.lines().count());
    }

    #[test]
    fn channels_that_give_up_at_once_lose_no_line() {
        let home = tempfile::tempdir().expect("a folder");
        let undelivered = Undelivered::of(home.path());
        let item = Notification::test(None).alerts[0].clone();
        let names = ["a", "b", "c", "d"];
        std::thread::scope(|scope| {
            for name in names {
                let (undelivered, item) = (&undelivered, &item);
                scope.spawn(move || {
                    for at in 0..40 {
                        let why = format!("{at} {}", "x".repeat(16 << 10));
                        let item = item.clone();
                        let lost = [Lost { item, why }];
                        undelivered.add(name, "slack", &lost).expect("written");
                    }
                });
            }
        });
        let text = std::fs::read_to_string(&undelivered.path).expect("there");
        let mut next = std::collections::HashMap::new();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
            let why = line["why"].as_str().expect("why");
            let at: usize = why.split(' ').next().expect("a number").parse().expect(why);
            let channel = line["channel"].as_str().expect("a channel").to_owned();
            let wanted = next.insert(channel, at + 1).unwrap_or(at);
            assert_eq!(at, wanted);
        }
        // Of those that are not gone, the newest is there.
        assert!(next.values().all(|next| *next == 40), "{next:?}");
    }
}
