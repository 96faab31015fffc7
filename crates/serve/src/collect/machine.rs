//! Processor, memory, disks and network of the machine.

use std::ffi::OsStr;
use std::time::Instant;

use sysinfo::{MemoryRefreshKind, Networks, System};

use super::Measured;
use super::disk;

const MIB: f64 = 1_048_576.0;

/// Interfaces that carry again what another carried: bridges and their ends.
const COPIES: [&str; 5] = ["veth", "docker", "br-", "virbr", "vnet"];

/// What was measured last, to take rates from.
pub(super) struct Machine {
    system: System,
    networks: Option<Networks>,
    last: Instant,
    disk: Option<disk::Total>,
    network: Option<(u64, u64)>,
}

impl Machine {
    /// Takes the first look; `None` where the system cannot be looked at.
    pub(super) fn new() -> Option<Self> {
        let mut system = System::new().ok()?;
        system.refresh_cpu_usage();
        let networks = Networks::new_with_refreshed_list().ok();
        Some(Self {
            system,
            last: Instant::now(),
            disk: disk::read(),
            network: networks.as_ref().map(network),
            networks,
        })
    }

    pub(super) fn measure(&mut self, now: Instant) -> Vec<Measured> {
        let seconds = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        let mut all = Vec::with_capacity(7);
        let mut add = |name, value, unit| all.push(Measured::new("system", name, value, unit));
        self.system.refresh_cpu_usage();
        let cpu = f64::from(self.system.global_cpu_usage());
        add("cpu_usage_percent", cpu.clamp(0.0, 100.0), "percent");
        let memory = MemoryRefreshKind::nothing().with_ram();
        self.system.refresh_memory_specifics(memory);
        let (total, available) = (self.system.total_memory(), self.system.available_memory());
        if total > 0 {
            let used = total.saturating_sub(available) as f64 / total as f64;
            add("memory_usage_percent", used * 100.0, "percent");
            add("memory_available_mb", available as f64 / MIB, "MiB");
        }
        let mut rates = |names: [&'static str; 2], before: (u64, u64), after: (u64, u64)| {
            // A disk or a network that was taken away leaves a smaller sum:
            // there is no rate then.
            let more = |before: u64, after: u64| after.checked_sub(before);
            let more = [more(before.0, after.0), more(before.1, after.1)];
            if let [Some(one), Some(other)] = more
                && seconds > 0.0
            {
                add(names[0], one as f64 / MIB / seconds, "MiB/s");
                add(names[1], other as f64 / MIB / seconds, "MiB/s");
            }
        };
        let disk = disk::read();
        if let (Some(before), Some(after)) = (self.disk, disk) {
            let names = ["disk_read_mb_per_sec", "disk_write_mb_per_sec"];
            rates(
                names,
                (before.read, before.written),
                (after.read, after.written),
            );
        }
        self.disk = disk;
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
            let after = network(networks);
            if let Some(before) = self.network.replace(after) {
                let names = ["network_received_mb_per_sec", "network_sent_mb_per_sec"];
                rates(names, before, after);
            }
        }
        all
    }
}

/// Bytes received and sent by all interfaces that lead somewhere.
fn network(networks: &Networks) -> (u64, u64) {
    let leads = |name: &OsStr| {
        let name = name.to_string_lossy();
        name != "lo" && !COPIES.iter().any(|copy| name.starts_with(copy))
    };
    networks.iter().filter(|(name, _)| leads(name)).fold(
        (0, 0),
        |(received, sent), (_, network)| {
            (
                received + network.total_received(),
                sent + network.total_transmitted(),
            )
        },
    )
}
