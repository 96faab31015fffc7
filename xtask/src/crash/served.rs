//! The server killed under load, again and again, on one home: what it
//! acknowledged must be there, and once.
//!
//! ```text
//! 4 senders ─► server ──kill -9 or SIGTERM at a random moment──► next server …
//!    └ what was not acknowledged is sent again, and some of what was, too
//! ```

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::wire::{Form, span_id};
use crate::server::{self, Client, Server};

/// Calls in one request.
const BATCH: u64 = 64;
/// The form of each sender's requests, and the door they go to.
const SENDERS: [(Form, &str, &str); 4] = [
    (Form::Protobuf, "otlp_http", "/v1/traces"),
    (Form::Json, "otlp_http", "/v1/traces"),
    (Form::Events, "json", "/api/v1/events"),
    (Form::Protobuf, "otlp_http", "/v1/traces"),
];
/// A server lives for so long at least, and at most.
const LIVES: (u64, u64) = (60, 500);

/// What became of the calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) acknowledged: u64,
    pub(crate) found: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// Requests sent a second time.
    pub(crate) sent_again: u64,
}

/// Kills a server so many times, every other one by SIGTERM.
pub(crate) fn run(tacho: &Path, home: &Path, kills: u32, seed: u64) -> Result<Tally> {
    let load = Load::default();
    let mut random = seed | 1;
    for round in 0..kills {
        // Sealing begins after each MiB, so that it is often under way.
        let server = Server::start(tacho, home, &[])?;
        let life = LIVES.0 + next(&mut random) % (LIVES.1 - LIVES.0);
        load.while_it_lives(server, Duration::from_millis(life), round % 2 == 1)?;
    }
    let server = Server::start(tacho, home, &[])?;
    load.rest(&server)?;
    server.stop()?;
    load.tally(tacho, home)
}

#[derive(Default)]
struct Load {
    next_id: AtomicU64,
    /// Batches by whether they were acknowledged.
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    acknowledged: Vec<(usize, Vec<u64>)>,
    waiting: Vec<(usize, Vec<u64>)>,
    again: u64,
}

impl Load {
    fn while_it_lives(&self, server: Server, life: Duration, gently: bool) -> Result<()> {
        let over = AtomicBool::new(false);
        let addresses: Vec<_> = SENDERS
            .iter()
            .map(|(_, door, _)| server.address(door))
            .collect::<Result<_>>()?;
        std::thread::scope(|scope| {
            for (sender, address) in addresses.into_iter().enumerate() {
                let over = &over;
                scope.spawn(move || {
                    // It may be gone before it is reached.
                    let Ok(mut client) = Client::to(address) else {
                        return;
                    };
                    while !over.load(Ordering::Relaxed) && self.send(&mut client, sender).is_ok() {}
                });
            }
            std::thread::sleep(life);
            let ended = match gently {
                true => server.stop().map(|_| ()),
                false => server.kill(),
            };
            over.store(true, Ordering::Relaxed);
            ended
        })
    }

    /// Sends one batch: what waits, now and then what was acknowledged, else a
    /// new one.
    fn send(&self, client: &mut Client, sender: usize) -> Result<()> {
        let mut sent = self.lock();
        let waiting = sent.waiting.iter().position(|(by, _)| *by == sender);
        let first = self.next_id.fetch_add(BATCH, Ordering::Relaxed) + 1;
        let (ids, known) = match waiting {
            Some(at) => (sent.waiting.swap_remove(at).1, false),
            None if first % (BATCH * 7) == 1 => {
                match sent.acknowledged.iter().rev().find(|(by, _)| *by == sender) {
                    Some((_, ids)) => (ids.clone(), true),
                    None => ((first..first + BATCH).collect(), false),
                }
            }
            None => ((first..first + BATCH).collect(), false),
        };
        sent.again += u64::from(known || waiting.is_some());
        drop(sent);
        let answered = post(client, sender, &ids);
        if known {
            return answered;
        }
        let mut sent = self.lock();
        match answered {
            Ok(()) => sent.acknowledged.push((sender, ids)),
            Err(_) => sent.waiting.push((sender, ids)),
        }
        answered
    }

    /// Sends what was never acknowledged.
    fn rest(&self, server: &Server) -> Result<()> {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for (sender, ids) in waiting {
            let mut client = Client::to(server.address(SENDERS[sender].1)?)?;
            post(&mut client, sender, &ids)?;
            let mut sent = self.lock();
            sent.again += 1;
            sent.acknowledged.push((sender, ids));
        }
        Ok(())
    }

    fn tally(&self, tacho: &Path, home: &Path) -> Result<Tally> {
        let found = stored(tacho, home)?;
        let sent = self.lock();
        let mut tally = Tally {
            found: found.values().sum(),
            sent_again: sent.again,
            ..Tally::default()
        };
        for id in sent.acknowledged.iter().flat_map(|(_, ids)| ids) {
            tally.acknowledged += 1;
            match found.get(&span_id(*id)) {
                None => tally.lost += 1,
                Some(times) => tally.doubled += times - 1,
            }
        }
        Ok(tally)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sent> {
        self.sent
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn post(client: &mut Client, sender: usize, ids: &[u64]) -> Result<()> {
    let (form, _, path) = SENDERS[sender];
    client
        .post(path, form.content_type(), &form.body(ids))
        .map(|_| ())
}

/// How often each span stands in a home, sealed or not.
fn stored(tacho: &Path, home: &Path) -> Result<HashMap<String, u64>> {
    let export = Command::new(tacho)
        .args(["--format", "jsonl", "--home"])
        .arg(home)
        .args(["export", "--kind", "tool_call"])
        .output()?;
    if !export.status.success() {
        bail!("export: {}", String::from_utf8_lossy(&export.stderr));
    }
    let mut found = HashMap::new();
    for line in export.stdout.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let event: serde_json::Value = serde_json::from_slice(line)?;
        let id = event["span_id"]
            .as_str()
            .context("an event without span_id")?;
        *found.entry(id.to_owned()).or_default() += 1;
    }
    Ok(found)
}

/// Marsaglia's xorshift, 64 bits.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Prints what became of a run; true if nothing was lost or doubled.
pub(crate) fn report(tally: &Tally, kills: u32, took: Duration) -> bool {
    println!(
        "server: {kills} ends (kill -9 and SIGTERM in turn) in {:.0} s: {} acknowledged, {} found, \
         {} lost, {} doubled; {} requests sent again",
        took.as_secs_f64(),
        tally.acknowledged,
        tally.found,
        tally.lost,
        tally.doubled,
        tally.sent_again,
    );
    tally.lost == 0 && tally.doubled == 0 && tally.acknowledged > 0
}

/// Runs on a home of its own below `folder`, and removes it if all held.
pub(crate) fn try_out(tacho: &Path, folder: &Path, kills: u32) -> Result<bool> {
    let home = folder.join("crash-served");
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    std::fs::create_dir_all(&home)?;
    std::fs::write(home.join("config.yaml"), "seal_after_bytes: 1048576\n")?;
    let began = Instant::now();
    let seed = u64::from(std::process::id()) << 20 | 0x9e37;
    let tally = run(tacho, &home, kills, seed)?;
    let held = report(&tally, kills, began.elapsed());
    if held {
        std::fs::remove_dir_all(&home)?;
        server::forget(&home);
    } else {
        println!("the home is left at {}", home.display());
    }
    Ok(held)
}
