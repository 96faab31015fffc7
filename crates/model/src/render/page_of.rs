//! A sheet as a page of its own, for those who make one elsewhere.

use super::{Sheet, Style, csv, markdown, text};

/// As text.
pub fn text(sheet: &Sheet, style: Style) -> String {
    let mut out = String::new();
    text::write(&mut out, sheet, style, 0);
    style.glyphs.fit(out)
}

/// As Markdown.
pub fn markdown(sheet: &Sheet) -> String {
    let mut out = String::new();
    markdown::write(&mut out, sheet);
    out
}

/// As CSV.
pub fn csv(sheet: &Sheet) -> String {
    let mut out = csv::HEADER.to_owned();
    csv::write(&mut out, sheet);
    out
}
