//! What machine the figures are from.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::workspace::{output, root};

/// `2026-01-31, commit 1a2b3c4, AMD EPYC 7B13, 2 cores, 16 GiB, Linux 6.1, rustc 1.95.0`.
pub(crate) fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or_else(
            || "memory unknown".to_owned(),
            |kib| format!("{:.0} GiB", kib / 1_048_576.0),
        );
    let mut rustc = Command::new("rustc");
    let rustc = output(rustc.arg("--version")).unwrap_or_default();
    let mut git = Command::new("git");
    git.current_dir(root())
        .args(["rev-parse", "--short", "HEAD"]);
    let commit = output(&mut git).unwrap_or_default();
    let version = rustc.split(' ').nth(1).unwrap_or("unknown");
    format!(
        "{}, commit {}, {}, {cores} cores, {memory}, {} {}, rustc {version}",
        today(),
        commit.trim(),
        field(&read("/proc/cpuinfo"), "model name")
            .unwrap_or_else(|| std::env::consts::ARCH.into()),
        std::env::consts::OS,
        read("/proc/sys/kernel/osrelease").trim(),
    )
}

fn today() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let days = i64::try_from(now.as_secs() / 86_400).unwrap_or_default();
    let (year, month, day) = super::generate::civil(days);
    format!("{year}-{month:02}-{day:02}")
}
