//! Data goes to stdout, words to stderr.

use std::fmt::Arguments;
use std::io::{self, BufWriter, IsTerminal, Write};

use crate::args::When;

/// Returns the place for data: buffered, flushed by [`finish`]. An error here
/// is passed on with `?`; a closed pipe then ends the command in peace.
pub fn data() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// Prints a whole text as data.
///
/// # Errors
/// What the write says.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = data();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Returns a size for people: `171 B`, `3.4 MB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut scaled = count as f64;
    let mut unit = "B";
    for next in UNITS {
        if scaled < 1_000.0 {
            break;
        }
        scaled /= 1_000.0;
        unit = next;
    }
    match unit {
        "B" => format!("{count} B"),
        _ => format!("{scaled:.1} {unit}"),
    }
}

/// Prints words. A stderr that is closed is no reason to fail.
pub fn err(words: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{words}");
}

/// How what is printed may look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colors and emoji on stdout.
    pub stdout: bool,
    /// Progress bars on stderr.
    pub progress: bool,
    /// Whether stdout is a terminal.
    pub terminal: bool,
}

impl Look {
    /// Settles the look from `--color`, `NO_COLOR` (any text but the empty
    /// one, see no-color.org) and what the streams are.
    pub fn settle(when: When, no_color: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let on = |stream: bool| match when {
            When::Always => true,
            When::Never => false,
            When::Auto => stream && !no_color,
        };
        Self {
            stdout: on(terminal),
            progress: io::stderr().is_terminal(),
            terminal,
        }
    }

    /// Paints `text` on stdout, if painting is on.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.stdout {
            style.paint(text)
        } else {
            text.to_owned()
        }
    }
}

/// The few styles there are.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// Headings.
    Bold,
    /// Less important.
    Dim,
    /// Good.
    Green,
    /// Look at this.
    Yellow,
    /// Bad.
    Red,
}

impl Style {
    fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Red => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Lays rows out in columns; the first row is the heading. Columns of numbers go
/// to the right.
pub fn table(rows: &[Vec<String>], look: &Look) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, at: usize| row.get(at).cloned().unwrap_or_default();
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            rows.iter()
                .map(|row| width(&cell(row, at)))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let right: Vec<bool> = (0..columns)
        .map(|at| rows.len() > 1 && rows[1..].iter().all(|row| is_number(&cell(row, at))))
        .collect();
    let mut out = String::new();
    for (line, row) in rows.iter().enumerate() {
        let mut text = String::new();
        for at in 0..columns {
            let cell = cell(row, at);
            let pad = " ".repeat(widths[at] - width(&cell));
            if at > 0 {
                text.push_str("  ");
            }
            match right[at] {
                true => text.extend([pad.as_str(), &cell]),
                false => text.extend([cell.as_str(), &pad]),
            }
        }
        let text = text.trim_end();
        out.push_str(&if line == 0 {
            look.paint(Style::Bold, text)
        } else {
            text.to_owned()
        });
        out.push('\n');
    }
    out
}

fn is_number(cell: &str) -> bool {
    cell == "-" || cell.replace(',', "").parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look {
        stdout: false,
        progress: false,
        terminal: false,
    };

    #[test]
    fn tables_line_up() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let text = table(
            &[
                row("name", "count"),
                row("a", "1"),
                row("söarch", "12345678"),
            ],
            &PLAIN,
        );
        assert_eq!(
            text,
            "name       count\na              1\nsöarch  12345678\n"
        );
    }

    #[test]
    fn color_is_settled() {
        assert!(Look::settle(When::Always, true).stdout);
        assert!(!Look::settle(When::Never, false).stdout);
        assert_eq!(PLAIN.paint(Style::Red, "x"), "x");
        assert_eq!(Style::Red.paint("x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
