//! A log as a busy agent host writes it, made from a seed: same seed, same bytes.
//!
//! The mix of [`Load::Library`]: 63 % `get_agent` (87 % cache hits; a load follows each miss), 22 %
//! `list_agents`, 6 % `search`, 3 % session starts, 3 % ends, 3 % cache operations,
//! spread evenly over the days with jitter, durations log-normal.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;

mod busy;

/// Who writes the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// A library of agents, which is searched and loaded from.
    Library,
    /// Agents at work, session by session.
    Sessions,
}

/// The newest moment in every generated log, 2025-11-20T12:00:00Z, in seconds.
const ANCHOR_SECONDS: i64 = 1_763_640_000;
pub(crate) const ANCHOR: &str = "2025-11-20T12:00:00Z";
/// A log rotates before the first write at or above this size.
const ROTATE_BYTES: u64 = 10 * 1024 * 1024;
const AGENTS: u64 = 120;

/// Writes `events` lines over `days` days into `home`, rotated like the real log.
pub(crate) fn log(home: &Path, load: Load, events: u64, days: u32, seed: u64) -> Result<()> {
    fs::create_dir_all(home)?;
    let live = home.join("events.jsonl");
    let mut file = BufWriter::with_capacity(1 << 16, File::create(&live)?);
    let mut random = Random(seed);
    let start_us = ANCHOR_SECONDS * 1_000_000 - i64::from(days) * 86_400_000_000;
    let longest_us = match load {
        Load::Library => 0,
        Load::Sessions => busy::LONGEST_US,
    };
    // None is over after the newest moment.
    let span_us = (i64::from(days) * 86_400_000_000 - longest_us) as f64;
    let (mut written, mut size) = (0u64, 0u64);
    while written < events {
        let share = (written as f64 + random.unit()) / events as f64;
        let at_us = start_us + (span_us * share) as i64;
        if size >= ROTATE_BYTES {
            file.flush()?;
            drop(file);
            fs::rename(&live, home.join(rotated_name(at_us)))?;
            file = BufWriter::with_capacity(1 << 16, File::create(&live)?);
            size = 0;
        }
        let lines = match load {
            Load::Library => event(&mut random, at_us),
            Load::Sessions => busy::session(&mut random, at_us),
        };
        for line in lines.iter().take(usize::try_from(events - written)?) {
            file.write_all(line.as_bytes())?;
            size += line.len() as u64;
            written += 1;
        }
    }
    file.flush()?;
    Ok(())
}

/// Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-compatible
/// low-level date algorithms", `civil_from_days`).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// One event, or a miss and the load that follows it.
fn event(random: &mut Random, at_us: i64) -> Vec<String> {
    let kind = random.unit();
    if kind < 0.63 {
        let hit = random.unit() < 0.87;
        let took = if hit {
            random.log_normal(-3.6, 0.5)
        } else {
            random.log_normal(0.1, 0.6)
        };
        let mut lines = vec![discovery(at_us, "get_agent", took, hit, 1)];
        if !hit {
            lines.push(load(random, at_us + 160, took));
        }
        return lines;
    }
    let line = if kind < 0.85 {
        discovery(
            at_us,
            "list_agents",
            random.log_normal(-2.5, 0.4),
            false,
            119,
        )
    } else if kind < 0.91 {
        let took = random.log_normal(-2.3, 0.5);
        discovery(at_us, "search", took, false, random.below(40))
    } else if kind < 0.94 {
        let style = ["lazy_loaded", "full_context"][random.below(2) as usize];
        let tokens = 800 + random.below(4200);
        line(
            at_us,
            "session_start",
            &format!(r#""session_type":"{style}","initial_tokens":{tokens}"#),
        )
    } else if kind < 0.97 {
        let seconds = (random.log_normal(5.0, 1.0) * 1e3).round() / 1e3;
        let (tokens, loaded) = (500 + random.below(29_500), 1 + random.below(29));
        line(
            at_us,
            "session_end",
            &format!(
                r#""session_duration_seconds":{seconds:?},"total_tokens_loaded":{tokens},"agents_loaded":{loaded}"#
            ),
        )
    } else {
        let operation = ["get", "put", "evict"][random.below(3) as usize];
        let rate = (6000.0 + random.unit() * 3900.0).round() / 100.0;
        let (size, evictions) = (1 + random.below(50), random.below(3));
        line(
            at_us,
            "cache_operation",
            &format!(
                r#""operation":"{operation}","cache_size":{size},"hit_rate":{rate:?},"evictions":{evictions}"#
            ),
        )
    };
    vec![line]
}

fn discovery(at_us: i64, operation: &str, took_ms: f64, hit: bool, count: u64) -> String {
    line(
        at_us,
        "agent_discovery",
        &format!(
            r#""operation":"{operation}","duration_ms":{took_ms:?},"cache_hit":{hit},"agent_count":{count}"#
        ),
    )
}

fn load(random: &mut Random, at_us: i64, took_ms: f64) -> String {
    let agent = Random(random.below(AGENTS)).next() as u32;
    let size = (6400.0 + 1500.0 * random.gauss()).max(900.0) as u64;
    let tokens = size / 4;
    line(
        at_us,
        "agent_load",
        &format!(
            r#""agent_id_hash":"{agent:08x}","load_time_ms":{took_ms:?},"content_size_bytes":{size},"estimated_tokens":{tokens}"#
        ),
    )
}

fn line(at_us: i64, event_type: &str, fields: &str) -> String {
    let (date, time, micros) = parts(at_us);
    // The original always writes a fraction, so a whole second becomes a microsecond.
    let micros = micros.max(1);
    format!(
        "{{\"timestamp\":\"{}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}+00:00\",\"event_type\":\"{event_type}\",{fields}}}\n",
        date.0, date.1, date.2, time.0, time.1, time.2
    )
}

fn rotated_name(at_us: i64) -> String {
    let (date, time, micros) = parts(at_us);
    format!(
        "events_{}{:02}{:02}_{:02}{:02}{:02}_{micros:06}.jsonl",
        date.0, date.1, date.2, time.0, time.1, time.2
    )
}

type Three = (i64, i64, i64);

fn parts(at_us: i64) -> (Three, Three, i64) {
    let seconds = at_us.div_euclid(1_000_000);
    let second = seconds.rem_euclid(86_400);
    let time = (second / 3600, second / 60 % 60, second % 60);
    (
        civil(seconds.div_euclid(86_400)),
        time,
        at_us.rem_euclid(1_000_000),
    )
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Below `end`, the small ones more often.
    fn skewed(&mut self, end: u64) -> u64 {
        (self.unit().powi(2) * end as f64) as u64
    }

    /// Standard normal (Box and Muller 1958).
    fn gauss(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn log_normal(&mut self, mu: f64, sigma: f64) -> f64 {
        (mu + sigma * self.gauss()).exp()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::Value;

    use super::{Load, Random, busy, civil, event, parts, rotated_name};

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_412), (2025, 11, 20));
        assert_eq!(civil(-1), (1969, 12, 31));
    }

    #[test]
    fn the_anchor_is_what_it_says() {
        let (date, time, _) = parts(super::ANCHOR_SECONDS * 1_000_000);
        assert_eq!((date, time), ((2025, 11, 20), (12, 0, 0)));
        assert_eq!(
            rotated_name(super::ANCHOR_SECONDS * 1_000_000 + 42),
            "events_20251120_120000_000042.jsonl"
        );
    }

    #[test]
    fn lines_are_json_in_the_stated_mix() {
        let mut random = Random(1);
        let (mut discoveries, mut hits, mut all) = (0u32, 0u32, 0u32);
        for _ in 0..20_000 {
            for line in event(&mut random, super::ANCHOR_SECONDS * 1_000_000) {
                let value: Value = serde_json::from_str(&line).unwrap();
                let loaded = value["event_type"] == "agent_load";
                let micros = if loaded { "000160" } else { "000001" };
                let stamp = format!("2025-11-20T12:00:00.{micros}+00:00");
                assert_eq!(value["timestamp"], stamp.as_str());
                all += 1;
                let get = value["operation"] == "get_agent";
                discoveries += u32::from(get);
                hits += u32::from(get && value["cache_hit"] == true);
            }
        }
        let share = f64::from(discoveries) / 20_000.0;
        assert!(
            (0.62..0.64).contains(&share),
            "{share} of draws are get_agent"
        );
        let hit_share = f64::from(hits) / f64::from(discoveries);
        assert!((0.86..0.88).contains(&hit_share), "{hit_share} of them hit");
        assert_eq!(all, 20_000 + discoveries - hits, "a load after each miss");
    }

    #[test]
    fn a_log_rotates_and_holds_what_was_asked() {
        let home = tempfile::tempdir().unwrap();
        super::log(home.path(), Load::Library, 70_000, 7, 1).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
        assert_eq!(
            names.len(),
            2,
            "11 MB are one rotated file and the live one"
        );
        names.sort_by_key(|entry| entry.as_ref().unwrap().file_name() == "events.jsonl");
        let texts = names
            .iter()
            .map(|entry| std::fs::read_to_string(entry.as_ref().unwrap().path()));
        let all: String = texts.map(Result::unwrap).collect();
        assert_eq!(all.lines().count(), 70_000);
        let stamps: Vec<&str> = all.lines().map(|line| &line[14..40]).collect();
        assert!(stamps.first().unwrap().starts_with("2025-11-13T12:00:0"));
        assert!(stamps.last().unwrap().starts_with("2025-11-20T11:59:"));
        // The load after a miss may overtake its successor by its 160 µs at most.
        assert!(
            stamps.is_sorted_by_key(|stamp| &stamp[..19]),
            "in order of time"
        );
    }

    #[test]
    fn a_session_is_lines_of_json_in_order_of_time_and_not_too_long() {
        let mut random = Random(1);
        for _ in 0..500 {
            let lines = busy::session(&mut random, super::ANCHOR_SECONDS * 1_000_000);
            let stamps: Vec<&str> = lines.iter().map(|line| &line[14..40]).collect();
            assert!(stamps.is_sorted() && stamps[stamps.len() - 1] < "2025-11-20T12:20");
            let values = lines.iter().map(|line| serde_json::from_str(line).unwrap());
            let values: Vec<Value> = values.collect();
            let of = |kind: &str| values.iter().filter(|v| v["event_type"] == kind).count();
            assert!(of("tool_call") >= 2 * of("llm_call") && of("llm_call") == of("span"));
            assert_eq!(
                values[0]["session_id"],
                values[values.len() - 1]["session_id"]
            );
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_line() {
        assert_eq!(event(&mut Random(7), 0), event(&mut Random(7), 0));
    }
}
