//! What to do with the rings of the dead.
//!
//! Everything here happens with the log's lock held, so there is only ever one
//! process at it, and no live process is in the middle of a batch: whoever is
//! has died. (A killed process gives up its lock only after the last of its
//! threads has stopped.) Recovery itself moves records by the same steps as
//! the living, and may be killed at any of them.
//!
//! | the region says | so | what is done |
//! |---|---|---|
//! | `IDLE` | `tail..head` is in no log | append it |
//! | `WRITING` | part of the batch may be | compare, move the tails behind what arrived; then as `IDLE` |
//! | `WRITTEN` | the batch is, some tails were not moved | move them; then as `IDLE` |
//!
//! **Compare**: encoding the batch again gives the same bytes. The file it was
//! going to is found by its inode and time of birth, whatever it is called by
//! now. What it holds at the offset is a prefix of the batch, perhaps with
//! later lines of others behind it; every line that is there whole, arrived.
//! A piece of a line at the very end of the file is cut off.
//!
//! **The file is gone**: whoever deletes a log that has been sealed first
//! rotates it and then calls [`recover_orphans`]. From the rotation on nobody
//! begins a batch in that file, and the recovery, which holds the lock, sees
//! every batch that was left in it, and settles it. So a batch whose file is
//! gone has been settled and counts as written. The time of birth keeps a new
//! file with the old one's inode from being taken for it.
//!
//! What cannot be told apart: a line that did not arrive, from an equal line,
//! to the microsecond, that another process wrote in its very place.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use tachograph_log::{Appender, Home};
use tachograph_model::describe;

/// What a recovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoverReport {
    /// Processes whose rings were found orphaned, and have been settled.
    pub orphans: u64,
    /// Events moved into the log.
    pub events: u64,
    /// Events of interrupted batches that were in the log already.
    pub already: u64,
    /// Stretches of rings that could not be read; each is reported in the log
    /// as one event lost for reason `damaged`.
    pub damaged: u64,
    /// Files of rings that may yet be recovered, but could not be now. What they
    /// are held against must stay until then: seal no log.
    pub unsettled: u64,
    /// What could not be recovered, in words.
    pub notes: Vec<String>,
}

/// Moves what dead processes left in their rings into the log of `home`:
/// every event once. Called whenever a recorder opens the home, and before a
/// log is read as a whole or sealed.
///
/// Takes the log's lock if there are rings at all, and costs a directory
/// listing if there are none. Never fails; what it could not do stands in the
/// report's notes. Does nothing where rings are not files (other systems than
/// Linux).
pub fn recover_orphans(home: &Path) -> RecoverReport {
    recover(&Appender::new(&Home::at(home)))
}

#[cfg(not(all(target_os = "linux", not(tachograph_no_ring))))]
pub(crate) fn recover(_: &Appender) -> RecoverReport {
    RecoverReport::default()
}

#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
pub(crate) fn recover(log: &Appender) -> RecoverReport {
    let mut report = RecoverReport::default();
    let files = crate::places::ring_files(log.home());
    if files.is_empty() {
        return report;
    }
    let home = crate::places::canonical(log.home());
    let mut locked = match log.lock() {
        Ok(locked) => locked,
        Err(error) => {
            report.notes.push(describe(&error));
            report.unsettled = files.len() as u64;
            return report;
        }
    };
    for path in files {
        let region = match crate::region::Region::open_orphan(&path, &home) {
            Ok(Some(region)) => region,
            Ok(None) => continue,
            // Its owner was quicker and removed it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                let lost = error.kind() == std::io::ErrorKind::InvalidData;
                report.unsettled += u64::from(!lost);
                let notes = &mut report.notes;
                notes.push(format!("cannot recover {}: {error}", path.display()));
                continue;
            }
        };
        let before = report.damaged;
        if let Err(why) = linux::settle(region, log.home(), &mut locked, &mut report) {
            let why = describe(&*why);
            report.unsettled += 1;
            let notes = &mut report.notes;
            notes.push(format!("cannot recover {}: {why}", path.display()));
        }
        if report.damaged > before {
            report.notes.push(format!(
                "{} is damaged: what could be read of it is in the log, the rest is lost",
                path.display()
            ));
        }
    }
    report
}

#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
mod linux {
    use std::io;
    use std::os::unix::fs::FileExt;
    use std::sync::Arc;

    use tachograph_log::{AppendError, Locked};

    use super::{File, Home, OpenOptions, PathBuf, RecoverReport};
    use crate::clock;
    use crate::drain::{BATCH_BYTES, Drainer};
    use crate::loss;
    use crate::region::{Intent, Region, State};
    use crate::ring::{MAX_KINDS, Producer, Pushed};
    use crate::table::Table;

    /// Moves everything a dead process left into the log, and removes its
    /// region.
    pub(super) fn settle(
        region: Region,
        home: &Home,
        log: &mut Locked<'_>,
        report: &mut RecoverReport,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let region = Arc::new(region);
        let table = region
            .table()
            .ok_or("its kinds are unknown to this version")?;
        let mut drainer = Drainer::new(region.clone(), &table);
        match region.state() {
            State::Idle => {}
            State::Writing => report.already += finish_writing(&region, &mut drainer, home)?,
            State::Written => {
                for ring in drainer.rings() {
                    let (from, to) = ring.intent();
                    if from < to {
                        ring.set_tail(to);
                    }
                }
                region.set_state(State::Idle);
            }
        }
        report_losses(&mut drainer, &table);
        report.events += store_all(&mut drainer, log)?;
        let mut damage = drainer.take_damage();
        damage.stretches += region.damaged_rings();
        if damage.stretches > 0 {
            report.damaged += damage.stretches;
            say_damage(&region, &mut drainer, &table, damage.stretches);
            report.events += store_all(&mut drainer, log)?;
        }
        if let Some(mapped) = &region.mapped {
            mapped.remove();
        }
        report.orphans += 1;
        Ok(())
    }

    fn store_all(drainer: &mut Drainer, log: &mut Locked<'_>) -> Result<u64, AppendError> {
        let mut events = 0;
        loop {
            let more = drainer.gather(BATCH_BYTES, None);
            drainer.store(log)?;
            events += drainer.batch().events;
            if !more {
                return Ok(events);
            }
        }
    }

    /// Moves the tails behind what arrived of the batch under way; returns how
    /// many events that is. May be repeated: what it reads, it does not change,
    /// but for the piece of a line, which it does not count.
    fn finish_writing(region: &Region, drainer: &mut Drainer, home: &Home) -> io::Result<u64> {
        let intent = region.intent();
        let bytes = drainer.encode_intent();
        let arrived = match find(home, &intent)? {
            Some(path) => {
                let file = OpenOptions::new().read(true).write(true).open(path)?;
                arrived(&file, &intent, bytes)?
            }
            None => bytes.len(),
        };
        let events = drainer.settle_intent(arrived as u64);
        region.set_state(State::Idle);
        Ok(events)
    }

    fn find(home: &Home, intent: &Intent) -> io::Result<Option<PathBuf>> {
        let listing = home.files().map_err(|error| error.source)?;
        let file = listing
            .files
            .into_iter()
            .find(|file| file.id == intent.at.file);
        Ok(file.map(|file| file.path))
    }

    /// Returns how many of the batch's bytes are in the file, up to the end of
    /// a line; cuts off a piece of one at the end of the file.
    fn arrived(file: &File, intent: &Intent, bytes: &[u8]) -> io::Result<usize> {
        let offset = intent.at.offset;
        if i64::try_from(offset).is_err() || offset > file.metadata()?.len() {
            // The file never was that long: the note is damaged, or says
            // where bytes would have stood that never came.
            return Ok(0);
        }
        let mut found = vec![0; bytes.len()];
        let mut filled = 0;
        while filled < found.len() {
            match file.read_at(&mut found[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let pairs = bytes.iter().zip(&found[..filled]);
        let common = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        let whole = bytes[..common].iter().rposition(|byte| *byte == b'\n');
        let whole = whole.map_or(0, |at| at + 1);
        if whole < common && file.metadata()?.len() == offset + common as u64 {
            file.set_len(offset + whole as u64)?;
        }
        Ok(whole)
    }

    /// Says in the log that something could not be read. Names are looked for:
    /// an earlier version's region does not have them all in our places.
    fn say_damage(region: &Region, drainer: &mut Drainer, table: &Table, stretches: u64) {
        let names = (
            region.find_or_add_name(loss::UNKNOWN),
            region.find_or_add_name(loss::DAMAGED),
        );
        if let (Some(kind), Some(ring)) = (table.kind("loss"), drainer.rings().first())
            && let (Some(unknown), Some(damaged)) = names
        {
            let values = [unknown, damaged, stretches];
            // The ring was emptied a moment ago.
            Producer::new(ring.clone()).push(kind, clock::now(), loss::PRESENCE, &values);
        }
    }

    /// Says what the rings counted as lost and nobody has reported, in the
    /// first ring, from where it goes to the log like everything else.
    fn report_losses(drainer: &mut Drainer, table: &Table) {
        let Some(kind) = table.kind("loss") else {
            return;
        };
        let kinds = table.0.len();
        let rings = drainer.rings();
        let Some(first) = rings.first() else {
            return;
        };
        let mut producer = Producer::new(first.clone());
        for lost in 0..MAX_KINDS {
            let open =
                |ring: &crate::ring::Ring| ring.lost(lost).saturating_sub(ring.reported(lost));
            let counts = rings.iter().map(|ring| open(ring));
            let count = counts.fold(0, u64::saturating_add);
            if count == 0 {
                continue;
            }
            let values = loss::values(kinds, lost, loss::Reason::Overload as usize, count);
            if producer.push(kind, clock::now(), loss::PRESENCE, &values) != Pushed::Lost {
                rings
                    .iter()
                    .for_each(|ring| ring.set_reported(lost, ring.lost(lost)));
            }
        }
    }
}
