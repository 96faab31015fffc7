//! Sealing: log → Parquet → manifest → delete the log. May be killed between
//! any two steps; nothing is lost and nothing comes twice, because readers
//! believe the manifest, and the manifest says how far each log is sealed.
//!
//! ```text
//! lock ─► rotate ─► list ─► hook ─► ┌ decode ─► sort ─► segments, rollups ─► manifest ─► delete logs ┐ ─► unlock
//!                                   └──────────── again for the next 256 MiB of log ─────────────────┘
//! ```
//!
//! The order matters to the hook, which settles what dead processes left half
//! done: a batch of theirs lies in a log, wholly or in part, and their ring
//! (or list of imports) does not know yet how much of it. Whoever settles it
//! looks into that log; of a log that is gone it must believe that all of the
//! batch was in it. So a log may be sealed and deleted only when every batch
//! that was begun in it is settled, or surely whole:
//!
//! 1. *rotate*: nobody appends to the log that was live any more. Batches are
//!    written, and logs rotated, under one lock: what was begun in a rotated
//!    log is whole, or its writer is dead.
//! 2. *list* the rotated logs; these and no others are sealed.
//! 3. *hook*: settles the dead writers' batches. They all died before it ran,
//!    if they died with a batch half written in a listed log.
//! 4. *open* the listed logs, now: settling may have cut off the piece of a
//!    line at their end.
//!
//! A log that somebody rotates after 2, with what the hook itself appended or
//! with the batch of a process that died after the hook had looked, is left to
//! the next seal, whose hook settles it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use tachograph_log::Appender;
use tachograph_model::Window;

use crate::change::new_id;
use crate::decode::{Broken, LogPart};
use crate::disk;
use crate::error::StoreError;
use crate::manifest::{Manifest, Source, unsealed};
use crate::note::Note;
use crate::schema::schema;
use crate::segment::sort_by_day;
use crate::snapshot::open_logs;
use crate::store::Store;

mod rejected;

pub(crate) use rejected::REJECTED;

/// Bytes of log that are sealed in one step: some 1.5 million events.
const STEP_BYTES: u64 = 256 << 20;

/// A hook: what it returns as an error stops the work.
pub type Hook<'a> = &'a mut dyn FnMut() -> Result<(), String>;

/// How to seal.
#[derive(Default)]
pub struct SealOptions<'a> {
    /// Wait so long for another sealer; zero: not at all.
    pub wait: Duration,
    /// Called once after the log was rotated and before anything is read: for
    /// moving what dead processes left in their rings to the log. What it
    /// appends is left to the next seal.
    pub before_seal: Option<Hook<'a>>,
    /// Called before each step with its name; for tests that stop there.
    pub fault: Option<&'a mut dyn FnMut(&'static str) -> Result<(), String>>,
    /// Bytes of log to take at once; 256 MiB when 0. All of them are in memory,
    /// at about three times their size.
    pub step_bytes: u64,
    /// Events up to which small segments are joined; 2 Mi when 0. All of them are
    /// in memory, at about 600 bytes each.
    pub join_rows: u64,
    /// Seal these rotated logs and no others, and leave the live one as it is;
    /// `None`: all there are, after rotating it.
    pub only: Option<&'a [PathBuf]>,
}

impl std::fmt::Debug for SealOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealOptions")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

impl SealOptions<'_> {
    pub(crate) fn at(&mut self, step: &'static str) -> Result<(), StoreError> {
        match &mut self.fault {
            Some(fault) => fault(step).map_err(|why| StoreError::Stopped { step, why }),
            None => Ok(()),
        }
    }
}

/// What was sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealReport {
    /// Events moved from the log to segments.
    pub events: u64,
    /// Bytes of log they took.
    pub log_bytes: u64,
    /// Segments written.
    pub segments: usize,
    /// Their size in bytes.
    pub segment_bytes: u64,
    /// Logs that were deleted.
    pub logs: usize,
    /// Lines that hold no event, moved to `rejected.jsonl`.
    pub rejected: u64,
    /// What was wrong with the log or the store.
    pub notes: Vec<Note>,
}

impl Store {
    /// Seals everything that is in the log now, or what [`SealOptions::only`]
    /// names. Without a home there is nothing to seal, and none is made.
    ///
    /// Measured: 1.1 to 1.2 CPU seconds a million events, 1 GB for 10 million.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process seals; else when the disk
    /// fails, and then the next seal goes on from there.
    pub fn seal(&self, mut options: SealOptions<'_>) -> Result<SealReport, StoreError> {
        let mut report = SealReport::default();
        let Some(mut change) = self.begin(&mut options)? else {
            return Ok(report);
        };
        report.notes.extend(change.note.take());
        let manifest = &mut change.manifest;
        options.at("rotate")?;
        if options.only.is_none() {
            self.rotate()?;
        }
        let mut rotated = self.rotated()?;
        if let Some(only) = options.only {
            rotated.retain(|path| only.contains(path));
        }
        if let Some(hook) = &mut options.before_seal {
            hook().map_err(|why| StoreError::Stopped {
                step: "before sealing",
                why,
            })?;
        }
        let (mut logs, notes) = open_logs(&self.home)?;
        report.notes.extend(notes);
        logs.retain(|(log, _)| rotated.contains(&log.path));
        let mut broken: Vec<Broken> = Vec::new();
        let logs = unsealed(manifest, logs)?;
        // Files are held open, so their notes can be made when all is done.
        let opened: Vec<LogPart> = logs.iter().map(|(log, _)| log.clone()).collect();
        broken.resize_with(opened.len(), Broken::default);
        self.delete_sealed(&rotated, manifest, &mut report, &mut options)?;
        let step_bytes = match options.step_bytes {
            0 => STEP_BYTES,
            bytes => bytes,
        };
        for step in steps(&logs, step_bytes) {
            self.seal_step(&step, manifest, &mut report, &mut broken, &mut options)?;
            self.delete_sealed(&rotated, manifest, &mut report, &mut options)?;
        }
        for (log, broken) in opened.iter().zip(&broken) {
            report.notes.extend(broken.note(&log.path, &log.file));
        }
        Ok(report)
    }

    fn rotate(&self) -> Result<(), StoreError> {
        let failed = |error: tachograph_log::AppendError| StoreError::Io {
            what: error.what,
            path: error.path,
            source: error.source,
        };
        let appender = Appender::new(&self.home);
        appender.lock().map_err(failed)?.rotate().map_err(failed)?;
        Ok(())
    }

    /// The rotated logs there are.
    fn rotated(&self) -> Result<HashSet<PathBuf>, StoreError> {
        let (logs, _) = open_logs(&self.home)?;
        let rotated = logs.into_iter().filter(|(log, _)| !log.live);
        Ok(rotated.map(|(log, _)| log.path).collect())
    }

    fn seal_step(
        &self,
        step: &[(usize, LogPart, Source)],
        manifest: &mut Manifest,
        report: &mut SealReport,
        broken: &mut [Broken],
        options: &mut SealOptions<'_>,
    ) -> Result<(), StoreError> {
        options.at("decode")?;
        let decoded = self.decode(step)?;
        let mut rejected = Vec::new();
        let mut batches = Vec::new();
        for part in decoded {
            batches.extend(part.batches);
            rejected.extend(part.rejected.into_iter().map(|range| (part.log, range)));
            broken[part.log].merge(part.broken);
        }
        rejected.sort_unstable();
        options.at("sort")?;
        let days = sort_by_day(&batches)?;
        drop(batches);
        let sources: Vec<Source> = step.iter().map(|(_, _, source)| source.clone()).collect();
        let id = new_id(&self.home, manifest);
        let written = self.write_parts(&days, id, sources.clone(), Vec::new(), options)?;
        report.events += written.iter().map(|segment| segment.rows).sum::<u64>();
        report.segments += written.len();
        report.segment_bytes += written.iter().map(|segment| segment.bytes).sum::<u64>();
        manifest.segments.extend(written);
        options.at("rejected")?;
        report.rejected += rejected.len() as u64;
        report.log_bytes += step.iter().map(|(_, log, _)| log.bytes()).sum::<u64>();
        self.keep_rejected(&rejected, step, manifest)?;
        for source in sources {
            manifest.set_source(source);
        }
        manifest.forget_sources(&self.home);
        options.at("manifest")?;
        manifest.save(&self.home)?;
        options.at("sealed")
    }

    /// Decodes a step's logs, each thread its share.
    fn decode(&self, step: &[(usize, LogPart, Source)]) -> Result<Vec<Decoded>, StoreError> {
        let schema = schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let bytes: u64 = step.iter().map(|(_, log, _)| log.bytes()).sum();
        let share = (bytes / self.threads as u64).max(1 << 20);
        let mut work: Vec<(usize, LogPart)> = Vec::new();
        for (at, log, _) in step {
            let pieces = usize::try_from(log.bytes().div_ceil(share)).unwrap_or(1);
            work.extend(log.split(pieces).into_iter().map(|part| (*at, part)));
        }
        let next = std::sync::atomic::AtomicUsize::new(0);
        let run = || -> Result<Vec<Decoded>, StoreError> {
            let mut all = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some((log, part)) = work.get(at) else {
                    return Ok(all);
                };
                let mut scan = part.scan(&columns, Window::ALL, usize::MAX);
                scan.keep_rejected();
                let batches = scan.by_ref().collect::<Result<Vec<_>, _>>()?;
                let (broken, rejected) = scan.into_broken();
                all.push(Decoded {
                    log: *log,
                    batches,
                    broken,
                    rejected,
                });
            }
        };
        let results: Vec<Result<Vec<Decoded>, StoreError>> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads.min(work.len()))
                .map(|_| scope.spawn(run))
                .collect();
            let mut results = vec![run()];
            for other in others {
                results.push(other.join().unwrap_or_else(|_| {
                    Err(StoreError::Stopped {
                        step: "decode",
                        why: "a thread panicked".to_owned(),
                    })
                }));
            }
            results
        });
        let mut all = Vec::new();
        for result in results {
            all.extend(result?);
        }
        Ok(all)
    }

    /// Deletes those of the rotated logs that are sealed to their end.
    fn delete_sealed(
        &self,
        rotated: &HashSet<PathBuf>,
        manifest: &Manifest,
        report: &mut SealReport,
        options: &mut SealOptions<'_>,
    ) -> Result<(), StoreError> {
        let (logs, _) = open_logs(&self.home)?;
        for (log, id) in logs {
            if !rotated.contains(&log.path) {
                continue;
            }
            let source = Source::of(&log, id).map_err(StoreError::io("read", &log.path))?;
            let sealed = manifest.source(&source).map_or(0, |held| held.sealed);
            if sealed >= log.len && log.len > 0 || log.len == 0 {
                options.at("delete")?;
                disk::remove(&log.path)?;
                report.logs += 1;
            }
        }
        Ok(())
    }
}

/// What one piece of a log held.
struct Decoded {
    /// Place of the log in the list.
    log: usize,
    batches: Vec<arrow::array::RecordBatch>,
    broken: Broken,
    rejected: Vec<(u64, u64)>,
}

/// Cuts the logs into steps of about so many bytes. Each source says how far
/// its log is sealed when the step is done.
fn steps(logs: &[(LogPart, Source)], bytes: u64) -> Vec<Vec<(usize, LogPart, Source)>> {
    let mut steps = Vec::new();
    let mut step = Vec::new();
    let mut room = bytes;
    for (at, (log, source)) in logs.iter().enumerate() {
        let mut from = log.from;
        while from < log.to {
            let to = log.to.min(from + room);
            let part = LogPart {
                from,
                to,
                ..log.clone()
            };
            let sealed = Source {
                sealed: to,
                ..source.clone()
            };
            step.push((at, part, sealed));
            room -= to - from;
            from = to;
            if room == 0 {
                steps.push(std::mem::take(&mut step));
                room = bytes;
            }
        }
    }
    if !step.is_empty() {
        steps.push(step);
    }
    steps
}
