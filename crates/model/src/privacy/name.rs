//! Names of tools, models, operations and the like, and ids of spans: what is
//! one, and what is a text in its place.

use std::borrow::Cow;

use super::value::is_network_address;
use crate::answer::OTHER;

/// The longest name that is kept as it is, in bytes.
pub const MAX_KEPT_NAME_BYTES: usize = 128;
/// What has more words is a sentence.
const MAX_WORDS: usize = 8;
/// What has more parts is a path.
const MAX_SLASHES: usize = 3;

/// Whether a text is a name: at most 128 bytes and 8 words of letters of any
/// script, digits and `_-.:,+'()#`, with `/` between words
/// (`openai/gpt-oss-20b`) and `@` before a model's version. A path, a URL, an
/// address, an assignment (`a=b`) and a command with flags are none.
///
/// An empty text says nothing, and is one. Costs about 50 ns.
pub fn is_name(text: &str) -> bool {
    if text.len() > MAX_KEPT_NAME_BYTES {
        return false;
    }
    let (mut before, mut words, mut slashes) = ('\0', 1, 0);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let fits = match c {
            'a'..='z'
            | 'A'..='Z'
            | '0'..='9'
            | '_'
            | '-'
            | '.'
            | ':'
            | ','
            | '+'
            | '\''
            | '('
            | ')'
            | '#' => true,
            '/' => {
                slashes += 1;
                slashes <= MAX_SLASHES
                    && (before.is_alphanumeric() || "_-)".contains(before))
                    && next.is_some_and(|next| next.is_alphanumeric() || next == '_')
            }
            ' ' => {
                words += 1;
                // A flag follows, or a second blank, or nothing.
                let rest = &text.as_bytes()[at + 1..];
                let flag = rest.first() == Some(&b'-') && !matches!(rest.get(1), None | Some(b' '));
                words <= MAX_WORDS && !flag && at > 0 && !matches!(next, None | Some(' '))
            }
            // Nothing is assigned to.
            '=' => at == 0,
            '@' => before.is_alphanumeric() && is_version(&text[at + 1..]),
            c => !c.is_ascii() && is_written(c),
        };
        if !fits {
            return false;
        }
        before = c;
    }
    !(slashes > 0 && begins_at_root(text) || is_network_address(text))
}

/// A name as it is stored. [`OTHER`] is what is not told apart, by a recorder or
/// in an answer; what a program itself calls so gets an underscore more, and so
/// does what would then be called the same: `__other`, `___other`.
pub fn told_from_other(name: &str) -> Cow<'_, str> {
    let rest = name.trim_start_matches('_');
    match rest.len() < name.len() && rest == &OTHER[1..] {
        true => Cow::Owned(format!("_{name}")),
        false => Cow::Borrowed(name),
    }
}

/// Of an id (a span's, a trace's, a query's) what is kept as it is: at most 128
/// letters, digits and `_-.:`.
pub fn is_word_id(text: &str) -> bool {
    text.len() <= MAX_KEPT_NAME_BYTES
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

/// Whether a text may be a unit: `ms`, `By/s`, `{token}`, `%`.
pub fn is_unit(text: &str) -> bool {
    const MAX_UNIT_BYTES: usize = 32;
    let inverse = text.strip_prefix('/');
    text.len() <= MAX_UNIT_BYTES
        && inverse.is_none_or(|of| of.len() <= 4)
        && inverse.unwrap_or(text).matches('/').count() <= 1
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.:%{}[]()/*^'\u{b0}".contains(c))
}

/// What a model may be called by: of a path (`/home/alice/models/m.gguf`, which
/// is what servers of local models call theirs) the last part; the rest says
/// where it lies.
pub fn model_name(text: &str) -> &str {
    let drive = text.get(1..2) == Some(":") && text.get(2..3) == Some("/");
    let is_path =
        text.starts_with(['/', '~', '.']) || text.contains('\\') || text.contains("://") || drive;
    if !is_path {
        return text;
    }
    let last = text.rsplit(['/', '\\']).find(|part| !part.is_empty());
    last.unwrap_or_default()
}

/// `claude-sonnet-4@20250514`, `gemini@latest`: behind an `@`, and nobody's domain.
fn is_version(text: &str) -> bool {
    matches!(text, "latest" | "default")
        || text.starts_with(|c: char| c.is_ascii_digit())
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"-:".contains(&b))
}

/// Neither white space nor what changes how others are shown.
fn is_written(c: char) -> bool {
    let joiner = matches!(c, '\u{200c}' | '\u{200d}');
    joiner
        || !c.is_whitespace()
            && !c.is_control()
            && !matches!(c, '\u{2000}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
}

fn begins_at_root(text: &str) -> bool {
    let drive = text.as_bytes().get(1..3) == Some(b":/");
    let first = text.split('/').next().unwrap_or_default();
    drive || ["home", "root", "tmp", "var", "etc", "usr", "mnt"].contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_texts() {
        for name in [
            "",
            "grep",
            "mcp__server__tool",
            "Search the web",
            "functions.search",
            "std::fs::read",
            "openai/gpt-oss-20b",
            "models/gemini-2.5-flash",
            "accounts/fireworks/models/llama-v3p1-8b",
            "claude-3-5-sonnet@20240620",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "ft:gpt-4o-mini-2024-07-18:acme::AbCd1234",
            "llama3:8b",
            "a:b/c",
            "söarch 🔍",
            "検索",
            "खोजें",
            "tools/call",
            "Linux 6.1.0-21-amd64 #1 SMP Debian 6.1.90-1 (2024-05-03)",
            "fetch - cached",
            "=cmd()",
            &"x".repeat(128),
        ] {
            assert!(is_name(name), "{name}");
        }
        for text in [
            "rm -rf /home/SECRET",
            "rm -rf SECRET",
            "cat /etc/passwd",
            "/home/bob/x",
            "home/bob/x",
            "./x",
            "../x",
            "a/../b",
            "~/x",
            "~bob",
            "C:\\Users\\bob",
            "C:/Users/bob",
            "https://x.y/SECRET?token=abc",
            "file:/home/bob",
            "a//b",
            "a/b/c/d/e",
            "bob@example.org",
            "bob@example",
            "bob@7.example.org",
            "Bob <bob@example.org>",
            "token=abc",
            "A=1 run",
            "10.0.0.7",
            "10.0.0.7:9100",
            "two\nlines",
            " x",
            "x ",
            "x  y",
            "what is the salary of the man who wrote it",
            "say \"hi\"",
            "$(id)",
            "a;b",
            "a\u{202e}b",
            &"x".repeat(129),
        ] {
            assert!(!is_name(text), "{text}");
        }
    }

    #[test]
    fn of_a_path_the_last_part_is_the_model() {
        let check = |name: &str, expected| assert_eq!(model_name(name), expected, "{name}");
        check("openai/gpt-oss-20b", "openai/gpt-oss-20b");
        check("a:b/c", "a:b/c");
        check("/home/alice/models/m.gguf", "m.gguf");
        check("C:/Users/alice/m.gguf", "m.gguf");
        check("file:///home/alice/m.gguf", "m.gguf");
        check("/", "");
    }

    #[test]
    fn what_calls_itself_other_is_told_from_what_is_not_told_apart() {
        for (name, stored) in [
            ("_other", "__other"),
            ("__other", "___other"),
            ("other", "other"),
            ("_others", "_others"),
            ("_Other", "_Other"),
            ("_", "_"),
            ("", ""),
        ] {
            assert_eq!(told_from_other(name), stored, "{name}");
            assert_ne!(told_from_other(name), OTHER);
        }
    }

    #[test]
    fn ids_and_units_are_told_from_texts() {
        for id in [
            "00f067aa0ba902b7",
            "550e8400-e29b-41d4-a716-446655440000",
            "q1",
            "a.b:c",
            "",
        ] {
            assert!(is_word_id(id), "{id}");
        }
        for text in ["two words", "/home/bob", "bob@x.y", &"x".repeat(129), "ä"] {
            assert!(!is_word_id(text), "{text}");
        }
        for unit in [
            "ms", "By/s", "{token}", "%", "1", "/min", "m/s^2", "°C", "MB", "", "10*3",
        ] {
            assert!(is_unit(unit), "{unit}");
        }
        for text in [
            "/home/bob",
            "a/b/c",
            "two words",
            "bob@x.y",
            "a=b",
            &"x".repeat(33),
        ] {
            assert!(!is_unit(text), "{text}");
        }
    }
}
