//! The store equals a list of events, whatever is done to it in whatever
//! order, and wherever it is stopped.

use std::time::Duration;

use proptest::prelude::*;
use tachograph_model::{Event, UnixNanos, Window};
use tachograph_store::{FoldSpec, Grain, SealOptions};

use crate::common::{BASE, Place, SECOND, count, lines_of, rich, tool_call};

#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    Seal,
    /// Stopped before the n-th named step.
    SealStopped(u8),
    Compact,
    CompactStopped(u8),
    LoseManifest,
    Repair,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..40_u8).prop_map(Step::Append),
        2 => Just(Step::Seal),
        3 => (0..24_u8).prop_map(Step::SealStopped),
        1 => Just(Step::Compact),
        1 => (0..8_u8).prop_map(Step::CompactStopped),
        1 => Just(Step::LoseManifest),
        1 => Just(Step::Repair),
    ]
}

fn stopping(after: u8) -> impl FnMut(&'static str) -> Result<(), String> {
    let mut left = after;
    move |_| {
        if left == 0 {
            return Err("pulled the plug".to_owned());
        }
        left -= 1;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_store_is_a_list_of_events(steps in prop::collection::vec(step(), 1..14)) {
        let place = Place::new();
        let mut model: Vec<Event> = Vec::new();
        for step in steps {
            match &step {
                Step::Append(many) => {
                    let start = model.len() as i64;
                    let new: Vec<Event> = (start..start + i64::from(*many))
                        .map(|n| if n % 2 == 0 { rich(n * 7) } else { tool_call(n) })
                        .collect();
                    place.append(&new);
                    model.extend(new);
                }
                Step::Seal => {
                    let options = SealOptions { step_bytes: 3_000, ..SealOptions::default() };
                    place.store().seal(options).unwrap();
                }
                Step::SealStopped(after) => {
                    let mut fault = stopping(*after);
                    let options = SealOptions {
                        step_bytes: 3_000,
                        fault: Some(&mut fault),
                        ..SealOptions::default()
                    };
                    let _ = place.store().seal(options);
                }
                Step::Compact => {
                    place.store().compact(Duration::ZERO).unwrap();
                }
                Step::CompactStopped(after) => {
                    let mut fault = stopping(*after);
                    let options = SealOptions { fault: Some(&mut fault), ..SealOptions::default() };
                    let _ = place.store().compact_with(options);
                }
                Step::LoseManifest => {
                    let _ = std::fs::remove_file(place.home.manifest());
                }
                Step::Repair => {
                    let report = place.store().repair(Duration::ZERO).unwrap();
                    prop_assert_eq!(report.quarantined, vec![]);
                }
            }
            prop_assert_eq!(place.lines(), lines_of(model.iter().cloned()), "after {:?}", step);
            let window = Window {
                from: UnixNanos(BASE + 5 * SECOND),
                to: UnixNanos(BASE + 60 * SECOND),
            };
            let wanted = model.iter().filter(|event| window.contains(event.time)).count();
            let folded = place.snapshot().cells(window, &FoldSpec::new(Grain::Day)).unwrap();
            prop_assert_eq!(count(&folded), wanted as u64);
        }
    }
}
