//! Taking a snapshot while others write, rotate and seal.

use std::fs::File;
use std::sync::Arc;

use tachograph_log::{FileId, Home};

use crate::decode::LogPart;
use crate::error::StoreError;
use crate::note::Note;

/// The logs with their identities, and what is to be said about them.
pub(crate) type OpenLogs = (Vec<(LogPart, FileId)>, Vec<Note>);

/// Opens every file of the log. When the list has changed meanwhile (somebody
/// rotated), looks again, so that no file is missed between two names.
pub(crate) fn open_logs(home: &Home) -> Result<OpenLogs, StoreError> {
    for _ in 0..100 {
        let listing = list(home)?;
        let mut logs = Vec::with_capacity(listing.files.len());
        let mut notes = Vec::new();
        let mut changed = false;
        for log in &listing.files {
            let opened = File::open(&log.path).and_then(|file| {
                let metadata = file.metadata()?;
                Ok((file, metadata))
            });
            match opened {
                Ok((file, metadata)) => {
                    changed |= FileId::of(&metadata) != log.id;
                    logs.push((
                        LogPart {
                            path: log.path.clone(),
                            file: Arc::new(file),
                            id: FileId::of(&metadata),
                            from: 0,
                            to: metadata.len(),
                            len: metadata.len(),
                            live: log.live,
                        },
                        log.id,
                    ));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => changed = true,
                Err(error) => notes.push(Note::UnreadableLog {
                    file: log.path.clone(),
                    why: error.to_string(),
                }),
            }
        }
        notes.extend(listing.skipped.iter().map(|file| Note::UnreadableLog {
            file: file.clone(),
            why: "not a regular file".to_owned(),
        }));
        let again = list(home)?;
        let names = |listing: &tachograph_log::Listing| -> Vec<_> {
            listing
                .files
                .iter()
                .map(|log| (log.path.clone(), log.id))
                .collect()
        };
        if !changed && names(&listing) == names(&again) {
            return Ok((logs, notes));
        }
    }
    Err(StoreError::Stopped {
        step: "open the log",
        why: "its files keep changing".to_owned(),
    })
}

fn list(home: &Home) -> Result<tachograph_log::Listing, StoreError> {
    home.files().map_err(|error| StoreError::Io {
        what: error.what,
        path: error.path,
        source: error.source,
    })
}
