//! Wall 6: `unsafe` in one file, and never without a reason.

use super::source::{Source, line_at, words};
use super::{Files, Finding};

const MAY_BE_UNSAFE: &str = "crates/record/src/ring.rs";

pub(crate) fn check(files: &Files) -> Vec<Finding> {
    files.rust().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for at in words(source.code(), "unsafe") {
        let line = line_at(source.code(), at);
        if source.path != MAY_BE_UNSAFE {
            let message = format!("`unsafe` stands outside {MAY_BE_UNSAFE}");
            found.push(Finding::new(&source.path, line, message));
        } else if !explained(&source.text, line) {
            let message = "`unsafe` without a `// SAFETY:` comment above it";
            found.push(Finding::new(&source.path, line, message));
        }
    }
    found
}

/// Whether the comment directly above the statement that holds `line` gives the reason.
///
/// Climbs over attributes and the earlier lines of the same statement.
fn explained(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let reason = |text: &str| text.contains("SAFETY:") || text.contains("# Safety");
    let mut in_comment = false;
    for above in lines.iter().take(line.saturating_sub(1)).rev() {
        if above.starts_with("//") {
            if reason(above) {
                return true;
            }
            in_comment = true;
            continue;
        }
        let other_statement = !above.starts_with('#') && above.ends_with([';', '{', '}']);
        if in_comment || other_statement || above.is_empty() {
            return false;
        }
    }
    false
}
