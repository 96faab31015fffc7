//! Measurements by proper names: those of the machine and of the processes that
//! are watched, in base units; all others under one name each for levels and
//! for amounts.

use std::collections::BTreeMap;
use std::time::Duration;

use tachograph_model::UnixNanos;

use super::page::{Page, Type};
use crate::live::{REACH, Reading};

const MIB: f64 = 1_048_576.0;
/// A figure of the machine that has not come for so long is not shown.
const FRESH: Duration = Duration::from_secs(300);

/// Name of a measurement, its name here, what it is multiplied by, and help.
type Known = (&'static str, &'static str, f64, &'static str);

/// Of source `system`.
const SYSTEM: [Known; 7] = [
    (
        "cpu_usage_percent",
        "tachograph_system_cpu_usage_ratio",
        0.01,
        "Processor time in use, of all processors.",
    ),
    (
        "memory_usage_percent",
        "tachograph_system_memory_usage_ratio",
        0.01,
        "Memory in use.",
    ),
    (
        "memory_available_mb",
        "tachograph_system_memory_available_bytes",
        MIB,
        "Memory that may be had.",
    ),
    (
        "disk_read_mb_per_sec",
        "tachograph_system_disk_read_bytes_per_second",
        MIB,
        "Read from disks.",
    ),
    (
        "disk_write_mb_per_sec",
        "tachograph_system_disk_write_bytes_per_second",
        MIB,
        "Written to disks.",
    ),
    (
        "network_received_mb_per_sec",
        "tachograph_system_network_received_bytes_per_second",
        MIB,
        "Received from networks.",
    ),
    (
        "network_sent_mb_per_sec",
        "tachograph_system_network_sent_bytes_per_second",
        MIB,
        "Sent to networks.",
    ),
];

/// Of source `process`: what follows the process's name and an underscore.
const PROCESS: [Known; 3] = [
    (
        "cpu_percent",
        "tachograph_watched_process_cpu_ratio",
        0.01,
        "Processor time of the processes of that name, of one processor.",
    ),
    (
        "memory_mb",
        "tachograph_watched_process_memory_bytes",
        MIB,
        "Memory of the processes of that name.",
    ),
    (
        "count",
        "tachograph_watched_processes",
        1.0,
        "Processes of that name.",
    ),
];

const LEVELS: &str = "tachograph_metric";
const AMOUNTS: &str = "tachograph_metric_amount_total";

/// Writes every measurement.
pub(super) fn write(page: &mut Page, readings: &[Reading], now: UnixNanos) {
    let mut known: BTreeMap<&str, Vec<(&Known, &str, f64)>> = BTreeMap::new();
    let (mut levels, mut amounts) = (Vec::new(), Vec::new());
    for reading in readings {
        let Some((at, value)) = reading.latest else {
            continue;
        };
        if reading.kind.as_deref() == Some("counter") {
            amounts.push(reading);
            continue;
        }
        let within = |age: Duration| at >= now.saturating_sub(age);
        if let Some((one, process)) = known_as(reading) {
            if within(FRESH) {
                known.entry(one.1).or_default().push((one, process, value));
            }
        } else if within(REACH) {
            levels.push((reading, value));
        }
    }
    for (name, samples) in known {
        page.family(name, Type::Gauge, samples[0].0.3);
        for ((_, _, factor, _), process, value) in samples {
            let label = [("name", process)];
            let labels = if process.is_empty() { &[][..] } else { &label };
            page.sample(name, "", labels, value * factor);
        }
    }
    if !levels.is_empty() {
        let help = "Latest value of a metric, in the metric's own unit; within the last hour.";
        page.family(LEVELS, Type::Gauge, help);
    }
    for (reading, value) in levels {
        page.sample(LEVELS, "", &labels(reading), value);
    }
    if !amounts.is_empty() {
        let help = "What the amounts of a metric of type counter add up to, in its own unit.";
        page.family(AMOUNTS, Type::Counter, help);
    }
    for reading in amounts {
        page.sample(AMOUNTS, "", &labels(reading), reading.since_start.grown);
    }
}

fn labels(reading: &Reading) -> [(&str, &str); 2] {
    [("source", &*reading.source), ("name", &*reading.name)]
}

fn known_as(reading: &Reading) -> Option<(&'static Known, &str)> {
    let name = &*reading.name;
    match &*reading.source {
        "system" => {
            let one = SYSTEM.iter().find(|one| one.0 == name)?;
            Some((one, ""))
        }
        "process" => PROCESS.iter().find_map(|one| {
            let process = name.strip_suffix(one.0)?.strip_suffix('_')?;
            (!process.is_empty()).then_some((one, process))
        }),
        _ => None,
    }
}
