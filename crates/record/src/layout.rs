//! Where each field of each kind stands, settled at compile time, and the
//! little builder that puts a record's words in their order on the stack.

use std::time::Duration;

use tachograph_model::{Column, KINDS};

use crate::core::{Core, NameId};

/// Places in [`KINDS`] of the kinds that the recorder writes.
pub(crate) mod kind {
    use super::kind_at;

    pub(crate) const AGENT_DISCOVERY: u8 = kind_at("agent_discovery");
    pub(crate) const AGENT_LOAD: u8 = kind_at("agent_load");
    pub(crate) const SESSION_START: u8 = kind_at("session_start");
    pub(crate) const SESSION_END: u8 = kind_at("session_end");
    pub(crate) const CACHE_OPERATION: u8 = kind_at("cache_operation");
    pub(crate) const AGENT_USAGE: u8 = kind_at("agent_usage");
    pub(crate) const PERFORMANCE: u8 = kind_at("performance");
    pub(crate) const ERROR: u8 = kind_at("error");
    pub(crate) const SYSTEM_INFO: u8 = kind_at("system_info");
    pub(crate) const TOOL_CALL: u8 = kind_at("tool_call");
    pub(crate) const CACHE: u8 = kind_at("cache");
    pub(crate) const LLM_CALL: u8 = kind_at("llm_call");
    pub(crate) const QUERY: u8 = kind_at("query");
    pub(crate) const AGENT_SELECTION: u8 = kind_at("agent_selection");
    pub(crate) const TOOL_USAGE: u8 = kind_at("tool_usage");
    pub(crate) const METRIC: u8 = kind_at("metric");
    pub(crate) const PROFILE: u8 = kind_at("profile");
    pub(crate) const SPAN: u8 = kind_at("span");
    pub(crate) const LOSS: u8 = kind_at("loss");
}

/// Finds a kind's place; a kind that is not in the table does not compile.
const fn kind_at(name: &str) -> u8 {
    let mut at = 0;
    while at < KINDS.len() {
        if same(KINDS[at].name, name) {
            return at as u8;
        }
        at += 1;
    }
    panic!("no such kind")
}

/// Finds a field's place in its kind; one that it lacks does not compile.
pub(crate) const fn field(kind: u8, column: Column) -> u32 {
    let fields = KINDS[kind as usize].fields;
    let mut at = 0;
    while at < fields.len() {
        if fields[at].column as u8 == column as u8 {
            return at as u32;
        }
        at += 1;
    }
    panic!("the kind has no such field")
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// One record being put together: at most `N` words, fields in their order.
pub(crate) struct Words<const N: usize> {
    kind: u8,
    presence: u32,
    length: usize,
    words: [u64; N],
}

impl<const N: usize> Words<N> {
    #[inline]
    pub(crate) fn of(kind: u8) -> Self {
        Self {
            kind,
            presence: 0,
            length: 0,
            words: [0; N],
        }
    }

    /// Adds a field; fields come in the order of the kind.
    #[inline]
    pub(crate) fn put(&mut self, field: u32, word: u64) {
        debug_assert!(self.presence >> field == 0, "fields come in order");
        self.presence |= 1 << field;
        self.word(word);
    }

    #[inline]
    pub(crate) fn name(&mut self, field: u32, name: NameId) {
        self.put(field, u64::from(name.0));
    }

    #[inline]
    pub(crate) fn maybe_name(&mut self, field: u32, name: Option<NameId>) {
        if let Some(name) = name {
            self.name(field, name);
        }
    }

    /// Leaves the field out when `word` is 0, which no identifier is.
    #[inline]
    pub(crate) fn maybe_id(&mut self, field: u32, word: u64) {
        if word != 0 {
            self.put(field, word);
        }
    }

    #[inline]
    pub(crate) fn duration(&mut self, field: u32, duration: Duration) {
        self.put(field, nanos(duration));
    }

    #[inline]
    pub(crate) fn float(&mut self, field: u32, value: f64) {
        self.put(field, value.to_bits());
    }

    /// Counts beyond what 63 bits hold are kept at that limit.
    #[inline]
    pub(crate) fn count(&mut self, field: u32, value: u64) {
        self.put(field, value.min(i64::MAX as u64));
    }

    /// Adds a list; what does not fit any more is left out.
    pub(crate) fn list(&mut self, field: u32, names: &[NameId], reserve: usize) {
        let room = N.saturating_sub(self.length + 1 + reserve);
        let names = &names[..names.len().min(room)];
        self.put(field, names.len() as u64);
        for name in names {
            self.word(u64::from(name.0));
        }
    }

    #[inline]
    fn word(&mut self, word: u64) {
        if let Some(slot) = self.words.get_mut(self.length) {
            *slot = word;
            self.length += 1;
        }
    }

    /// Hands the record to the engine, stamped with the present.
    #[inline]
    pub(crate) fn push(&self, core: &Core) {
        self.push_at(core, core.now());
    }

    /// As [`Self::push`], stamped with a given time.
    #[inline]
    pub(crate) fn push_at(&self, core: &Core, time: i64) {
        let words = self.words.get(..self.length).unwrap_or_default();
        core.push(self.kind, time, self.presence, words);
    }
}

/// A duration in nanoseconds, at most 584 years of them.
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_table() {
        assert_eq!(KINDS[usize::from(kind::TOOL_CALL)].name, "tool_call");
        assert_eq!(KINDS[usize::from(kind::LOSS)].name, "loss");
        let success = field(kind::TOOL_CALL, Column::Success);
        let fields = KINDS[usize::from(kind::TOOL_CALL)].fields;
        assert_eq!(fields[success as usize].key, "success");
    }

    #[test]
    fn a_list_leaves_room_for_what_follows() {
        let mut words = Words::<6>::of(kind::QUERY);
        words.list(field(kind::QUERY, Column::Entities), &[NameId(7); 9], 1);
        words.put(field(kind::QUERY, Column::ParentId), 99);
        assert_eq!(&words.words[..words.length], &[4, 7, 7, 7, 7, 99]);
    }

    #[test]
    fn durations_do_not_overflow() {
        assert_eq!(nanos(Duration::from_micros(3)), 3_000);
        assert_eq!(nanos(Duration::MAX), u64::MAX);
    }
}
