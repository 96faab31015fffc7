//! The table `rollups`: cells by minute, hour and day, with a column `tier`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::Session;
use datafusion::common::ScalarValue;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use tachograph_model::{Column, Window};
use tachograph_stats::Fraction;
use tachograph_store::{Cell, FoldSpec, Grain, MEASURED, SUMMED, SeriesKey, Snapshot};

/// The tiers and the words for them.
const TIERS: [(&str, Grain); 3] = [
    ("minute", Grain::Minute),
    ("hour", Grain::Hour),
    ("day", Grain::Day),
];
const SPREAD: [&str; 8] = ["count", "sum", "mean", "min", "max", "p50", "p95", "p99"];

/// Cells as a table; made when asked for, one tier after the other.
#[derive(Debug)]
pub(super) struct Rollups {
    snapshot: Arc<Snapshot>,
    schema: SchemaRef,
}

impl Rollups {
    pub(super) fn of(snapshot: Arc<Snapshot>) -> Self {
        let mut fields = vec![
            Field::new("tier", DataType::Utf8, false),
            Field::new(
                "start",
                DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
                false,
            ),
        ];
        fields.extend(SeriesKey::text_columns().map(|name| Field::new(name, DataType::Utf8, true)));
        fields.extend(
            SeriesKey::flag_columns().map(|name| Field::new(name, DataType::Boolean, true)),
        );
        fields.push(Field::new("events", DataType::UInt64, false));
        for column in MEASURED.map(Column::name) {
            fields.extend(SPREAD.map(|stat| {
                let ty = match stat {
                    "count" => DataType::UInt64,
                    _ => DataType::Float64,
                };
                Field::new(format!("{column}_{stat}"), ty, true)
            }));
        }
        fields.extend(
            SUMMED
                .map(|column| Field::new(format!("{}_sum", column.name()), DataType::Int64, true)),
        );
        Self {
            snapshot,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    fn batch(&self, tier: &str, grain: Grain) -> Result<RecordBatch> {
        let folded = self
            .snapshot
            .cells(Window::ALL, &FoldSpec::new(grain))
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mut cells = folded.cells;
        cells.sort_by(|a, b| (a.start, &a.key).cmp(&(b.start, &b.key)));
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(cells.iter().map(|_| tier))),
            Arc::new(
                TimestampNanosecondArray::from_iter_values(cells.iter().map(|c| c.start.0))
                    .with_timezone("UTC"),
            ),
        ];
        for place in 0..SeriesKey::text_columns().len() {
            columns.push(Arc::new(StringArray::from_iter(
                cells.iter().map(|cell| cell.key.texts()[place]),
            )));
        }
        let flags = |flag: fn(&Cell) -> Option<bool>| {
            Arc::new(BooleanArray::from_iter(cells.iter().map(flag))) as ArrayRef
        };
        columns.push(flags(|cell| cell.key.success));
        columns.push(flags(|cell| cell.key.hit));
        columns.push(Arc::new(UInt64Array::from_iter_values(
            cells.iter().map(|cell| cell.count),
        )));
        for column in MEASURED {
            columns.extend(spreads(&mut cells, column));
        }
        for column in SUMMED {
            columns.push(Arc::new(Int64Array::from_iter(cells.iter().map(|cell| {
                let whole = cell.whole(column);
                (whole.present > 0)
                    .then(|| i64::try_from(whole.sum).ok())
                    .flatten()
            }))));
        }
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

fn spreads(cells: &mut [Cell], column: Column) -> Vec<ArrayRef> {
    let mut counts = Vec::with_capacity(cells.len());
    let mut stats: [Vec<Option<f64>>; 7] = Default::default();
    for cell in cells {
        let values = match column {
            Column::DurationMs => &mut cell.durations,
            Column::Value => &mut cell.values,
            _ => &mut cell.costs,
        };
        let quantiles = values.quantiles(&[Fraction::MEDIAN, Fraction::P95, Fraction::P99]);
        let quantile = |at: usize| quantiles.as_ref().map(|values| values[at]);
        let empty = values.is_empty();
        counts.push((!empty).then(|| values.count()));
        let row = [
            (!empty).then(|| values.sum()),
            values.mean(),
            values.min(),
            values.max(),
            quantile(0),
            quantile(1),
            quantile(2),
        ];
        for (list, value) in stats.iter_mut().zip(row) {
            list.push(value);
        }
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from(counts))];
    columns.extend(stats.map(|list| Arc::new(Float64Array::from(list)) as ArrayRef));
    columns
}

#[async_trait]
impl TableProvider for Rollups {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // A filter on the tier decides which are made at all.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = |tier: &str| {
            filters
                .iter()
                .all(|filter| tier_of(filter).is_none_or(|t| t == tier))
        };
        let batches = TIERS
            .iter()
            .filter(|(tier, _)| wanted(tier))
            .map(|(tier, grain)| self.batch(tier, *grain))
            .collect::<Result<Vec<_>>>()?;
        let plan =
            MemorySourceConfig::try_new_exec(&[batches], self.schema.clone(), projection.cloned())?;
        Ok(plan)
    }
}

/// The tier that a filter of the form `tier = 'x'` names.
fn tier_of(filter: &Expr) -> Option<&str> {
    let Expr::BinaryExpr(binary) = filter else {
        return None;
    };
    if binary.op != Operator::Eq {
        return None;
    }
    match (&*binary.left, &*binary.right) {
        (Expr::Column(column), Expr::Literal(literal, _))
        | (Expr::Literal(literal, _), Expr::Column(column))
            if column.name == "tier" =>
        {
            match literal {
                ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => Some(text),
                _ => None,
            }
        }
        _ => None,
    }
}
