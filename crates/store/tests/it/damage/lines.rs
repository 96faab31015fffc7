//! Logs that are cut, and lines that are no events.

use std::fs;

use tachograph_model::{Event, LineError, Window};
use tachograph_store::{FoldSpec, Grain, Note, SealOptions};

use crate::common::{Place, count, rich, tool_call};

#[test]
fn a_log_cut_at_every_byte_keeps_its_whole_lines() {
    let events: Vec<_> = (0..3).map(tool_call).chain([rich(1)]).collect();
    let bytes: Vec<u8> = events
        .iter()
        .flat_map(tachograph_model::Event::to_line)
        .collect();
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
    for name in ["events.jsonl", "events_20251120_110000_000000.jsonl"] {
        let place = Place::new();
        for cut in 0..=bytes.len() {
            fs::write(place.home.root().join(name), &bytes[..cut]).unwrap();
            let snapshot = place.snapshot();
            let folded = snapshot
                .cells(Window::ALL, &FoldSpec::new(Grain::Window))
                .unwrap();
            // A line that only lacks its newline is whole.
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(count(&folded), whole as u64, "{name} cut at {cut}");
            let torn = cut > 0 && !ends.contains(&cut) && !ends.contains(&(cut - 1));
            let noted = torn && name != "events.jsonl";
            assert_eq!(
                folded.notes.len(),
                usize::from(noted),
                "{name} cut at {cut}"
            );
        }
    }
}

/// A line of `rejected.jsonl`.
struct Rejected {
    file: String,
    line: u64,
    reason: String,
    bytes: Vec<u8>,
}

impl Rejected {
    fn read(line: &str) -> Self {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        let bytes = match text("content") {
            Some(content) => content.into_bytes(),
            None => {
                let hex = text("content_hex").unwrap();
                let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                (0..hex.len()).step_by(2).map(byte).collect()
            }
        };
        assert_eq!(json.as_object().unwrap().len(), 4, "{line:.200}");
        Self {
            file: text("file").unwrap(),
            line: json["line"].as_u64().unwrap(),
            reason: text("reason").unwrap(),
            bytes,
        }
    }
}

#[test]
fn rejected_lines_are_kept_over_many_steps_with_their_places() {
    let place = Place::new();
    let mut log = Vec::new();
    let mut wanted = Vec::new();
    for number in 0..400_i64 {
        log.extend_from_slice(&tool_call(number).to_line());
        // Text that is cut in the middle of a letter by any chunk.
        let odd = format!("{}é{}", "x".repeat(number as usize % 3), "ü".repeat(200));
        wanted.push((2 * number as u64 + 2, odd.clone().into_bytes()));
        log.extend_from_slice(odd.as_bytes());
        log.push(b'\n');
    }
    fs::write(place.home.log(), &log).unwrap();
    let options = SealOptions {
        step_bytes: 10_000,
        ..SealOptions::default()
    };
    let report = place.store().seal(options).unwrap();
    assert_eq!((report.events, report.rejected), (400, 400));
    let kept = fs::read_to_string(place.home.root().join("rejected.jsonl")).unwrap();
    let kept = kept.lines().map(Rejected::read);
    let kept: Vec<_> = kept.map(|kept| (kept.line, kept.bytes)).collect();
    assert_eq!(kept, wanted);
    let told = || {
        let findings = place.store().doctor().unwrap();
        let lines = place.store().stats().unwrap().rejected_lines;
        (lines, findings.len())
    };
    assert_eq!(told(), (400, 1));
    // Without the manifest they are counted anew, and none is cut off.
    fs::remove_file(place.home.manifest()).unwrap();
    fs::write(place.home.log(), "one more\n").unwrap();
    assert_eq!(place.seal().rejected, 1);
    assert_eq!(told(), (401, 1));
    // Their owner may delete them, and hears no more of them.
    fs::remove_file(place.home.root().join("rejected.jsonl")).unwrap();
    assert_eq!(told(), (0, 0));
    fs::write(place.home.log(), "and another\n").unwrap();
    assert_eq!(place.seal().rejected, 1);
    assert_eq!(told(), (1, 1));
}

#[test]
fn every_odd_line_is_skipped_and_named() {
    let place = Place::new();
    let mut log = Vec::new();
    let good = tool_call(1).to_line();
    let bad: &[&[u8]] = &[
        b"not json",
        b"[1,2]",
        b"{\"timestamp\":null,\"event_type\":\"error\"}",
        b"{\"timestamp\":12,\"event_type\":\"error\"}",
        b"{\"timestamp\":\"9999-12-31T00:00:00Z\",\"event_type\":\"error\"}",
        b"{\"timestamp\":\"2025-11-20T00:00:00Z\"}",
        b"\xff\xfe",
    ];
    for line in bad {
        log.extend_from_slice(&good);
        log.extend_from_slice(line);
        log.extend_from_slice(b"\n\n   \n");
    }
    // Naive times are UTC; unknown types are events.
    log.extend_from_slice(
        b"{\"timestamp\":\"2025-11-20T00:00:00\",\"event_type\":\"odd\",\"a\":NaN}\r\n",
    );
    fs::write(place.home.log(), &log).unwrap();
    let folded = place
        .snapshot()
        .cells(Window::ALL, &FoldSpec::new(Grain::Window))
        .unwrap();
    assert_eq!(count(&folded), bad.len() as u64 + 1);
    let [Note::BrokenLines { count, first, .. }] = folded.notes.as_slice() else {
        panic!("{:?}", folded.notes);
    };
    assert_eq!(*count, bad.len() as u64);
    let lines: Vec<u64> = first.iter().map(|broken| broken.line).collect();
    assert_eq!(lines, [2, 6, 10]);
    assert_eq!(first[0].why, LineError::Syntax { at: 0 });

    let before = place.lines();
    let rotated = "events_20251120_110000_000000.jsonl";
    fs::rename(place.home.log(), place.home.root().join(rotated)).unwrap();
    let report = place.seal();
    assert_eq!(report.rejected, bad.len() as u64);
    assert_eq!(place.lines(), before);
    let kept = fs::read_to_string(place.home.root().join("rejected.jsonl")).unwrap();
    let kept: Vec<Rejected> = kept.lines().map(Rejected::read).collect();
    assert_eq!(kept.len(), bad.len());
    for (number, (kept, bad)) in kept.iter().zip(bad).enumerate() {
        assert_eq!(kept.bytes, *bad);
        assert_eq!(kept.line, 2 + 4 * number as u64);
        assert_eq!(kept.file, rotated);
        let why = Event::from_line(bad).unwrap_err().to_string();
        assert_eq!(kept.reason, why);
    }
    assert!(place.snapshot().notes().is_empty());
}

#[test]
fn long_lines() {
    let place = Place::new();
    let long = |length: usize| {
        format!(
            "{{\"timestamp\":\"2025-11-20T00:00:00Z\",\"event_type\":\"odd\",\"blob\":\"{}\"}}\n",
            "x".repeat(length)
        )
    };
    let log = [long(10 << 20), long(17 << 20), long(3)].concat();
    fs::write(place.home.log(), &log).unwrap();
    for sealed in [false, true] {
        let snapshot = place.snapshot();
        let folded = snapshot
            .cells(Window::ALL, &FoldSpec::new(Grain::Window))
            .unwrap();
        assert_eq!(count(&folded), 2);
        assert_eq!(folded.notes.len(), usize::from(!sealed));
        let lengths: Vec<usize> = snapshot
            .events(Window::ALL)
            .unwrap()
            .map(|event| event.extra["blob"].len())
            .collect();
        assert_eq!(lengths.iter().max(), Some(&((10 << 20) + 2)));
        if !sealed {
            assert_eq!(place.seal().rejected, 1);
        }
    }
    // Nothing was thrown away.
    let kept = fs::read_to_string(place.home.root().join("rejected.jsonl")).unwrap();
    let kept = Rejected::read(&kept);
    assert_eq!(kept.reason, "longer than 16777216 bytes");
    assert_eq!(kept.line, 2);
    assert_eq!(kept.bytes, long(17 << 20).trim_end().as_bytes());
}

#[test]
fn empty_files_and_a_folder_called_like_the_log() {
    let place = Place::new();
    fs::write(
        place
            .home
            .root()
            .join("events_20251120_110000_000000.jsonl"),
        b"",
    )
    .unwrap();
    fs::create_dir(place.home.log()).unwrap();
    let snapshot = place.snapshot();
    assert_eq!(snapshot.notes().len(), 1);
    let folded = snapshot
        .cells(Window::ALL, &FoldSpec::new(Grain::Window))
        .unwrap();
    assert_eq!(count(&folded), 0);
    assert!(!place.store().doctor().unwrap().is_empty());
}
