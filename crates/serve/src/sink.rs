//! The sink as the server has it: live state hears of what was written, and a
//! home that was deleted is made again.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::sync::Arc;

use tachograph_log::Home;
use tachograph_model::{Event, Salt, Sink, SinkError};

use crate::counters::Counters;
use crate::live::Live;

/// What must fit on a disk before it is called fine again, bytes.
const ROOM_BYTES: usize = 256 << 10;

/// A sink, with what it is needed for.
pub(crate) struct Kept {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) live: Arc<Live>,
    pub(crate) home: Home,
    pub(crate) salt: Salt,
    pub(crate) counters: Arc<Counters>,
}

impl Kept {
    fn again(&self, put: impl Fn() -> Result<(), SinkError>) -> Result<(), SinkError> {
        put()
            .or_else(|error| match self.made_home() {
                true => put(),
                false => Err(error),
            })
            .map(|()| self.live.wake())
    }

    /// Makes the home again if it is gone.
    fn made_home(&self) -> bool {
        if !matches!(fs::exists(self.home.root()), Ok(false)) {
            return false;
        }
        let made = Home::create(self.home.root()).is_ok();
        if made {
            self.counters.homes_made.add(1);
            // Where it cannot be kept, others make one: then who is the same is
            // known by another hash.
            let _ = self.home.keep_salt(&self.salt);
        }
        made
    }
}

impl Sink for Kept {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        self.again(|| self.sink.put(events))
    }

    // Handed on as they are: by the trait's own way each line would be made an
    // event, and written anew.
    fn put_lines(&self, events: &[Event], lines: &[u8]) -> Result<(), SinkError> {
        self.again(|| self.sink.put_lines(events, lines))
    }
}

/// Whether a home's disk takes something again.
///
/// # Errors
/// What it says if it does not.
pub(crate) fn has_room(home: &Home) -> io::Result<()> {
    let path = home.root().join(format!("room-{}.tmp", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| {
        // No zeros: those a file system may not even store.
        file.write_all(&[b'x'; ROOM_BYTES])?;
        file.sync_data()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes lines as they are, and events not at all.
    struct OfLines;

    impl Sink for OfLines {
        fn put(&self, _: &[Event]) -> Result<(), SinkError> {
            panic!("lines were made events");
        }

        fn put_lines(&self, _: &[Event], lines: &[u8]) -> Result<(), SinkError> {
            assert_eq!(lines, b"as they are\n");
            Ok(())
        }
    }

    #[test]
    fn lines_reach_the_sink_as_they_are() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::create(dir.path()).expect("a home");
        let kept = Kept {
            sink: Arc::new(OfLines),
            live: Live::start(&home, &crate::config::Limits::default()).expect("a thread"),
            salt: home.salt().expect("a salt"),
            home,
            counters: Arc::default(),
        };
        kept.put_lines(&[], b"as they are\n").expect("taken");
    }

    #[test]
    fn room_is_looked_for_and_nothing_left() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::at(dir.path());
        has_room(&home).expect("room");
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0);
        has_room(&Home::at(dir.path().join("gone"))).expect_err("no folder");
    }
}
