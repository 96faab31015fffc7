//! Rows of CSV (RFC 4180), each cell with whether it was quoted: an empty text
//! is two quotes, no value is nothing at all.

use std::io::{self, BufRead};

use tachograph_model::MAX_LINE_BYTES;

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it holds, without its quotes.
    pub text: Vec<u8>,
    /// Whether it had any.
    pub quoted: bool,
}

/// Reads rows.
pub struct Table<R> {
    input: R,
    /// The line the next row begins in, from 1.
    line: u64,
    bytes: u64,
}

/// A row.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The line it begins in, from 1.
    pub line: u64,
    /// Its cells; none where it is longer than a line may be.
    pub cells: Option<Vec<Cell>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// After a quote within quotes: the end of the cell, or half of a quote.
    Quote,
}

impl<R: BufRead> Table<R> {
    /// Begins at the heading.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line: 1,
            bytes: 0,
        }
    }

    /// Returns how many bytes were read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads the next row; blank lines are none. Returns nothing at the end.
    ///
    /// # Errors
    /// When the input fails.
    pub fn next(&mut self) -> io::Result<Option<Row>> {
        let mut row = Building::default();
        let mut begun = self.line;
        loop {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                return Ok((!row.is_blank()).then(|| row.finish(begun)));
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in piece {
                used += 1;
                self.line += u64::from(byte == b'\n');
                if row.take(byte) {
                    ended = true;
                    break;
                }
            }
            self.input.consume(used);
            self.bytes += used as u64;
            if ended && row.is_blank() {
                (row, begun) = (Building::default(), self.line);
            } else if ended {
                return Ok(Some(row.finish(begun)));
            }
        }
    }
}

struct Building {
    place: Place,
    cells: Vec<Cell>,
    cell: Cell,
    length: usize,
}

impl Default for Building {
    fn default() -> Self {
        Self {
            place: Place::Start,
            cells: Vec::new(),
            cell: Cell::default(),
            length: 0,
        }
    }
}

impl Building {
    /// Takes a byte; tells whether the row ends with it.
    fn take(&mut self, byte: u8) -> bool {
        self.length += 1;
        if self.length > MAX_LINE_BYTES {
            // Wherever a quote was forgotten: the next line is another row.
            self.cells.clear();
            self.cell = Cell::default();
            return byte == b'\n';
        }
        match (self.place, byte) {
            (Place::Quoted, b'"') => self.place = Place::Quote,
            (Place::Quoted, byte) => self.cell.text.push(byte),
            (Place::Quote, b'"') => {
                self.place = Place::Quoted;
                self.cell.text.push(b'"');
            }
            (_, b'\n') => {
                if self.place == Place::Plain && self.cell.text.last() == Some(&b'\r') {
                    self.cell.text.pop();
                }
                return true;
            }
            (_, b',') => {
                self.cells.push(std::mem::take(&mut self.cell));
                self.place = Place::Start;
            }
            (Place::Start, b'"') => {
                self.place = Place::Quoted;
                self.cell.quoted = true;
            }
            (Place::Quote, b'\r') => {}
            (_, byte) => {
                self.place = Place::Plain;
                self.cell.text.push(byte);
            }
        }
        false
    }

    fn is_blank(&self) -> bool {
        self.cells.is_empty() && !self.cell.quoted && self.cell.text.is_empty() && self.length < 3
    }

    fn finish(mut self, line: u64) -> Row {
        let fits = self.length <= MAX_LINE_BYTES;
        self.cells.push(self.cell);
        Row {
            line,
            cells: fits.then_some(self.cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut table = Table::new(io::BufReader::with_capacity(3, text.as_bytes()));
        let mut found = Vec::new();
        while let Some(row) = table.next().expect("no I/O error") {
            let cells = row.cells.expect("a row that fits");
            let shown = |cell: &Cell| {
                let text = String::from_utf8_lossy(&cell.text);
                match cell.quoted {
                    true => format!("<{text}>"),
                    false => text.into_owned(),
                }
            };
            found.push((row.line, cells.iter().map(shown).collect()));
        }
        assert_eq!(table.bytes(), text.len() as u64);
        found
    }

    #[test]
    fn rows_are_read() {
        let check = |text: &str, wanted: &[(u64, &[&str])]| {
            let wanted: Vec<(u64, Vec<String>)> = wanted
                .iter()
                .map(|(line, row)| (*line, row.iter().map(|cell| (*cell).to_owned()).collect()))
                .collect();
            assert_eq!(rows(text), wanted, "{text:?}");
        };
        check("", &[]);
        check("a,b\r\n\r\n1,\n", &[(1, &["a", "b"]), (3, &["1", ""])]);
        check("a\n\"\",,\"x\"", &[(1, &["a"]), (2, &["<>", "", "<x>"])]);
        check(
            "\"a\nb\",\"say \"\"x\"\"\"\r\nnext",
            &[(1, &["<a\nb>", "<say \"x\">"]), (3, &["next"])],
        );
        check("\"a\r\",b\r\n", &[(1, &["<a\r>", "b"])]);
        check("it's 5\" wide,x\n", &[(1, &["it's 5\" wide", "x"])]);
        check("\"never closed,\nx\n", &[(1, &["<never closed,\nx\n>"])]);
    }

    #[test]
    fn a_row_too_long_costs_only_itself() {
        let mut text = "\"".to_owned();
        text.push_str(&"x".repeat(MAX_LINE_BYTES));
        text.push_str("\nnext,1\n");
        let mut table = Table::new(text.as_bytes());
        let long = table.next().expect("no I/O error").expect("a row");
        assert_eq!((long.line, long.cells), (1, None));
        let next = table.next().expect("no I/O error").expect("a row");
        assert_eq!(next.cells.map(|cells| cells.len()), Some(2));
    }
}
