//! How far an index has fallen behind the files it describes.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use crate::index::{Entry, Index};

/// The differences between an index and its folder. Files are compared by what
/// they say, not by their times, which a copy or a checkout changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Staleness {
    /// Ids in the index for which the folder has no definition.
    pub vanished: Vec<String>,
    /// Ids in the folder that the index does not have.
    pub unindexed: Vec<String>,
    /// Fields that differ, in the folder's order. `file_path` is not compared:
    /// it depends on where the index was made.
    pub changed: Vec<Change>,
}

/// One field of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The agent.
    pub id: String,
    /// The field's name in the index.
    pub field: &'static str,
}

impl Staleness {
    /// Compares an index with the index that its folder gives today.
    #[must_use]
    pub fn between(index: &Index, today: &Index) -> Self {
        let old = by_id(index);
        let new = by_id(today);
        let mut staleness = Self::default();
        for agent in &index.agents {
            if !new.contains_key(agent.id.as_str()) {
                staleness.vanished.push(agent.id.clone());
            }
        }
        for agent in &today.agents {
            match old.get(agent.id.as_str()) {
                None => staleness.unindexed.push(agent.id.clone()),
                Some(before) => staleness.changed.extend(changes(before, agent)),
            }
        }
        staleness
    }

    /// Whether the index tells what the files tell.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Staleness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_fresh() {
            return f.write_str("the index is up to date");
        }
        write!(
            f,
            "the index is out of date: fields that differ from the files: {}, files that are not in it: {}, agents without a file: {}",
            self.changed.len(),
            self.unindexed.len(),
            self.vanished.len()
        )
    }
}

fn by_id(index: &Index) -> HashMap<&str, &Entry> {
    // The first of two entries with one id is the one that counts.
    index
        .agents
        .iter()
        .rev()
        .map(|agent| (agent.id.as_str(), agent))
        .collect()
}

fn changes(before: &Entry, now: &Entry) -> Vec<Change> {
    let same = [
        ("name", before.name == now.name),
        ("display_name", before.display_name == now.display_name),
        ("category", before.category == now.category),
        ("description", before.description == now.description),
        ("tools", before.tools == now.tools),
        ("keywords", before.keywords == now.keywords),
        (
            "estimated_tokens",
            before.estimated_tokens == now.estimated_tokens,
        ),
    ];
    same.into_iter()
        .filter(|(_, same)| !same)
        .map(|(field, _)| Change {
            id: now.id.clone(),
            field,
        })
        .collect()
}
