//! The sessions of a segment as a file beside its rollups.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, StringDictionaryBuilder,
};
use arrow::datatypes::{DataType, Decimal128Type, Field, Int32Type, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use tachograph_log::Home;
use tachograph_model::Window;

use super::{By, Figures, Folder, Sessions, hash_of};
use crate::error::StoreError;
use crate::rollup::file_of;
use crate::schema::{SCHEMA_VERSION, SCHEMA_VERSION_KEY, dictionary_type};
use crate::segment::{Sorted, compression, write_file};

/// Its name among the rollups.
pub(crate) const NAME: &str = "session";

/// So many times fewer sessions than events make a file worth its bytes.
const FEWER: usize = 4;
/// A segment with fewer events is read as fast.
const FROM_ROWS: usize = 4_096;

/// Whole numbers of a row.
const NUMBERS: [&str; 7] = [
    "first",
    "last",
    "events",
    "tool_calls",
    "llm_calls",
    "failed",
    "tokens",
];
const SESSION: &str = "session_id";
const AGENT: &str = "agent";
const SEVERAL: &str = "several_agents";
/// Which, where there are several. Files of before there was this column say
/// only that there are.
const AGENTS: &str = "agents";
/// When a session began. Files of before there was this column know only when
/// its first event was recorded.
const BEGAN: &str = "began";
const COST: &str = "cost_usd";
/// Of a dollar, as [`super::COST_UNIT`] has it.
const COST_TYPE: DataType = DataType::Decimal128(38, 15);

fn schema() -> SchemaRef {
    let mut fields = vec![
        Field::new(SESSION, DataType::Utf8, false),
        Field::new(AGENT, dictionary_type(), true),
        Field::new(SEVERAL, DataType::Boolean, false),
    ];
    let number = |name: &&str| Field::new(*name, DataType::Int64, *name == "tokens");
    fields.extend(NUMBERS.iter().map(number));
    fields.push(Field::new(COST, COST_TYPE, true));
    let agents = DataType::new_list(DataType::Utf8, true);
    fields.push(Field::new(AGENTS, agents, true));
    fields.push(Field::new(BEGAN, DataType::Int64, false));
    Arc::new(Schema::new(fields))
}

/// Writes the sessions of a segment, if there are any and few enough; returns
/// the checksum of the file.
pub(crate) fn write_if_worth(
    home: &Home,
    sorted: &Sorted,
    segment: &str,
) -> Result<Option<u64>, StoreError> {
    let rows = sorted.batch.num_rows();
    if rows < FROM_ROWS {
        return Ok(None);
    }
    let mut folder = Folder::default();
    for from in (0..rows).step_by(FROM_ROWS) {
        let some = sorted.batch.slice(from, FROM_ROWS.min(rows - from));
        folder.push(&some, Window::ALL, |_| true)?;
        // Noticed in time: they would take more room than the events.
        if folder.len() * FEWER > rows {
            return Ok(None);
        }
    }
    if folder.len() == 0 {
        return Ok(None);
    }
    let sessions = folder.finish();
    let batch = batch_of(&sessions).map_err(StoreError::columns("write sessions"))?;
    let mut properties = WriterProperties::builder()
        .set_compression(compression())
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_dictionary_enabled(ColumnPath::from(SESSION), false)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            SCHEMA_VERSION_KEY.to_owned(),
            SCHEMA_VERSION.to_string(),
        )]));
    for name in NUMBERS.into_iter().chain([BEGAN]) {
        let column = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    let path = home.root().join(file_of(NAME, sorted.day, segment));
    let (_, checksum) = write_file(&path, &batch, properties)?;
    Ok(Some(checksum))
}

fn batch_of(sessions: &Sessions) -> Result<RecordBatch, ArrowError> {
    // By time, whose differences are small then.
    let mut rows: Vec<usize> = (0..sessions.len()).collect();
    rows.sort_unstable_by_key(|row| (sessions.figures(*row).first, *row));
    let each = || rows.iter().map(|row| sessions.figures(*row));
    let ids: StringArray = rows.iter().map(|row| Some(sessions.id(*row))).collect();
    let mut agents = StringDictionaryBuilder::<Int32Type>::new();
    for figures in each() {
        agents.append_option(match figures.by {
            By::One(agent) => Some(&sessions.agents[agent as usize]),
            _ => None,
        });
    }
    let mut all = ListBuilder::new(StringBuilder::new());
    for figures in each() {
        let By::Several(agents) = &figures.by else {
            all.append_null();
            continue;
        };
        let names = agents.iter().map(|agent| &sessions.agents[*agent as usize]);
        names.for_each(|name| all.values().append_value(name));
        all.append(true);
    }
    let several = |by: &By<u32>| matches!(by, By::Several(_) | By::Many);
    let several: BooleanArray = each().map(|f| Some(several(&f.by))).collect();
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(ids), Arc::new(agents.finish()), Arc::new(several)];
    type Number = fn(&Figures<u32>) -> Option<i64>;
    let number = |of: Number| -> ArrayRef { Arc::new(each().map(of).collect::<Int64Array>()) };
    let numbers: [Number; 7] = [
        |f| Some(f.first),
        |f| Some(f.last),
        |f| Some(f.events as i64),
        |f| Some(f.tool_calls as i64),
        |f| Some(f.llm_calls as i64),
        |f| Some(f.failed as i64),
        |f| f.tokens,
    ];
    columns.extend(numbers.map(&number));
    let costs: Decimal128Array = each().map(|figures| figures.cost).collect();
    columns.push(Arc::new(costs.with_data_type(COST_TYPE)));
    columns.push(Arc::new(all.finish()));
    columns.push(number(|f| Some(f.began)));
    RecordBatch::try_new(schema(), columns)
}

/// Reads a file of sessions.
///
/// # Errors
/// When it cannot be read, or is none.
pub(crate) fn read(path: &Path) -> Result<Sessions, StoreError> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    let failed = || StoreError::parquet("read", path);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed())?;
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let reader = builder
        .with_batch_size(rows.clamp(1, 64 << 10))
        .build()
        .map_err(failed())?;
    let mut folder = Folder::default();
    for batch in reader {
        let batch = batch.map_err(StoreError::columns("read sessions"))?;
        let damaged = || {
            let what = format!("{} is damaged", path.display());
            StoreError::columns("read sessions")(ArrowError::ParseError(what))
        };
        add_batch(&batch, &mut folder).ok_or_else(damaged)??;
    }
    Ok(folder.finish())
}

/// `None` when the batch is damaged.
fn add_batch(batch: &RecordBatch, folder: &mut Folder) -> Option<Result<(), StoreError>> {
    let ids = batch.column_by_name(SESSION)?.as_string_opt::<i32>()?;
    let agents = batch
        .column_by_name(AGENT)?
        .as_dictionary_opt::<Int32Type>()?;
    let names = agents.values().as_string_opt::<i32>()?;
    let names: Vec<u32> = names
        .iter()
        .map(|name| folder.agent(name.unwrap_or_default()))
        .collect();
    let several = batch.column_by_name(SEVERAL)?.as_boolean_opt()?;
    let all = match batch.column_by_name(AGENTS) {
        Some(all) => Some(all.as_list_opt::<i32>()?),
        None => None,
    };
    let began = match batch.column_by_name(BEGAN) {
        Some(began) => Some(began.as_primitive_opt::<Int64Type>()?),
        None => None,
    };
    let mut numbers = Vec::with_capacity(NUMBERS.len());
    for name in NUMBERS {
        numbers.push(
            batch
                .column_by_name(name)?
                .as_primitive_opt::<Int64Type>()?,
        );
    }
    let costs = batch
        .column_by_name(COST)?
        .as_primitive_opt::<Decimal128Type>()?;
    for row in 0..batch.num_rows() {
        let by = match (several.value(row), agents.keys().is_valid(row)) {
            (true, _) => match all.filter(|all| all.is_valid(row)) {
                None => By::Many,
                Some(all) => {
                    let all = all.value(row);
                    let all = all.as_string_opt::<i32>()?.iter();
                    let all = all.map(|name| folder.agent(name.unwrap_or_default()));
                    By::all(all.collect())
                }
            },
            (false, false) => By::Nobody,
            (false, true) => By::One(*names.get(agents.keys().value(row) as usize)?),
        };
        let number = |at: usize| numbers[at].value(row);
        let count = |at: usize| u64::try_from(number(at)).ok();
        let figures = Figures {
            by,
            began: began.map_or(number(0), |began| began.value(row)),
            first: number(0),
            last: number(1),
            events: count(2)?,
            tool_calls: count(3)?,
            llm_calls: count(4)?,
            failed: count(5)?,
            tokens: numbers[6].is_valid(row).then(|| number(6)),
            cost: costs.is_valid(row).then(|| costs.value(row)),
        };
        let id = ids.value(row);
        if let Err(error) = folder.add(hash_of(id), id, figures) {
            return Some(Err(error));
        }
    }
    Some(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_several_agents_are_is_kept_and_not_made_up_where_it_was_not() {
        let mut folder = Folder::default();
        let [c, a] = ["c", "a"].map(|name| folder.agent(name));
        let by = [By::Nobody, By::One(c), By::all(vec![c, a]), By::Many];
        for (id, by) in ["w", "x", "y", "z"].iter().zip(by) {
            let figures = Figures {
                by,
                ..Figures::default()
            };
            folder.add(hash_of(id), id, figures).expect("room");
        }
        let batch = batch_of(&folder.finish()).expect("a batch");
        let read = |batch: &RecordBatch| {
            let mut folder = folder_of(batch);
            let agent = folder.agent("a");
            let sessions = folder.finish();
            ["w", "x", "y", "z"].map(|id| {
                let row = sessions.find(hash_of(id), id).expect(id);
                sessions.figures(row).by.names(&agent)
            })
        };
        let no = Some(false);
        assert_eq!(read(&batch), [no, no, Some(true), None]);
        assert_eq!(read(&before(&batch, AGENTS)), [no, no, None, None]);
    }

    #[test]
    fn when_a_session_began_is_kept_and_is_its_first_event_where_it_was_not() {
        let times = [
            ("w", i64::MIN, i64::MAX),
            ("x", 40, 44),
            ("y", -7, 43),
            ("z", 42, 42),
        ];
        let mut folder = Folder::default();
        for (id, began, first) in times {
            let figures = Figures {
                began,
                first,
                last: first,
                ..Figures::default()
            };
            folder.add(hash_of(id), id, figures).expect("room");
        }
        let batch = batch_of(&folder.finish()).expect("a batch");
        let read = |batch: &RecordBatch| {
            let sessions = folder_of(batch).finish();
            times.map(|(id, ..)| {
                let row = sessions.find(hash_of(id), id).expect(id);
                let figures = sessions.figures(row);
                (id, figures.began, figures.first)
            })
        };
        assert_eq!(read(&batch), times);
        let older = before(&batch, BEGAN);
        assert_eq!(read(&older), times.map(|(id, _, first)| (id, first, first)));
    }

    fn folder_of(batch: &RecordBatch) -> Folder {
        let mut folder = Folder::default();
        add_batch(batch, &mut folder).expect("sound").expect("room");
        folder
    }

    /// As it was written before there was this column, and those after it.
    fn before(batch: &RecordBatch, column: &str) -> RecordBatch {
        let columns = batch.schema().index_of(column).expect("is there");
        let older: Vec<usize> = (0..columns).collect();
        batch.project(&older).expect("columns")
    }
}
