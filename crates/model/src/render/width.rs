//! How many columns of a terminal a text takes.

/// Columns that `text` takes: East Asian wide characters and emoji take two,
/// combining marks and joiners none. An approximation of Unicode's
/// East_Asian_Width that is right for the scripts names are written in.
pub fn width(text: &str) -> usize {
    text.chars().map(of).sum()
}

/// Columns that one character takes.
pub(super) fn of(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x231A..=0x231B
        | 0x23E9..=0x23EC
        | 0x2600..=0x2604
        | 0x26A1
        | 0x2705
        | 0x274C
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// Whether a character leaves a mark of its own.
pub(crate) fn is_seen(c: char) -> bool {
    !c.is_whitespace() && !is_command(c) && of(c) > 0
}

/// Pads `text` to `columns`.
pub fn pad(text: &str, columns: usize, right: bool) -> String {
    let space = " ".repeat(columns.saturating_sub(width(text)));
    if right {
        format!("{space}{text}")
    } else {
        format!("{text}{space}")
    }
}

/// Cuts `text` to `columns`, its end shown by `…`.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += of(c);
        if taken > columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Folds `text` at spaces into lines of at most `columns`; further lines are
/// indented by `indent`. A longer word has a line of its own, uncut.
pub fn fold(text: &str, columns: usize, indent: usize) -> Vec<String> {
    if width(text) <= columns {
        return vec![text.to_owned()];
    }
    let start = &text[..text.len() - text.trim_start_matches(' ').len()];
    let mut lines = Vec::new();
    let (mut line, mut empty) = (start.to_owned(), true);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines
}

/// Makes text from events fit for a terminal: what could move the cursor, set
/// colours or turn the order of the letters around becomes `\u{…}`.
pub fn clean(text: &str) -> String {
    if !text.chars().any(is_command) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_command(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}

/// [`clean`], line by line: the line feeds stay.
pub fn clean_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(clean).collect();
    lines.join("\n")
}

/// Whether a character tells the terminal what to do instead of being shown:
/// control characters, and of the invisible ones those that order text, end
/// lines or carry hidden text. Joiners stay: scripts and emoji need them.
fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x061C
                | 0x200B
                | 0x200E..=0x200F
                | 0x2028..=0x202E
                | 0x2060..=0x206F
                | 0xFEFF
                | 0xFFF9..=0xFFFB
                | 0xE0000..=0xE007F
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_a_terminal_is_shown_instead() {
        for (text, shown) in [
            ("search", "search"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\nb", "a\\nb"),
            ("\u{202e}cod.exe\u{2066}", "\\u{202e}cod.exe\\u{2066}"),
            ("\u{200b}", "\\u{200b}"),
            ("\u{2028}\u{feff}\u{e0041}", "\\u{2028}\\u{feff}\\u{e0041}"),
            // What needs joiners and marks keeps them.
            (
                "👩\u{200d}🚀 می\u{200c}خواهم é",
                "👩\u{200d}🚀 می\u{200c}خواهم é",
            ),
        ] {
            assert_eq!(clean(text), shown);
        }
        assert_eq!(clean_lines("a\u{1b}c\nhint: b"), "a\\u{1b}c\nhint: b");
    }

    #[test]
    fn lines_are_folded_at_spaces() {
        for (text, columns, folded) in [
            ("short", 10, &["short"][..]),
            ("one two three", 8, &["one two", "  three"]),
            ("  a: b, c, d", 8, &["  a: b,", "  c, d"]),
            ("/a/path/too/long x", 6, &["/a/path/too/long", "  x"]),
            ("", 0, &[""]),
        ] {
            assert_eq!(fold(text, columns, 2), folded, "{text}");
        }
    }
}
