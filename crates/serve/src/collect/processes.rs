//! Processor time and memory of processes by their names. Arguments and
//! environments are never read.

use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::Measured;

const MIB: f64 = 1_048_576.0;
/// Looking for new processes means a look at every one there is.
const SEARCH_EVERY: Duration = Duration::from_secs(30);
/// The kernel keeps so much of a name.
const KERNEL_NAME_BYTES: usize = 15;

/// Named processes.
pub(super) struct Processes {
    system: System,
    names: Vec<String>,
    found: Vec<(Pid, usize)>,
    search_due: Instant,
}

impl Processes {
    /// Takes the first look; `None` where there is nothing to look for, or no
    /// way to.
    pub(super) fn new(names: &[String]) -> Option<Self> {
        if names.is_empty() {
            return None;
        }
        let now = Instant::now();
        let mut processes = Self {
            system: System::new().ok()?,
            names: names.to_vec(),
            found: Vec::new(),
            search_due: now,
        };
        // Processor time is told from the second look on.
        processes.look(now);
        Some(processes)
    }

    pub(super) fn measure(&mut self, now: Instant) -> Vec<Measured> {
        self.look(now);
        let mut of_names = vec![(0_u32, 0.0, 0.0); self.names.len()];
        for (pid, name) in &self.found {
            let Some(process) = self.system.process(*pid) else {
                continue;
            };
            let of_name = &mut of_names[*name];
            of_name.0 += 1;
            of_name.1 += f64::from(process.cpu_usage());
            of_name.2 += process.memory() as f64 / MIB;
        }
        let mut all = Vec::new();
        for (name, (count, cpu, memory)) in self.names.iter().zip(of_names) {
            if count == 0 {
                continue;
            }
            let mut add = |what, value, unit| {
                let name = format!("{name}_{what}");
                all.push(Measured::new("process", name, value, unit));
            };
            add("cpu_percent", cpu, "percent");
            add("memory_mb", memory, "MiB");
            add("count", f64::from(count), "processes");
        }
        all
    }

    fn look(&mut self, now: Instant) {
        if now >= self.search_due {
            self.search_due = now + SEARCH_EVERY;
            self.search();
        }
        if self.found.is_empty() {
            return;
        }
        let pids: Vec<Pid> = self.found.iter().map(|(pid, _)| *pid).collect();
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        let these = ProcessesToUpdate::Some(&pids);
        self.system
            .refresh_processes_specifics(these, true, kind.without_tasks());
    }

    fn search(&mut self) {
        let kind = ProcessRefreshKind::nothing().without_tasks();
        self.system
            .refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let name_of = |name: &str| {
            let fits = |wanted: &String| name == cut(wanted);
            self.names.iter().position(fits)
        };
        let processes = self.system.processes().iter();
        self.found = processes
            .filter_map(|(pid, process)| Some((*pid, name_of(process.name().to_str()?)?)))
            .collect();
    }
}

fn cut(name: &str) -> &str {
    if cfg!(target_os = "linux") {
        name.get(..KERNEL_NAME_BYTES).unwrap_or(name)
    } else {
        name
    }
}
