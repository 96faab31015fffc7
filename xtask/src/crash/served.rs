//! The server killed under load, again and again, on one home: what it
//! acknowledged must be there, and once.
//!
//! ```text
//! 4 senders ─► server ──kill -9 or SIGTERM at a random moment──► next server …
//!    └ what was not acknowledged is sent again, and some of what was, too
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;
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
/// Every so many lives one is a long one.
const LONG_EVERY: u32 = 5;

/// A server that can be started on what its last life left behind.
pub(crate) trait Subject: Sync {
    /// How requests are sent, one sender each.
    fn senders(&self) -> &[Sender];
    /// How long it lives at least, and at most, milliseconds.
    fn lives(&self) -> (u64, u64);
    /// The same of a life that is long enough for what it does now and then; none:
    /// as all others.
    fn lives_long(&self) -> Option<(u64, u64)> {
        None
    }
    fn start(&self) -> Result<Box<dyn Life>>;
    /// How often each span stands in what it stored; it does not run.
    fn stored(&self) -> Result<HashMap<String, u64>>;
}

/// A server that runs.
pub(crate) trait Life {
    fn address(&self, door: &str) -> Result<SocketAddr>;
    /// Kills it, or asks it to leave and waits.
    fn end(self: Box<Self>, gently: bool) -> Result<()>;
}

/// The form of its requests, and the door they go to.
pub(crate) struct Sender {
    pub(crate) form: Form,
    pub(crate) door: &'static str,
    pub(crate) path: &'static str,
    pub(crate) header: Option<(&'static str, &'static str)>,
}

const fn ours(form: Form, door: &'static str, path: &'static str) -> Sender {
    Sender {
        form,
        door,
        path,
        header: None,
    }
}

const SENDERS: [Sender; 4] = [
    ours(Form::Protobuf, "otlp_http", "/v1/traces"),
    ours(Form::Json, "otlp_http", "/v1/traces"),
    ours(Form::Events, "json", "/api/v1/events"),
    ours(Form::Protobuf, "otlp_http", "/v1/traces"),
];

/// Our server on a home.
struct Ours<'a> {
    tacho: &'a Path,
    home: &'a Path,
}

impl Subject for Ours<'_> {
    fn senders(&self) -> &[Sender] {
        &SENDERS
    }

    fn lives(&self) -> (u64, u64) {
        (60, 500)
    }

    /// It looks after its home every 5 s, and is to be killed while it does.
    fn lives_long(&self) -> Option<(u64, u64)> {
        Some((5_200, 6_700))
    }

    fn start(&self) -> Result<Box<dyn Life>> {
        Ok(Box::new(Server::start(self.tacho, self.home, &[])?))
    }

    fn stored(&self) -> Result<HashMap<String, u64>> {
        stored(self.tacho, self.home)
    }
}

impl Life for Server {
    fn address(&self, door: &str) -> Result<SocketAddr> {
        Server::address(self, door)
    }

    fn end(self: Box<Self>, gently: bool) -> Result<()> {
        match gently {
            true => self.stop().map(|_| ()),
            false => self.kill(),
        }
    }
}

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

/// Kills a server so many times, every other one by SIGTERM if `gently`.
pub(crate) fn run(subject: &dyn Subject, kills: u32, gently: bool, seed: u64) -> Result<Tally> {
    let load = Load::default();
    let mut random = seed | 1;
    for round in 0..kills {
        let long = subject
            .lives_long()
            .filter(|_| round % LONG_EVERY == LONG_EVERY - 1);
        let (least, most) = long.unwrap_or_else(|| subject.lives());
        let server = subject.start()?;
        let life = Duration::from_millis(least + next(&mut random) % (most - least));
        load.while_it_lives(subject.senders(), server, life, gently && round % 2 == 1)?;
    }
    let server = subject.start()?;
    load.rest(subject.senders(), &*server)?;
    server.end(true)?;
    load.tally(subject)
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
    fn while_it_lives(
        &self,
        senders: &[Sender],
        server: Box<dyn Life>,
        life: Duration,
        gently: bool,
    ) -> Result<()> {
        let over = AtomicBool::new(false);
        let addresses: Vec<_> = senders
            .iter()
            .map(|sender| server.address(sender.door))
            .collect::<Result<_>>()?;
        std::thread::scope(|scope| {
            for (number, address) in addresses.into_iter().enumerate() {
                let (over, sender) = (&over, &senders[number]);
                scope.spawn(move || {
                    // It may be gone before it is reached.
                    let Ok(mut client) = Client::to(address) else {
                        return;
                    };
                    while !over.load(Ordering::Relaxed)
                        && self.send(&mut client, number, sender).is_ok()
                    {}
                });
            }
            std::thread::sleep(life);
            let ended = server.end(gently);
            over.store(true, Ordering::Relaxed);
            ended
        })
    }

    /// Sends one batch: what waits, now and then what was acknowledged, else a
    /// new one.
    fn send(&self, client: &mut Client, number: usize, sender: &Sender) -> Result<()> {
        let mut sent = self.lock();
        let waiting = sent.waiting.iter().position(|(by, _)| *by == number);
        let first = self.next_id.fetch_add(BATCH, Ordering::Relaxed) + 1;
        let (ids, known) = match waiting {
            Some(at) => (sent.waiting.swap_remove(at).1, false),
            None if first % (BATCH * 7) == 1 => {
                match sent.acknowledged.iter().rev().find(|(by, _)| *by == number) {
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
            Ok(()) => sent.acknowledged.push((number, ids)),
            Err(_) => sent.waiting.push((number, ids)),
        }
        answered
    }

    /// Sends what was never acknowledged.
    fn rest(&self, senders: &[Sender], server: &dyn Life) -> Result<()> {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for (number, ids) in waiting {
            let sender = &senders[number];
            let mut client = Client::to(server.address(sender.door)?)?;
            post(&mut client, sender, &ids)?;
            let mut sent = self.lock();
            sent.again += 1;
            sent.acknowledged.push((number, ids));
        }
        Ok(())
    }

    fn tally(&self, subject: &dyn Subject) -> Result<Tally> {
        let found = subject.stored()?;
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

fn post(client: &mut Client, sender: &Sender, ids: &[u64]) -> Result<()> {
    let body = sender.form.body(ids);
    let header = sender.header.as_slice();
    client
        .post_with(sender.path, sender.form.content_type(), header, &body)
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

/// How many segments a home has: what was sealed while it served.
fn segments(home: &Path) -> Result<usize> {
    let mut count = 0;
    let days = std::fs::read_dir(home.join("segments"));
    for day in days.into_iter().flatten() {
        count += std::fs::read_dir(day?.path())?.count();
    }
    Ok(count)
}

/// Another one for each run.
pub(crate) fn seed() -> u64 {
    u64::from(std::process::id()) << 20 | 0x9e37
}

/// Marsaglia's xorshift, 64 bits.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Prints what became of a run; true if nothing was lost or doubled.
pub(crate) fn report(who: &str, ends: &str, tally: &Tally, took: Duration) -> bool {
    println!(
        "{who}: {ends} in {:.0} s: {} acknowledged, {} found, {} lost, {} doubled; \
         {} requests sent again",
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
    // Sealing begins after each MiB, so that it is often under way.
    std::fs::write(home.join("config.yaml"), "seal_after_bytes: 1048576\n")?;
    let began = Instant::now();
    let ours = Ours { tacho, home: &home };
    let tally = run(&ours, kills, true, seed())?;
    let ends = format!("{kills} ends (kill -9 and SIGTERM in turn)");
    let held = report("server", &ends, &tally, began.elapsed());
    println!("sealed meanwhile: {} segments", segments(&home)?);
    if held {
        std::fs::remove_dir_all(&home)?;
        server::forget(&home);
    } else {
        println!("the home is left at {}", home.display());
    }
    Ok(held)
}
