//! The table `events`: sealed segments by DataFusion's Parquet scan, the
//! unsealed log by the store's decoder, as one table.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::datasource::TableProvider;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::{Path as Location, PathPart};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use tachograph_model::Window;
use tachograph_store::{BATCH_ROWS, LogPart, LogScan, Note, Segment, Snapshot, schema};

/// The events of a snapshot.
#[derive(Clone, Debug)]
pub(super) struct Events {
    snapshot: Arc<Sources>,
    /// What the scans left out.
    notes: Notes,
}

/// What the scans left out.
pub(super) type Notes = Arc<Mutex<Vec<Note>>>;

/// Files of a snapshot.
#[derive(Debug)]
struct Sources {
    /// The home: whatever it is called, no location has its name in it.
    root: Option<Arc<LocalFileSystem>>,
    segments: Vec<(PartitionedFile, Segment)>,
    logs: Vec<LogPart>,
    threads: usize,
}

/// How a scan is divided.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Division {
    /// Many small pieces, taken by whoever is free.
    Pieces,
    /// One share for each thread.
    Shares,
}

impl Events {
    /// Takes the segments of a snapshot that hold events of `window`, and the
    /// log.
    pub(super) fn of(snapshot: &Snapshot, window: Window, threads: usize) -> Result<Self> {
        let logs = snapshot.log_parts(threads * 4);
        Self::with(snapshot, window, threads, logs)
    }

    /// The same without the log.
    pub(super) fn sealed(snapshot: &Snapshot, window: Window, threads: usize) -> Result<Self> {
        Self::with(snapshot, window, threads, Vec::new())
    }

    fn with(
        snapshot: &Snapshot,
        window: Window,
        threads: usize,
        logs: Vec<LogPart>,
    ) -> Result<Self> {
        let mut segments = Vec::new();
        // A damaged page may decompress to other figures: better none.
        let (sound, left_out) = snapshot.sound_segments(window);
        for segment in sound {
            let names = segment.path.iter().map(|name| name.as_encoded_bytes());
            let location: Location = names.map(PathPart::from).collect();
            segments.push((
                PartitionedFile::new(location.to_string(), segment.bytes),
                segment.clone(),
            ));
        }
        let root = match segments.is_empty() {
            true => None,
            false => Some(Arc::new(LocalFileSystem::new_with_prefix(snapshot.root())?)),
        };
        Ok(Self {
            snapshot: Arc::new(Sources {
                root,
                segments,
                logs,
                threads,
            }),
            notes: Arc::new(Mutex::new(left_out)),
        })
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        let notes = self.notes.lock();
        notes.map_or_else(|broken| broken.into_inner().clone(), |notes| notes.clone())
    }

    /// Lets a runtime read the files.
    pub(super) fn open_to(&self, runtime: &RuntimeEnv) -> Result<()> {
        if let Some(root) = &self.snapshot.root {
            let url = home()?;
            runtime.register_object_store(url.as_ref(), root.clone());
        }
        Ok(())
    }

    /// What a plan of its own is executed in.
    pub(super) fn context(&self) -> Result<Arc<TaskContext>> {
        let runtime = RuntimeEnvBuilder::new().build_arc()?;
        self.open_to(&runtime)?;
        Ok(Arc::new(TaskContext::default().with_runtime(runtime)))
    }

    /// The plan that reads the columns of `projection` (places in the schema)
    /// from all rows but those that `predicate` and `window` rule out wholesale.
    pub(super) fn plan(
        &self,
        projection: &[usize],
        predicate: Option<Arc<dyn PhysicalExpr>>,
        window: Window,
        division: Division,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::with_capacity(2);
        if !self.snapshot.segments.is_empty() {
            inputs.push(self.parquet(projection, predicate, division)?);
        }
        if !self.snapshot.logs.is_empty() {
            inputs.push(self.logs(projection, window, division)?);
        }
        match inputs.len() {
            0 => Ok(Arc::new(EmptyExec::new(Arc::new(
                schema().project(projection)?,
            )))),
            1 => Ok(inputs.remove(0)),
            _ => UnionExec::try_new(inputs),
        }
    }

    fn parquet(
        &self,
        projection: &[usize],
        predicate: Option<Arc<dyn PhysicalExpr>>,
        division: Division,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut source = ParquetSource::new(schema())
            .with_pushdown_filters(false)
            .with_enable_page_index(predicate.is_some());
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        let files = self.snapshot.segments.iter().map(|(file, _)| file.clone());
        let groups = match division {
            Division::Pieces => files.map(|file| FileGroup::new(vec![file])).collect(),
            Division::Shares => FileGroup::new(files.collect()).split_files(self.snapshot.threads),
        };
        let config = FileScanConfigBuilder::new(home()?, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(Some(projection.to_vec()))?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn logs(
        &self,
        projection: &[usize],
        window: Window,
        division: Division,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = Arc::new(schema().project(projection)?);
        let logs = &self.snapshot.logs;
        let shares: Vec<Vec<LogPart>> = match division {
            Division::Pieces => logs.iter().map(|log| vec![log.clone()]).collect(),
            Division::Shares => {
                let each = logs.len().div_ceil(self.snapshot.threads).max(1);
                logs.chunks(each).map(<[_]>::to_vec).collect()
            }
        };
        let partitions = shares
            .into_iter()
            .map(|parts| {
                Arc::new(LogShare {
                    schema: schema.clone(),
                    parts,
                    window,
                    notes: self.notes.clone(),
                }) as Arc<dyn PartitionStream>
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            schema,
            partitions,
            None,
            [],
            false,
            None,
        )?))
    }
}

/// Where a plan finds the files.
fn home() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse("tachograph://home")
}

#[async_trait]
impl TableProvider for Events {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // Whole row groups and pages are left out; the rest is filtered above.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = match conjunction(filters.to_vec()) {
            Some(filter) => {
                let schema = DFSchema::try_from(schema())?;
                Some(state.create_physical_expr(filter, &schema)?)
            }
            None => None,
        };
        let all: Vec<usize>;
        let projection = match projection {
            Some(projection) => projection,
            None => {
                all = (0..schema().fields().len()).collect();
                &all
            }
        };
        self.plan(projection, predicate, Window::ALL, Division::Shares)
    }
}

/// Stretches of the log that are decoded one after the other.
#[derive(Debug)]
struct LogShare {
    schema: SchemaRef,
    parts: Vec<LogPart>,
    window: Window,
    notes: Notes,
}

impl PartitionStream for LogShare {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = LogBatches {
            wanted: self.schema.clone(),
            columns: columns_to_decode(&self.schema),
            parts: self.parts.clone().into_iter(),
            window: self.window,
            scan: None,
            notes: self.notes.clone(),
        };
        Box::pin(RecordBatchStreamAdapter::new(
            self.schema.clone(),
            futures::stream::iter(batches),
        ))
    }
}

/// The decoder needs one column at least to count rows by.
fn columns_to_decode(schema: &SchemaRef) -> Vec<String> {
    if schema.fields().is_empty() {
        return vec![tachograph_store::TIMESTAMP.to_owned()];
    }
    schema.fields().iter().map(|f| f.name().clone()).collect()
}

struct LogBatches {
    wanted: SchemaRef,
    columns: Vec<String>,
    parts: std::vec::IntoIter<LogPart>,
    window: Window,
    scan: Option<LogScan>,
    notes: Notes,
}

impl Iterator for LogBatches {
    type Item = Result<datafusion::arrow::record_batch::RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(scan) = &mut self.scan {
                match scan.next() {
                    Some(Ok(batch)) => return Some(arrange(&batch, &self.wanted)),
                    Some(Err(error)) => {
                        return Some(Err(DataFusionError::External(Box::new(error))));
                    }
                    None => {
                        if let (Some(note), Ok(mut notes)) = (scan.note(), self.notes.lock()) {
                            notes.push(note);
                        }
                        self.scan = None;
                    }
                }
            }
            let part = self.parts.next()?;
            let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
            self.scan = Some(part.scan(&columns, self.window, BATCH_ROWS));
        }
    }
}

/// Puts the columns in the order wanted; the decoder gives the schema's.
fn arrange(
    batch: &datafusion::arrow::record_batch::RecordBatch,
    wanted: &SchemaRef,
) -> Result<datafusion::arrow::record_batch::RecordBatch> {
    if batch.schema_ref() == wanted {
        return Ok(batch.clone());
    }
    let places = wanted
        .fields()
        .iter()
        .map(|field| batch.schema_ref().index_of(field.name()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(batch.project(&places)?)
}
