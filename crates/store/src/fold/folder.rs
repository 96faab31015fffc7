//! The fold itself. Rows are taken run by run: a run is a stretch of rows of
//! one series in one bucket of time, which in a segment (sorted by series) is
//! thousands of rows, and in a log one or two.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampNanosecondType;
use foldhash::fast::FixedState;
use tachograph_model::{UnixNanos, Window};

use super::cell::{Cell, Grain, SeriesKey};
use super::codec::decode_state;
use super::crowd::{Census, Chosen, SeriesRef};
use super::first_named::each_entity;
use super::spec::FoldSpec;
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

/// What a folder does with series.
#[derive(Clone, Debug, Default)]
pub(crate) enum Taking {
    /// Tells all apart, and fails where [`FoldSpec::bound`] is crossed.
    #[default]
    Apart,
    /// Only counts their events.
    Census(Arc<Census>),
    /// Tells the chosen ones apart and sums the others.
    Chosen(Arc<Chosen>),
}

impl Taking {
    fn chosen(&self) -> Option<&Chosen> {
        match self {
            Self::Chosen(chosen) => Some(chosen),
            _ => None,
        }
    }
}

/// Folds batches into cells.
///
/// Cheapest on batches sorted by series, where runs are long; memory is the cells (and 8 bytes a value if exact).
#[derive(Debug)]
pub struct Folder {
    spec: FoldSpec,
    taking: Taking,
    window: Window,
    series: Map<Arc<SeriesKey>, u32>,
    keys: Vec<Arc<SeriesKey>>,
    /// Series of each type, and of the type that has most.
    families: Map<Arc<str>, usize>,
    family: usize,
    /// Entities in all cells.
    entities: usize,
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
            taking: Taking::Apart,
            window,
            series: Map::default(),
            keys: Vec::new(),
            families: Map::default(),
            family: 0,
            entities: 0,
            texts: Map::default(),
            places: Map::default(),
            cells: Vec::new(),
            codes: Codes::default(),
            rows: 0,
            first_named: FirstNamed::default(),
        }
    }

    /// The same, doing this with series.
    pub(crate) fn taking(mut self, taking: &Taking) -> Self {
        self.taking = taking.clone();
        self
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
    /// When a column is of another type than [`crate::schema`] says, or
    /// [`StoreError::Crowded`].
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let columns = Columns::of(batch)?;
        let times = columns.times.as_primitive::<TimestampNanosecondType>();
        let times: &[i64] = times.values();
        if let Taking::Census(census) = self.taking.clone() {
            self.count(&census, &columns, times, batch.num_rows());
            return Ok(());
        }
        if let Some(lists) = &columns.entities {
            let chosen = self.taking.chosen();
            self.first_named.push(lists, times, self.window, chosen);
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
                let cell = &mut self.cells[at];
                let before = cell.entities.len();
                add_run(cell, &columns, times, from..to, self.spec.grain);
                if columns.entities.is_some() {
                    choose_entities(cell, &self.taking);
                    self.entities += cell.entities.len() - before.min(cell.entities.len());
                }
            }
            from = to;
        }
        self.codes = codes;
        self.check()
    }

    /// Fails when more is told apart than may be.
    fn check(&self) -> Result<(), StoreError> {
        let Some(bound) = self.spec.bound else {
            return Ok(());
        };
        let apart = matches!(self.taking, Taking::Apart);
        let series = apart && self.family.max(self.first_named.len()) > bound.series;
        match series || self.cells.len() + self.entities > bound.cells {
            true => Err(StoreError::Crowded),
            false => Ok(()),
        }
    }

    /// Counts the events of each series in a batch.
    fn count(&mut self, census: &Census, columns: &Columns, times: &[i64], rows: usize) {
        let mut codes = std::mem::take(&mut self.codes);
        codes.read(&columns.texts, &columns.flags, rows);
        let mut known: Map<u64, (usize, u64)> = Map::default();
        for (row, (code, time)) in codes.rows().iter().zip(times).enumerate() {
            if self.window.contains(UnixNanos(*time)) {
                known.entry(*code).or_insert((row, 0)).1 += 1;
            }
        }
        self.codes = codes;
        let mut tally = census.lock();
        for (row, events) in known.into_values() {
            let series = columns.series(row);
            if self.spec.takes(&series) {
                tally.see(&self.spec.apart(series), events);
            }
        }
        if let Some(lists) = &columns.entities {
            each_entity(lists, times, self.window, |name| tally.see_entity(name, 1));
        }
    }

    /// Takes in a finished cell, whatever its grain.
    ///
    /// # Errors
    /// [`StoreError::Crowded`].
    pub fn push_cell(&mut self, cell: Cell) -> Result<(), StoreError> {
        if let Taking::Census(census) = &self.taking {
            let series = SeriesRef::of(&cell.key);
            if self.spec.takes(&series) {
                let mut tally = census.lock();
                tally.see(&self.spec.apart(series), cell.count);
                for (name, events) in &cell.entities {
                    tally.see_entity(name, *events);
                }
            }
            return Ok(());
        }
        let Some(series) = self.series_at(&cell.key) else {
            return Ok(());
        };
        self.rows += cell.count;
        let start = self.spec.grain.start_of(cell.start);
        let at = self.place(series, start.0);
        self.change_cell(at, |mine| {
            mine.merge(cell);
            mine.start = start;
        });
        self.check()
    }

    /// Whether it takes in events of this type.
    pub(crate) fn wants(&self, event_type: &str) -> bool {
        self.spec.wants(event_type)
    }

    /// Takes in a cell as a rollup stores it. False when its state is damaged.
    ///
    /// # Errors
    /// [`StoreError::Crowded`].
    pub(crate) fn push_state(
        &mut self,
        key: &Arc<SeriesKey>,
        start: UnixNanos,
        count: u64,
        state: &[u8],
    ) -> Result<bool, StoreError> {
        if let Taking::Census(_) = self.taking {
            let mut cell = Cell::new(key.clone(), start, false);
            cell.count = count;
            let sound = decode_state(state, &mut cell).is_some();
            return self.push_cell(cell).map(|()| sound);
        }
        let Some(series) = self.series_at(key) else {
            return Ok(true);
        };
        let at = self.place(series, self.spec.grain.start_of(start).0);
        self.rows += count;
        let mut sound = true;
        self.change_cell(at, |mine| {
            mine.count += count;
            sound = decode_state(state, mine).is_some();
        });
        self.check().map(|()| sound)
    }

    /// Changes a cell, and sees to its entities.
    fn change_cell(&mut self, at: usize, change: impl FnOnce(&mut Cell)) {
        let cell = &mut self.cells[at];
        let before = cell.entities.len();
        change(cell);
        if cell.entities.len() > before {
            choose_entities(cell, &self.taking);
            self.entities += cell.entities.len().saturating_sub(before);
        }
    }

    /// Takes in everything another folder holds.
    ///
    /// # Errors
    /// [`StoreError::Crowded`].
    pub fn merge(&mut self, other: Self) -> Result<(), StoreError> {
        self.first_named
            .merge(&other.first_named, Window::ALL, None);
        other
            .cells
            .into_iter()
            .try_for_each(|cell| self.push_cell(cell))
    }

    /// Takes in those cells of a kept stretch that start in `starts`, where
    /// these are whole ones.
    pub(crate) fn push_kept(
        &mut self,
        stretch: &Stretch,
        starts: Window,
    ) -> Result<(), StoreError> {
        if !matches!(self.taking, Taking::Census(_)) {
            let chosen = self.taking.chosen();
            self.first_named.merge(&stretch.first_named, starts, chosen);
        }
        for cell in &stretch.cells {
            if starts.contains(cell.start) && self.spec.wants(&cell.key.event_type) {
                self.push_kept_cell(cell)?;
            }
        }
        Ok(())
    }

    /// As [`Self::push_cell`], of a cell that others hold, too.
    fn push_kept_cell(&mut self, cell: &Cell) -> Result<(), StoreError> {
        if let Taking::Census(_) = self.taking {
            return self.push_cell(cell.clone());
        }
        let Some(series) = self.series_at(&cell.key) else {
            return Ok(());
        };
        self.rows += cell.count;
        let start = self.spec.grain.start_of(cell.start);
        let at = self.place(series, start.0);
        self.change_cell(at, |mine| {
            mine.merge_ref(cell);
            mine.start = start;
        });
        self.check()
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

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some((held, ())) = self.texts.get_key_value(text) {
            return held.clone();
        }
        let text: Arc<str> = Arc::from(text);
        self.texts.insert(text.clone(), ());
        text
    }

    fn series_of(&mut self, columns: &Columns, row: usize) -> Option<u32> {
        let series = columns.series(row);
        if !self.spec.takes(&series) {
            return None;
        }
        let series = self.spec.apart(series);
        let series = match &self.taking {
            Taking::Chosen(chosen) => chosen.place(series),
            _ => series,
        };
        Some(self.series(series))
    }

    fn series_at(&mut self, key: &Arc<SeriesKey>) -> Option<u32> {
        let whole = SeriesRef::of(key);
        if !self.spec.takes(&whole) {
            return None;
        }
        let series = self.spec.apart(whole);
        if let Taking::Chosen(chosen) = &self.taking {
            let series = chosen.place(series);
            return Some(self.series(series));
        }
        if series == whole
            && let Some(series) = self.series.get(key)
        {
            return Some(*series);
        }
        Some(self.series(series))
    }

    fn series(&mut self, series: SeriesRef<'_>) -> u32 {
        let key = Arc::new(self.key(series));
        if let Some(series) = self.series.get(&key) {
            return *series;
        }
        let next = self.keys.len() as u32;
        let family = self.families.entry(key.event_type.clone()).or_default();
        *family += 1;
        self.family = self.family.max(*family);
        self.keys.push(key.clone());
        self.series.insert(key, next);
        next
    }

    fn key(&mut self, series: SeriesRef<'_>) -> SeriesKey {
        let [event_type, texts @ ..] = series.texts;
        let [success, hit] = series.flags;
        let event_type = self.text(event_type.unwrap_or_default());
        let [name, agent, source, r#type, status, error_type] =
            texts.map(|text| text.map(|text| self.text(text)));
        SeriesKey {
            event_type,
            name,
            agent,
            source,
            r#type,
            status,
            error_type,
            success,
            hit,
        }
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
                    grain @ Grain::Every(_) => grain.start_of(UnixNanos(*time)).0,
                }
            } else {
                OUTSIDE
            }
        };
        Buckets::Each(times.iter().map(bucket).collect())
    }
}

/// Sums the entities that are not chosen.
fn choose_entities(cell: &mut Cell, taking: &Taking) {
    if let Some(chosen) = taking.chosen() {
        cell.choose_entities(chosen);
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
