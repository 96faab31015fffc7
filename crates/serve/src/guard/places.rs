//! How many connections there are at once, and who leaves when there is no place
//! left for another.
//!
//! Each door has some places that no other can take, and all share the rest; no
//! peer but loopback, where peers cannot be told apart, has more than half. When
//! a new connection finds none, the one that was idle for the longest leaves.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::pace::Pace;
use crate::counters::Counters;

/// Who has just asked, or just come, is not idle yet.
const IDLE_FROM: Duration = Duration::from_secs(1);

/// The places of all doors.
#[derive(Debug)]
pub struct Places {
    most: usize,
    /// Of each door alone.
    own: usize,
    /// Of all doors together, beyond what they have alone.
    shared: usize,
    counters: Arc<Counters>,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    next: u64,
    of_door: Vec<usize>,
    of_peer: HashMap<IpAddr, usize>,
    open: HashMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    door: usize,
    peer: IpAddr,
    pace: Arc<Pace>,
    leave: Arc<Notify>,
}

/// A connection's place; given back when it is dropped, which for a WebSocket
/// is long after HTTP is done with it.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    id: u64,
    /// Told when another needs the place.
    pub leave: Arc<Notify>,
}

impl Places {
    /// `most` places for so many doors.
    pub fn new(most: usize, doors: usize, counters: Arc<Counters>) -> Arc<Self> {
        let own = (most / 16).min(most / doors.max(1));
        Arc::new(Self {
            most,
            own,
            shared: most - own * doors,
            counters,
            held: Mutex::new(Held {
                next: 0,
                of_door: vec![0; doors],
                of_peer: HashMap::new(),
                open: HashMap::new(),
            }),
        })
    }

    /// Takes a place at a door; `None` when there is none, and nobody is idle.
    pub fn take(self: &Arc<Self>, door: usize, peer: IpAddr, pace: &Arc<Pace>) -> Option<Place> {
        let mut held = self.held();
        let of_peer = held.of_peer.get(&peer).copied().unwrap_or_default();
        let peer_full = !peer.is_loopback() && of_peer >= self.most.div_ceil(2);
        let door_full = held.of_door[door] >= self.own && self.beyond(&held) >= self.shared;
        if peer_full || door_full {
            let helps = |open: &Open| {
                let of_door = open.door == door || held.of_door[open.door] > self.own;
                (!peer_full || open.peer == peer) && (!door_full || of_door)
            };
            let leaves = held.longest_idle(helps)?;
            self.counters.connections_evicted.add(1);
            if let Some(open) = held.remove(leaves) {
                open.leave.notify_one();
            }
        }
        let id = held.next;
        held.next += 1;
        held.of_door[door] += 1;
        *held.of_peer.entry(peer).or_default() += 1;
        let leave = Arc::new(Notify::new());
        let open = Open {
            door,
            peer,
            pace: Arc::clone(pace),
            leave: Arc::clone(&leave),
        };
        held.open.insert(id, open);
        self.counters.connections.fetch_add(1, Ordering::Relaxed);
        Some(Place {
            places: Arc::clone(self),
            id,
            leave,
        })
    }

    /// How many of the places that all share are taken.
    fn beyond(&self, held: &Held) -> usize {
        let beyond = |held: &usize| held.saturating_sub(self.own);
        held.of_door.iter().map(beyond).sum()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn longest_idle(&self, helps: impl Fn(&Open) -> bool) -> Option<u64> {
        let open = self.open.iter().filter(|(_, open)| helps(open));
        let idle = open.filter_map(|(id, open)| Some((open.pace.idle_for()?, *id)));
        let (_, id) = idle.filter(|(idle, _)| *idle >= IDLE_FROM).max()?;
        Some(id)
    }

    fn remove(&mut self, id: u64) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.of_door[open.door] -= 1;
        if let Some(of_peer) = self.of_peer.get_mut(&open.peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                self.of_peer.remove(&open.peer);
            }
        }
        Some(open)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counters = &self.places.counters;
        counters.connections.fetch_sub(1, Ordering::Relaxed);
        self.places.held().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    struct Scene {
        places: Arc<Places>,
        held: Vec<Place>,
    }

    impl Scene {
        fn take(&mut self, door: usize, peer: IpAddr, pace: &Arc<Pace>) -> bool {
            let place = self.places.take(door, peer, pace);
            let taken = place.is_some();
            self.held.extend(place);
            taken
        }
    }

    fn scene(most: usize) -> Scene {
        Scene {
            places: Places::new(most, 2, Arc::new(Counters::default())),
            held: Vec::new(),
        }
    }

    fn busy() -> Arc<Pace> {
        let pace = Pace::new(Duration::from_secs(10));
        // For as long as the pace: never dropped.
        std::mem::forget(pace.request(false));
        pace
    }

    #[test]
    fn no_door_shuts_another_and_no_peer_takes_more_than_half() {
        let mut scene = scene(32);
        let busy = busy();
        // 2 of the 32 are the other door's alone.
        let taken = (0..40).filter(|_| scene.take(0, HERE, &busy)).count();
        assert_eq!(taken, 30);
        let taken = (0..40).filter(|_| scene.take(1, HERE, &busy)).count();
        assert_eq!(taken, 2);
        scene.held.clear();
        let taken = (0..40).filter(|_| scene.take(0, THERE, &busy)).count();
        assert_eq!(taken, 16);
        assert!(scene.take(0, HERE, &busy));
    }

    #[test]
    fn the_one_that_was_idle_for_the_longest_leaves_for_another() {
        let mut scene = scene(32);
        let idle = |seconds| Pace::idle(Duration::from_secs(seconds));
        let busy = busy();
        for seconds in [0, 20, 30, 10] {
            assert!(scene.take(0, HERE, &idle(seconds)));
        }
        while scene.held.len() < 30 {
            assert!(scene.take(0, HERE, &busy));
        }
        for leaver in [2, 1, 3] {
            assert!(scene.take(0, HERE, &busy));
            let told = scene.held[leaver].leave.notified();
            let mut told = std::pin::pin!(told);
            assert!(told.as_mut().enable(), "{leaver}");
        }
        // The last of them has only just asked.
        assert!(!scene.take(0, HERE, &busy));
        let counters = Arc::clone(&scene.places.counters);
        assert_eq!(counters.connections_evicted.get(), 3);
        // Those who were told are counted until they are gone, and only once.
        scene.held.clear();
        assert_eq!(counters.connections.load(Ordering::Relaxed), 0);
        assert_eq!(scene.places.held().of_door, [0, 0]);
    }
}
