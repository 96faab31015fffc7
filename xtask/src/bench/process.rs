//! One program run several times: wall time, processor time, memory.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait4::Wait4;

/// What one or the median of several runs cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Largest resident memory. The kernel counts our own few MB before `exec` too,
    /// so this never reads lower than that.
    pub(crate) peak_bytes: u64,
}

/// A command line to measure.
pub(crate) struct Run<'a> {
    pub(crate) program: &'a OsStr,
    pub(crate) args: Vec<String>,
    pub(crate) stdin: &'a str,
    /// Variables besides `PATH` and `HOME`.
    pub(crate) env: &'a [(&'a str, &'a str)],
    /// Working folder and `$HOME`: no settings of the one who measures take part.
    pub(crate) folder: &'a Path,
}

impl Run<'_> {
    /// Runs once; output goes nowhere, a failure carries the last words on stderr.
    pub(crate) fn once(&self) -> Result<Cost> {
        let start = Instant::now();
        let mut child = Command::new(self.program)
            .args(&self.args)
            .current_dir(self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder)
            .envs(self.env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that reads nothing may be gone already; its status tells.
            let _ = stdin.write_all(self.stdin.as_bytes());
        }
        let mut words = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut words)?;
        }
        let used = child.wait4()?;
        let wall = start.elapsed();
        if !used.status.success() {
            let last = words.lines().rev().find(|line| !line.trim().is_empty());
            bail!(
                "`tacho {}`: {}: {}",
                self.args.join(" "),
                used.status,
                last.unwrap_or("")
            );
        }
        Ok(Cost {
            wall,
            cpu: used.rusage.utime + used.rusage.stime,
            peak_bytes: used.rusage.maxrss,
        })
    }

    /// Runs `times` times after one run that warms the page cache.
    pub(crate) fn median(&self, times: usize) -> Result<Cost> {
        self.once()?;
        let runs: Vec<Cost> = (0..times).map(|_| self.once()).collect::<Result<_>>()?;
        median(&runs).context("no run to take the median of")
    }
}

/// Median of times, largest of memory.
pub(crate) fn median(runs: &[Cost]) -> Option<Cost> {
    let middle = |of: fn(&Cost) -> Duration| {
        let mut all: Vec<Duration> = runs.iter().map(of).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    };
    Some(Cost {
        wall: middle(|cost| cost.wall)?,
        cpu: middle(|cost| cost.cpu)?,
        peak_bytes: runs.iter().map(|cost| cost.peak_bytes).max()?,
    })
}

/// `12.3 ms`, `1.20 s`: three digits that count.
pub(crate) fn time(duration: Duration) -> String {
    scaled(duration.as_secs_f64())
}

/// Seconds in the unit that suits them.
pub(crate) fn scaled(seconds: f64) -> String {
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
    let (unit, name) = units
        .into_iter()
        .find(|(unit, _)| seconds >= *unit)
        .unwrap_or((1e-9, "ns"));
    let value = seconds / unit;
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {name}")
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{Run, scaled};

    fn shell(script: &str) -> Run<'_> {
        Run {
            program: "sh".as_ref(),
            args: vec!["-c".to_owned(), script.to_owned()],
            stdin: "",
            env: &[],
            folder: "/".as_ref(),
        }
    }

    #[test]
    fn a_run_is_measured() {
        let cost = shell("sleep 0.05").median(1).unwrap();
        assert!(cost.wall.as_millis() >= 50);
        assert!(
            cost.cpu.as_millis() < 50,
            "sleeping costs no processor time"
        );
        assert!(cost.peak_bytes > 100_000);
    }

    #[test]
    fn a_failure_carries_the_last_words() {
        let error = shell("echo first >&2; echo why >&2; exit 3")
            .once()
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("exit status: 3") && text.ends_with("why"),
            "{text}"
        );
    }

    #[test]
    fn times_are_scaled() {
        let cases = [
            (1.234e-9, "1.23 ns"),
            (56.78e-6, "56.8 µs"),
            (0.1234, "123 ms"),
            (16.7, "16.7 s"),
            (0.0, "0.00 ns"),
        ];
        for (seconds, text) in cases {
            assert_eq!(scaled(seconds), text);
        }
    }
}
