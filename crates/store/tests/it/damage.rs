//! Bad input and broken files: named, and the rest answers.

use std::fs;

use tachograph_model::{Event, LineError, Window};
use tachograph_store::{FoldSpec, Grain, Note, SealOptions, Severity};

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
        let (sound, notes) = snapshot.sound_segments(Window::ALL);
        assert_eq!(sound.len(), snapshot.segments().len() - 1);
        assert!(named(&notes), "flipped {at}: {notes:?}");
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
    // What was dealt with is worth a word, and no more.
    let findings = place.store().doctor().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].severity, Severity::Info);
}

#[test]
fn a_segment_that_is_gone_is_forgotten_and_not_called_set_aside() {
    let place = Place::new();
    place.append(&(0..40).map(two_days).collect::<Vec<_>>());
    place.seal();
    let snapshot = place.snapshot();
    let segment = &snapshot.segments()[0];
    let path = snapshot.segment_path(segment);
    fs::remove_file(&path).unwrap();
    let findings = place.store().doctor().unwrap();
    assert_eq!((findings.len(), &findings[0].path), (1, &path));
    assert!(findings[0].what.contains("missing"), "{findings:?}");
    let report = place.store().repair(std::time::Duration::ZERO).unwrap();
    assert_eq!(report.quarantined, []);
    assert_eq!(report.missing, [(path, segment.rows)]);
    assert_eq!(place.store().doctor().unwrap(), []);
    assert_eq!(place.lines().len() as u64, 40 - segment.rows);
}

#[cfg(unix)]
#[test]
fn repair_closes_the_home_and_the_salt_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let salt = place.home.salt_path();
    fs::write(&salt, [7; 32]).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (path, open) in [(place.home.root(), 0o755), (&salt, 0o644)] {
        fs::set_permissions(path, fs::Permissions::from_mode(open)).unwrap();
    }
    let findings = place.store().doctor().unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
    let report = place.store().repair(std::time::Duration::ZERO).unwrap();
    assert_eq!(report.closed, [place.home.root(), &salt]);
    assert_eq!((mode(place.home.root()), mode(&salt)), (0o700, 0o600));
    assert_eq!(place.store().doctor().unwrap(), []);
    let again = place.store().repair(std::time::Duration::ZERO).unwrap();
    assert!(again.closed.is_empty());
}

/// A Parquet file of somebody else's: sound, and no segment.
fn foreign(path: &std::path::Path) {
    use arrow::array::{Int64Array, RecordBatch};
    let numbers: arrow::array::ArrayRef = std::sync::Arc::new(Int64Array::from(vec![1, 2, 3]));
    let batch = RecordBatch::try_from_iter([("a", numbers)]).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_foreign_parquet_file_is_named_whether_the_manifest_is_there_or_not() {
    for in_place_of_a_segment in [true, false] {
        for manifest in [true, false] {
            let place = Place::new();
            place.append(&(0..40).map(two_days).collect::<Vec<_>>());
            place.seal();
            let snapshot = place.snapshot();
            let segment = snapshot.segments()[0].clone();
            let own = snapshot.segment_path(&segment);
            let (path, lost) = match in_place_of_a_segment {
                true => (own, segment.rows),
                false => (own.with_file_name("other.parquet"), 0),
            };
            foreign(&path);
            if !manifest {
                fs::remove_file(place.home.manifest()).unwrap();
            }
            let case = format!("in place {in_place_of_a_segment}, manifest {manifest}");
            let folded = place
                .snapshot()
                .cells(Window::ALL, &FoldSpec::new(Grain::Day))
                .unwrap();
            assert_eq!(count(&folded), 40 - lost, "{case}");
            assert_eq!(place.lines().len() as u64, 40 - lost, "{case}");
            let findings = place.store().doctor().unwrap();
            assert!(
                findings.iter().any(|f| f.path == path),
                "{case}: {findings:?}"
            );
            place.store().repair(std::time::Duration::ZERO).unwrap();
            assert_eq!(place.lines().len() as u64, 40 - lost, "{case}");
        }
    }
}

#[test]
fn a_manifest_of_garbage_is_made_again() {
    let place = Place::new();
    place.append(&(0..60).map(two_days).collect::<Vec<_>>());
    place.seal();
    let wanted = place.lines();
    let good = fs::read_to_string(place.home.manifest()).unwrap();
    let path = place.snapshot().segments()[0].path.display().to_string();
    let garbage: Vec<(Vec<u8>, bool)> = vec![
        (b"".to_vec(), true),
        (b"\0\0\0\0".to_vec(), true),
        (b"\xff\xfe\xfd".to_vec(), true),
        (b"null".to_vec(), true),
        (b"[1,2,3]".to_vec(), true),
        (b"{\"version\":1}".to_vec(), true),
        (b"{\"version\":2,\"segments\":[]}".to_vec(), true),
        ("[".repeat(100_000).into_bytes(), true),
        (good.replace("\"rows\": ", "\"rows\": -").into_bytes(), true),
        (
            good.replace("\"rows\": ", "\"rows\": 99999999999999999999999")
                .into_bytes(),
            true,
        ),
        // Well-formed, and wrong: the file it names is not there.
        (
            good.replace(&path, "segments/../nowhere.parquet")
                .into_bytes(),
            false,
        ),
        (
            good.replace("\"day\": ", "\"day\": 9223372036854")
                .into_bytes(),
            false,
        ),
        (
            good.replace("\"min_time\": ", "\"min_time\": -")
                .into_bytes(),
            false,
        ),
    ];
    for (at, (bytes, recovered)) in garbage.iter().enumerate() {
        fs::write(place.home.manifest(), bytes).unwrap();
        let snapshot = place.snapshot();
        let spec = FoldSpec::new(Grain::Day);
        let folded = snapshot.cells(Window::ALL, &spec).unwrap();
        let narrow = Window {
            from: tachograph_model::UnixNanos(0),
            to: tachograph_model::UnixNanos(i64::MAX - 1),
        };
        snapshot.cells(narrow, &spec.exact()).unwrap();
        let lines = lines_of(snapshot.events(Window::ALL).unwrap());
        if *recovered {
            assert!(
                matches!(snapshot.notes(), [Note::ManifestRecovered { .. }]),
                "{at}: {:?}",
                snapshot.notes()
            );
            assert_eq!((lines, count(&folded)), (wanted.clone(), 60), "{at}");
        }
        place.store().doctor().unwrap();
        place.store().stats().unwrap();
    }
}

#[test]
fn a_rollup_of_garbage_costs_no_answer() {
    let place = Place::new();
    place.append(&(0..6_000).map(|n| tool_call(n % 3)).collect::<Vec<_>>());
    place.seal();
    let days = place.home.rollups().join("day");
    let folder = fs::read_dir(&days).unwrap().next().unwrap().unwrap().path();
    let path = fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let good = fs::read(&path).unwrap();
    let spec = FoldSpec::new(Grain::Day);
    let wanted = place.snapshot().cells(Window::ALL, &spec).unwrap();
    assert_eq!(wanted.sketched, 6_000);
    let mut foreign_bytes = place.home.root().join("foreign");
    foreign(&foreign_bytes);
    let another = fs::read(&foreign_bytes).unwrap();
    fs::remove_file(&mut foreign_bytes).unwrap();
    let manifest = fs::read_to_string(place.home.manifest()).unwrap();
    let segment = place.snapshot().segments()[0].clone();
    // Also without its checksum, as if it had been written so.
    let unsummed = segment
        .tier_checksums
        .iter()
        .fold(manifest.clone(), |text, sum| {
            text.replace(&format!("\"{sum}\""), "\"\"")
        });
    assert_ne!(unsummed, manifest);
    for manifest in [&manifest, &unsummed] {
        fs::write(place.home.manifest(), manifest).unwrap();
        for garbage in [
            &b""[..],
            b"PAR1",
            b"PAR1PAR1",
            &[0; 64],
            &good[..good.len() / 2],
            &another,
        ] {
            fs::write(&path, garbage).unwrap();
            let folded = place.snapshot().cells(Window::ALL, &spec).unwrap();
            assert_eq!((folded.rows, folded.sketched), (6_000, 0));
            assert_eq!(folded.notes, []);
            assert_eq!(folded.cells.len(), wanted.cells.len());
            for (one, other) in folded.cells.iter().zip(&wanted.cells) {
                assert_eq!((&one.key, one.count), (&other.key, other.count));
                assert_eq!(one.durations.sum(), other.durations.sum());
            }
        }
    }
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

/// No checksum says then what the bytes should be.
#[test]
fn a_segment_damaged_anywhere_while_the_manifest_is_lost_spoils_no_other() {
    let place = Place::new();
    place.append(&(0..40).map(two_days).collect::<Vec<_>>());
    place.seal();
    let snapshot = place.snapshot();
    let segment = snapshot.segments()[0].clone();
    let path = snapshot.segment_path(&segment);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(place.home.manifest()).unwrap();
    let mut forgotten = 0;
    // Most of all the end, where the reader's own descriptions are.
    for at in (bytes.len().saturating_sub(7_000)..bytes.len()).step_by(5) {
        let mut damaged = bytes.clone();
        damaged[at] = damaged[at].wrapping_add(77);
        fs::write(&path, &damaged).unwrap();
        let segments = place.snapshot().segments().len();
        forgotten += usize::from(segments == snapshot.segments().len() - 1);
        assert!(segments + 1 >= snapshot.segments().len(), "{at}");
    }
    assert!(forgotten > 100, "{forgotten}");
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
