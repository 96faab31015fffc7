//! A manifest from nothing: each segment names the step of sealing it belongs
//! to and the logs that step took in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;

use tachograph_log::Home;
use tachograph_model::Window;

use crate::decode::newlines;
use crate::disk;
use crate::error::StoreError;
use crate::manifest::{Manifest, Segment, name_of};
use crate::rollup::{DERIVED, file_of};
use crate::schema::TIMESTAMP;
use crate::segment::{Batch, Scan, batch_of, unless_it_panics};

/// Lists the segments and makes a manifest of them.
///
/// A step of which a part is missing or unreadable is taken for unfinished as
/// long as a log of its is there, which then still holds its events. With the
/// logs gone the step was finished, and what is left of it counts.
pub(crate) fn manifest(home: &Home) -> Result<Manifest, StoreError> {
    let mut steps: BTreeMap<String, Vec<(Batch, Segment)>> = BTreeMap::new();
    for file in disk::files_below(&home.segments())? {
        if file.extension().is_none_or(|kind| kind != "parquet") {
            continue;
        }
        // One that cannot be read is for the doctor to name.
        let Ok((batch, rows)) = batch_of(&file) else {
            continue;
        };
        if let Ok(Some(segment)) = unless_it_panics(|| describe(home, &file, rows)) {
            steps
                .entry(batch.id.clone())
                .or_default()
                .push((batch, segment));
        }
    }
    let mut manifest = Manifest::default();
    // What a whole compaction replaced counts as there, and is left out.
    let mut replaced: Vec<String> = Vec::new();
    for parts in steps.values() {
        if let Some((batch, _)) = parts.first()
            && parts.len() == batch.of
        {
            replaced.extend(batch.replaces.iter().cloned());
        }
    }
    for (id, parts) in steps {
        let Some((batch, _)) = parts.first().cloned() else {
            continue;
        };
        let log_is_there = batch
            .sources
            .iter()
            .any(|source| home.root().join(&source.name).exists());
        let there = (0..batch.of)
            .map(|part| format!("{id}-{part}"))
            .filter(|id| {
                replaced.contains(id) || parts.iter().any(|(_, segment)| segment.id == *id)
            })
            .count();
        if there < batch.of && (log_is_there || !batch.replaces.is_empty()) {
            continue;
        }
        for source in batch.sources {
            manifest.set_source(source);
        }
        manifest
            .segments
            .extend(parts.into_iter().map(|(_, segment)| segment));
    }
    manifest
        .segments
        .retain(|segment| !replaced.contains(&segment.id));
    let rejected = home.root().join(crate::seal::REJECTED);
    match File::open(&rejected) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        // Without its length the next seal would cut it off.
        file => {
            let failed = || StoreError::io("read", &rejected);
            let file = file.map_err(failed())?;
            manifest.rejected_bytes = file.metadata().map_err(failed())?.len();
            manifest.rejected_lines =
                newlines(&file, 0, manifest.rejected_bytes).map_err(failed())?;
        }
    }
    Ok(manifest)
}

fn describe(home: &Home, file: &std::path::Path, rows: u64) -> Result<Option<Segment>, StoreError> {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampNanosecondType;

    let (mut min_time, mut max_time) = (i64::MAX, i64::MIN);
    for batch in Scan::open(file, &[TIMESTAMP], Window::ALL, None, true, 65_536)? {
        let batch = batch?;
        for time in batch
            .column(0)
            .as_primitive::<TimestampNanosecondType>()
            .values()
        {
            min_time = min_time.min(*time);
            max_time = max_time.max(*time);
        }
    }
    let Ok(path) = file.strip_prefix(home.root()) else {
        return Ok(None);
    };
    let opened = File::open(file).map_err(StoreError::io("open", file))?;
    let bytes = opened
        .metadata()
        .map_err(StoreError::io("read", file))?
        .len();
    let checksum = disk::checksum(&opened, bytes).map_err(StoreError::io("read", file))?;
    let id = name_of(file).trim_end_matches(".parquet").to_owned();
    let day = tachograph_model::UnixNanos(min_time).day();
    let (tiers, tier_checksums) = DERIVED
        .into_iter()
        .filter_map(|derived| {
            let path = home.root().join(file_of(derived, day, &id));
            let checksum = disk::checksum_of(&path).ok()?;
            Some((derived.to_owned(), format!("{checksum:016x}")))
        })
        .unzip();
    Ok((rows > 0).then(|| Segment {
        id,
        path: path.to_owned(),
        day,
        rows,
        min_time,
        max_time,
        bytes,
        checksum: format!("{checksum:016x}"),
        tiers,
        tier_checksums,
    }))
}
