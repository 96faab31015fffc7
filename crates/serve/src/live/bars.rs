//! How often something happened, bar by bar: the shape of a window.

use std::time::Duration;

use tachograph_model::UnixNanos;

use super::series::{Series, TIERS};
use super::{Family, Live, State};

/// Bars of an hour at most: no bar is shorter than a slot of its age.
const MOST: u32 = 64;

impl Live {
    /// What a series counted, in bars from old to new; the last holds now and is
    /// not over. Returns also how long a bar is: 1, 5, 20 or 60 seconds, so that
    /// there are at most 64 of them. `None`: there is no such series.
    pub fn bars(
        &self,
        family: Family,
        source: &str,
        name: &str,
        length: Duration,
    ) -> Option<(Duration, Vec<u64>)> {
        self.state()
            .bars(family, source, name, length, UnixNanos::now())
    }
}

impl State {
    /// As [`Live::bars`], at a time of one's choice.
    pub fn bars(
        &self,
        family: Family,
        source: &str,
        name: &str,
        length: Duration,
        now: UnixNanos,
    ) -> Option<(Duration, Vec<u64>)> {
        let place = self.find(family, source, name)?;
        let seconds = u32::try_from(length.as_secs()).unwrap_or(u32::MAX);
        let fits = TIERS.iter().find(|(bar, _)| seconds.div_ceil(*bar) <= MOST);
        let bar = fits.map_or(TIERS[TIERS.len() - 1].0, |(bar, _)| *bar);
        let count = seconds.div_ceil(bar).clamp(1, MOST) as usize;
        let now = u32::try_from(now.0.div_euclid(1_000_000_000)).unwrap_or(0);
        let bars = self.entries[place].series.bars(bar, count, now);
        Some((Duration::from_secs(u64::from(bar)), bars))
    }
}

impl Series {
    /// Counts of the last `count` stretches of `bar` seconds.
    fn bars(&self, bar: u32, count: usize, now: u32) -> Vec<u64> {
        let mut bars = vec![0_u64; count];
        for slot in self.tiers.iter().flatten() {
            // What a clock ahead says is of now.
            let ago = (now / bar).saturating_sub(slot.start / bar) as usize;
            if let Some(held) = count.checked_sub(ago + 1).and_then(|at| bars.get_mut(at)) {
                *held = held.saturating_add(slot.count).saturating_add(slot.bare);
            }
        }
        bars
    }
}

#[cfg(test)]
mod tests {
    use tachograph_model::{Column, Event};

    use super::*;

    const NOW: i64 = 1_763_640_000;

    fn state(ago: impl Iterator<Item = i64>) -> State {
        let mut state = State::new(64);
        for ago in ago {
            let at = UnixNanos((NOW - ago) * 1_000_000_000);
            let event = Event::new(at, "tool_call")
                .with(Column::Name, "t")
                .with(Column::DurationMs, 1.0);
            state.take(&event.to_line(), at);
        }
        state
    }

    fn bars(state: &State, seconds: u64) -> (u64, Vec<u64>) {
        let length = Duration::from_secs(seconds);
        let now = UnixNanos(NOW * 1_000_000_000);
        let found = state.bars(Family::Tool, "", "t", length, now);
        let (bar, bars) = found.expect("it was called");
        (bar.as_secs(), bars)
    }

    #[test]
    fn one_call_a_second_fills_every_bar_with_its_length() {
        let state = state((0..3700).rev());
        for (seconds, length, count) in [(60, 1, 60), (300, 5, 60), (900, 20, 45), (3600, 60, 60)] {
            let (bar, bars) = bars(&state, seconds);
            assert_eq!((bar, bars.len()), (length, count), "{seconds}");
            // The last has only begun: now is the first second of it.
            let (last, whole) = bars.split_last().expect("there are some");
            assert_eq!(*last, 1, "{seconds}");
            assert!(whole.iter().all(|held| *held == length), "{bars:?}");
        }
    }

    #[test]
    fn silence_is_empty_bars_and_an_unknown_series_none() {
        let state = state([299, 295, 150].into_iter());
        // 299 seconds ago is before the first whole bar.
        let (_, bars) = bars(&state, 300);
        assert_eq!(bars.iter().sum::<u64>(), 2);
        assert_eq!((bars[0], bars[29]), (1, 1));
        let now = UnixNanos(NOW * 1_000_000_000);
        let none = state.bars(Family::Tool, "", "u", Duration::from_secs(60), now);
        assert_eq!(none, None);
    }
}
