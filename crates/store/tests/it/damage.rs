//! Bad input and broken files: named, and the rest answers.

use std::fs;

use tachograph_model::{LineError, Window};
use tachograph_store::{FoldSpec, Grain, Note, Severity};

use crate::common::{Place, count, lines_of, rich, tool_call};

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
    let report = place.seal();
    assert_eq!(report.rejected, bad.len() as u64);
    assert_eq!(place.lines(), before);
    let kept = fs::read(place.home.root().join("rejected.jsonl")).unwrap();
    assert_eq!(kept, [bad.join(&b"\n"[..]), b"\n".to_vec()].concat());
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
    let kept = fs::read(place.home.root().join("rejected.jsonl")).unwrap();
    assert_eq!(kept, long(17 << 20).into_bytes());
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

/// Rich events of two days, so that there are few segments.
fn two_days(number: i64) -> tachograph_model::Event {
    rich(number * 14)
}

#[test]
fn a_damaged_segment_is_named_and_set_aside() {
    let place = Place::new();
    place.append(&(0..40).map(two_days).collect::<Vec<_>>());
    place.seal();
    let snapshot = place.snapshot();
    let all = place.lines();
    let segment = snapshot.segments()[0].clone();
    let path = snapshot.segment_path(&segment);
    let bytes = fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        fs::write(&path, &flipped).unwrap();
        let snapshot = place.snapshot();
        let folded = snapshot
            .cells(Window::ALL, &FoldSpec::new(Grain::Window))
            .unwrap();
        // No flipped byte gets into an answer; the other days still count.
        let named = |notes: &[Note]| {
            matches!(notes, [Note::UnreadableSegment { file, rows, .. }]
                if *file == path && *rows == segment.rows)
        };
        assert!(named(&folded.notes), "flipped {at}: {:?}", folded.notes);
        assert_eq!(count(&folded), 40 - segment.rows);
        let mut events = snapshot.events(Window::ALL).unwrap();
        assert_eq!(events.by_ref().count() as u64, 40 - segment.rows);
        assert!(named(events.notes()), "flipped {at}: {:?}", events.notes());
        assert!(snapshot.check(&segment).is_err());
        let findings = place.store().doctor().unwrap();
        assert!(
            findings
                .iter()
                .any(|f| f.severity == Severity::Error && f.path == path),
            "{at}"
        );
    }
    let report = place.store().repair(std::time::Duration::ZERO).unwrap();
    assert_eq!(report.quarantined, [(path.clone(), segment.rows)]);
    assert!(path.with_extension("parquet.corrupt").exists());
    assert_eq!(place.lines().len(), all.len() - segment.rows as usize);
}

#[test]
fn a_manifest_cut_anywhere_is_made_again() {
    let place = Place::new();
    place.append(&(0..60).map(two_days).collect::<Vec<_>>());
    place.seal();
    place.append(&(60..90).map(two_days).collect::<Vec<_>>());
    place.seal();
    place.store().compact(std::time::Duration::ZERO).unwrap();
    place.append(&(90..99).map(two_days).collect::<Vec<_>>());
    let wanted = lines_of((0..99).map(two_days));
    assert_eq!(place.lines(), wanted);
    let bytes = fs::read(place.home.manifest()).unwrap();
    for cut in (0..bytes.len()).step_by(bytes.len() / 12) {
        fs::write(place.home.manifest(), &bytes[..cut]).unwrap();
        let snapshot = place.snapshot();
        assert!(
            matches!(snapshot.notes(), [Note::ManifestRecovered { .. }]),
            "{cut}"
        );
        assert_eq!(lines_of(snapshot.events(Window::ALL).unwrap()), wanted);
    }
    fs::remove_file(place.home.manifest()).unwrap();
    assert_eq!(place.seal().events, 9);
    assert_eq!(place.lines(), wanted);
    assert!(place.snapshot().notes().is_empty());
}

#[test]
fn a_lost_rollup_costs_no_answer_and_is_made_again() {
    let place = Place::new();
    let mut events: Vec<_> = (0..6_000).map(|n| tool_call(n % 3)).collect();
    events.sort_by_key(|event| event.time);
    place.append(&events);
    place.seal();
    assert_eq!(
        place.snapshot().segments()[0].tiers,
        ["minute", "hour", "day"]
    );
    fs::remove_dir_all(place.home.rollups().join("day")).unwrap();
    let folded = place
        .snapshot()
        .cells(Window::ALL, &FoldSpec::new(Grain::Day))
        .unwrap();
    assert_eq!((count(&folded), folded.sketched), (6_000, 0));
    assert_eq!(
        place
            .store()
            .repair(std::time::Duration::ZERO)
            .unwrap()
            .rollups,
        1
    );
    let folded = place
        .snapshot()
        .cells(Window::ALL, &FoldSpec::new(Grain::Day))
        .unwrap();
    assert_eq!((count(&folded), folded.sketched), (6_000, 6_000));
}

#[test]
fn a_flipped_byte_in_a_rollup_reaches_no_answer() {
    let place = Place::new();
    place.append(&(0..6_000).map(|n| tool_call(n % 3)).collect::<Vec<_>>());
    place.seal();
    let snapshot = place.snapshot();
    let segment = &snapshot.segments()[0];
    let name = format!("{}.parquet", segment.id);
    let days = place.home.rollups().join("day");
    let folder = fs::read_dir(&days).unwrap().next().unwrap().unwrap();
    let path = folder.path().join(name);
    let bytes = fs::read(&path).unwrap();
    let spec = FoldSpec::new(Grain::Day);
    let wanted = snapshot.cells(Window::ALL, &spec.clone().exact()).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let folded = place.snapshot().cells(Window::ALL, &spec).unwrap();
        assert_eq!((folded.rows, folded.sketched), (6_000, 0), "{at}");
        for (one, other) in folded.cells.iter().zip(&wanted.cells) {
            assert_eq!((&one.key, one.count), (&other.key, other.count), "{at}");
            assert_eq!(one.durations.sum(), other.durations.sum(), "{at}");
        }
        let findings = place.store().doctor().unwrap();
        assert!(findings.iter().any(|found| found.path == path), "{at}");
    }
    assert_eq!(
        place
            .store()
            .repair(std::time::Duration::ZERO)
            .unwrap()
            .rollups,
        1
    );
    assert_eq!(place.store().doctor().unwrap(), []);
    let folded = place.snapshot().cells(Window::ALL, &spec).unwrap();
    assert_eq!((folded.rows, folded.sketched), (6_000, 6_000));
}

#[test]
fn a_segment_cut_anywhere_is_named_and_the_rest_answers() {
    let place = Place::new();
    place.append(&(0..40).map(two_days).collect::<Vec<_>>());
    place.seal();
    let snapshot = place.snapshot();
    let segment = &snapshot.segments()[0];
    let path = snapshot.segment_path(segment);
    let bytes = fs::read(&path).unwrap();
    for cut in [0, 1, 4, bytes.len() / 2, bytes.len() - 8, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        let folded = place
            .snapshot()
            .cells(Window::ALL, &FoldSpec::new(Grain::Day))
            .unwrap();
        assert_eq!(count(&folded), 40 - segment.rows, "{cut}");
        let [Note::UnreadableSegment { file, .. }] = folded.notes.as_slice() else {
            panic!("{cut}: {:?}", folded.notes);
        };
        assert_eq!(*file, path);
    }
    fs::remove_file(&path).unwrap();
    let folded = place
        .snapshot()
        .cells(Window::ALL, &FoldSpec::new(Grain::Day))
        .unwrap();
    assert_eq!((count(&folded), folded.notes.len()), (40 - segment.rows, 1));
}
