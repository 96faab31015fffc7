//! Segments that are damaged, gone or somebody else's.

use std::fs;

use tachograph_model::Window;
use tachograph_store::{FoldSpec, Grain, Note, Severity};

use super::{foreign, two_days};
use crate::common::{Place, count};

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
