use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::state::{Look, State};
use crate::live::{Counts, Family, Windowed};

const FAMILIES: [Family; 2] = [Family::Tool, Family::Metric];

/// Of each series, by its place among a few names: how often it happened.
type Series = BTreeMap<u8, u64>;

fn windowed(name: u8, count: u64) -> Windowed {
    // Names that would break out of a text, and two of one name.
    let names = [
        "\"},{\"",
        "\\",
        "<script>",
        "\u{202e}x",
        "🚀",
        "same",
        "same",
        "\u{0}",
    ];
    let source = if name == 6 { "other" } else { "" };
    Windowed {
        source: source.into(),
        name: names[usize::from(name) % names.len()].into(),
        kind: None,
        unit: None,
        happened: Counts {
            count,
            failed: 0,
            rate: count as f64,
        },
        stats: None,
    }
}

fn look(at: Instant, series: &[Series; 2], overview: u8) -> Look {
    let family = |series: &Series| -> Vec<Windowed> {
        let all = series.iter();
        all.map(|(name, count)| windowed(*name, *count)).collect()
    };
    Look {
        at,
        timestamp: "2025-11-20T12:00:00+00:00".to_owned(),
        families: series.iter().map(family).collect(),
        overview: format!(r#"{{"events_per_second":{overview}}}"#),
        alerts: r#"{"firing":[],"pending":[]}"#.to_owned(),
    }
}

/// What a client has made of the messages.
#[derive(Clone, Debug, Default)]
struct Client {
    seq: Option<u64>,
    series: BTreeMap<(String, String), Json>,
    overview: Json,
}

impl Client {
    /// Takes what it lacks; returns of which type it was.
    fn take(&mut self, state: &State) -> String {
        let (seq, text) = state.since(self.seq).expect("there is something");
        let message: Json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(message["seq"], seq);
        assert!(self.seq.is_none_or(|had| had <= seq));
        self.seq = Some(seq);
        let kind = message["type"].as_str().expect("a type").to_owned();
        if kind == "snapshot" {
            self.series.clear();
        }
        let key = |family: &str, source: &Json, name: &Json| {
            (family.to_owned(), format!("{source} {name}"))
        };
        for (family, series) in message["families"].as_object().expect("families") {
            for one in series.as_array().expect("series") {
                let key = key(family, &one["source"], &one["name"]);
                self.series.insert(key, one.clone());
            }
        }
        for (family, keys) in message["gone"].as_object().expect("families") {
            for gone in keys.as_array().expect("keys") {
                self.series.remove(&key(family, &gone[0], &gone[1]));
            }
        }
        self.overview = message["overview"].clone();
        kind
    }
}

fn stream() -> State {
    State::new(Arc::from("e"), &FAMILIES, Duration::from_secs(60))
}

/// What happens, how much later, and which clients look then.
type Step = ([Series; 2], u8, u64, u8);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let series = || btree_map(0..8_u8, 1..4_u64, 0..6);
    let step = ([series(), series()], 0..2_u8, 1..20_000_u64, any::<u8>());
    vec(step, 1..40)
}

proptest! {
    #[test]
    fn a_snapshot_and_all_deltas_after_it_make_the_next_snapshot(steps in steps()) {
        let mut state = stream();
        let (mut number, mut at) = (100, Instant::now());
        let mut clients: [Client; 8] = Default::default();
        for (series, overview, later, who) in steps {
            at += Duration::from_millis(later);
            state.take(look(at, &series, overview), || {
                number += 1;
                number
            });
            let mut fresh = Client::default();
            prop_assert_eq!(fresh.take(&state), "snapshot");
            let all = series.iter().map(BTreeMap::len).sum::<usize>();
            prop_assert_eq!(fresh.series.len(), all);
            for (bit, client) in clients.iter_mut().enumerate() {
                if who & (1 << bit) == 0 {
                    continue;
                }
                client.take(&state);
                prop_assert_eq!(&client.series, &fresh.series);
                prop_assert_eq!(&client.overview, &fresh.overview);
            }
        }
    }
}

#[test]
fn what_is_told_is_what_changed() {
    let mut state = stream();
    let began = Instant::now();
    let mut number = 0;
    let mut take = |state: &mut State, millis: u64, tools: &[(u8, u64)]| {
        let tools = tools.iter().copied().collect();
        let at = began + Duration::from_millis(millis);
        state.take(look(at, &[tools, Series::new()], 0), || {
            number += 1;
            number
        });
        state.seq()
    };
    assert_eq!(state.since(None), None, "nothing was looked at");
    assert_eq!(take(&mut state, 0, &[(0, 1), (1, 1)]), Some(1));
    assert_eq!(
        take(&mut state, 250, &[(0, 1), (1, 1)]),
        Some(1),
        "the same"
    );
    assert_eq!(take(&mut state, 500, &[(0, 2), (1, 1)]), Some(2));
    assert_eq!(take(&mut state, 750, &[(0, 2)]), Some(3));
    // One that took long and was overtaken.
    assert_eq!(take(&mut state, 700, &[(0, 9)]), Some(3));
    let told = |known: Option<u64>| {
        let (_, text) = state.since(known).expect("something");
        let message: Json = serde_json::from_str(&text).expect("JSON");
        let tools = message["families"]["tool"].as_array().map(Vec::len);
        let gone = message["gone"]["tool"].as_array().map(Vec::len);
        (message["type"] == "delta", tools, gone)
    };
    assert_eq!(told(Some(1)), (true, Some(1), Some(1)));
    assert_eq!(told(Some(2)), (true, None, Some(1)));
    assert_eq!(told(Some(3)), (true, None, None));
    for unknown in [None, Some(0), Some(4), Some(u64::MAX)] {
        assert_eq!(told(unknown), (false, Some(1), None), "{unknown:?}");
    }
    // Silence would look like a broken line.
    let mut take = |millis: u64| {
        let at = began + Duration::from_millis(millis);
        let tools = Series::from([(0, 2)]);
        state.take(look(at, &[tools, Series::new()], 0), || 4);
        state.seq()
    };
    assert_eq!((take(5700), take(5750)), (Some(3), Some(4)));
    // Who was away for too long is told everything.
    let at = began + Duration::from_secs(70);
    state.take(look(at, &[Series::new(), Series::new()], 1), || 5);
    let text = state.since(Some(4)).expect("something").1;
    assert!(text.starts_with(r#"{"type":"snapshot""#), "{text}");
}
