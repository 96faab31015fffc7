//! Other servers killed under the same load (kill -9 each time): how much of what
//! they acknowledged is there afterwards.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::served::{Life, Sender, Subject, report, run, seed};
use super::wire::Form;
use crate::peers::{PEERS, Peer, Running};

/// How many connections send at once.
const SENDERS: usize = 4;
const SETTLE: Duration = Duration::from_secs(5);

struct Theirs<'a> {
    peer: &'a Peer,
    program: PathBuf,
    folder: &'a Path,
    senders: [Sender; SENDERS],
}

impl Subject for Theirs<'_> {
    fn senders(&self) -> &[Sender] {
        &self.senders
    }

    /// They are slower, so that less would be under way in less time.
    fn lives(&self) -> (u64, u64) {
        (1_000, 3_000)
    }

    fn start(&self) -> Result<Box<dyn Life>> {
        let running = self.peer.start(&self.program, self.folder)?;
        Ok(Box::new(running))
    }

    fn stored(&self) -> Result<HashMap<String, u64>> {
        let mut found = HashMap::new();
        for id in self.peer.stored(&self.program, self.folder)? {
            *found.entry(id).or_default() += 1;
        }
        Ok(found)
    }
}

impl Life for Running {
    fn address(&self, _: &str) -> Result<SocketAddr> {
        Ok(self.address)
    }

    fn end(self: Box<Self>, gently: bool) -> Result<()> {
        if gently {
            // What it stores after its answers.
            std::thread::sleep(SETTLE);
        }
        self.kill();
        Ok(())
    }
}

/// Kills each so many times, on a folder below `folder`, and prints what is missing.
pub(crate) fn try_out(folder: &Path, kills: u32) -> Result<()> {
    for peer in PEERS.iter().filter(|peer| peer.database.is_some()) {
        let folder = folder.join(format!("crash-{}", peer.name.to_lowercase()));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let theirs = Theirs {
            peer,
            program: peer.program()?,
            folder: &folder,
            senders: std::array::from_fn(|_| Sender {
                form: Form::Protobuf,
                door: "",
                path: "/v1/traces",
                header: peer.header,
            }),
        };
        let began = Instant::now();
        let tally = run(&theirs, kills, false, seed())?;
        let ends = format!("{kills} ends (kill -9)");
        report(&peer.title(), &ends, &tally, began.elapsed());
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}
