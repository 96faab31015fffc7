//! What is asked of the cases inside the crates' benches, and which case is the twin.

use super::Row;
use super::process::scaled;

/// One case of a divan bench that has a target, a twin or a reading aid.
struct Asked {
    /// `package/bench`, as `cargo xtask bench --list` names it.
    bench: &'static str,
    case: &'static str,
    what: &'static str,
    asked: &'static str,
    /// How many operations one iteration makes.
    operations: u32,
    /// Another case of the same bench: the naive or rival way.
    twin: Option<&'static str>,
}

const ASKED: &[Asked] = &[
    Asked {
        bench: "tachograph-stats/sketch",
        case: "insert_histogram",
        what: "sketch: insert one value",
        asked: "≤ 1 ns",
        operations: 1_000_000,
        twin: Some("insert_ddsketch"),
    },
    Asked {
        bench: "tachograph-stats/sketch",
        case: "insert_histogram_slice",
        what: "sketch: insert one value of a slice",
        asked: "≤ 1 ns",
        operations: 1_000_000,
        twin: Some("insert_ddsketch"),
    },
    agents("get_cached", "cached agent get", "≤ 200 ns", None),
    agents(
        "search_index/api",
        "search over 120 agents: `api`",
        "≤ 20 µs",
        Some("naive_search/api"),
    ),
    agents(
        "search_index/python api",
        "search over 120 agents: `python api`",
        "≤ 20 µs",
        Some("naive_search/python api"),
    ),
    agents(
        "search_index/a",
        "search over 120 agents: `a` (most hits)",
        "≤ 20 µs",
        Some("naive_search/a"),
    ),
];

const fn agents(
    case: &'static str,
    what: &'static str,
    asked: &'static str,
    twin: Option<&'static str>,
) -> Asked {
    Asked {
        bench: "tachograph-agents/agents",
        case,
        what,
        asked,
        operations: 1,
        twin,
    }
}

/// Table rows for the medians (seconds) of one bench; a case nobody asked about is
/// shown as it is.
pub(crate) fn rows(bench: &str, medians: &[(String, f64)]) -> Vec<Row> {
    let row = |(case, median): &(String, f64)| {
        let asked = ASKED
            .iter()
            .find(|ask| ask.bench == bench && ask.case == case);
        let Some(ask) = asked else {
            return Row::new(&format!("`{case}`"), "–", scaled(*median));
        };
        let each = f64::from(ask.operations);
        let row = Row::new(ask.what, ask.asked, scaled(median / each));
        match medians
            .iter()
            .find(|(name, _)| Some(name.as_str()) == ask.twin)
        {
            Some((name, twin)) => {
                let text = format!("{} ({name})", scaled(twin / each));
                row.beside(text, median / twin)
            }
            None => row,
        }
    };
    medians.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn a_case_is_shown_per_operation_beside_its_twin() {
        let medians = [
            ("insert_histogram".to_owned(), 1.7e-3),
            ("insert_ddsketch".to_owned(), 15e-3),
        ];
        let table = rows("tachograph-stats/sketch", &medians);
        assert_eq!(table[0].measured, "1.70 ns");
        assert_eq!(table[0].twin, "15.0 ns (insert_ddsketch)");
        assert_eq!(table[0].ratio, "0.11");
        assert_eq!(table[1].measured, "15.0 ms", "not asked about: as it is");
    }
}
