//! One call, one event: what was stored already, and which of several records
//! of one call counts.
//!
//! Rules, in this order:
//! 1. A span id, or a record's body, that was stored already is a duplicate: a
//!    retry, or a second exporter. It is dropped.
//! 2. Of an agent that tells of its calls both by logs and by spans one way
//!    counts: see [`Way`].
//! 3. Records that share a response id or a tool call's id within ten minutes
//!    are of one call, also across traces and across spans and logs, if they are
//!    of one time or stand beside each other in one process.
//! 4. A model call above or below another, with nothing but structure between
//!    them, is the same call, seen by two instrumentations; so is a tool call
//!    above or below one of the same name.
//!
//! A span that does not say which agent did it is of the agent above it
//! ([`agents`]).
//!
//! A chain that is the root of its trace, with no agent below, is an agent's run.
//!
//! Of one batch the record that knows most of its tokens counts; across
//! batches the first, because it is on the disk. A span that does not count
//! stays as structure (`span`, without tokens); a log record is dropped.
//!
//! Memory is bounded: about 100 bytes for each of the newest 100 000 spans and
//! calls, and 24 for each of the newest million ids.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use tachograph_model::{Column, Value};

use self::agents::{Above, Named};
use self::calls::{CALL_SECONDS, Calls};
use super::candidate::{Candidate, Keys, Way};
use super::kind::Class;
use super::mix::{MixMap, MixSet};
use super::names::hash_of;

mod agents;
mod calls;

/// Ids remembered against retries.
const MAX_IDS: usize = 1 << 20;
/// Spans whose place in their trace is remembered.
const MAX_NODES: usize = 100_000;
/// Tools below a span whose names it remembers.
const MAX_TOOLS_BELOW: usize = 32;
/// Steps up a trace before it is taken for endless.
const MAX_STEPS: usize = 64;
/// Agents whose way of telling is remembered.
const MAX_WAYS: usize = 4096;

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
    responses: Calls,
    calls: Calls,
    /// By instance: whether logs lead, and when it last told of a call.
    ways: HashMap<u64, (bool, u64)>,
    named: Named,
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
            responses: Calls::default(),
            calls: Calls::default(),
            ways: HashMap::new(),
            named: Named::default(),
            fresh: Vec::new(),
        }
    }
}

impl Seen {
    /// Remembers an event that an earlier process stored, as if it had been
    /// admitted; its name and its agent as they stand there.
    pub fn stored(&mut self, keys: &Keys, name: &str, agent: Option<&str>) {
        if let Some(id) = own_id(keys) {
            self.ids.insert(id);
        }
        self.nodes
            .place(keys.trace, keys.span, keys.parent, keys.class, name);
        if let Some(class @ (Class::Llm | Class::Tool)) = keys.class {
            self.nodes.count(id_of(keys.trace, keys.span), class);
        }
        if let Some(agent) = agent.filter(|_| keys.class == Some(Class::Agent)) {
            self.nodes.set_agent(id_of(keys.trace, keys.span), agent);
        }
    }

    /// Whether a record of this [`Keys::body`] is remembered.
    pub fn knows_body(&self, body: u64) -> bool {
        self.ids.held.contains(&body)
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
        self.responses.expire(now);
        self.calls.expire(now);
        batch.retain(|candidate| {
            let Some(id) = own_id(&candidate.keys) else {
                return true;
            };
            let new = self.ids.insert(id);
            if new {
                self.fresh.push(Fresh::Id(id));
            } else {
                tally.duplicates += 1;
                self.tell_again(&candidate.keys, now);
            }
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
            self.know_agent(candidate);
        }
        for candidate in &mut batch {
            self.name_agent(candidate);
        }

        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by_key(|&at| Reverse(batch[at].keys.detail));
        let mut drop = HashSet::new();
        for at in order {
            if self.counts(&batch[at].keys, now) {
                self.make_run(&mut batch[at]);
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

    /// What was stored before is not stored again, but tells which other records
    /// are of its call: those before may have been another process's, of whose
    /// records the log has not all.
    fn tell_again(&mut self, keys: &Keys, now: u64) {
        let of_call = matches!(keys.class, Some(Class::Llm | Class::Tool));
        if !of_call {
            return;
        }
        if let Some(way) = keys.way {
            let id = id_of(keys.trace, keys.span);
            let counted = way.log || self.nodes.held.get(&id).is_some_and(|node| node.counted);
            if !counted || !self.leads(way, keys, now) {
                return;
            }
        }
        self.remember(keys, false, now);
    }

    fn remember(&mut self, keys: &Keys, first: bool, now: u64) {
        if let Some(response) = self.responses.remember(keys.response, keys, first, now) {
            self.fresh.push(Fresh::Response(response));
        }
        if let Some(call) = self.calls.remember(keys.call, keys, first, now) {
            self.fresh.push(Fresh::Call(call));
        }
    }

    /// Whether a record is the first of its call; then it is remembered.
    fn counts(&mut self, keys: &Keys, now: u64) -> bool {
        let leads = keys.way.is_none_or(|way| self.leads(way, keys, now));
        let Some(class @ (Class::Llm | Class::Tool)) = keys.class else {
            return true;
        };
        if !leads {
            // Its ids stay unknown: the record that counts may be yet to come.
            return false;
        }
        let id = id_of(keys.trace, keys.span);
        let told = self.responses.know(keys.response, keys) || self.calls.know(keys.call, keys);
        let kin = self.nodes.kin(id, class);
        let known = told || kin.is_some();
        self.remember(keys, !known, now);
        // Of three layers the outer two are of the inner one's call, in whichever
        // order they come.
        match kin {
            Some(Kin::Below) if !told => self.nodes.tell_of(id, class),
            _ => {
                self.nodes.count(id, class);
                self.fresh.push(Fresh::Counted(id));
            }
        }
        !known
    }

    /// Whether it is by this way that the agent's calls count.
    fn leads(&mut self, way: Way, keys: &Keys, now: u64) -> bool {
        let fresh = |at: u64| now.saturating_sub(at) <= CALL_SECONDS;
        let held = self.ways.get(&keys.instance).filter(|(_, at)| fresh(*at));
        let logs = match held {
            // Where an id is in common, what came before by spans is known.
            _ if way.log && !way.blind => true,
            Some((logs, _)) => *logs,
            None => way.log,
        };
        if self.ways.len() >= MAX_WAYS && !self.ways.contains_key(&keys.instance) {
            self.ways.retain(|_, (_, at)| fresh(*at));
            if self.ways.len() >= MAX_WAYS {
                self.ways.clear();
            }
        }
        if logs == way.log {
            self.ways.insert(keys.instance, (logs, now));
        }
        logs == way.log
    }

    fn know_agent(&mut self, candidate: &Candidate) {
        let Candidate { event, keys } = candidate;
        let is_named = keys.class == Some(Class::Agent) && !keys.unnamed;
        let Some(agent) = event.str(Column::Agent).filter(|_| is_named) else {
            return;
        };
        if keys.span != [0; 8] {
            self.named.add(keys.instance, agent);
            self.nodes.set_agent(id_of(keys.trace, keys.span), agent);
        }
    }

    /// Says which agent did it where the record does not.
    fn name_agent(&self, candidate: &mut Candidate) {
        let keys = &candidate.keys;
        if !keys.unnamed || keys.parent == [0; 8] {
            return;
        }
        let agent = match self.nodes.agent_above(id_of(keys.trace, keys.parent)) {
            Above::Agent(agent) => Some(agent),
            Above::Nobody => None,
            Above::Unknown => self.named.only(keys.instance),
        };
        if let Some(agent) = agent {
            candidate.event.set(Column::Agent, Value::from(agent));
        }
    }

    /// Makes a chain that is a root, with no agent below, an agent's run.
    fn make_run(&self, candidate: &mut Candidate) {
        let keys = &candidate.keys;
        if keys.root && !self.nodes.has_agent_below(id_of(keys.trace, keys.span)) {
            let event = &mut candidate.event;
            super::span::type_of(Class::Agent).clone_into(&mut event.event_type);
            event.set(Column::Name, Value::from("invoke"));
        }
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
    hash_of(&[(trace, span)])
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

/// The newest so many of a set.
#[derive(Debug)]
struct Recent<T> {
    held: MixSet<T>,
    order: VecDeque<T>,
    most: usize,
}

impl<T: Copy + Eq + Hash> Recent<T> {
    fn new(most: usize) -> Self {
        Self {
            held: MixSet::default(),
            order: VecDeque::new(),
            most,
        }
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
    /// Its call, a model's or a tool's, counts: here or where else it was told.
    counted: bool,
    /// A model call below it counts, with only structure between.
    llm_below: bool,
    /// The tools that count below it, with only structure between.
    tools_below: Vec<Box<str>>,
    /// An agent's run is below it, whatever is between.
    agent_below: bool,
    /// Who ran, if it is an agent's run that says so.
    agent: Option<Box<str>>,
    /// It came; else it is only known of.
    placed: bool,
}

/// Where the record that counts stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kin {
    Above,
    Below,
}

#[derive(Debug, Default)]
struct Nodes {
    held: MixMap<u64, Node>,
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
        node.placed = true;
        node.class = class;
        if class == Some(Class::Tool) {
            node.name = name.into();
        }
        if node.agent_below || class == Some(Class::Agent) {
            self.tell_of_agent(parent);
        }
        let node = self.entry(id_of(trace, span));
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

    /// Whether one above or below is of the same call, which counts.
    fn kin(&self, id: u64, class: Class) -> Option<Kin> {
        let own = self.held.get(&id)?;
        let same = |name: &str| class == Class::Llm || same_tool(name, &own.name);
        let below = match class {
            Class::Llm => own.llm_below,
            _ => own.tools_below.iter().any(|name| same(name)),
        };
        if below {
            return Some(Kin::Below);
        }
        let above = self.above(own.parent, class)?;
        (above.counted && same(&above.name)).then_some(Kin::Above)
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

    /// Marks its call as one that counts, and tells those above.
    fn count(&mut self, id: u64, class: Class) {
        let Some(own) = self.held.get_mut(&id) else {
            return;
        };
        own.counted = true;
        self.tell_of(id, class);
    }

    /// Tells those above, up to the next call, that this one's call counts.
    fn tell_of(&mut self, id: u64, class: Class) {
        if let Some(own) = self.held.get(&id) {
            let (parent, name) = (own.parent, own.name.clone());
            self.tell_above(parent, class, &name);
        }
    }

    fn has_agent_below(&self, id: u64) -> bool {
        self.held.get(&id).is_some_and(|node| node.agent_below)
    }

    /// Tells all above that an agent runs below them, up to one who knows.
    fn tell_of_agent(&mut self, mut above: u64) {
        for _ in 0..MAX_STEPS {
            if above == 0 {
                return;
            }
            let node = self.entry(above);
            if std::mem::replace(&mut node.agent_below, true) {
                return;
            }
            above = node.parent;
        }
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
            } else if node.tools_below.len() < MAX_TOOLS_BELOW
                && !node.tools_below.iter().any(|held| **held == *name)
            {
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
