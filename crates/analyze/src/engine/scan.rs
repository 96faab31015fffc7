//! Exact cells: every event of the window is scanned and folded, with every
//! value kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use tachograph_model::answer::{Note, NoteKind};
use tachograph_model::{AskError, Window};
use tachograph_store::{EVENT_TYPE, FoldSpec, Folder, Snapshot, StoreError, TIMESTAMP, schema};

use super::config::EngineConfig;
use super::events::{Division, Events};
use super::notes;
use crate::cells::Cells;

/// What a scan found.
pub(super) struct Scanned {
    pub(super) cells: Cells,
    pub(super) notes: Vec<Note>,
}

/// Scans the events of `window` that `spec` takes.
pub(super) fn exact(
    snapshot: &Snapshot,
    window: Window,
    spec: FoldSpec,
    config: &EngineConfig,
) -> Result<Scanned, AskError> {
    if snapshot.log_bytes() == 0 && snapshot.segments_in(window).next().is_none() {
        return Ok(Scanned {
            cells: Cells::default(),
            notes: Vec::new(),
        });
    }
    let spec = spec.exact();
    if snapshot.keeps() {
        // What was folded before is not read again.
        return from_store(snapshot, window, &spec, config);
    }
    match fold(snapshot, window, &spec, config) {
        Ok(scanned) => Ok(scanned),
        Err(error) if is_crowded(&error) => from_store(snapshot, window, &spec, config),
        // A broken file stops DataFusion. The store's own reader leaves it out
        // and names it.
        Err(error) => around_damage(snapshot, window, &spec, config, &error),
    }
}

fn from_store(
    snapshot: &Snapshot,
    window: Window,
    spec: &FoldSpec,
    config: &EngineConfig,
) -> Result<Scanned, AskError> {
    let folded = snapshot.cells(window, spec).map_err(notes::read_error)?;
    let order = folded.first_named.in_order();
    Ok(Scanned {
        cells: Cells::new(folded.cells, config.threads).with_entity_order(order),
        notes: notes::of_store(&folded.notes),
    })
}

fn around_damage(
    snapshot: &Snapshot,
    window: Window,
    spec: &FoldSpec,
    config: &EngineConfig,
    error: &DataFusionError,
) -> Result<Scanned, AskError> {
    let mut scanned = from_store(snapshot, window, spec, config)?;
    if scanned.notes.is_empty() {
        scanned.notes.push(Note::new(
            NoteKind::SegmentSkipped,
            format!("reading took a second try: {error}"),
        ));
    }
    Ok(scanned)
}

fn fold(
    snapshot: &Snapshot,
    window: Window,
    spec: &FoldSpec,
    config: &EngineConfig,
) -> Result<Scanned> {
    let threads = config.threads.max(1);
    let events = Events::of(snapshot, window, threads)?;
    let projection: Vec<usize> = Folder::columns()
        .iter()
        .map(|name| schema().index_of(name))
        .collect::<Result<_, _>>()?;
    let types = spec.types.as_deref();
    let predicate = predicate(snapshot, window, types)?;
    let plan = events.plan(&projection, predicate, window, Division::Pieces)?;
    let pieces = plan.output_partitioning().partition_count();
    let next = AtomicUsize::new(0);
    let context = events.context()?;
    let work = || fold_pieces(&plan, pieces, &next, &context, spec, window);
    let mut folds: Vec<Result<Folder>> = if threads.min(pieces) < 2 {
        vec![work()]
    } else {
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads.min(pieces))
                .map(|_| scope.spawn(work))
                .collect();
            let mut folds = vec![work()];
            folds.extend(others.into_iter().map(|other| {
                other.join().unwrap_or_else(|_| {
                    Err(DataFusionError::Internal("a scan panicked".to_owned()))
                })
            }));
            folds
        })
    };
    let mut all = folds.remove(0)?;
    for fold in folds {
        all.merge(fold?).map_err(of_store)?;
    }
    let order = all.take_first_named().in_order();
    Ok(Scanned {
        cells: Cells::new(all.finish(), threads).with_entity_order(order),
        notes: notes::of_store(&events.notes()),
    })
}

fn fold_pieces(
    plan: &Arc<dyn ExecutionPlan>,
    pieces: usize,
    next: &AtomicUsize,
    context: &Arc<TaskContext>,
    spec: &FoldSpec,
    window: Window,
) -> Result<Folder> {
    // The blocking file reads of the object store need a runtime; one of its
    // own keeps a thread's scan on that thread.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut folder = Folder::new(spec.clone(), window);
    loop {
        let piece = next.fetch_add(1, Ordering::Relaxed);
        if piece >= pieces {
            return Ok(folder);
        }
        let mut stream = plan.execute(piece, context.clone())?;
        runtime.block_on(async {
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                folder.push(&batch).map_err(of_store)?;
            }
            Ok::<_, DataFusionError>(())
        })?;
    }
}

fn of_store(error: StoreError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// There are too many series; the store counts and chooses.
fn is_crowded(error: &DataFusionError) -> bool {
    let DataFusionError::External(error) = error.find_root() else {
        return false;
    };
    matches!(error.downcast_ref(), Some(StoreError::Crowded))
}

/// What rules out whole row groups and pages.
pub(super) fn predicate<T: AsRef<str>>(
    snapshot: &Snapshot,
    window: Window,
    types: Option<&[T]>,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let instant = |nanos: i64| {
        lit(ScalarValue::TimestampNanosecond(
            Some(nanos),
            Some("UTC".into()),
        ))
    };
    let mut parts: Vec<Expr> = Vec::new();
    if snapshot.segments_in(window).any(|s| !s.lies_in(window)) {
        parts.push(col(TIMESTAMP).gt_eq(instant(window.from.0)));
        parts.push(col(TIMESTAMP).lt(instant(window.to.0)));
    }
    if let Some(types) = types {
        let text = |name: &str| {
            lit(ScalarValue::Dictionary(
                Box::new(datafusion::arrow::datatypes::DataType::Int32),
                Box::new(ScalarValue::from(name)),
            ))
        };
        let list = types
            .iter()
            .map(|name| col(EVENT_TYPE).eq(text(name.as_ref())));
        parts.extend(list.reduce(Expr::or));
    }
    let Some(filter) = parts.into_iter().reduce(Expr::and) else {
        return Ok(None);
    };
    let schema = DFSchema::try_from(schema())?;
    let context = PhysicalPlanningContext::default();
    create_physical_expr(&filter, &schema, &ExecutionProps::new(), &context).map(Some)
}
