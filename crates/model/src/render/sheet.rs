//! What there is to show of an answer, before it takes a form.

use super::{human, iso, stamp, width};
use crate::answer::Spread;
use crate::time::UnixNanos;

/// A figure or a word.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "units stand in the names")]
pub enum Cell {
    Text(String),
    Count(u64),
    Whole(i64),
    Ms(f64),
    Bytes(u64),
    /// 0..=1; shown as a percentage.
    Ratio(f64),
    Number(f64),
    PerSecond(f64),
    Usd(f64),
    /// How many times as fast, large or many.
    Times(f64),
    Time(UnixNanos),
    /// There is no figure.
    Nothing,
}

impl Cell {
    /// For people.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => width::clean(text),
            Self::Count(count) => human::thousands(i128::from(*count)),
            Self::Whole(count) => human::thousands(i128::from(*count)),
            Self::Ms(ms) => human::duration(*ms),
            Self::Bytes(bytes) => human::bytes(*bytes),
            Self::Ratio(ratio) => human::percent(*ratio),
            Self::Number(number) => human::number(*number),
            Self::PerSecond(rate) if rate.is_finite() => format!("{}/s", human::number(*rate)),
            Self::PerSecond(_) => Self::Nothing.shown(),
            Self::Usd(usd) => human::usd(*usd),
            Self::Times(factor) => human::times(*factor),
            Self::Time(at) => stamp(*at),
            Self::Nothing => "–".to_owned(),
        }
    }

    /// For programs: plain units, shortest digits; empty for nothing.
    pub fn raw(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) | Self::Bytes(count) => count.to_string(),
            Self::Whole(count) => count.to_string(),
            Self::Ms(x)
            | Self::Ratio(x)
            | Self::Number(x)
            | Self::PerSecond(x)
            | Self::Usd(x)
            | Self::Times(x)
                if x.is_finite() =>
            {
                x.to_string()
            }
            Self::Time(at) => iso(*at),
            _ => String::new(),
        }
    }

    /// Whether it goes to the right of its column.
    pub fn is_numeric(&self) -> bool {
        !matches!(self, Self::Text(_) | Self::Time(_))
    }
}

impl From<Option<Cell>> for Cell {
    fn from(cell: Option<Cell>) -> Self {
        cell.unwrap_or(Self::Nothing)
    }
}

/// A labelled figure.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) label: &'static str,
    pub(super) metric: &'static str,
    pub(super) cell: Cell,
}

/// A column: its heading, and the name of its figures in CSV.
pub(super) type Column = (&'static str, &'static str);

/// A table: a row is a name and as many cells as there are columns.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) key: &'static str,
    pub(super) title: Option<&'static str>,
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<(String, Vec<Cell>)>,
    pub(super) in_text: bool,
    /// Of many rows, text shows the last ones.
    pub(super) newest_last: bool,
    /// Columns that go first where room is short, the least important first.
    pub(super) least: &'static [&'static str],
}

impl Table {
    /// An empty table; `key` is its section in CSV.
    pub fn new(key: &'static str, name: &'static str, columns: &[Column]) -> Self {
        Self {
            key,
            title: None,
            name,
            columns: columns.to_vec(),
            rows: Vec::new(),
            in_text: true,
            newest_last: false,
            least: &[],
        }
    }

    /// Gives it a title.
    #[must_use]
    pub fn titled(mut self, title: &'static str) -> Self {
        self.title = Some(title);
        self
    }

    /// Leaves it out of text, where something shorter says the same.
    #[must_use]
    pub fn not_in_text(mut self) -> Self {
        self.in_text = false;
        self
    }

    /// Its rows are days in order: of many, text shows the last ones.
    #[must_use]
    pub fn by_day(mut self) -> Self {
        self.newest_last = true;
        self
    }

    /// Names the columns that go first where room is short, the least important
    /// first; the others follow from the right.
    #[must_use]
    pub fn least(mut self, metrics: &'static [&'static str]) -> Self {
        self.least = metrics;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, name: impl Into<String>, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell a column");
        self.rows.push((name.into(), cells));
    }

    /// The table without columns in which no row has anything.
    pub(super) fn dense(&self) -> Self {
        let kept: Vec<usize> = (0..self.columns.len())
            .filter(|&at| {
                self.rows
                    .iter()
                    .any(|(_, cells)| cells.get(at).is_some_and(|cell| *cell != Cell::Nothing))
            })
            .collect();
        let pick = |cells: &Vec<Cell>| {
            kept.iter()
                .filter_map(|&at| cells.get(at).cloned())
                .collect()
        };
        Self {
            columns: kept.iter().map(|&at| self.columns[at]).collect(),
            rows: self
                .rows
                .iter()
                .map(|(name, cells)| (name.clone(), pick(cells)))
                .collect(),
            ..self.clone()
        }
    }
}

/// A section: figures, then tables.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) emoji: &'static str,
    pub(super) pairs: Vec<Pair>,
    pub(super) lines: Vec<String>,
    pub(super) tables: Vec<Table>,
}

impl Sheet {
    /// An empty section; `key` is its name in CSV and JSON.
    pub fn new(key: &'static str, title: &'static str, emoji: &'static str) -> Self {
        Self {
            key,
            title,
            emoji,
            pairs: Vec::new(),
            lines: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// Adds a figure; nothing for [`Cell::Nothing`].
    pub fn pair(&mut self, label: &'static str, metric: &'static str, cell: impl Into<Cell>) {
        let cell = cell.into();
        if cell != Cell::Nothing {
            self.pairs.push(Pair {
                label,
                metric,
                cell,
            });
        }
    }

    /// Adds the usual figures of durations.
    pub fn durations(&mut self, spread: Option<Spread>) {
        self.pair("p50", "p50_ms", spread.map(|s| Cell::Ms(s.p50)));
        self.pair("p95", "p95_ms", spread.map(|s| Cell::Ms(s.p95)));
        self.pair("p99", "p99_ms", spread.map(|s| Cell::Ms(s.p99)));
        self.pair("Avg", "avg_ms", spread.map(|s| Cell::Ms(s.mean)));
    }

    /// Adds a line for text only.
    pub fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Adds a table, unless it is empty.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.tables.push(table);
        }
    }
}

/// Columns of the usual figures of durations.
pub(super) const DURATIONS: [Column; 4] = [
    ("Avg", "avg_ms"),
    ("p50", "p50_ms"),
    ("p95", "p95_ms"),
    ("p99", "p99_ms"),
];

/// Cells for [`DURATIONS`].
pub(super) fn durations(spread: Option<Spread>) -> [Cell; 4] {
    let cell = |figure: fn(&Spread) -> f64| {
        Cell::from(spread.as_ref().map(|spread| Cell::Ms(figure(spread))))
    };
    [
        cell(|s| s.mean),
        cell(|s| s.p50),
        cell(|s| s.p95),
        cell(|s| s.p99),
    ]
}

/// A ratio, if there is one.
pub(super) fn ratio(ratio: Option<f64>) -> Cell {
    ratio.map(Cell::Ratio).into()
}

/// A count, nothing for 0: keeps tables quiet.
pub(super) fn some(count: u64) -> Cell {
    if count == 0 {
        Cell::Nothing
    } else {
        Cell::Count(count)
    }
}
