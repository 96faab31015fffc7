//! `kill -9` at random moments: nothing that was recorded before is lost, and
//! nothing appears twice.
//!
//! Children record numbered calls from two threads, and note in a file, by
//! plain writes, the last number whose call returned. They are killed while
//! recording, rotating (every 16 KiB) and recovering their predecessors. In
//! between, a sealer rotates the log and takes rotated files away, so that
//! batches are found unfinished in files that are gone, and inodes come back.
//!
//! `TACHOGRAPH_KILLS` says how many (60); `cargo xtask crash` asks for more.
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use tachograph::{Recorder, recover_orphans};
use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event};

const CHILD: &str = "TACHOGRAPH_TEST_CRASH_CHILD";
const THREADS: u64 = 2;
/// A child that nobody kills records so many in each thread, and ends.
const MOST_RECORDS: u64 = 100_000;
/// The harness takes rotated files away when there are so many: a megabyte.
const MOST_FILES: usize = 64;
/// It fails before all that it keeps is larger than this.
const MOST_BYTES: u64 = 64 << 20;

#[test]
fn killed_processes_lose_nothing_and_double_nothing() {
    if let Ok(child) = std::env::var(CHILD) {
        die_with_the_harness();
        let (run, root) = child.split_once(':').unwrap();
        record_until_killed(run.parse().unwrap(), Path::new(root));
    }
    let kills = std::env::var("TACHOGRAPH_KILLS").map_or(60, |text| text.parse().unwrap());
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut harness = Harness::new(dir.path());
    let start = Instant::now();
    while harness.killed < kills {
        harness.round();
    }
    let totals = harness.check();
    let bytes = bytes_in(dir.path());
    println!(
        "{kills} kills in {:.1} s: {} events acknowledged, {} in the log, 0 lost, 0 doubled, \
         {} lines torn; {} recovered by the harness, {} rotated files taken away, \
         {} kB left, seed {}",
        start.elapsed().as_secs_f64(),
        totals.acknowledged,
        totals.found,
        totals.torn,
        harness.recovered,
        harness.sealed_files,
        bytes / 1_000,
        harness.seed,
    );
    assert!(
        totals.acknowledged > kills,
        "the children recorded something"
    );
}

/// The kernel kills the child when the harness ends, however it ends.
fn die_with_the_harness() {
    set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    // It may have ended before we asked.
    assert!(getppid().is_some_and(|parent| parent.as_raw_pid() > 1));
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // A child removes files while we look.
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => bytes_in(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The child: never returns.
fn record_until_killed(run: u64, root: &Path) -> ! {
    let acknowledged = File::create(root.join(format!("ack-{run}"))).unwrap();
    let recorder = Recorder::builder()
        .home(root.join("home"))
        .ring_dir(root.join("rings"))
        .ring_bytes(64 * 1024)
        .rotate_bytes(16 * 1024)
        .drain_interval(Duration::from_millis(1 + run % 5))
        .build();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (recorder, acknowledged) = (&recorder, &acknowledged);
            scope.spawn(move || {
                let tool = recorder.tool(&format!("{run}/{thread}"));
                for n in 1..=MOST_RECORDS {
                    tool.success(Duration::from_micros(n));
                    acknowledged
                        .write_all_at(&n.to_le_bytes(), thread * 8)
                        .unwrap();
                    if n % 32 == 0 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    // Not to overload the ring, which holds 1600 of these: what
                    // is lost by that is counted, and not what is tested here.
                    if n % 1_000 == 0 {
                        assert!(recorder.flush(Duration::from_secs(20)));
                    }
                    if start.elapsed() > Duration::from_secs(30) {
                        // Nobody is left to kill us.
                        std::process::exit(1);
                    }
                }
            });
        }
    });
    // Nobody killed us for seconds; what was recorded counts all the same.
    drop(recorder);
    std::process::exit(0);
}

struct Harness {
    root: PathBuf,
    home: Home,
    seed: u64,
    random: u64,
    runs: u64,
    killed: u64,
    recovered: u64,
    sealed_files: u64,
    lines: Lines,
}

/// A child that does not outlive its handle.
struct Doomed(Child);

impl Doomed {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What was found in the log.
#[derive(Default)]
struct Lines {
    /// How often each number of each thread of each run was seen.
    seen: HashMap<(u64, u64), Vec<u8>>,
    torn: u64,
}

struct Totals {
    acknowledged: u64,
    found: u64,
    torn: u64,
}

impl Harness {
    fn new(root: &Path) -> Self {
        fs::create_dir(root.join("rings")).unwrap();
        let seed = tachograph_model::UnixNanos::now().0 as u64;
        Self {
            root: root.to_owned(),
            home: Home::create(root.join("home")).unwrap(),
            seed,
            random: seed | 1,
            runs: 0,
            killed: 0,
            recovered: 0,
            sealed_files: 0,
            lines: Lines::default(),
        }
    }

    /// Marsaglia's xorshift.
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }

    /// One or two children at once, killed one after the other.
    fn round(&mut self) {
        let children = 1 + self.below(2);
        let mut living: Vec<_> = (0..children).map(|_| self.spawn()).collect();
        while let Some((mut child, run)) = living.pop() {
            // One in eight dies wherever it happens to be on its way up.
            if self.below(8) > 0 {
                self.wait_for_first_record(run);
            }
            let micros = self.below(30_000);
            std::thread::sleep(Duration::from_micros(micros));
            let rotated = self.home.files().unwrap().files.len();
            if self.below(3) == 0 || rotated > MOST_FILES {
                self.seal();
            }
            child.kill();
            self.killed += 1;
        }
        let bytes = bytes_in(&self.root);
        assert!(
            bytes < MOST_BYTES,
            "{bytes} bytes are kept, seed {}",
            self.seed
        );
        // Mostly the next child recovers, and may be killed at it.
        if self.below(4) == 0 {
            self.recover();
        }
    }

    fn spawn(&mut self) -> (Doomed, u64) {
        self.runs += 1;
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "crash::killed_processes_lose_nothing_and_double_nothing",
            ])
            .env(CHILD, format!("{}:{}", self.runs, self.root.display()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        (Doomed(child), self.runs)
    }

    fn wait_for_first_record(&self, run: u64) {
        let start = Instant::now();
        while self.acknowledged(run, 0) == 0 || self.acknowledged(run, 1) == 0 {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "run {run} never records"
            );
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn acknowledged(&self, run: u64, thread: u64) -> u64 {
        let bytes = fs::read(self.root.join(format!("ack-{run}"))).unwrap_or_default();
        let from = thread as usize * 8;
        let word = bytes
            .get(from..from + 8)
            .map(|word| word.try_into().unwrap());
        word.map_or(0, u64::from_le_bytes)
    }

    fn recover(&mut self) {
        let report = recover_orphans(self.home.root());
        assert_eq!(report.notes, [""; 0]);
        self.recovered += report.events;
    }

    /// As a sealer does it: rotate, recover, and only then take files away.
    fn seal(&mut self) {
        let log = Appender::new(&self.home);
        log.lock().unwrap().rotate().unwrap();
        let rotated = self.home.files().unwrap().files;
        let rotated: Vec<_> = rotated.into_iter().filter(|file| !file.live).collect();
        self.recover();
        for file in rotated {
            self.lines.read(&file.path);
            fs::remove_file(&file.path).unwrap();
            self.sealed_files += 1;
        }
    }

    fn check(&mut self) -> Totals {
        self.recover();
        let left = fs::read_dir(self.root.join("rings")).unwrap();
        let left = left
            .flat_map(|dir| fs::read_dir(dir.unwrap().path()).unwrap())
            .count();
        assert_eq!(left, 0, "every region was drained and removed");
        for file in self.home.files().unwrap().files {
            self.lines.read(&file.path);
        }
        let mut acknowledged = 0;
        let mut found = 0;
        for run in 1..=self.runs {
            for thread in 0..THREADS {
                let last = self.acknowledged(run, thread);
                let empty = Vec::new();
                let seen = self.lines.seen.get(&(run, thread)).unwrap_or(&empty);
                let place = format!("run {run}, thread {thread}, seed {}", self.seed);
                assert!(
                    seen.len() as u64 >= last,
                    "lost: {place}: {} of {last}",
                    seen.len()
                );
                // One more may have been recorded than was noted.
                assert!(
                    seen.len() as u64 <= last + 1,
                    "{place}: {} of {last}",
                    seen.len()
                );
                for (n, times) in seen.iter().enumerate() {
                    assert_eq!(*times, 1, "number {} {place}", n + 1);
                }
                acknowledged += last;
                found += seen.len() as u64;
            }
        }
        let torn = self.lines.torn;
        Totals {
            acknowledged,
            found,
            torn,
        }
    }
}

impl Lines {
    fn read(&mut self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        for line in bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let Ok(event) = Event::from_line(line) else {
                self.torn += 1;
                continue;
            };
            assert_eq!(event.event_type, "tool_call", "overloaded? {event:?}");
            let (run, thread) = event.str(Column::Name).unwrap().split_once('/').unwrap();
            let n = (event.f64(Column::DurationMs).unwrap() * 1_000.0).round() as usize;
            let place = (run.parse().unwrap(), thread.parse().unwrap());
            let seen = self.seen.entry(place).or_default();
            if seen.len() < n {
                seen.resize(n, 0);
            }
            seen[n - 1] += 1;
        }
    }
}
