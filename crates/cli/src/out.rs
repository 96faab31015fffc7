//! Data goes to stdout, words to stderr.

use std::fmt::Arguments;
use std::io::{self, BufWriter, IsTerminal, Write};

use tachograph_model::render::grid::{Column, Grid};
use tachograph_model::render::{self, Glyphs, width};

pub use tachograph_model::render::human::{bytes, counted};

use crate::args::When;

/// Returns the place for data as it is (JSON, CSV, …): buffered, to be flushed.
/// On a terminal, what would command it is shown instead. An error here is
/// passed on with `?`; a closed pipe then ends the command in peace.
pub fn data() -> Data<BufWriter<io::StdoutLock<'static>>> {
    Data {
        out: stdout(),
        line: io::stdout().is_terminal().then(Vec::new),
    }
}

fn stdout() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// Prints a text that is fit for a terminal, painted or not.
///
/// # Errors
/// What the write says.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a text that may hold anything.
///
/// # Errors
/// What the write says.
pub fn print_data(text: &str) -> io::Result<()> {
    let mut out = data();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints words, which may quote anything. A stderr that is closed is no reason
/// to fail.
pub fn err(words: Arguments<'_>) {
    let words = width::clean_lines(&words.to_string());
    let _ = writeln!(io::stderr(), "{words}");
}

/// Passes data on; line by line made fit, if it goes to a terminal.
pub struct Data<W: Write> {
    out: W,
    /// The line that is not complete yet; none: as it is.
    line: Option<Vec<u8>>,
}

impl<W: Write> Data<W> {
    fn line_ends(&mut self) -> io::Result<()> {
        let Some(line) = self.line.as_mut().filter(|line| !line.is_empty()) else {
            return Ok(());
        };
        let fit = width::clean_lines(&String::from_utf8_lossy(line));
        line.clear();
        self.out.write_all(fit.as_bytes())
    }
}

impl<W: Write> Write for Data<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(line) = &mut self.line else {
            return self.out.write(bytes);
        };
        // Up to the last line feed: what follows may end amid a character.
        let (whole, rest) = bytes.split_at(
            bytes
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |at| at + 1),
        );
        line.extend_from_slice(whole);
        if !whole.is_empty() {
            self.line_ends()?;
        }
        if let Some(line) = &mut self.line {
            line.extend_from_slice(rest);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line_ends()?;
        self.out.flush()
    }
}

/// What the environment says of stdout. Empty variables say nothing.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// `NO_COLOR` (any text, see no-color.org).
    pub no_color: bool,
    /// `TERM=dumb`.
    pub dumb: bool,
    /// `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub locale: Option<String>,
    /// `COLUMNS`.
    pub columns: Option<String>,
}

/// How what is printed may look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colors, and emoji before headings, on stdout.
    pub stdout: bool,
    /// What stdout can show.
    pub glyphs: Glyphs,
    /// Columns of the terminal; `None` into a pipe or a file: as wide as it
    /// gets.
    pub width: Option<usize>,
    /// Progress bars on stderr.
    pub progress: bool,
    /// Whether stdout is a terminal.
    pub terminal: bool,
}

impl Look {
    /// Settles the look from `--color`, the environment and what the streams
    /// are.
    pub fn settle(when: When, screen: &Screen) -> Self {
        let terminal = io::stdout().is_terminal();
        let size = terminal.then(terminal_size::terminal_size).flatten();
        let size = size.map(|(width, _)| usize::from(width.0));
        Self {
            progress: io::stderr().is_terminal(),
            ..Self::of(when, screen, terminal, size)
        }
    }

    /// The pure part: `size` is what the terminal says of its width.
    ///
    /// The forms of the seed systems hold emoji; into a pipe they keep them,
    /// byte for byte, unless colors are refused or the locale has no UTF-8.
    fn of(when: When, screen: &Screen, terminal: bool, size: Option<usize>) -> Self {
        let dumb = terminal && screen.dumb;
        let refused = match when {
            When::Always => false,
            When::Never => true,
            When::Auto => screen.no_color,
        };
        let glyphs = if dumb || screen.locale.as_deref().is_some_and(no_utf8) {
            Glyphs::Ascii
        } else if refused {
            Glyphs::NoEmoji
        } else {
            Glyphs::All
        };
        let asked = screen.columns.as_deref().and_then(|text| text.parse().ok());
        let width = [asked, size, Some(80)]
            .into_iter()
            .flatten()
            .find(|&width| width > 0);
        Self {
            stdout: when == When::Always || (when == When::Auto && terminal && !refused && !dumb),
            glyphs,
            width: width.filter(|_| terminal),
            progress: false,
            terminal,
        }
    }

    /// The style of an answer on stdout.
    pub fn style(&self) -> render::Style {
        render::Style {
            emoji: self.stdout && self.glyphs == Glyphs::All,
            color: self.stdout,
            width: self.width,
            glyphs: self.glyphs,
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
    /// Look at this. Yellow would be lost on white.
    Magenta,
    /// Bad.
    Red,
}

impl Style {
    fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Magenta => "35",
            Self::Red => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Whether a locale's name says that it is none of UTF-8.
fn no_utf8(locale: &str) -> bool {
    let lower = locale.to_ascii_lowercase();
    !lower.contains("utf-8") && !lower.contains("utf8")
}

/// Lays rows out in columns; the first row is the heading. Columns of figures
/// go to the right. On a terminal the rows fit its width.
pub fn table(rows: &[Vec<String>], look: &Look) -> String {
    let Some((heading, rows)) = rows.split_first() else {
        return String::new();
    };
    let column = |(at, title): (usize, &String)| {
        let figures = |row: &Vec<String>| row.get(at).is_some_and(|cell| is_number(cell));
        match !rows.is_empty() && rows.iter().all(figures) {
            true => Column::figures(title),
            false => Column::words(title),
        }
    };
    grid(heading.iter().enumerate().map(column).collect(), rows, look)
}

/// Lays rows out in columns that know how they may be cut.
pub fn grid(columns: Vec<Column>, rows: &[Vec<String>], look: &Look) -> String {
    let clean = |row: &Vec<String>| row.iter().map(|cell| width::clean(cell)).collect();
    let grid = Grid {
        columns,
        rows: rows.iter().map(clean).collect(),
    };
    let text = grid.text(0, look.width, |line| look.paint(Style::Bold, line));
    look.glyphs.fit(text)
}

fn is_number(cell: &str) -> bool {
    cell == "-" || cell.replace(',', "").parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look {
        stdout: false,
        glyphs: Glyphs::All,
        width: None,
        progress: false,
        terminal: false,
    };

    #[test]
    fn tables_line_up() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let rows = [
            row("name", "count"),
            row("a", "1"),
            row("söarch", "12345678"),
        ];
        assert_eq!(
            table(&rows, &PLAIN),
            "name       count\na              1\nsöarch  12345678\n"
        );
        let narrow = Look {
            width: Some(15),
            ..PLAIN
        };
        let text = table(&[row("name", "count"), row(&"x".repeat(40), "1")], &narrow);
        assert_eq!(text, "name      count\nxxxxxxx…      1\n");
        assert_eq!(table(&[], &PLAIN), "");
    }

    #[test]
    fn the_look_is_settled() {
        let screen = Screen::default();
        let no_color = Screen {
            no_color: true,
            ..Screen::default()
        };
        let dumb = Screen {
            dumb: true,
            ..Screen::default()
        };
        let locale = |name: &str| Screen {
            locale: Some(name.to_owned()),
            ..Screen::default()
        };
        use Glyphs::{All, Ascii, NoEmoji};
        for (when, screen, terminal, colors, glyphs) in [
            (When::Auto, &screen, true, true, All),
            (When::Auto, &screen, false, false, All),
            (When::Always, &screen, false, true, All),
            (When::Never, &screen, true, false, NoEmoji),
            (When::Never, &screen, false, false, NoEmoji),
            (When::Auto, &no_color, true, false, NoEmoji),
            (When::Auto, &no_color, false, false, NoEmoji),
            (When::Always, &no_color, false, true, All),
            (When::Auto, &dumb, true, false, Ascii),
            // TERM is about the terminal, and a pipe is none.
            (When::Auto, &dumb, false, false, All),
            (When::Auto, &locale("C"), true, true, Ascii),
            (When::Auto, &locale("POSIX"), false, false, Ascii),
            (When::Auto, &locale("de_DE.ISO-8859-1"), true, true, Ascii),
            (When::Auto, &locale("C.UTF-8"), true, true, All),
            (When::Auto, &locale("de_DE.utf8"), true, true, All),
        ] {
            let look = Look::of(when, screen, terminal, None);
            assert_eq!(
                (look.stdout, look.glyphs),
                (colors, glyphs),
                "{when:?} {screen:?}"
            );
            let emoji = look.style().emoji;
            assert_eq!(emoji, colors && glyphs == All, "{when:?} {screen:?}");
        }
    }

    #[test]
    fn columns_count_on_a_terminal_only() {
        for (columns, size, terminal, width) in [
            (None, Some(132), true, Some(132)),
            (Some("60"), Some(132), true, Some(60)),
            (Some("0"), Some(132), true, Some(132)),
            (Some("wide"), None, true, Some(80)),
            (None, Some(0), true, Some(80)),
            (Some("60"), None, false, None),
        ] {
            let screen = Screen {
                columns: columns.map(str::to_owned),
                ..Screen::default()
            };
            let look = Look::of(When::Auto, &screen, terminal, size);
            assert_eq!(look.width, width, "{columns:?} {size:?} {terminal}");
        }
    }

    #[test]
    fn data_commands_no_terminal_and_is_untouched_elsewhere() {
        let written = |line| {
            let mut data = Data {
                out: Vec::new(),
                line,
            };
            for piece in ["a,\u{1b}[31", "m\nb,\u{9b}", "é\r\n", "c"] {
                // As it may be cut: amid a character.
                let (head, tail) = piece.as_bytes().split_at(piece.len() - 1);
                data.write_all(head).expect("written");
                data.write_all(tail).expect("written");
            }
            data.flush().expect("flushed");
            String::from_utf8(data.out).expect("UTF-8")
        };
        assert_eq!(written(None), "a,\u{1b}[31m\nb,\u{9b}é\r\nc");
        assert_eq!(written(Some(Vec::new())), "a,\\u{1b}[31m\nb,\\u{9b}é\\r\nc");
    }

    #[test]
    fn painting() {
        assert_eq!(PLAIN.paint(Style::Red, "x"), "x");
        assert_eq!(Style::Red.paint("x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
