//! What must not stand in any file: unfinished work, one machine's names, invisible text.

use super::source::{Source, line_at, words};
use super::{Files, Finding};

/// Wall 9: nothing left undone, no test switched off.
pub(crate) fn undone(files: &Files) -> Vec<Finding> {
    const UNDONE: [(&str, &str); 5] = [
        ("todo!", "unfinished code"),
        ("unimplemented!", "unfinished code"),
        ("dbg!", "left over from debugging"),
        ("#[ignore]", "a test that never runs"),
        ("#[ignore =", "a test that never runs"),
    ];
    let mut found = Vec::new();
    for source in files.rust() {
        for (pattern, message) in UNDONE {
            for at in words(source.code(), pattern) {
                let line = line_at(source.code(), at);
                found.push(Finding::new(
                    &source.path,
                    line,
                    format!("`{pattern}`: {message}"),
                ));
            }
        }
    }
    found
}

/// The tree must build anywhere: no path or package source of one machine.
pub(crate) fn machine(files: &Files) -> Vec<Finding> {
    // Taken apart so that this file does not break its own rule.
    const PLACES: [&str; 5] = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("index", "-url"),
        concat!("[source", "."),
        concat!("[regis", "tries"),
    ];
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let mut found = Vec::new();
    for source in files.iter() {
        for place in PLACES {
            for (at, _) in source.text.match_indices(place) {
                let line = line_at(&source.text, at);
                let message = format!("`{place}` belongs to one machine");
                found.push(Finding::new(&source.path, line, message));
            }
        }
    }
    if let Some(lock) = files.get("Cargo.lock") {
        for (index, line) in lock.text.lines().enumerate() {
            if line.starts_with("source = ") && !line.contains(CRATES_IO) {
                found.push(Finding::new(
                    &lock.path,
                    index + 1,
                    "a package not from crates.io",
                ));
            }
        }
    }
    found
}

/// Control characters and direction marks make text read other than it runs.
pub(crate) fn invisible(files: &Files) -> Vec<Finding> {
    files
        .iter()
        .filter(|source| !is_data(&source.path))
        .flat_map(invisible_in)
        .collect()
}

fn invisible_in(source: &Source) -> Vec<Finding> {
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
            || matches!(c, '\u{200b}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = source.text.char_indices().filter(|(_, c)| hidden(*c));
    found
        .map(|(at, c)| {
            let line = line_at(&source.text, at);
            let message = format!(
                "invisible character U+{:04X}: write it as an escape",
                u32::from(c)
            );
            Finding::new(&source.path, line, message)
        })
        .collect()
}

/// Test input and recorded output may hold anything.
fn is_data(path: &str) -> bool {
    let folder = |part| matches!(part, "data" | "fixtures" | "snapshots" | "cases" | "vendor");
    path.split('/').any(folder)
}
