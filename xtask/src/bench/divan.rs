//! Reads what divan prints, so that a crate's bench needs nothing but divan.
//!
//! ```text
//! sketch            fastest │ slowest │ median   │ mean │ samples │ iters
//! ├─ insert         1.7 ms  │ 2.0 ms  │ 1.744 ms │ …
//! │                 582 …   │                              counters: no time, left out
//! ├─ merge                  │         │          │         a group
//! │  ╰─ 1000        6.5 µs  │ …
//! ```

/// Gathers `(path, median in seconds)` from the lines of one bench, in order.
#[derive(Default)]
pub(crate) struct Reader {
    /// Names of the groups that are open, outermost first.
    groups: Vec<String>,
    pub(crate) medians: Vec<(String, f64)>,
}

impl Reader {
    pub(crate) fn line(&mut self, line: &str) {
        let Some((before, rest)) = line.split_once(['├', '╰']) else {
            return;
        };
        let Some(rest) = rest.strip_prefix("─ ") else {
            return;
        };
        // Each level indents by three characters, `│` and two blanks.
        self.groups.truncate(before.chars().count() / 3);
        let cells: Vec<&str> = rest.split('│').map(str::trim).collect();
        // The first cell holds the name and, after blanks, the fastest time.
        let name = cells[0].split("  ").next().unwrap_or_default().trim();
        match cells.get(2).and_then(|median| time(median)) {
            Some(median) => {
                let path = self.groups.iter().map(String::as_str).chain([name]);
                let path = path.collect::<Vec<_>>().join("/");
                self.medians.push((path, median));
            }
            None => self.groups.push(name.to_owned()),
        }
    }
}

/// `1.744 ms` in seconds; nothing for rates such as `5 Mitem/s`.
fn time(text: &str) -> Option<f64> {
    let (value, unit) = text.split_once(' ')?;
    let scale = match unit {
        "ps" => 1e-12,
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Some(value.parse::<f64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::Reader;

    #[test]
    fn medians_are_read_with_their_groups() {
        let text = "\
sketch                  fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ insert               1.717 ms      │ 2.019 ms      │ 1.744 ms      │ 1.749 ms      │ 100     │ 100
│                       582.3 Mitem/s │ 495.1 Mitem/s │ 573.3 Mitem/s │ 571.6 Mitem/s │         │
├─ merge                              │               │               │               │         │
│  ├─ 10                339.7 ns      │ 2.522 µs      │ 350.7 ns      │ 378.9 ns      │ 100     │ 100
│  ╰─ 1000              6.598 µs      │ 28.32 µs      │ 6.769 µs      │ 6.951 µs      │ 100     │ 100
╰─ last                 27.03 ms      │ 38.04 ms      │ 27.4 ms       │ 27.82 ms      │ 100     │ 100";
        let mut reader = Reader::default();
        text.lines().for_each(|line| reader.line(line));
        let found: Vec<(&str, f64)> = reader
            .medians
            .iter()
            .map(|(path, seconds)| (path.as_str(), (seconds * 1e10).round()))
            .collect();
        let expected = [
            ("insert", 17_440_000.0),
            ("merge/10", 3_507.0),
            ("merge/1000", 67_690.0),
            ("last", 274_000_000.0),
        ];
        assert_eq!(found, expected, "in tenths of a nanosecond");
    }
}
