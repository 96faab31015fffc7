//! The clock: one anchor that ties a steady count to the wall.
//!
//! ```text
//! wall = steady + offset             offset: looked at by the drain each time it wakes
//! steady = anchor + ticks × rate     rate: measured by the drain each second, against the system's steady clock
//! ```
//!
//! The processor's counter is read only where the kernel itself keeps time by
//! it, which it does after checking that it runs evenly and alike on all
//! processors. Everywhere else the system's clock is asked. Times are shown to
//! people; nothing that must be right depends on their order.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use tachograph_model::UnixNanos;

/// Nanoseconds from the steady clock's zero to the Unix epoch.
static OFFSET: AtomicI64 = AtomicI64::new(0);

/// Ties the clock to the wall. Call before the first [`now`], and again at
/// times: when the wall clock was set, events follow it from then on.
pub(crate) fn anchor() {
    tsc::measure();
    // The tightest of a few tries: the thread may be interrupted, for
    // milliseconds on a busy machine, between the two clocks.
    let tries = (0..5).map(|_| {
        let before = steady();
        let wall = UnixNanos::now().0;
        let width = steady().saturating_sub(before);
        (width, wall.saturating_sub((before + width / 2) as i64))
    });
    if let Some((_, offset)) = tries.min_by_key(|(width, _)| *width) {
        OFFSET.store(offset, Ordering::Relaxed);
    }
}

/// Returns nanoseconds since the epoch.
#[inline]
pub fn now() -> i64 {
    OFFSET.load(Ordering::Relaxed).wrapping_add(steady() as i64)
}

/// Returns nanoseconds since some instant in this process's life. Only
/// differences mean anything, and they may be off by the microsecond that
/// measuring the rate anew may bring: take them with `saturating_sub`.
#[inline]
pub(crate) fn steady() -> u64 {
    match tsc::steady() {
        Some(nanos) => nanos,
        None => system(),
    }
}

fn system() -> u64 {
    static ZERO: OnceLock<Instant> = OnceLock::new();
    // 500 years of nanoseconds fit.
    ZERO.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod tsc {
    use std::sync::atomic::{AtomicU64, Ordering, fence};
    use std::sync::{Mutex, OnceLock};

    use crate::ring::ticks;

    /// A sequence lock: odd while the words below are being changed.
    static VERSION: AtomicU64 = AtomicU64::new(0);
    static TICKS: AtomicU64 = AtomicU64::new(0);
    static STEADY: AtomicU64 = AtomicU64::new(0);
    /// Nanoseconds per tick, times 2³²; 0: not known, or not to be trusted.
    static RATE: AtomicU64 = AtomicU64::new(0);

    #[inline]
    pub(super) fn steady() -> Option<u64> {
        let version = VERSION.load(Ordering::Acquire);
        let rate = RATE.load(Ordering::Relaxed);
        let from = TICKS.load(Ordering::Relaxed);
        let anchor = STEADY.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        if version & 1 == 1 || VERSION.load(Ordering::Relaxed) != version {
            // A fork may have left it odd for ever: never wait for it.
            return None;
        }
        if rate == 0 {
            return None;
        }
        // Processors may be a few ticks apart.
        let ticks = ticks().saturating_sub(from);
        Some(anchor + ((u128::from(ticks) * u128::from(rate)) >> 32) as u64)
    }

    /// The start of the stretch over which the rate is being measured.
    struct Start {
        ticks: u64,
        steady: u64,
        rate: u64,
    }

    /// Measures the rate over the time since the last call, if that is long
    /// enough to be exact: reading both clocks takes 0.1 µs, which is 5 ppm of
    /// the first stretch and 0.1 ppm of later ones.
    pub(super) fn measure() {
        static START: Mutex<Option<Start>> = Mutex::new(None);
        const FIRST: u64 = 20_000_000;
        const LATER: u64 = 1_000_000_000;
        if !kernel_trusts_it() {
            return;
        }
        let Ok(mut start) = START.try_lock() else {
            return;
        };
        let (ticks, steady) = pair();
        let Some(last) = start.as_mut() else {
            *start = Some(Start {
                ticks,
                steady,
                rate: 0,
            });
            return;
        };
        let nanos = steady.saturating_sub(last.steady);
        if nanos < if last.rate == 0 { FIRST } else { LATER } || ticks <= last.ticks {
            return;
        }
        let rate = ((u128::from(nanos) << 32) / u128::from(ticks - last.ticks)) as u64;
        // More than 1000 ppm away from what it was: the machine slept, moved,
        // or the counter is no clock. Begin again.
        let even = last.rate == 0 || rate.abs_diff(last.rate) < last.rate / 1_000;
        *last = Start {
            ticks,
            steady,
            rate: if even { rate } else { 0 },
        };
        VERSION.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::Release);
        TICKS.store(ticks, Ordering::Relaxed);
        STEADY.store(steady, Ordering::Relaxed);
        RATE.store(last.rate, Ordering::Relaxed);
        VERSION.fetch_add(1, Ordering::Release);
    }

    /// Reads both clocks at once: the tightest of a few tries, because the
    /// thread may be interrupted between the two.
    fn pair() -> (u64, u64) {
        let tries = (0..5).map(|_| {
            let before = ticks();
            let steady = super::system();
            let after = ticks();
            (
                after.saturating_sub(before),
                before + (after.saturating_sub(before)) / 2,
                steady,
            )
        });
        tries
            .min_by_key(|(width, ..)| *width)
            .map_or((0, 0), |(_, ticks, steady)| (ticks, steady))
    }

    fn kernel_trusts_it() -> bool {
        static TRUSTED: OnceLock<bool> = OnceLock::new();
        const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        *TRUSTED.get_or_init(|| {
            std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
        })
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", not(miri))))]
mod tsc {
    #[inline]
    pub(super) fn steady() -> Option<u64> {
        None
    }

    pub(super) fn measure() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn follows_the_system_s_clocks() {
        for _ in 0..4 {
            anchor();
            for _ in 0..1_000 {
                let (before, now, after) = (UnixNanos::now().0, now(), UnixNanos::now().0);
                // However long we are interrupted between these, `now` lies
                // between the others; 50 µs are for the anchor's own error.
                assert!(
                    now > before - 50_000 && now < after + 50_000,
                    "{before} {now} {after}"
                );
            }
            let (start, system) = (steady(), Instant::now());
            std::thread::sleep(Duration::from_millis(30));
            let (ours, theirs) = (steady() - start, system.elapsed().as_nanos() as u64);
            assert!(ours.abs_diff(theirs) < 1_000_000, "{ours} {theirs}");
        }
    }
}
