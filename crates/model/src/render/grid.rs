//! Rows in columns that fit a terminal.
//!
//! Where room is short, the widest column of words is cut first (`…`), down to
//! what it may be cut to; then whole columns go, the least important first, and
//! a line says which. A row never takes two lines.

use super::width::{cut, fold, pad, width};

/// Between two columns.
const GAP: usize = 2;

/// A column, and how it behaves where room is short.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Figures go to the right.
    pub right: bool,
    /// Fewest terminal columns its cells may be cut to; `None`: a cut cell would
    /// be wrong (figures, times), so the column stays whole or goes.
    pub cut_to: Option<usize>,
    /// Lower ones go first, of equal ones the last. The first column never goes.
    pub importance: u8,
}

impl Column {
    /// A column of words.
    pub fn words(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            right: false,
            cut_to: Some(8),
            importance: u8::MAX,
        }
    }

    /// A column of figures.
    pub fn figures(title: impl Into<String>) -> Self {
        Self {
            right: true,
            cut_to: None,
            ..Self::words(title)
        }
    }

    /// Fewest terminal columns its cells may be cut to.
    #[must_use]
    pub fn cut_to(mut self, columns: usize) -> Self {
        self.cut_to = Some(columns);
        self
    }

    /// Never cut.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.cut_to = None;
        self
    }

    /// Lower ones go first.
    #[must_use]
    pub fn importance(mut self, importance: u8) -> Self {
        self.importance = importance;
        self
    }
}

/// Columns and rows. Cells must be fit for a terminal already.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// The columns.
    pub columns: Vec<Column>,
    /// A cell a column.
    pub rows: Vec<Vec<String>>,
}

/// What of a grid has room.
struct Layout {
    /// Places of the columns shown, and their widths.
    shown: Vec<(usize, usize)>,
    /// Places of those that are not.
    dropped: Vec<usize>,
}

impl Grid {
    /// As text: a heading, the rows, and a note if columns had no room. `room`
    /// is the terminal's width, the indent included; `None`: as wide as it gets.
    pub fn text(
        &self,
        indent: usize,
        room: Option<usize>,
        heading: impl Fn(&str) -> String,
    ) -> String {
        let room = room.map(|room| room.saturating_sub(indent).max(1));
        let layout = self.layout(room);
        let indent = " ".repeat(indent);
        let titles: Vec<String> = self.columns.iter().map(|c| c.title.clone()).collect();
        let mut out = format!("{indent}{}\n", heading(&self.line(&titles, &layout)));
        for row in &self.rows {
            let line = self.line(row, &layout);
            out.push_str(format!("{indent}{line}").trim_end());
            out.push('\n');
        }
        if !layout.dropped.is_empty() {
            let names: Vec<&str> = layout
                .dropped
                .iter()
                .map(|&at| self.columns[at].title.as_str())
                .collect();
            let note = format!("… no room for: {}", names.join(", "));
            for line in fold(&note, room.unwrap_or(usize::MAX), 2) {
                out.push_str(&format!("{indent}{line}\n"));
            }
        }
        out
    }

    fn line(&self, cells: &[String], layout: &Layout) -> String {
        let empty = String::new();
        let cells: Vec<String> = layout
            .shown
            .iter()
            .map(|&(at, width)| {
                let cell = cells.get(at).unwrap_or(&empty);
                pad(&cut(cell, width), width, self.columns[at].right)
            })
            .collect();
        cells.join(&" ".repeat(GAP)).trim_end().to_owned()
    }

    fn layout(&self, room: Option<usize>) -> Layout {
        let full: Vec<usize> = (0..self.columns.len()).map(|at| self.full(at)).collect();
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let Some(room) = room else {
            let shown = all.iter().map(|&at| (at, full[at])).collect();
            return Layout {
                shown,
                dropped: Vec::new(),
            };
        };
        // Of the first column something is shown in any case.
        let least = |at: usize| {
            let room = if at == 0 { room } else { usize::MAX };
            let cut_to = self.columns[at].cut_to.unwrap_or(full[at]);
            full[at].min(cut_to).min(room)
        };
        let taken = |widths: &mut dyn Iterator<Item = usize>| {
            widths
                .fold(0, |sum, width| sum + width + GAP)
                .saturating_sub(GAP)
        };
        let mut shown = all;
        while shown.len() > 1 && taken(&mut shown.iter().map(|&at| least(at))) > room {
            let goes = (1..shown.len())
                .min_by_key(|&at| {
                    let importance = self.columns[shown[at]].importance;
                    (importance, std::cmp::Reverse(at))
                })
                .unwrap_or(1);
            shown.remove(goes);
        }
        let mut widths: Vec<(usize, usize)> = shown
            .iter()
            .map(|&at| (at, full[at].min(room.max(least(at)))))
            .collect();
        while taken(&mut widths.iter().map(|&(_, width)| width)) > room {
            let widest = widths
                .iter_mut()
                .filter(|(at, width)| *width > least(*at))
                .max_by_key(|(_, width)| *width);
            match widest {
                Some((_, width)) => *width -= 1,
                None => break,
            }
        }
        let dropped = (0..self.columns.len())
            .filter(|at| !shown.contains(at))
            .collect();
        Layout {
            shown: widths,
            dropped,
        }
    }

    /// The width of a column whose cells are whole.
    fn full(&self, at: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        cells
            .map(|cell| width(cell))
            .chain([width(&self.columns[at].title)])
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let columns = vec![
            Column::words("Tool").cut_to(12),
            Column::figures("Calls"),
            Column::figures("Min").importance(0),
            Column::figures("p95"),
            Column::words("Errors").cut_to(10).importance(9),
            Column::words("Last seen").whole().importance(1),
        ];
        let row = |name: &str| {
            [
                "1,234,567",
                "1.2 ms",
                "3.4 ms",
                "TimeoutError 3, ValueError 1, 日本 9",
                "2025-11-20 11:00:00",
            ]
            .map(str::to_owned)
            .into_iter()
            .fold(vec![name.to_owned()], |mut row, cell| {
                row.push(cell);
                row
            })
        };
        Grid {
            columns,
            rows: vec![row("search"), row("a_tool_with_quite_a_long_name_indeed")],
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for room in [1, 7, 20, 40, 60, 80, 120, 200] {
            for indent in [0, 2, 4] {
                let text = grid().text(indent, Some(room), str::to_owned);
                // The note is prose; a word of it may be wider than a tiny screen.
                for line in text.lines().take(3) {
                    assert!(width(line) <= room.max(indent + 1), "{room}:\n{text}");
                }
            }
        }
    }

    #[test]
    fn words_are_cut_before_columns_go_and_the_least_goes_first() {
        let at = |room| grid().text(2, Some(room), str::to_owned);
        let whole = grid().text(2, None, str::to_owned);
        assert_eq!(at(200), whole);
        assert!(!whole.contains('…'), "{whole}");
        let text = at(80);
        assert!(text.contains('…') && !text.contains("no room"), "{text}");
        let text = at(60);
        assert!(text.contains("… no room for: Min, Last seen\n"), "{text}");
        assert!(text.contains("p95") && text.contains("Errors"), "{text}");
        let text = at(12);
        assert!(
            text.starts_with("  Tool\n  search\n  a_tool_wi…\n"),
            "{text}"
        );
    }
}
