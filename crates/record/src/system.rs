//! The host itself: its figures, its errors, its system, its profiles.

use std::time::Duration;

use tachograph_model::Column;

use crate::layout::{Words, field, kind};
use crate::metric::{TagValue, Tags};
use crate::recorder::Recorder;

impl Recorder {
    /// Records a figure of the host. One that is no number is dropped and
    /// counted. Tags are kept as those of a metric
    /// ([`Metric::tag`](crate::Metric::tag)). Cost: about 100 ns, with tags
    /// about 1 µs.
    pub fn record_performance(
        &self,
        metric_name: &str,
        value: f64,
        unit: &str,
        tags: &[(&str, TagValue<'_>)],
    ) {
        let Some(inner) = &self.inner else {
            return;
        };
        if !value.is_finite() {
            inner.count_invalid(kind::PERFORMANCE);
            return;
        }
        const KIND: u8 = kind::PERFORMANCE;
        let mut words = Words::<4>::of(KIND);
        words.name(const { field(KIND, Column::Name) }, inner.name(metric_name));
        words.float(const { field(KIND, Column::Value) }, value);
        words.name(const { field(KIND, Column::Unit) }, inner.name(unit));
        if !tags.is_empty() {
            let mut all = Tags::default();
            for (key, value) in tags {
                inner.set_tag(&mut all, key, value);
            }
            words.name(const { field(KIND, Column::Tags) }, inner.name(&all.json()));
        }
        words.push(&inner.core);
    }

    /// Records an error outside tools, models and queries, by its class and
    /// the component it happened in. The message is kept only with
    /// `keep_text`. Cost: about 100 ns.
    pub fn record_error(&self, error_type: &str, component: &str, message: Option<&str>) {
        let Some(inner) = &self.inner else {
            return;
        };
        const KIND: u8 = kind::ERROR;
        let mut words = Words::<3>::of(KIND);
        words.name(
            const { field(KIND, Column::ErrorType) },
            inner.name(error_type),
        );
        if let Some(message) = message.filter(|_| inner.settings.keep_text) {
            words.name(const { field(KIND, Column::Text) }, inner.name(message));
        }
        words.name(const { field(KIND, Column::Source) }, inner.name(component));
        words.push(&inner.core);
    }

    /// Records the system that the host runs on: operating system and version,
    /// architecture, processors, memory. Cost: some 10 µs (reads files); once.
    pub fn record_system_info(&self) {
        let Some(inner) = &self.inner else {
            return;
        };
        const KIND: u8 = kind::SYSTEM_INFO;
        let mut words = Words::<6>::of(KIND);
        words.name(
            const { field(KIND, Column::Name) },
            inner.name(std::env::consts::OS),
        );
        if let Some(version) = kernel_version() {
            words.name(const { field(KIND, Column::Status) }, inner.name(&version));
        }
        let architecture = std::env::consts::ARCH;
        words.name(
            const { field(KIND, Column::Type) },
            inner.name(architecture),
        );
        words.name(const { field(KIND, Column::Source) }, inner.name("rust"));
        if let Ok(cpus) = std::thread::available_parallelism() {
            words.count(const { field(KIND, Column::Count) }, cpus.get() as u64);
        }
        if let Some(bytes) = memory_bytes() {
            words.count(const { field(KIND, Column::SizeBytes) }, bytes);
        }
        words.push(&inner.core);
    }

    /// Records a profiled operation: how long it took, how much processor time
    /// and memory, over how many calls. Cost: about 100 ns.
    pub fn record_profile(
        &self,
        component: &str,
        operation: &str,
        duration: Duration,
        cpu_time: Duration,
        memory_peak_bytes: u64,
        call_count: u64,
    ) {
        let Some(inner) = &self.inner else {
            return;
        };
        const KIND: u8 = kind::PROFILE;
        let mut words = Words::<6>::of(KIND);
        words.name(const { field(KIND, Column::Source) }, inner.name(component));
        words.name(const { field(KIND, Column::Name) }, inner.name(operation));
        words.duration(const { field(KIND, Column::DurationMs) }, duration);
        let cpu_ms = cpu_time.as_secs_f64() * 1e3;
        words.float(const { field(KIND, Column::Value) }, cpu_ms);
        words.count(const { field(KIND, Column::SizeBytes) }, memory_peak_bytes);
        words.count(const { field(KIND, Column::Count) }, call_count);
        words.push(&inner.core);
    }
}

fn kernel_version() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(text.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}
