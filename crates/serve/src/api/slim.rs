//! Modules as they travel: without comments and without indentation. That is a
//! third of them, and nothing that runs.
//!
//! # Invariants
//! - Within strings, templates and regular expressions every byte stays, but for
//!   the indentation of markup, where the end of the line parts words as well.
//! - What is not understood stays as it is, and so do comments that begin behind
//!   code and end on another line.

const BLANKS: [char; 2] = [' ', '\t'];

/// What comes without comments and indentation.
pub fn slim(module: &str) -> String {
    let mut out = String::with_capacity(module.len());
    let mut reader = Reader::default();
    let mut lines = module.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let bare = line.trim_start_matches(BLANKS);
        // Within a template, or a comment that began behind code.
        if !reader.is_in_code() {
            let markup = reader.around.last() == Some(&In::Markup);
            reader.read(if markup { bare } else { line }, &mut out);
            continue;
        }
        if bare.trim_end().is_empty() || bare.starts_with("//") {
            continue;
        }
        if bare.starts_with("/*") {
            let mut last = line;
            while !last.contains("*/") {
                let Some(next) = lines.next() else { break };
                last = next;
            }
            let rest = last.split_once("*/").map_or("", |(_, rest)| rest);
            if !rest.trim().is_empty() {
                // Code behind a comment.
                reader.read(rest.trim_start_matches(BLANKS), &mut out);
            }
            continue;
        }
        reader.read(bare, &mut out);
    }
    out
}

/// What surrounds the place that was reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    /// Braces within a template's `${…}`, so many of which are open.
    Braces(usize),
    Template,
    /// A template of HTML.
    Markup,
    Comment,
}

/// Goes through a module line by line.
#[derive(Default)]
struct Reader {
    around: Vec<In>,
    /// The last byte of code that was no blank: it tells a division from a
    /// regular expression.
    last: u8,
    /// The last word, as far as it goes to the place that was reached.
    word: Vec<u8>,
}

impl Reader {
    fn is_in_code(&self) -> bool {
        matches!(self.around.last(), None | Some(In::Braces(_)))
    }

    /// Reads a line, and copies what is no comment.
    fn read(&mut self, text: &str, out: &mut String) {
        let line = text.as_bytes();
        let (mut at, mut copied) = (0, 0);
        while at < line.len() {
            if self.is_in_code()
                && let Some(end) = after_comment(line, at)
            {
                out.push_str(&text[copied..at]);
                copied = end + part(out, &text[end..]);
                at = copied;
                continue;
            }
            at = match self.around.last() {
                Some(In::Template | In::Markup) => self.template(line, at),
                Some(In::Comment) => match find(&line[at..], b"*/") {
                    Some(end) => {
                        self.around.pop();
                        at + end + 2
                    }
                    None => line.len(),
                },
                _ => self.code(line, at),
            };
        }
        out.push_str(&text[copied..]);
    }

    /// Reads on in a template; where from then on.
    fn template(&mut self, line: &[u8], at: usize) -> usize {
        match line[at] {
            b'\\' => return at + 2,
            b'`' => {
                self.around.pop();
                self.note(b'`');
            }
            b'$' if line.get(at + 1) == Some(&b'{') => {
                self.around.push(In::Braces(0));
                self.note(b'{');
                return at + 2;
            }
            _ => {}
        }
        at + 1
    }

    /// Reads on in code; where from then on.
    fn code(&mut self, line: &[u8], at: usize) -> usize {
        let byte = line[at];
        match byte {
            b'"' | b'\'' => {
                self.note(byte);
                return after(line, at + 1, byte);
            }
            b'`' if self.word == b"html" => self.around.push(In::Markup),
            b'`' => self.around.push(In::Template),
            b'/' if line.get(at + 1) == Some(&b'*') => {
                self.around.push(In::Comment);
                return at + 2;
            }
            b'/' if self.begins_expression() => {
                self.note(b'/');
                return pattern(line, at + 1);
            }
            b'{' => {
                if let Some(In::Braces(open)) = self.around.last_mut() {
                    *open += 1;
                }
                self.note(byte);
            }
            b'}' => {
                match self.around.last_mut() {
                    Some(In::Braces(0)) => drop(self.around.pop()),
                    Some(In::Braces(open)) => *open -= 1,
                    _ => {}
                }
                self.note(byte);
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                let goes_on = at > 0 && is_word(line[at - 1]);
                if !goes_on {
                    self.word.clear();
                }
                self.word.push(byte);
                self.last = byte;
            }
        }
        at + 1
    }

    fn note(&mut self, byte: u8) {
        self.last = byte;
        self.word.clear();
    }

    /// Whether a `/` here begins a regular expression: after a value it divides.
    fn begins_expression(&self) -> bool {
        let value =
            is_word(self.last) || matches!(self.last, b')' | b']' | b'}' | b'"' | b'\'' | b'`');
        !value
            || matches!(
                &*self.word,
                b"return" | b"typeof" | b"case" | b"in" | b"of" | b"void"
            )
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// Where a comment ends that begins here and ends on this line.
fn after_comment(line: &[u8], at: usize) -> Option<usize> {
    let rest = &line[at..];
    if rest.starts_with(b"//") {
        return Some(at + rest.trim_ascii_end().len());
    }
    let inner = rest.strip_prefix(b"/*")?;
    Some(at + 2 + find(inner, b"*/")? + 2)
}

/// Keeps apart what a comment stood between; how many bytes of the rest are left out.
fn part(out: &mut String, rest: &str) -> usize {
    let bare = rest.trim_start_matches(BLANKS);
    if bare.trim_end().is_empty() {
        out.truncate(out.trim_end_matches(BLANKS).len());
    } else if !out.ends_with([' ', '\n', '(', '[', '{', ',']) {
        out.push(' ');
    }
    rest.len() - bare.len()
}

/// Behind the quote that ends a string.
fn after(line: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while at < line.len() {
        match line[at] {
            b'\\' => at += 1,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    line.len()
}

/// Behind a regular expression, in whose brackets a `/` ends nothing.
fn pattern(line: &[u8], from: usize) -> usize {
    let mut bracket = false;
    let mut at = from;
    while at < line.len() {
        match line[at] {
            b'\\' => at += 1,
            b'[' => bracket = true,
            b']' => bracket = false,
            b'/' if !bracket => return at + 1,
            _ => {}
        }
        at += 1;
    }
    line.len()
}

fn find(line: &[u8], what: &[u8]) -> Option<usize> {
    line.windows(what.len()).position(|it| it == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(module: &str, slimmed: &str) {
        assert_eq!(slim(module), slimmed, "{module}");
    }

    #[test]
    fn comments_and_indentation_stay_behind() {
        check("// a\nlet b;\n\n  let c; // d\n", "let b;\nlet c;\n");
        check("/** a\n * b\n */\nlet c;\n", "let c;\n");
        check("  /** @type {X} */ const a = b;\n", "const a = b;\n");
        check("  /** @type {X} */\n  const a = b;\n", "const a = b;\n");
        check("a(/** b */ c, /* d */ e);\n", "a(c, e);\n");
        check(
            "return/* a */b /* c */ + /* d */ /* e */ f; /* g */\n",
            "return b + f;\n",
        );
        check("let a = '//'; // é\r\nb", "let a = '//';\r\nb");
        check(
            "let a; /* b\n  c */ let d;\n  e\n",
            "let a; /* b\n  c */ let d;\ne\n",
        );
        check("a\r\n  b\r\n", "a\r\nb\r\n");
        check("", "");
        check("/* no end", "");
    }

    #[test]
    fn what_is_text_stays_as_it_is() {
        for text in [
            "let a = `\n  // b\n  /* c */\n\n  d`;\n",
            "let a = `${{ b: `\n  // c\n` }}\n  // d\n`;\n",
            "let a = `\\`\n  // b\n`;\n",
            "html(`\n  a`);\n",
            "let a = '`';\n",
            "let a = \"//\";\n",
            "let a = '/* b */' + `/* c */ // d`;\n",
            "let a = '\\'`';\n",
            "let a = /[/`]/;\n",
            "return /`/.test(a);\n",
        ] {
            check(&format!("{text}  // z\n"), text);
        }
        // Divided, not matched.
        check(
            "let a = b / c; let d = `\n  // e\n` / f;\n  // z\n",
            "let a = b / c; let d = `\n  // e\n` / f;\n",
        );
        check(
            "a[0] / b; (c) / d; `e`;\n  // z\n",
            "a[0] / b; (c) / d; `e`;\n",
        );
        // A template within one goes on in code, and comes back.
        check(
            "html`\n  a ${b(() => {\n    // c\n    return d;\n  })}\n  // e\n`;\n",
            "html`\na ${b(() => {\nreturn d;\n})}\n// e\n`;\n",
        );
    }
}
