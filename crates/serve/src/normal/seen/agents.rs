//! Which agent did what a span tells of that does not say so itself: the one
//! above it in its trace. That ends, and so comes, last; where it is yet to come,
//! it is the only one that this process has named so far.

use std::collections::HashMap;

use super::{MAX_STEPS, MAX_WAYS, Nodes};

/// Who is above a span, as far as it is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Above<'a> {
    Agent(&'a str),
    /// No agent that has a name.
    Nobody,
    /// The span above is yet to come, or was forgotten.
    Unknown,
}

impl Nodes {
    /// Who did it that this span is below of.
    pub(super) fn agent_above(&self, mut id: u64) -> Above<'_> {
        for _ in 0..MAX_STEPS {
            if id == 0 {
                return Above::Nobody;
            }
            match self.held.get(&id) {
                Some(node) if node.agent.is_some() => {
                    return node.agent.as_deref().map_or(Above::Nobody, Above::Agent);
                }
                Some(node) if node.placed => id = node.parent,
                _ => return Above::Unknown,
            }
        }
        Above::Unknown
    }

    pub(super) fn set_agent(&mut self, id: u64, agent: &str) {
        if let Some(node) = self.held.get_mut(&id) {
            node.agent = Some(agent.into());
        }
    }
}

/// The agents that each instance has named: the one, or `None` for several.
#[derive(Debug, Default)]
pub(super) struct Named(HashMap<u64, Option<Box<str>>>);

impl Named {
    pub(super) fn add(&mut self, instance: u64, agent: &str) {
        if self.0.len() >= MAX_WAYS && !self.0.contains_key(&instance) {
            self.0.clear();
        }
        let only = self.0.entry(instance).or_insert_with(|| Some(agent.into()));
        if only.as_deref() != Some(agent) {
            *only = None;
        }
    }

    pub(super) fn only(&self, instance: u64) -> Option<&str> {
        self.0.get(&instance)?.as_deref()
    }
}
