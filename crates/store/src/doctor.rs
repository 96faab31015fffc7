//! The doctor: looks at everything, says what is wrong and what to do about
//! it; repairs what can be repaired without losing anything.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tachograph_model::{Window, describe};

use crate::disk;
use crate::error::StoreError;
use crate::manifest::{Manifest, Segment, unsealed};
use crate::note::Note;
use crate::rollup::{DERIVED, file_of, write_derived};
use crate::schema::schema;
use crate::seal::SealOptions;
use crate::segment::{Scan, batch_of, sort_by_day};
use crate::snapshot::open_logs;
use crate::store::Store;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    Info,
    /// Something is left out of answers or not as private as it should be.
    Warning,
    /// Events cannot be read.
    Error,
}

/// Something the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// Where.
    pub path: PathBuf,
    /// What to do about it.
    pub way_out: String,
}

/// What was repaired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// Unreadable segments, renamed to `….corrupt`, and the events they were
    /// said to hold.
    pub quarantined: Vec<(PathBuf, u64)>,
    /// Segments whose files are gone, which the manifest no longer names, and
    /// the events they were said to hold.
    pub missing: Vec<(PathBuf, u64)>,
    /// Segments whose rollups were made again.
    pub rollups: usize,
    /// Whether the manifest was made again.
    pub manifest: bool,
    /// What others on this machine could look into, and now cannot.
    pub closed: Vec<PathBuf>,
}

impl Store {
    /// Examines the home. Reads every segment and the whole log.
    ///
    /// # Errors
    /// When the home cannot be listed; all else is a finding.
    pub fn doctor(&self) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        let root = self.home.root();
        if !root.exists() {
            findings.push(finding(
                Severity::Info,
                root,
                "the home does not exist yet",
                "record something",
            ));
            return Ok(findings);
        }
        self.examine_privacy(&mut findings);
        let (manifest, note) = Manifest::load(&self.home)?;
        if let Some(note) = note {
            findings.push(finding(
                Severity::Warning,
                &self.home.manifest(),
                &note.to_string(),
                "repair makes it again",
            ));
        }
        for segment in &manifest.segments {
            let path = root.join(&segment.path);
            if !path.exists() {
                findings.push(finding(
                    Severity::Error,
                    &path,
                    &format!("the file of {} sealed events is missing", segment.rows),
                    "restore the file from a backup, or let repair forget it",
                ));
            } else if let Err(why) = self.examine(segment) {
                findings.push(finding(
                    Severity::Error,
                    &path,
                    &format!("{} sealed events cannot be trusted: {why}", segment.rows),
                    "restore the file from a backup, or let repair set it aside",
                ));
            }
            for derived in self.missing_rollups(segment) {
                findings.push(finding(
                    Severity::Info,
                    &root.join(file_of(derived, segment.day, &segment.id)),
                    "a rollup is missing or damaged; answers come from the events instead",
                    "repair makes it again",
                ));
            }
        }
        self.examine_leftovers(&manifest, &mut findings)?;
        self.examine_logs(&manifest, &mut findings)?;
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(findings)
    }

    /// Makes a damaged manifest again, sets aside segments that cannot be
    /// read, forgets those whose files are gone, makes missing rollups again,
    /// and closes the home and the salt to others. Deletes no event. Without a
    /// home there is nothing to repair, and none is made.
    ///
    /// # Errors
    /// As [`Store::seal`].
    pub fn repair(&self, wait: Duration) -> Result<RepairReport, StoreError> {
        let mut report = RepairReport::default();
        let mut options = SealOptions {
            wait,
            ..SealOptions::default()
        };
        let Some(mut change) = self.begin(&mut options)? else {
            return Ok(report);
        };
        report.manifest = change.note.is_some();
        let manifest = &mut change.manifest;
        for (path, mode) in self.open_to_others() {
            close(&path, mode)?;
            report.closed.push(path);
        }
        let segments = manifest.segments.clone();
        let mut bad = Vec::new();
        for segment in &segments {
            let path = self.home.root().join(&segment.path);
            if !path.exists() {
                bad.push(segment.id.clone());
                report.missing.push((path, segment.rows));
            } else if self.examine(segment).is_err() {
                bad.push(segment.id.clone());
                quarantine(&path)?;
                report.quarantined.push((path, segment.rows));
            } else if !self.missing_rollups(segment).is_empty() {
                self.make_rollups(segment, manifest)?;
                report.rollups += 1;
            }
        }
        // What the manifest never named, because it could not be read.
        for file in disk::files_below(&self.home.segments())? {
            let parquet = file.extension().is_some_and(|kind| kind == "parquet");
            if parquet && batch_of(&file).is_err() {
                quarantine(&file)?;
                report.quarantined.push((file, 0));
            }
        }
        manifest
            .segments
            .retain(|segment| !bad.contains(&segment.id));
        if !bad.is_empty() || report.rollups > 0 {
            manifest.save(&self.home)?;
        }
        self.clean(manifest)?;
        Ok(report)
    }

    /// Reads a segment from end to end.
    fn examine(&self, segment: &Segment) -> Result<(), String> {
        let path = self.home.root().join(&segment.path);
        disk::check(&path, &segment.checksum).map_err(|error| describe(&error))?;
        let schema = schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let count = || -> Result<u64, StoreError> {
            let mut rows = 0;
            for batch in Scan::open(&path, &columns, Window::ALL, None, true, 8_192)? {
                rows += batch?.num_rows() as u64;
            }
            Ok(rows)
        };
        let rows = catch_unwind(AssertUnwindSafe(count))
            .map_err(|_| "its bytes are damaged".to_owned())?
            .map_err(|error| describe(&error))?;
        if rows == segment.rows {
            Ok(())
        } else {
            Err(format!("it holds {rows} events"))
        }
    }

    fn missing_rollups(&self, segment: &Segment) -> Vec<&'static str> {
        let root = self.home.root();
        DERIVED
            .into_iter()
            .filter(|derived| segment.has(derived))
            .filter(|derived| {
                let path = root.join(file_of(derived, segment.day, &segment.id));
                !path.exists() || disk::check(&path, segment.tier_checksum(derived)).is_err()
            })
            .collect()
    }

    fn make_rollups(&self, segment: &Segment, manifest: &mut Manifest) -> Result<(), StoreError> {
        let schema = schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let path = self.home.root().join(&segment.path);
        let batches = Scan::open(&path, &columns, Window::ALL, None, true, 65_536)?
            .collect::<Result<Vec<_>, _>>()?;
        for sorted in sort_by_day(&batches)? {
            let tiers = write_derived(&self.home, &sorted, &segment.id)?;
            for held in &mut manifest.segments {
                if held.id == segment.id {
                    held.set_tiers(tiers.clone());
                }
            }
        }
        Ok(())
    }

    fn examine_leftovers(
        &self,
        manifest: &Manifest,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StoreError> {
        for file in disk::files_below(&self.home.segments())? {
            let name = file
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            let known = manifest.segments.iter().any(|segment| segment.id == name)
                || manifest.retired.iter().any(|old| old.id == name);
            match file.extension().and_then(|kind| kind.to_str()) {
                Some("corrupt") => findings.push(finding(
                    Severity::Info,
                    &file,
                    "a segment was set aside because it could not be read; its events do not count",
                    "restore it from a backup, or delete it",
                )),
                Some("parquet") if !known && self.is_leftover(&file, manifest) => {
                    findings.push(finding(
                        Severity::Info,
                        &file,
                        "left over from a seal that was killed",
                        "the next seal removes it",
                    ));
                }
                Some("parquet") if !known => findings.push(finding(
                    Severity::Warning,
                    &file,
                    "a segment that the manifest does not name; its events do not count",
                    "delete manifest.json to have all segments listed again, or delete the file",
                )),
                _ => {}
            }
        }
        Ok(())
    }

    fn examine_logs(
        &self,
        manifest: &Manifest,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StoreError> {
        let (logs, notes) = open_logs(&self.home)?;
        for note in notes {
            findings.push(finding(
                Severity::Warning,
                self.home.root(),
                &note.to_string(),
                "move it out of the home",
            ));
        }
        for (log, _) in unsealed(manifest, logs)? {
            let mut scan = log.scan(&[], Window::ALL, usize::MAX);
            for batch in scan.by_ref() {
                batch?;
            }
            if let Some(note @ Note::BrokenLines { .. }) = scan.note() {
                findings.push(finding(
                    Severity::Warning,
                    &log.path,
                    &note.to_string(),
                    "sealing moves such lines to rejected.jsonl",
                ));
            }
        }
        let lines = self.rejected_lines(manifest);
        if lines > 0 {
            findings.push(finding(
                Severity::Info,
                &self.home.root().join(crate::seal::REJECTED),
                &format!("{lines} lines that hold no event are kept, each with its reason"),
                "mend their `content` and import it, or delete the file",
            ));
        }
        Ok(())
    }

    fn examine_privacy(&self, findings: &mut Vec<Finding>) {
        let salt = self.home.salt_path();
        for (path, mode) in self.open_to_others() {
            let what = if path == salt {
                "others on this machine may read the salt, and with it undo hashes"
            } else {
                "others on this machine may look into the home"
            };
            findings.push(finding(
                Severity::Warning,
                &path,
                what,
                &format!("chmod {mode:o} it, or let repair do so"),
            ));
        }
        if salt.exists() && fs::metadata(&salt).is_ok_and(|metadata| metadata.len() != 32) {
            findings.push(finding(
                Severity::Error,
                &salt,
                "the salt is not 32 bytes",
                "restore it from a backup; a new one makes old hashes strangers",
            ));
        }
    }

    /// What others on this machine may look into, and the mode that ends it.
    #[cfg(unix)]
    fn open_to_others(&self) -> Vec<(PathBuf, u32)> {
        use std::os::unix::fs::PermissionsExt;
        let private = [
            (self.home.root().to_owned(), 0o700),
            (self.home.salt_path(), 0o600),
        ];
        let open = |path: &Path| {
            fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
        };
        private.into_iter().filter(|(path, _)| open(path)).collect()
    }

    #[cfg(not(unix))]
    fn open_to_others(&self) -> Vec<(PathBuf, u32)> {
        Vec::new()
    }
}

#[cfg(unix)]
fn close(path: &Path, mode: u32) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(StoreError::io("close to others", path))
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> Result<(), StoreError> {
    Ok(())
}

fn finding(severity: Severity, path: &Path, what: &str, way_out: &str) -> Finding {
    Finding {
        severity,
        what: what.to_owned(),
        path: path.to_owned(),
        way_out: way_out.to_owned(),
    }
}

fn quarantine(path: &Path) -> Result<(), StoreError> {
    let aside = path.with_extension("parquet.corrupt");
    fs::rename(path, &aside).map_err(StoreError::io("set aside", path))?;
    disk::sync_parent(path)
}
