//! Bad input and broken files: named, and the rest answers.

mod derived;
mod lines;
mod segments;

use std::fs;

use crate::common::{Place, rich};

/// Rich events of two days, so that there are few segments.
fn two_days(number: i64) -> tachograph_model::Event {
    rich(number * 14)
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
