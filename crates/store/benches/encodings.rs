//! What a segment's encodings cost in bytes and in time:
//! `cargo bench -p tachograph-store --bench encodings [-- FOLDER-WITH-A-LOG]`.
//!
//! Seals a week of a million events (or the log it is given), then writes the
//! same rows in other ways and reads the columns that a report folds: bytes an
//! event, and time of one thread for a million events. The first row
//! is the file as sealing writes it.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnPath;
use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos};
use tachograph_store::{Folder, SealOptions, Store, TIMESTAMP};

const EVENTS: u64 = 1_000_000;
const DAYS: u64 = 7;
/// The best of so many readings of a file counts.
const ROUNDS: usize = 20;
const BATCH_ROWS: usize = 32 << 10;
const FLOATS: [&str; 3] = ["duration_ms", "value", "cost_usd"];
const WHOLES: [&str; 3] = ["size_bytes", "tokens", "count"];
const NUMBERS: &[&str] = &[
    TIMESTAMP,
    "duration_ms",
    "value",
    "cost_usd",
    "size_bytes",
    "tokens",
    "count",
];

/// One way to write.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    compression: Compression,
    time: Option<Encoding>,
    floats: Option<Encoding>,
    wholes: Option<Encoding>,
    page_rows: usize,
    /// Columns that are not compressed.
    bare: &'static [&'static str],
}

fn ways() -> Result<Vec<Way>, Box<dyn Error>> {
    let zstd = |level| Ok::<_, Box<dyn Error>>(Compression::ZSTD(ZstdLevel::try_new(level)?));
    let base = Way {
        name: "zstd 3, floats split, times delta, pages of 20 000",
        compression: zstd(3)?,
        time: Some(Encoding::DELTA_BINARY_PACKED),
        floats: Some(Encoding::BYTE_STREAM_SPLIT),
        wholes: None,
        page_rows: 20_000,
        bare: &[],
    };
    let way = |name, change: &dyn Fn(&mut Way)| {
        let mut way = Way { name, ..base };
        change(&mut way);
        way
    };
    let (zstd1, zstd9, none) = (zstd(1)?, zstd(9)?, Compression::UNCOMPRESSED);
    Ok(vec![
        base,
        way("… zstd 1", &|w| w.compression = zstd1),
        way("… zstd 9", &|w| w.compression = zstd9),
        way("… uncompressed", &|w| w.compression = none),
        way("… floats plain", &|w| w.floats = Some(Encoding::PLAIN)),
        way("… floats plain, zstd 1", &|w| {
            w.floats = Some(Encoding::PLAIN);
            w.compression = zstd1;
        }),
        way("… floats plain, uncompressed", &|w| {
            w.floats = Some(Encoding::PLAIN);
            w.compression = none;
        }),
        way("… floats dictionary", &|w| w.floats = None),
        way("… times plain", &|w| w.time = Some(Encoding::PLAIN)),
        way("… times split", &|w| {
            w.time = Some(Encoding::BYTE_STREAM_SPLIT);
        }),
        way("… times dictionary", &|w| w.time = None),
        way("… whole numbers delta", &|w| {
            w.wholes = Some(Encoding::DELTA_BINARY_PACKED);
        }),
        way("… whole numbers plain", &|w| {
            w.wholes = Some(Encoding::PLAIN);
        }),
        way("… floats not compressed", &|w| w.bare = &FLOATS),
        way("… floats plain, not compressed", &|w| {
            w.floats = Some(Encoding::PLAIN);
            w.bare = &FLOATS;
        }),
        way("… numbers not compressed", &|w| w.bare = NUMBERS),
        way("… numbers not compressed, floats plain", &|w| {
            w.floats = Some(Encoding::PLAIN);
            w.bare = NUMBERS;
        }),
        way("… the same, whole numbers delta", &|w| {
            w.floats = Some(Encoding::PLAIN);
            w.wholes = Some(Encoding::DELTA_BINARY_PACKED);
            w.bare = NUMBERS;
        }),
        way("… folded columns not compressed, floats plain", &|w| {
            w.floats = Some(Encoding::PLAIN);
            w.bare = Folder::columns();
        }),
        way("… the same, pages of 100 000", &|w| {
            w.floats = Some(Encoding::PLAIN);
            w.bare = Folder::columns();
            w.page_rows = 100_000;
        }),
        way("… pages of 5 000", &|w| w.page_rows = 5_000),
        way("… pages of 100 000", &|w| w.page_rows = 100_000),
    ])
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let home = Home::create(dir.path().join("home"))?;
    match std::env::args().skip(1).find(|arg| !arg.starts_with('-')) {
        Some(folder) => copy_logs(Path::new(&folder), &home)?,
        None => generate(&home)?,
    }
    let store = Store::open(&home);
    let events = store.seal(SealOptions::default())?.events;
    let snapshot = store.snapshot()?;
    let sealed: Vec<PathBuf> = snapshot
        .segments()
        .iter()
        .map(|segment| snapshot.segment_path(segment))
        .collect();
    let days = sealed
        .iter()
        .map(|path| read(path, None))
        .collect::<Result<Vec<_>, _>>()?;
    println!("{events} events in {} segments", sealed.len());
    println!("| what | asked | bytes per event | time per million | of as sealed |");
    println!("|---|---|---|---|---|");
    // All of the first round warms up: for some seconds a process reads at half
    // its speed.
    for warm in [false, true] {
        let as_sealed = measure(&sealed)?;
        if warm {
            print("as sealed", events, as_sealed, as_sealed);
        }
        for way in ways()? {
            let mut files = Vec::new();
            for (at, day) in days.iter().enumerate() {
                let file = dir.path().join(format!("{at}.parquet"));
                write(&file, day, way)?;
                files.push(file);
            }
            let found = measure(&files)?;
            if warm {
                print(way.name, events, found, as_sealed);
            }
        }
    }
    Ok(())
}

fn print(name: &str, events: u64, (bytes, took): (u64, Duration), base: (u64, Duration)) {
    let each = |bytes: u64| bytes as f64 / events as f64;
    let million = |took: Duration| took.as_secs_f64() * 1e9 / events as f64;
    println!(
        "| {name} | ≤ 20 B | {:.2} B | {:.1} ms | {:.2} B, {:.2} × |",
        each(bytes),
        million(took),
        each(bytes) - each(base.0),
        took.as_secs_f64() / base.1.as_secs_f64(),
    );
}

/// Size of the files, and what reading the folded columns costs.
fn measure(files: &[PathBuf]) -> Result<(u64, Duration), Box<dyn Error>> {
    let mut bytes = 0;
    let mut all = Duration::ZERO;
    for file in files {
        bytes += fs::metadata(file)?.len();
        // A file's best reading needs quiet for some milliseconds only.
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            std::hint::black_box(read(file, Some(Folder::columns()))?);
            best = best.min(start.elapsed());
        }
        all += best;
    }
    Ok((bytes, all))
}

/// Reads some columns; one that is all null is not opened, as in the store.
fn read(path: &Path, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>, Box<dyn Error>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let group = builder.metadata().row_group(0);
    let leaves = group.columns().iter().enumerate().filter(|(_, chunk)| {
        let name = chunk.column_path().parts().first();
        let nulls = chunk
            .statistics()
            .and_then(Statistics::null_count_opt)
            .unwrap_or(0);
        columns.is_none_or(|wanted| {
            name.is_some_and(|name| wanted.contains(&name.as_str()))
                && (nulls as i64) < chunk.num_values()
        })
    });
    let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves.map(|(leaf, _)| leaf));
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()?;
    Ok(reader.collect::<Result<Vec<_>, _>>()?)
}

fn write(path: &Path, batches: &[RecordBatch], way: Way) -> Result<(), Box<dyn Error>> {
    let mut properties = WriterProperties::builder()
        .set_compression(way.compression)
        .set_max_row_group_row_count(Some(512 << 10))
        .set_data_page_row_count_limit(way.page_rows)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    let encoded = [(TIMESTAMP, way.time)]
        .into_iter()
        .chain(FLOATS.map(|name| (name, way.floats)))
        .chain(WHOLES.map(|name| (name, way.wholes)));
    for (name, encoding) in encoded {
        let column = ColumnPath::from(name);
        // Without an encoding of its own: a dictionary.
        if let Some(encoding) = encoding {
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, encoding);
        }
    }
    for name in way.bare {
        properties =
            properties.set_column_compression(ColumnPath::from(*name), Compression::UNCOMPRESSED);
    }
    let Some(first) = batches.first() else {
        return Ok(());
    };
    let mut writer = ArrowWriter::try_new(
        File::create(path)?,
        first.schema(),
        Some(properties.build()),
    )?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(())
}

fn copy_logs(folder: &Path, home: &Home) -> Result<(), Box<dyn Error>> {
    for log in Home::at(folder).files()?.files {
        let name = log.path.file_name().ok_or("a log has no name")?;
        fs::copy(&log.path, home.root().join(name))?;
    }
    Ok(())
}

/// A week of an agent host: log-normal durations, evenly spread.
fn generate(home: &Home) -> Result<(), Box<dyn Error>> {
    let log = Appender::new(home);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut unit = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as f64 / (1_u64 << 53) as f64
    };
    let start = UnixNanos::parse("2025-11-13T00:00:00Z", false)?.0 / 1_000;
    let span = DAYS * 86_400_000_000;
    let mut lines = Vec::new();
    for number in 0..EVENTS {
        let at = (span as f64 * (number as f64 + unit()) / EVENTS as f64) as i64;
        let time = UnixNanos((start + at) * 1_000);
        let normal = (0..12).map(|_| unit()).sum::<f64>() - 6.0;
        let call = |name: &str, middle: f64| {
            Event::new(time, "agent_discovery")
                .with(Column::Name, name)
                .with(Column::DurationMs, (middle + 0.5 * normal).exp())
        };
        let event = match (unit() * 100.0) as u32 {
            0..63 => call("get_agent", -3.6)
                .with(Column::Hit, unit() < 0.87)
                .with(Column::Count, 1),
            63..85 => call("list_agents", -2.5)
                .with(Column::Hit, false)
                .with(Column::Count, 119),
            85..91 => call("search", -2.3)
                .with(Column::Hit, false)
                .with(Column::Count, (unit() * 40.0) as i64),
            _ => Event::new(time, "agent_load")
                .with(Column::Agent, format!("{:08x}", (unit() * 120.0) as u32))
                .with(Column::DurationMs, (0.1 + 0.6 * normal).exp())
                .with(Column::SizeBytes, (6_400.0 + 1_500.0 * normal) as i64)
                .with(Column::Tokens, (1_600.0 + 375.0 * normal) as i64),
        };
        lines.extend(event.to_line());
        if lines.len() > 1 << 20 || number + 1 == EVENTS {
            log.append(&lines)?;
            lines.clear();
        }
    }
    Ok(())
}
