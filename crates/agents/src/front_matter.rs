//! Front matter by the index format's own rules, which are looser and simpler
//! than YAML's: a block between two `---` lines *anywhere* in the file, fields
//! as `name: value` lines, no quoting.
//!
//! The rules are two regular expressions, followed here by hand so that no
//! input can make them backtrack: both functions are linear in the text.

use crate::text::is_space;

/// The block and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrontMatter<'a> {
    pub(crate) block: &'a str,
    pub(crate) body: &'a str,
}

/// The first match of `^---\s*\n(.*?)\n---\s*\n` (multi-line, dot matches all).
pub(crate) fn split(text: &str) -> Option<FrontMatter<'_>> {
    let (first_start, last_start) = opening(text)?;
    // `\s*` is greedy: the block starts after the last newline of the white
    // space, or, when no closing line follows that, after an earlier one.
    closing(text, last_start).or_else(|| {
        let line = last_start - 1;
        if first_start > line {
            return None;
        }
        let block_start = text[..line].rfind('\n')? + 1;
        let body_start = fence(text, last_start)?;
        Some(FrontMatter {
            block: &text[block_start..line],
            body: &text[body_start..],
        })
    })
}

/// The value of the first line that `^{name}:\s*(.+)$` matches, trimmed.
///
/// As in the original, white space after the colon may span lines, so an empty
/// field takes the next line for its value.
pub(crate) fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    let mut line_start = 0;
    loop {
        if let Some(value) = value_at(block, line_start, name) {
            return Some(value);
        }
        line_start += block[line_start..].find('\n')? + 1;
    }
}

fn value_at<'a>(block: &'a str, line_start: usize, name: &str) -> Option<&'a str> {
    let rest = block[line_start..].strip_prefix(name)?.strip_prefix(':')?;
    let value = rest.trim_start_matches(is_space);
    if value.is_empty() {
        // Only white space to the end: it matches as an empty value if any of
        // it can stand for `.+`.
        return rest.contains(|c| c != '\n').then_some("");
    }
    let line = value.split('\n').next().unwrap_or(value);
    Some(line.trim_matches(is_space))
}

/// The first opening line: where the block may start at the earliest and at
/// the latest. A later opening need not be tried: whatever would close it also
/// closes the first.
fn opening(text: &str) -> Option<(usize, usize)> {
    let mut line_start = 0;
    loop {
        if text[line_start..].starts_with("---")
            && let Some(latest) = fence(text, line_start)
        {
            let earliest = line_start + text[line_start..].find('\n')? + 1;
            return Some((earliest, latest));
        }
        line_start += text[line_start..].find('\n')? + 1;
    }
}

fn closing(text: &str, block_start: usize) -> Option<FrontMatter<'_>> {
    let mut from = block_start;
    loop {
        let newline = from + text[from..].find("\n---")?;
        if let Some(body_start) = fence(text, newline + 1) {
            return Some(FrontMatter {
                block: &text[block_start..newline],
                body: &text[body_start..],
            });
        }
        from = newline + 1;
    }
}

/// For a line that begins with `---` at `at`: the place after the last newline
/// of the white space behind it, if there is one.
fn fence(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix("---")?;
    let space_len = rest.len() - rest.trim_start_matches(is_space).len();
    let newline = rest[..space_len].rfind('\n')?;
    Some(at + 3 + newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_where_the_expression_finds_them() {
        // Expected values from Python's re on the same texts.
        for (text, expected) in [
            ("---\na: b\n---\nbody\n", Some(("a: b", "body\n"))),
            ("intro\n---\na\n---\n", Some(("a", ""))),
            ("---\na\n---", None),
            ("---\n---\n", None),
            ("---\n\n---\n", Some(("", ""))),
            ("---\n\n\n---\nx", Some(("", "x"))),
            ("---\n\n---\nb\n---\nrest", Some(("---\nb", "rest"))),
            ("--- x\n---\na\n---\n", Some(("a", ""))),
            ("----\na\n---\nb\n---\nc", Some(("b", "c"))),
            ("---\na\n----\nb\n--- \t\n\n c", Some(("a\n----\nb", " c"))),
            (" ---\na\n---\n", None),
            ("", None),
            ("---", None),
        ] {
            let found = split(text).map(|f| (f.block, f.body));
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn fields_are_lines() {
        for (block, expected) in [
            ("name: x", Some("x")),
            ("other: y\nname:x  ", Some("x")),
            ("name:\ntools: a", Some("tools: a")),
            ("name:   ", Some("")),
            ("name:", None),
            ("name:\n\n", None),
            (" name: x", None),
            ("xname: x", None),
            ("name: a: b\nname: c", Some("a: b")),
            ("name: \"quoted\"", Some("\"quoted\"")),
        ] {
            assert_eq!(field(block, "name"), expected, "{block:?}");
        }
    }

    #[test]
    fn a_block_that_never_closes_costs_linear_time() {
        let text = "---\n".to_owned() + &"---  x\n\n---y\n".repeat(200_000);
        let start = std::time::Instant::now();
        assert_eq!(split(&text), None);
        assert!(start.elapsed().as_secs() < 5);
    }
}
