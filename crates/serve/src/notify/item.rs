//! What is told: alerts, as they are for whoever is told of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tachograph_model::UnixNanos;
use tachograph_model::alert::Notice;

use crate::alert::Told;

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub rule: String,
    pub family: String,
    pub source: String,
    pub name: String,
    pub group: String,
    pub severity: String,
    pub condition: String,
    pub threshold: f64,
    pub window_seconds: u64,
    pub value: Option<f64>,
    pub description: String,
    pub labels: BTreeMap<String, String>,
    /// Who is to be told; empty: every channel.
    #[serde(default)]
    pub channels: Vec<String>,
    pub status: Notice,
    pub fired_at: UnixNanos,
    pub resolved_at: Option<UnixNanos>,
}

/// What tells alerts apart: rule, source, name.
pub(super) type Key = (String, String, String);

impl Item {
    pub(crate) fn of(told: &Told) -> Self {
        let rule = &told.rule;
        Self {
            rule: rule.name.clone(),
            family: rule.family.clone(),
            source: told.series.0.to_string(),
            name: told.series.1.to_string(),
            group: rule.group.clone(),
            severity: rule.severity.clone(),
            condition: rule.condition.clone(),
            threshold: rule.threshold,
            window_seconds: rule.window_seconds,
            value: told.value,
            description: rule.description.clone(),
            labels: rule.labels.clone(),
            channels: rule.channels.clone(),
            status: told.notice,
            fired_at: told.fired_at.unwrap_or(told.at),
            resolved_at: (told.notice == Notice::Resolved).then_some(told.at),
        }
    }

    pub(super) fn key(&self) -> Key {
        (self.rule.clone(), self.source.clone(), self.name.clone())
    }

    /// Alerts of one group are told of together: those of the rule's group, or
    /// else of the rule.
    pub fn together(&self) -> &str {
        match self.group.as_str() {
            "" => &self.rule,
            group => group,
        }
    }

    /// Whether it is too much, now.
    pub fn is_firing(&self) -> bool {
        self.status == Notice::Firing
    }
}

/// What a channel is told at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// See [`Item::together`]; empty where alerts are not grouped.
    pub group: String,
    /// What matters first.
    pub alerts: Vec<Item>,
    /// So many more are not shown.
    pub more: usize,
    /// Where the page is, without a `/` at its end.
    pub link: Option<String>,
    /// Who says so, where several machines tell one channel.
    pub instance: Option<String>,
    /// Nothing fires: somebody wants to see whether this arrives.
    pub test: bool,
    /// When it is told.
    pub at: UnixNanos,
}

impl Notification {
    /// A marked test.
    pub fn test(link: Option<String>) -> Self {
        let at = UnixNanos::now();
        let item = Item {
            rule: "Test of a channel".to_owned(),
            family: "metric".to_owned(),
            source: "tachograph".to_owned(),
            name: "test".to_owned(),
            group: String::new(),
            severity: "info".to_owned(),
            condition: "avg > 1".to_owned(),
            threshold: 1.0,
            window_seconds: 300,
            value: Some(2.0),
            description: "This is a test: nothing is wrong, and nothing needs to be done."
                .to_owned(),
            labels: BTreeMap::from([("test".to_owned(), "true".to_owned())]),
            channels: Vec::new(),
            status: Notice::Firing,
            fired_at: at,
            resolved_at: None,
        };
        Self {
            group: item.together().to_owned(),
            alerts: vec![item],
            more: 0,
            link,
            instance: None,
            test: true,
            at,
        }
    }

    /// How many fire, of those shown.
    pub fn firing(&self) -> usize {
        self.alerts.iter().filter(|item| item.is_firing()).count()
    }

    /// Whether all that is told is over.
    pub fn status(&self) -> Notice {
        match self.firing() {
            0 => Notice::Resolved,
            _ => Notice::Firing,
        }
    }
}
