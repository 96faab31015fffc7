//! "Did you mean …?" For whoever reads names that people write.

/// What is longer in bytes is no misspelt name, and to compare it takes long.
const MOST_BYTES: usize = 256;

/// Returns the name that was probably meant.
pub fn near<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let nearest = names
        .into_iter()
        .map(|name| (distance(text, name), name))
        .min()?;
    (nearest.0 <= 1 + text.len() / 4).then_some(nearest.1)
}

/// Returns the hint of somebody who wrote `text` where one of `names` belongs:
/// the nearest, or else all of them.
pub fn hint(text: &str, names: &[&str]) -> String {
    match near(text, names.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", names.join(", ")),
    }
}

/// Returns the Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
