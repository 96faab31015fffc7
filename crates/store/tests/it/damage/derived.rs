//! Manifests and rollups, which are made again.

use std::fs;

use tachograph_model::Window;
use tachograph_store::{FoldSpec, Grain, Note};

use super::{foreign, two_days};
use crate::common::{Place, count, lines_of, tool_call};

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
