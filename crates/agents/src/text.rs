//! Text rules of the index format, which was born in Python: what counts as
//! white space, as a word, as a capital.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Words that never become keywords. Sorted, for binary search.
const STOP_WORDS: [&str; 37] = [
    "a",
    "agent",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "by",
    "emphasis",
    "ensuring",
    "expert",
    "focus",
    "for",
    "from",
    "has",
    "he",
    "in",
    "invoke",
    "is",
    "it",
    "its",
    "mycelium",
    "of",
    "on",
    "senior",
    "specialist",
    "that",
    "the",
    "to",
    "was",
    "when",
    "will",
    "with",
    "working",
    "you",
    "your",
];

/// The stop words that mean nothing in a question either ("expert" does).
const FUNCTION_WORDS: [&str; 27] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "he", "in", "is", "it",
    "its", "of", "on", "that", "the", "to", "was", "when", "will", "with", "you", "your",
];

/// White space as Python's `\s`, `str.split()` and `str.strip()` see it:
/// Unicode's, and the four ASCII separators U+001C to U+001F.
pub(crate) fn is_space(c: char) -> bool {
    match c {
        // Almost all text takes this way, and it needs no table.
        '\0'..='\x7f' => matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f'),
        _ => c.is_whitespace(),
    }
}

/// Splits at white space, dropping empty parts.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Number of [`words`], without making them.
pub(crate) fn count_words(text: &str) -> u64 {
    let mut count = 0;
    let mut after_space = true;
    for c in text.chars() {
        let space = is_space(c);
        count += u64::from(after_space && !space);
        after_space = space;
    }
    count
}

pub(crate) fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.binary_search(&word).is_ok()
}

/// `\r\n` and lone `\r` become `\n`; a byte order mark at the start goes.
pub(crate) fn normalised(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// Every keyword in `text`, sorted, without doubles: `\b[a-z]{3,}\b` of the
/// lower-cased text, minus the stop words.
///
/// A word boundary on both sides of `[a-z]+` means that the whole run of word
/// characters is `[a-z]+`, so "ümlaut", "x86" and "snake_case" give nothing.
pub(crate) fn keywords(text: &str) -> BTreeSet<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|run| run.len() >= 3 && run.bytes().all(|b| b.is_ascii_lowercase()))
        .filter(|run| STOP_WORDS.binary_search(run).is_err())
        .map(str::to_owned)
        .collect()
}

/// `api-designer` becomes `Api Designer`: each part's first character in upper
/// case, the others in lower case.
pub(crate) fn display_name(name: &str) -> String {
    let parts: Vec<String> = name.split('-').map(capitalised).collect();
    parts.join(" ")
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    first.to_uppercase().collect::<String>() + &chars.as_str().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_lists_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
        assert!(FUNCTION_WORDS.is_sorted());
        assert!(FUNCTION_WORDS.iter().all(|w| STOP_WORDS.contains(w)));
    }

    #[test]
    fn keywords_are_whole_ascii_words() {
        let found = keywords("API x86 ümlaut snake_case zoo. The senior-most é abc");
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["abc", "api", "most", "zoo"]
        );
    }

    #[test]
    fn names_are_capitalised_by_part() {
        for (name, shown) in [
            ("y-z-w", "Y Z W"),
            ("UI-designer", "Ui Designer"),
            ("\"quoted\"", "\"quoted\""),
            ("a--b", "A  B"),
            ("", ""),
        ] {
            assert_eq!(display_name(name), shown);
        }
    }

    #[test]
    fn newlines_and_marks_are_normalised() {
        assert_eq!(normalised("\u{feff}a\r\nb\rc\n"), "a\nb\nc\n");
    }

    #[test]
    fn information_separators_are_space() {
        assert_eq!(words("a\u{1c}b\u{a0}c\u{85}d").count(), 4);
    }

    #[test]
    fn words_are_counted_as_they_are_split() {
        for (text, expected) in [
            ("", 0),
            (" \n", 0),
            ("a", 1),
            (" a  b\u{a0}\u{e9}\u{b}c ", 4),
        ] {
            assert_eq!(count_words(text), expected, "{text:?}");
            assert_eq!(words(text).count() as u64, expected, "{text:?}");
        }
    }
}
