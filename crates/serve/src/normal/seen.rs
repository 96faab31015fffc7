//! One call, one event: what was stored already, and which of several records
//! of one call counts.
//!
//! Rules, in this order:
//! 1. A span id, or a record's body, that was stored already is a duplicate: a
//!    retry, or a second exporter. It is dropped.
//! 2. Records that share a response id (within ten minutes) or a tool call's
//!    id are of one call, also across traces and across spans and logs.
//! 3. A model call above or below another, with nothing but structure between
//!    them, is the same call, seen by two instrumentations; so is a tool call
//!    above or below one of the same name.
//!
//! Of one batch the record that knows most of its tokens counts; across
//! batches the first, because it is on the disk. A span that does not count
//! stays as structure (`span`, without tokens); a log record is dropped.
//!
//! Memory is bounded: about 100 bytes for each of the newest 100 000 spans and
//! 24 for each of the newest million ids.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use tachograph_model::{Column, Value};

use super::candidate::{Candidate, Keys};
use super::kind::Class;
use super::names::hash_of;

/// Ids remembered against retries.
const MAX_IDS: usize = 1 << 20;
/// Spans whose place in their trace is remembered.
const MAX_NODES: usize = 100_000;
/// Steps up a trace before it is taken for endless.
const MAX_STEPS: usize = 64;
/// How long a response id is one call's, seconds.
const RESPONSE_SECONDS: u64 = 600;

/// A span that makes no event, but stands between those that do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    pub trace: [u8; 16],
    pub span: [u8; 8],
    pub parent: [u8; 8],
}

/// How many of a batch took which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Stored as what they are.
    pub kept: u64,
    /// Were stored before.
    pub duplicates: u64,
    /// Of a call that another record tells of.
    pub merged: u64,
}

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    ids: Recent<u64>,
    nodes: Nodes,
    responses: Responses,
    calls: Recent<u64>,
    /// What was remembered since the last [`Self::settle`].
    fresh: Vec<Fresh>,
}

/// Something that was remembered of a batch that may yet not be stored.
#[derive(Clone, Copy, Debug)]
enum Fresh {
    Id(u64),
    Response(u64),
    Call(u64),
    Counted(u64),
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            ids: Recent::new(MAX_IDS),
            nodes: Nodes::default(),
            responses: Responses::default(),
            calls: Recent::new(MAX_NODES),
            fresh: Vec::new(),
        }
    }
}

impl Seen {
    /// Remembers a span that an earlier process stored.
    pub fn stored(&mut self, trace: [u8; 16], span: [u8; 8]) {
        self.ids.insert(id_of(trace, span));
    }

    /// Remembers a record without a span that an earlier process stored, by
    /// [`Keys::body`].
    pub fn stored_body(&mut self, body: u64) {
        self.ids.insert(body);
    }

    /// Leaves of a batch what is to be stored. `now` in seconds, of any clock
    /// that only goes forward. Say [`Self::settle`] when it is stored, and
    /// [`Self::forget`] when it could not be.
    pub fn admit(
        &mut self,
        mut batch: Vec<Candidate>,
        links: &[Link],
        now: u64,
    ) -> (Vec<Candidate>, Tally) {
        let mut tally = Tally::default();
        batch.retain(|candidate| {
            let new = match own_id(&candidate.keys) {
                Some(id) => {
                    self.ids.insert(id) && {
                        self.fresh.push(Fresh::Id(id));
                        true
                    }
                }
                None => true,
            };
            tally.duplicates += u64::from(!new);
            new
        });
        for link in links {
            self.nodes
                .place(link.trace, link.span, link.parent, None, "");
        }
        for candidate in &batch {
            let keys = &candidate.keys;
            let name = candidate.event.str(Column::Name).unwrap_or_default();
            self.nodes
                .place(keys.trace, keys.span, keys.parent, keys.class, name);
        }
        self.responses.expire(now);

        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by_key(|&at| Reverse(batch[at].keys.detail));
        let mut drop = HashSet::new();
        for at in order {
            if self.counts(&batch[at].keys, now) {
                tally.kept += 1;
                continue;
            }
            tally.merged += 1;
            if batch[at].keys.span == [0; 8] {
                drop.insert(at);
            } else {
                make_structure(&mut batch[at]);
            }
        }
        let mut at = 0;
        batch.retain(|_| {
            at += 1;
            !drop.contains(&(at - 1))
        });
        (batch, tally)
    }

    /// What was admitted is stored: it stays remembered.
    pub fn settle(&mut self) {
        self.fresh.clear();
    }

    /// Forgets what was admitted since the last [`Self::settle`], because it
    /// could not be stored, so that it is taken when it is sent again. Costs a
    /// look at as many ids as were remembered since.
    pub fn forget(&mut self) {
        for fresh in std::mem::take(&mut self.fresh).into_iter().rev() {
            match fresh {
                Fresh::Id(id) => self.ids.remove(id),
                Fresh::Response(response) => self.responses.remove(response),
                Fresh::Call(call) => self.calls.remove(call),
                Fresh::Counted(id) => self.nodes.uncount(id),
            }
        }
    }

    /// Whether a record is the first of its call; then it is remembered.
    fn counts(&mut self, keys: &Keys, now: u64) -> bool {
        let Some(class @ (Class::Llm | Class::Tool)) = keys.class else {
            return true;
        };
        let id = id_of(keys.trace, keys.span);
        let known = keys
            .response
            .is_some_and(|response| self.responses.contains(response))
            || keys.call.is_some_and(|call| self.calls.contains(&call))
            || self.nodes.has_counted_kin(id, class);
        if let Some(response) = keys.response
            && self.responses.insert(response, now)
        {
            self.fresh.push(Fresh::Response(response));
        }
        if let Some(call) = keys.call
            && self.calls.insert(call)
        {
            self.fresh.push(Fresh::Call(call));
        }
        if !known {
            self.nodes.count(id, class);
            self.fresh.push(Fresh::Counted(id));
        }
        !known
    }
}

/// A span's own id, or its body's; `None` for what cannot be told apart.
fn own_id(keys: &Keys) -> Option<u64> {
    if keys.span == [0; 8] {
        return keys.body;
    }
    Some(id_of(keys.trace, keys.span))
}

fn id_of(trace: [u8; 16], span: [u8; 8]) -> u64 {
    hash_of(&[&trace[..], &span[..]])
}

/// Keeps a span's place and time, without what would count twice.
fn make_structure(candidate: &mut Candidate) {
    let event = &mut candidate.event;
    event.event_type = "span".to_owned();
    for column in [
        Column::Source,
        Column::Type,
        Column::InputTokens,
        Column::OutputTokens,
        Column::CacheReadTokens,
        Column::CacheWriteTokens,
        Column::ReasoningTokens,
        Column::CostUsd,
    ] {
        event.set(column, None::<Value>);
    }
}

/// The ids of responses of the last minutes.
#[derive(Debug, Default)]
struct Responses {
    held: HashMap<u64, u64>,
    /// When which came, oldest first.
    order: VecDeque<(u64, u64)>,
}

impl Responses {
    fn contains(&self, response: u64) -> bool {
        self.held.contains_key(&response)
    }

    /// Adds one; false if it was there.
    fn insert(&mut self, response: u64, now: u64) -> bool {
        if self.held.contains_key(&response) {
            return false;
        }
        self.held.insert(response, now);
        self.order.push_back((now, response));
        true
    }

    fn remove(&mut self, response: u64) {
        self.held.remove(&response);
    }

    fn expire(&mut self, now: u64) {
        while let Some((at, response)) = self.order.front().copied()
            && (now.saturating_sub(at) > RESPONSE_SECONDS || self.order.len() > MAX_IDS)
        {
            self.order.pop_front();
            // It may have been forgotten, and have come again since.
            if self.held.get(&response) == Some(&at) {
                self.held.remove(&response);
            }
        }
    }
}

/// The newest so many of a set.
#[derive(Debug)]
struct Recent<T> {
    held: HashSet<T>,
    order: VecDeque<T>,
    most: usize,
}

impl<T: Copy + Eq + Hash> Recent<T> {
    fn new(most: usize) -> Self {
        Self {
            held: HashSet::new(),
            order: VecDeque::new(),
            most,
        }
    }

    fn contains(&self, item: &T) -> bool {
        self.held.contains(item)
    }

    /// Adds an item; false if it was there.
    fn insert(&mut self, item: T) -> bool {
        if !self.held.insert(item) {
            return false;
        }
        self.order.push_back(item);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.held.remove(&oldest);
        }
        true
    }

    fn remove(&mut self, item: T) {
        if self.held.remove(&item)
            && let Some(at) = self.order.iter().rposition(|held| *held == item)
        {
            self.order.remove(at);
        }
    }
}

/// A span's place in its trace.
#[derive(Debug, Default)]
struct Node {
    parent: u64,
    class: Option<Class>,
    name: Box<str>,
    /// Itself counts as a model's or tool's call.
    counted: bool,
    /// A model call below it counts, with only structure between.
    llm_below: bool,
    /// The tools that count below it, with only structure between.
    tools_below: Vec<Box<str>>,
}

#[derive(Debug, Default)]
struct Nodes {
    held: HashMap<u64, Node>,
    order: VecDeque<u64>,
}

impl Nodes {
    fn place(
        &mut self,
        trace: [u8; 16],
        span: [u8; 8],
        parent: [u8; 8],
        class: Option<Class>,
        name: &str,
    ) {
        if span == [0; 8] {
            return;
        }
        let parent = match parent {
            [0, 0, 0, 0, 0, 0, 0, 0] => 0,
            parent => id_of(trace, parent),
        };
        let node = self.entry(id_of(trace, span));
        node.parent = parent;
        node.class = class;
        if class == Some(Class::Tool) {
            node.name = name.into();
        }
        // What came before it and lies below it is told upwards now.
        if !is_boundary(class) {
            let (llm, tools) = (node.llm_below, node.tools_below.clone());
            if llm {
                self.tell_above(parent, Class::Llm, "");
            }
            for tool in tools {
                self.tell_above(parent, Class::Tool, &tool);
            }
        }
    }

    fn entry(&mut self, id: u64) -> &mut Node {
        if !self.held.contains_key(&id) {
            self.order.push_back(id);
            if self.order.len() > MAX_NODES
                && let Some(oldest) = self.order.pop_front()
            {
                self.held.remove(&oldest);
            }
        }
        self.held.entry(id).or_default()
    }

    /// Whether one above or below is the same call and counts.
    fn has_counted_kin(&self, id: u64, class: Class) -> bool {
        let Some(own) = self.held.get(&id) else {
            return false;
        };
        match class {
            Class::Llm if own.llm_below => return true,
            Class::Tool
                if own
                    .tools_below
                    .iter()
                    .any(|name| same_tool(name, &own.name)) =>
            {
                return true;
            }
            _ => {}
        }
        self.above(own.parent, class).is_some_and(|above| {
            above.counted && (class == Class::Llm || same_tool(&above.name, &own.name))
        })
    }

    /// The nearest span above of this class, with only structure between.
    fn above(&self, mut id: u64, class: Class) -> Option<&Node> {
        for _ in 0..MAX_STEPS {
            let node = self.held.get(&id)?;
            match node.class {
                Some(found) if found == class => return Some(node),
                found if is_boundary(found) => return None,
                _ => id = node.parent,
            }
        }
        None
    }

    /// Makes it count no more. Those above take it for counted still: when it
    /// comes again it does count, by itself.
    fn uncount(&mut self, id: u64) {
        if let Some(own) = self.held.get_mut(&id) {
            own.counted = false;
        }
    }

    /// Makes it count, and tells those above up to the next call.
    fn count(&mut self, id: u64, class: Class) {
        let Some(own) = self.held.get_mut(&id) else {
            return;
        };
        own.counted = true;
        let (parent, name) = (own.parent, own.name.clone());
        self.tell_above(parent, class, &name);
    }

    fn tell_above(&mut self, mut above: u64, class: Class, name: &str) {
        for _ in 0..MAX_STEPS {
            if above == 0 {
                return;
            }
            // A parent ends, and so arrives, after its children: it may not be
            // there yet.
            let node = self.entry(above);
            if class == Class::Llm {
                node.llm_below = true;
            } else if !node.tools_below.iter().any(|held| **held == *name) {
                node.tools_below.push(name.into());
            }
            if is_boundary(node.class) {
                return;
            }
            above = node.parent;
        }
    }
}

/// Whether a span separates the calls below it from those above.
fn is_boundary(class: Option<Class>) -> bool {
    !matches!(class, None | Some(Class::Structure))
}

/// `search` and `mcp__docs__search` are one tool, seen from two sides.
fn same_tool(a: &str, b: &str) -> bool {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    long == short
        || long
            .strip_suffix(short)
            .is_some_and(|rest| !short.is_empty() && rest.ends_with(['_', '.', '/', ':']))
}

#[cfg(test)]
mod tests;
