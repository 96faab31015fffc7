//! Which characters an output can show, and what stands in for the others.

use super::width;

/// What an output can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Everything.
    #[default]
    All,
    /// Everything but emoji: where colours are not wanted.
    NoEmoji,
    /// ASCII alone: a locale without UTF-8, a dumb terminal.
    Ascii,
}

impl Glyphs {
    /// Fits a form that holds emoji of its own (those of the seed systems).
    /// Names from events that hold emoji lose them, too, so other forms go
    /// through [`Glyphs::fit`].
    pub fn fit_seed(self, text: String) -> String {
        match self {
            Self::All => text,
            Self::NoEmoji => without_emoji(&text),
            Self::Ascii => ascii(&text),
        }
    }

    /// Fits any other text.
    pub fn fit(self, text: String) -> String {
        match self {
            Self::Ascii if !text.is_ascii() => ascii(&text),
            _ => text,
        }
    }
}

fn is_emoji(c: char) -> bool {
    matches!(
        u32::from(c),
        0x1F300..=0x1FAFF | 0x2600..=0x26FF | 0x2705 | 0x274C | 0x231A..=0x231B | 0x23E9..=0x23FA
    )
}

/// States become words; other emoji go, with the space behind them.
fn without_emoji(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !is_emoji(c) {
            out.push(c);
            continue;
        }
        while chars.next_if_eq(&'\u{fe0f}').is_some() {}
        let starts_line = out.is_empty() || out.ends_with('\n');
        match c {
            '✅' => out.push_str("[ok]"),
            '⚠' => out.push_str("[!]"),
            // At the start of a line it is the icon of a heading.
            '❌' if !starts_line => out.push_str("[bad]"),
            _ => {
                while chars.next_if_eq(&' ').is_some() {}
                if matches!(chars.peek(), None | Some('\n')) {
                    out.truncate(out.trim_end_matches(' ').len());
                }
            }
        }
    }
    out
}

/// Every character that is not ASCII is replaced by as many columns as it
/// takes, so that what lines up still does; states, arrows and emoji excepted.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in without_emoji(text).chars() {
        match c {
            _ if c.is_ascii() => out.push(c),
            '─' | '–' | '—' => out.push('-'),
            '═' | '━' => out.push('='),
            '║' | '│' => out.push('|'),
            '╔' | '╗' | '╚' | '╝' => out.push('+'),
            '•' => out.push('*'),
            '·' => out.push('.'),
            '…' => out.push('~'),
            '×' => out.push('x'),
            '÷' => out.push('/'),
            'µ' | 'μ' => out.push('u'),
            '→' => out.push_str("->"),
            '✓' => out.push('+'),
            '✗' => out.push('x'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            '▁'..='█' => out.push(char::from(b'1' + (u32::from(c) - 0x2581) as u8)),
            _ => out.extend(std::iter::repeat_n('?', width::of(c))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_said_in_other_words() {
        for (all, no_emoji, plain) in [
            ("p95 7.0ms ✅\n", "p95 7.0ms [ok]\n", "p95 7.0ms [ok]\n"),
            ("⚠️  Some", "[!]  Some", "[!]  Some"),
            ("❌ Error Analysis:", "Error Analysis:", "Error Analysis:"),
            (
                "DEGRADING ❌ (up)",
                "DEGRADING [bad] (up)",
                "DEGRADING [bad] (up)",
            ),
            ("🗄️  STORAGE HEALTH", "STORAGE HEALTH", "STORAGE HEALTH"),
            ("all met! 🎉\n", "all met!\n", "all met!\n"),
            (
                "╔═╗ • 1.2 µs → 3.4",
                "╔═╗ • 1.2 µs → 3.4",
                "+=+ * 1.2 us -> 3.4",
            ),
            (
                "·▁▄█ söarch 日本…",
                "·▁▄█ söarch 日本…",
                ".148 s?arch ????~",
            ),
        ] {
            assert_eq!(Glyphs::All.fit_seed(all.into()), all);
            assert_eq!(Glyphs::NoEmoji.fit_seed(all.into()), no_emoji);
            assert_eq!(Glyphs::NoEmoji.fit(all.into()), all);
            assert_eq!(Glyphs::Ascii.fit(all.into()), plain);
            assert_eq!(Glyphs::Ascii.fit_seed(all.into()), plain);
            assert!(plain.is_ascii());
        }
    }
}
