//! One agent definition: a Markdown file's metadata.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::{category, front_matter, text};

/// How many characters of the body the keywords are drawn from.
const KEYWORD_BODY_CHARS: usize = 500;

/// How many keywords the index file keeps, alphabetically the first.
pub const INDEX_KEYWORDS: usize = 15;

/// Why a file is no agent definition. The wording is the first seed's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DefinitionError {
    /// No block between two `---` lines.
    #[error("No frontmatter")]
    NoFrontMatter,
    /// The block lacks `name:` or `description:`, or one of them is empty.
    #[error("Missing name or description")]
    MissingNameOrDescription,
}

/// What a Markdown file says about its agent.
///
/// Values stand as they are in the file: a quoted `name: "x"` keeps its quotes,
/// because the index format has no quoting and an index written by the original
/// holds them too. Show them through [`unquoted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// File stem, such as `01-core-api-designer`.
    pub id: String,
    /// The `name:` field.
    pub name: String,
    /// `name` with hyphens as spaces and capitals.
    pub display_name: String,
    /// From the file's numbered prefix; [`category::UNKNOWN`] otherwise.
    pub category: &'static str,
    /// The `description:` field.
    pub description: String,
    /// The `tools:` field, split at commas and white space, sorted, no doubles.
    pub tools: Vec<String>,
    /// *Every* keyword of the description and the first 500 characters of the
    /// body, sorted. The index file keeps the first [`INDEX_KEYWORDS`] only.
    pub keywords: BTreeSet<String>,
    /// `⌊words / 0.75⌋ + 50` over the whole file.
    pub estimated_tokens: u64,
}

impl Definition {
    /// Reads the definition in `markdown`, the text of the file with the stem
    /// `id`. Linear in the text.
    ///
    /// ```
    /// use tachograph_agents::Definition;
    ///
    /// let text = "---\nname: api-designer\ndescription: Designs APIs\ntools: Read, Bash\n---\nBody\n";
    /// let agent = Definition::parse("01-core-api-designer", text)?;
    /// assert_eq!(agent.display_name, "Api Designer");
    /// assert_eq!(agent.category, "Core Development");
    /// assert_eq!(agent.tools, ["Bash", "Read"]);
    /// # Ok::<(), tachograph_agents::DefinitionError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text has no front matter, or no name or description in it.
    pub fn parse(id: &str, markdown: &str) -> Result<Self, DefinitionError> {
        let text = text::normalised(markdown);
        let front = front_matter::split(&text).ok_or(DefinitionError::NoFrontMatter)?;
        let field = |name| front_matter::field(front.block, name).filter(|value| !value.is_empty());
        let (Some(name), Some(description)) = (field("name"), field("description")) else {
            return Err(DefinitionError::MissingNameOrDescription);
        };
        let body: String = front.body.chars().take(KEYWORD_BODY_CHARS).collect();
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            display_name: text::display_name(name),
            category: category::of_stem(id),
            description: description.to_owned(),
            tools: tools(field("tools").unwrap_or_default()),
            keywords: text::keywords(&format!("{description} {body}")),
            estimated_tokens: estimated_tokens(text::count_words(&text)),
        })
    }
}

/// `value` without one matching pair of quotes around it, for showing.
///
/// ```
/// assert_eq!(tachograph_agents::unquoted("\"api\""), "api");
/// assert_eq!(tachograph_agents::unquoted("it's"), "it's");
/// ```
#[must_use]
pub fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    value
}

fn tools(value: &str) -> Vec<String> {
    let parts: BTreeSet<&str> = value
        .split(|c| c == ',' || text::is_space(c))
        .filter(|part| !part.is_empty() && *part != "-")
        .collect();
    parts.into_iter().map(str::to_owned).collect()
}

/// Words per token is 0.75, and every agent costs some 50 tokens of frame. In
/// whole numbers: `⌊words × 4 / 3⌋`, which no count of words that fits a file
/// can tell from the original's floating point.
fn estimated_tokens(words: u64) -> u64 {
    words * 4 / 3 + 50
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_follow_the_floating_point_rule() {
        for words in 0..200_000_u64 {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the original's arithmetic"
            )]
            let original = (words as f64 / 0.75) as u64 + 50;
            assert_eq!(estimated_tokens(words), original, "{words}");
        }
    }

    #[test]
    fn windows_newlines_and_marks_change_nothing() {
        let unix = "---\nname: x\ndescription: some thing\ntools: b,a\n---\nBody here\n";
        let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
        assert_eq!(
            Definition::parse("x", unix),
            Definition::parse("x", &windows)
        );
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for (text, error) in [
            ("", DefinitionError::NoFrontMatter),
            ("# heading\n", DefinitionError::NoFrontMatter),
            (
                "---\nname: x\ndescription: y\n",
                DefinitionError::NoFrontMatter,
            ),
            (
                "---\nname: x\n---\n",
                DefinitionError::MissingNameOrDescription,
            ),
            (
                "---\ndescription: x\n---\n",
                DefinitionError::MissingNameOrDescription,
            ),
            (
                "---\nname: x\ndescription:   \n---\n",
                DefinitionError::MissingNameOrDescription,
            ),
        ] {
            assert_eq!(Definition::parse("x", text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn only_the_first_500_characters_of_the_body_give_keywords() {
        let text = format!(
            "---\nname: x\ndescription: d\n---\n{}within {}beyond",
            "é ".repeat(200),
            "é ".repeat(100)
        );
        let found = Definition::parse("x", &text)
            .expect("a definition")
            .keywords;
        assert!(found.contains("within") && !found.contains("beyond"));
    }
}
