//! Agents: found, loaded, used (the first two seeds' calls).

use std::time::Duration;

use tachograph_model::Column;
use tachograph_model::privacy::is_plain_metadata;

use crate::layout::{Words, field, kind};
use crate::metric::{TagValue, Tags};
use crate::recorder::Recorder;

impl Recorder {
    /// Records that agents were listed, fetched or searched: `list_agents`,
    /// `get_agent`, `search`. Cost: about 70 ns.
    ///
    /// `cache_hit` says whether a cache answered (`get_agent`), `agent_count`
    /// how many agents were found.
    pub fn record_agent_discovery(
        &self,
        operation: &str,
        duration: Duration,
        cache_hit: bool,
        agent_count: u64,
    ) {
        let Some(inner) = &self.inner else {
            return;
        };
        const KIND: u8 = kind::AGENT_DISCOVERY;
        let mut words = Words::<4>::of(KIND);
        words.name(const { field(KIND, Column::Name) }, inner.name(operation));
        words.duration(const { field(KIND, Column::DurationMs) }, duration);
        words.put(const { field(KIND, Column::Hit) }, u64::from(cache_hit));
        words.count(const { field(KIND, Column::Count) }, agent_count);
        words.push(&inner.core);
    }

    /// Records that an agent's definition was loaded. Its identity is kept as
    /// a keyed hash. Cost: about 1 µs, the hash.
    pub fn record_agent_load(
        &self,
        agent_id: &str,
        load_time: Duration,
        content_size_bytes: u64,
        estimated_tokens: u64,
    ) {
        let Some(inner) = &self.inner else {
            return;
        };
        const KIND: u8 = kind::AGENT_LOAD;
        let mut words = Words::<4>::of(KIND);
        words.name(const { field(KIND, Column::Agent) }, inner.hashed(agent_id));
        words.duration(const { field(KIND, Column::DurationMs) }, load_time);
        words.count(const { field(KIND, Column::SizeBytes) }, content_size_bytes);
        words.count(const { field(KIND, Column::Tokens) }, estimated_tokens);
        words.push(&inner.core);
    }

    /// Records the state of a cache: `operation` is get, put or evict,
    /// `hit_rate` a percentage (0..=100; no number is dropped and counted).
    /// Cost: about 70 ns.
    pub fn record_cache_operation(
        &self,
        operation: &str,
        cache_size: u64,
        hit_rate: f64,
        evictions: u64,
    ) {
        let Some(inner) = &self.inner else {
            return;
        };
        if !hit_rate.is_finite() {
            inner.count_invalid(kind::CACHE_OPERATION);
            return;
        }
        const KIND: u8 = kind::CACHE_OPERATION;
        let mut words = Words::<4>::of(KIND);
        words.name(const { field(KIND, Column::Name) }, inner.name(operation));
        words.count(const { field(KIND, Column::Count) }, cache_size);
        words.float(const { field(KIND, Column::Value) }, hit_rate);
        words.count(const { field(KIND, Column::Evictions) }, evictions);
        words.push(&inner.core);
    }

    /// Records that an agent was used for something. Of the metadata only numbers
    /// and flags called `duration_ms`, `success`, `retry_count`, `cache_hit`,
    /// `result_count` or `status_code` are kept, others and text only with
    /// `keep_text`. Cost: about 1 µs.
    pub fn record_agent_usage(
        &self,
        agent_id: &str,
        operation: &str,
        metadata: &[(&str, TagValue<'_>)],
    ) {
        let Some(inner) = &self.inner else {
            return;
        };
        const KIND: u8 = kind::AGENT_USAGE;
        let mut words = Words::<3>::of(KIND);
        words.name(const { field(KIND, Column::Agent) }, inner.hashed(agent_id));
        words.name(const { field(KIND, Column::Name) }, inner.name(operation));
        let mut tags = Tags::default();
        let kept = metadata.iter().filter(|(key, value)| {
            let plain = is_plain_metadata(key) && !matches!(value, TagValue::Text(_));
            plain || inner.settings.keep_text
        });
        let mut any = false;
        for (key, value) in kept {
            tags.set(key, value);
            any = true;
        }
        if any {
            words.name(
                const { field(KIND, Column::Tags) },
                inner.name(&tags.json()),
            );
        }
        words.push(&inner.core);
    }
}
