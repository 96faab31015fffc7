//! A query's result as a Parquet file.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use tachograph_model::AskError;
use tachograph_model::answer::Note;

use super::Engine;

impl Engine {
    /// Writes the rows of a query to a Parquet file (zstd) as they come. On an
    /// error no file is left behind. Returns the number of rows, and what is to
    /// be noted.
    ///
    /// # Errors
    /// As [`Engine::sql_each`]; [`AskError::Write`] when the file cannot be
    /// written.
    pub fn write_parquet(&self, query: &str, path: &Path) -> Result<(u64, Vec<Note>), AskError> {
        let written = self.write_rows(query, path);
        if matches!(&written, Err(error) if !matches!(error, AskError::Forbidden { .. })) {
            // It may never have come to a file.
            let _ = std::fs::remove_file(path);
        }
        written
    }

    fn write_rows(&self, query: &str, path: &Path) -> Result<(u64, Vec<Note>), AskError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| AskError::Write {
            path: path.to_owned(),
            source,
        };
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let mut writer: Option<ArrowWriter<File>> = None;
        let mut rows = 0;
        let notes = self.batches(query, |batch| {
            if writer.is_none() {
                let file = File::create(path).map_err(|error| failed(error.into()))?;
                let made = ArrowWriter::try_new(file, batch.schema(), Some(properties.clone()));
                writer = Some(made.map_err(|error| failed(error.into()))?);
            }
            if let Some(writer) = &mut writer {
                writer.write(&batch).map_err(|error| failed(error.into()))?;
            }
            rows += batch.num_rows() as u64;
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(writer) = writer {
            writer.close().map_err(|error| failed(error.into()))?;
        }
        Ok((rows, notes))
    }
}
