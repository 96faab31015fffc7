//! StatsD and DogStatsD over UDP. Nobody is answered, and nobody waits: what is
//! wrong, or finds no room, is counted; also what the system threw away before it
//! got here.
//!
//! The protocol knows no token, so the socket is on loopback whatever the other
//! doors are on.

mod drops;
mod table;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tachograph_model::UnixNanos;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use self::table::{Refusal, Table};
use super::otlp::{EARLIEST, MOST_AHEAD};
use crate::counters::Signal;
use crate::hub::Hub;
use crate::wire::statsd;

/// How often counters, gauges and sets are told: StatsD's own default.
const FLUSH_EVERY: Duration = Duration::from_secs(10);
/// How long measurements wait for others.
const HAND_OVER_EVERY: Duration = Duration::from_millis(250);
/// How much of them is handed over at once, bytes.
const HAND_OVER_BYTES: usize = 1 << 20;
/// The longest datagram that UDP has.
const DATAGRAM_BYTES: usize = 65_536;

/// An open socket.
#[derive(Debug)]
pub struct Statsd {
    socket: UdpSocket,
}

impl Statsd {
    /// Where it would listen: never anywhere but on loopback.
    pub fn place(host: IpAddr, port: u16) -> SocketAddr {
        let host = match host.is_loopback() {
            true => host,
            false => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        SocketAddr::new(host, port)
    }

    /// Opens the socket.
    ///
    /// # Errors
    /// When the port is taken, or not allowed.
    pub async fn bind(place: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(place).await?;
        Ok(Self { socket })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes datagrams until told to stop, then hands over what there is.
    /// `_served` is held until that is done.
    pub async fn serve<T>(self, hub: Arc<Hub>, mut stop: watch::Receiver<bool>, _served: T) {
        let mut desk = Desk {
            table: Table::new(hub.salt.clone()),
            hub,
            address: self.address().ok(),
            dropped: 0,
        };
        let mut datagram = vec![0; DATAGRAM_BYTES];
        let mut hand_over = tokio::time::interval(HAND_OVER_EVERY);
        hand_over.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut flush_at = Instant::now() + FLUSH_EVERY;
        loop {
            tokio::select! {
                // First of all, so that a flood does not put off the end.
                biased;
                () = told(&mut stop) => break,
                now = hand_over.tick() => {
                    if now >= flush_at {
                        flush_at = now + FLUSH_EVERY;
                        desk.table.flush(UnixNanos::now());
                        desk.count_dropped();
                    }
                    desk.hand_over();
                }
                received = self.socket.recv(&mut datagram) => match received {
                    Ok(len) => desk.take(&datagram[..len]),
                    // Of an earlier datagram of ours there is none that could
                    // have failed: the system is short of something.
                    Err(_) => tokio::time::sleep(HAND_OVER_EVERY).await,
                },
            }
        }
        // What has arrived already counts.
        while let Ok(len) = self.socket.try_recv(&mut datagram) {
            desk.take(&datagram[..len]);
        }
        desk.table.flush(UnixNanos::now());
        desk.count_dropped();
        desk.hand_over();
    }
}

/// Waits until it is time to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    // Gone without a word, its sender says the same.
    drop(stop.wait_for(|stop| *stop).await);
}

struct Desk {
    hub: Arc<Hub>,
    table: Table,
    address: Option<SocketAddr>,
    /// Datagrams that the system threw away, as far as they are counted.
    dropped: u64,
}

impl Desk {
    fn take(&mut self, datagram: &[u8]) {
        let of = self.hub.counters.of(Signal::Statsd);
        of.requests.add(1);
        of.bytes.add(datagram.len() as u64);
        let now = UnixNanos::now();
        let times = EARLIEST.cast_signed()..=now.saturating_add(MOST_AHEAD).0;
        for line in datagram.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            of.records.add(1);
            match statsd::line(line) {
                Ok(None) => of.ignored.add(1),
                Ok(Some(metric)) => match self.table.take(metric, now, times.clone()) {
                    Ok(()) => {}
                    Err(Refusal::TooMany) => of.crowded.add(1),
                    Err(_) => of.rejected.add(1),
                },
                Err(_) => of.rejected.add(1),
            }
        }
        if self.table.lines.bytes.len() >= HAND_OVER_BYTES {
            self.hand_over();
        }
    }

    /// Counts what the system threw away since the last time.
    fn count_dropped(&mut self) {
        let dropped = self.address.and_then(drops::dropped);
        let more = dropped.map_or(0, |all| all.saturating_sub(self.dropped));
        self.dropped += more;
        self.hub.counters.of(Signal::Statsd).overloaded.add(more);
    }

    fn hand_over(&mut self) {
        let lines = std::mem::take(&mut self.table.lines);
        if lines.count > 0 {
            // Refused, they are lost, and counted by the journal.
            let _ = self.hub.journal.offer_lines(Signal::Statsd, lines);
        }
    }
}
