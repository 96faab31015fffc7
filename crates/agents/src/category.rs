//! Categories: from a file's numbered prefix to the name that is shown, and
//! from what a person types back to that name.

use crate::text;

/// What a file without a known prefix belongs to.
pub const UNKNOWN: &str = "Unknown";

/// What an index entry without a category belongs to.
pub const UNCATEGORIZED: &str = "uncategorized";

/// File name prefix → display name.
const CATEGORIES: [(&str, &str); 12] = [
    ("01-core", "Core Development"),
    ("02-language", "Language Specialists"),
    ("03-infrastructure", "Infrastructure"),
    ("03-project", "Project Management"),
    ("04-quality", "Quality & Security"),
    ("05-data", "Data & AI"),
    ("06-developer", "Developer Experience"),
    ("07-specialized", "Specialized Domains"),
    ("08-business", "Business & Product"),
    ("09-meta", "Meta-Orchestration"),
    ("10-research", "Research & Analysis"),
    ("11-claude", "Claude Code"),
];

/// The category of a file by its stem, from the prefix `NN-word-`; [`UNKNOWN`]
/// for any other name.
#[must_use]
pub fn of_stem(stem: &str) -> &'static str {
    CATEGORIES
        .iter()
        .find(|(prefix, _)| {
            stem.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('-'))
        })
        .map_or(UNKNOWN, |&(_, name)| name)
}

/// Whether `typed` means the category shown as `name`.
///
/// Accepted, whatever the case: the name itself (`Core Development`), its slug
/// (`core-development`; `&` may be left out or be `and`), the file prefix
/// (`01-core`), and the prefix's word (`core`).
#[must_use]
pub fn means(typed: &str, name: &str) -> bool {
    if typed == name {
        return true;
    }
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        return false;
    }
    typed == name.to_lowercase()
        || typed == slug(name)
        || typed == slug(&name.replace('&', " and "))
        || CATEGORIES
            .iter()
            .filter(|(_, shown)| *shown == name)
            .any(|(prefix, _)| typed == *prefix || Some(typed.as_str()) == prefix.get(3..))
}

/// Lower case, with runs of anything but letters and digits as one hyphen:
/// `Quality & Security` becomes `quality-security`.
#[must_use]
pub fn slug(name: &str) -> String {
    let spaced: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    text::words(&spaced).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_name_categories() {
        for (stem, category) in [
            ("01-core-api-designer", "Core Development"),
            ("03-project-multi", "Project Management"),
            ("03-infrastructure-x", "Infrastructure"),
            ("01-core", UNKNOWN),
            ("01-corex-a", UNKNOWN),
            ("99-unknown-y", UNKNOWN),
            ("noprefix", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(of_stem(stem), category, "{stem}");
        }
    }

    #[test]
    fn documented_slugs_are_understood() {
        for typed in [
            "Core Development",
            "core development",
            "core-development",
            "CORE",
            "01-core",
            " core ",
        ] {
            assert!(means(typed, "Core Development"), "{typed}");
        }
        assert!(means("quality-security", "Quality & Security"));
        assert!(means("quality-and-security", "Quality & Security"));
        assert!(means("My-things", "my things"));
        for typed in ["", " ", "cor", "Nope", "01", "data"] {
            assert!(!means(typed, "Core Development"), "{typed}");
        }
    }
}
