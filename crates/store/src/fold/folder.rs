//! The fold itself. Rows are taken run by run: a run is a stretch of rows of
//! one series in one bucket of time, which in a segment (sorted by series) is
//! thousands of rows, and in a log one or two.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampNanosecondType;
use foldhash::fast::FixedState;
use tachograph_model::{UnixNanos, Window};

use super::cell::{Cell, Grain, SeriesKey};
use super::codec::decode_state;
use crate::error::StoreError;
use crate::fold::FirstNamed;
use crate::snapshot::Stretch;

mod codes;
mod columns;
mod run;

use codes::Codes;
use columns::{Columns, folded_columns};
use run::add_run;

type Map<K, V> = HashMap<K, V, FixedState>;

/// What cells to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldSpec {
    /// How finely to group in time.
    pub grain: Grain,
    /// Keep every duration, value and cost (8 bytes each) rather than sketch
    /// them.
    pub exact: bool,
    /// Only events of these types; `None` for all.
    pub types: Option<Vec<String>>,
}

impl FoldSpec {
    /// All types, sketched.
    pub fn new(grain: Grain) -> Self {
        Self {
            grain,
            exact: false,
            types: None,
        }
    }

    /// The same, exact.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// The same, of some types only.
    #[must_use]
    pub fn of_types(mut self, types: &[&str]) -> Self {
        self.types = Some(types.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// The same, of all types.
    pub(crate) fn of_all_types(&self) -> Self {
        Self {
            types: None,
            ..self.clone()
        }
    }

    pub(crate) fn wants(&self, event_type: &str) -> bool {
        self.types
            .as_ref()
            .is_none_or(|types| types.iter().any(|wanted| wanted == event_type))
    }
}

/// Folds batches into cells.
///
/// Cheapest on batches sorted by series, where runs are long; memory is the cells (and 8 bytes a value if exact).
#[derive(Debug)]
pub struct Folder {
    spec: FoldSpec,
    window: Window,
    series: Map<Arc<SeriesKey>, Option<u32>>,
    keys: Vec<Arc<SeriesKey>>,
    texts: Map<Arc<str>, ()>,
    places: Map<(u32, i64), u32>,
    cells: Vec<Cell>,
    codes: Codes,
    rows: u64,
    first_named: FirstNamed,
}

/// A row outside the window has no bucket.
const OUTSIDE: i64 = i64::MAX;

impl Folder {
    /// Folds the events of `window`.
    pub fn new(spec: FoldSpec, window: Window) -> Self {
        Self {
            spec,
            window,
            series: Map::default(),
            keys: Vec::new(),
            texts: Map::default(),
            places: Map::default(),
            cells: Vec::new(),
            codes: Codes::default(),
            rows: 0,
            first_named: FirstNamed::default(),
        }
    }

    /// From here on takes in only rows of this window.
    pub(crate) fn narrow(&mut self, window: Window) {
        self.window = window;
    }

    /// The columns it reads; scan no more than these. A batch that lacks one
    /// counts it as null.
    pub fn columns() -> &'static [&'static str] {
        folded_columns()
    }

    /// Events taken in so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes in the rows of a batch that lie in the window.
    ///
    /// # Errors
    /// When a column is of another type than [`crate::schema`] says.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let columns = Columns::of(batch)?;
        let times = columns.times.as_primitive::<TimestampNanosecondType>();
        let times: &[i64] = times.values();
        if let Some(lists) = &columns.entities {
            self.first_named.push(lists, times, self.window);
        }
        let buckets = self.buckets(times);
        let mut codes = std::mem::take(&mut self.codes);
        codes.read(&columns.texts, &columns.flags, batch.num_rows());
        let mut known: Map<u64, Option<u32>> = Map::default();
        let mut from = 0;
        while from < times.len() {
            let to = run_end(codes.rows(), &buckets, from);
            let code = codes.rows()[from];
            let series = match known.get(&code) {
                Some(series) => *series,
                None => {
                    let series = self.series_of(&columns, from);
                    known.insert(code, series);
                    series
                }
            };
            let start = buckets.at(from);
            if let Some(series) = series
                && start != OUTSIDE
            {
                self.rows += (to - from) as u64;
                let at = self.place(series, start);
                add_run(
                    &mut self.cells[at],
                    &columns,
                    times,
                    from..to,
                    self.spec.grain,
                );
            }
            from = to;
        }
        self.codes = codes;
        Ok(())
    }

    /// Takes in a finished cell, whatever its grain.
    pub fn push_cell(&mut self, cell: Cell) {
        let Some(series) = self.series_at(&cell.key) else {
            return;
        };
        self.rows += cell.count;
        let start = self.spec.grain.start_of(cell.start);
        let at = self.place(series, start.0);
        let mine = &mut self.cells[at];
        mine.merge(cell);
        mine.start = start;
    }

    /// Takes in a cell as a rollup stores it. False when its state is damaged.
    pub(crate) fn push_state(
        &mut self,
        key: &Arc<SeriesKey>,
        start: UnixNanos,
        count: u64,
        state: &[u8],
    ) -> bool {
        let Some(series) = self.series_at(key) else {
            return true;
        };
        let at = self.place(series, self.spec.grain.start_of(start).0);
        self.rows += count;
        self.cells[at].count += count;
        decode_state(state, &mut self.cells[at]).is_some()
    }

    /// Takes in everything another folder holds.
    pub fn merge(&mut self, other: Self) {
        self.first_named.merge(&other.first_named);
        for cell in other.cells {
            self.push_cell(cell);
        }
    }

    /// Takes in those cells of a kept stretch that start in `starts`.
    pub(crate) fn push_kept(&mut self, stretch: &Stretch, starts: Window) {
        self.first_named.merge(&stretch.first_named);
        for cell in &stretch.cells {
            if starts.contains(cell.start) {
                self.push_cell(cell.clone());
            }
        }
    }

    /// When entities were first named in the rows taken in.
    pub fn take_first_named(&mut self) -> FirstNamed {
        std::mem::take(&mut self.first_named)
    }

    /// Returns the cells, ordered by series and start.
    pub fn finish(self) -> Vec<Cell> {
        let mut cells = self.cells;
        cells.sort_unstable_by(|a, b| (&a.key, a.start).cmp(&(&b.key, b.start)));
        cells
    }

    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some((held, ())) = self.texts.get_key_value(text) {
            return held.clone();
        }
        let text: Arc<str> = Arc::from(text);
        self.texts.insert(text.clone(), ());
        text
    }

    fn series_of(&mut self, columns: &Columns, row: usize) -> Option<u32> {
        let event_type = columns.texts[0].get(row).unwrap_or_default();
        if !self.spec.wants(event_type) {
            return None;
        }
        let event_type = self.text(event_type);
        let mut texts: [Option<Arc<str>>; 6] = Default::default();
        for (text, column) in texts.iter_mut().zip(&columns.texts[1..]) {
            *text = column.get(row).map(|value| self.text(value));
        }
        let [name, agent, source, r#type, status, error_type] = texts;
        let [success, hit] = columns.flags.each_ref().map(|flags| {
            let flags = flags.as_ref()?.as_boolean();
            flags.is_valid(row).then(|| flags.value(row))
        });
        self.series_at(&Arc::new(SeriesKey {
            event_type,
            name,
            agent,
            source,
            r#type,
            status,
            error_type,
            success,
            hit,
        }))
    }

    fn series_at(&mut self, key: &Arc<SeriesKey>) -> Option<u32> {
        if let Some(series) = self.series.get(key) {
            return *series;
        }
        let series = self.spec.wants(&key.event_type).then(|| {
            self.keys.push(key.clone());
            (self.keys.len() - 1) as u32
        });
        self.series.insert(key.clone(), series);
        series
    }

    fn place(&mut self, series: u32, start: i64) -> usize {
        let next = self.cells.len() as u32;
        let place = *self.places.entry((series, start)).or_insert(next);
        if place == next {
            let key = self.keys[series as usize].clone();
            self.cells
                .push(Cell::new(key, UnixNanos(start), self.spec.exact));
        }
        place as usize
    }

    fn buckets(&self, times: &[i64]) -> Buckets {
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for time in times {
            low = low.min(*time);
            high = high.max(*time);
        }
        let start = |time: i64| self.spec.grain.start_of(UnixNanos(time)).0;
        let inside = self.window.from.0 <= low && high < self.window.to.0;
        if inside && start(low) == start(high) {
            return Buckets::One(start(low));
        }
        let grain = self.spec.grain;
        let bucket = |time: &i64| {
            if self.window.contains(UnixNanos(*time)) {
                // Constants, so that the division is none.
                match grain {
                    Grain::Minute => Grain::Minute.start_of(UnixNanos(*time)).0,
                    Grain::Hour => Grain::Hour.start_of(UnixNanos(*time)).0,
                    Grain::Day => Grain::Day.start_of(UnixNanos(*time)).0,
                    Grain::Window => 0,
                }
            } else {
                OUTSIDE
            }
        };
        Buckets::Each(times.iter().map(bucket).collect())
    }
}

enum Buckets {
    One(i64),
    Each(Vec<i64>),
}

impl Buckets {
    fn at(&self, row: usize) -> i64 {
        match self {
            Self::One(start) => *start,
            Self::Each(starts) => starts[row],
        }
    }
}

fn run_end(codes: &[u64], buckets: &Buckets, from: usize) -> usize {
    let code = codes[from];
    let same = |codes: &[u64]| codes.iter().take_while(|other| **other == code).count();
    match buckets {
        Buckets::One(_) => from + same(&codes[from..]),
        Buckets::Each(starts) => {
            let start = starts[from];
            from + codes[from..]
                .iter()
                .zip(&starts[from..])
                .take_while(|(other, at)| **other == code && **at == start)
                .count()
        }
    }
}
