//! A query's result as a Parquet file, and the rows of such a file.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use tachograph_model::AskError;
use tachograph_model::answer::{Note, SqlColumn};

use super::Engine;
use super::sql::{Rows, columns_of, rows_of};

impl Engine {
    /// Writes the rows of queries with the same columns, one after the other, as
    /// Parquet (zstd) to `out` as they come.
    /// `path` is what errors call it. Returns the number of rows, and what is
    /// to be noted.
    ///
    /// # Errors
    /// As [`Engine::sql_each`]; [`AskError::Write`] when `out` fails. What was
    /// written until then is no whole file.
    pub fn write_parquet(
        &self,
        queries: &[String],
        out: impl Write + Send,
        path: &Path,
    ) -> Result<(u64, Vec<Note>), AskError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| AskError::Write {
            path: path.to_owned(),
            source,
        };
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let mut out = Some(out);
        let mut writer = None;
        let mut rows = 0;
        let mut notes = Vec::new();
        let mut write = |batch: RecordBatch| {
            // The first batch tells the columns.
            if let Some(out) = out.take() {
                let made = ArrowWriter::try_new(out, batch.schema(), Some(properties.clone()));
                writer = Some(made.map_err(|error| failed(error.into()))?);
            }
            if let Some(writer) = &mut writer {
                writer.write(&batch).map_err(|error| failed(error.into()))?;
            }
            rows += batch.num_rows() as u64;
            Ok(ControlFlow::Continue(()))
        };
        for query in queries {
            notes.extend(self.batches(query, &mut write)?);
        }
        if let Some(writer) = writer {
            writer.close().map_err(|error| failed(error.into()))?;
        }
        Ok((rows, notes))
    }
}

/// Hands over the rows of a Parquet file, some thousand at a time and in the
/// file's order, until `each` breaks off.
///
/// # Errors
/// [`AskError::Read`] when it is no such file, or a damaged one; the rows
/// before the damage have been handed over.
pub fn read_parquet(
    path: &Path,
    mut each: impl FnMut(&[SqlColumn], Rows) -> ControlFlow<()>,
) -> Result<(), AskError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| AskError::Read {
        what: path.display().to_string(),
        source: Some(source),
    };
    let file = File::open(path).map_err(|error| failed(error.into()))?;
    // Parquet's own schema says enough; arrow-ipc 59, which reads the one that
    // Arrow adds, panics where that is damaged.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let mut reader = unless_it_panics(|| {
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .and_then(ParquetRecordBatchReaderBuilder::build)
    })
    .map_err(|error| failed(error.into()))?;
    let mut next = || {
        let batch = unless_it_panics(|| reader.next().transpose().map_err(ParquetError::from));
        batch.map_err(|error| failed(error.into()))
    };
    while let Some(batch) = next()? {
        let columns = columns_of(batch.schema_ref());
        if each(&columns, rows_of(&batch)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// A reader that panics has come upon damage as well; it is not used again.
fn unless_it_panics<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General("its bytes are damaged".to_owned())))
}
