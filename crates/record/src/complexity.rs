//! How complex a query looks, and which kind of agent it calls for: the rules
//! of the fifth seed (io-telco's agent selector), result for result.

const ENTITIES: [&str; 5] = ["payment", "bill", "customer", "account", "subscription"];
const CONNECTORS: [&str; 8] = [
    "and",
    "or",
    "with",
    "including",
    "compare",
    "analyze",
    "trend",
    "pattern",
];
const TIMES: [&str; 6] = ["last", "between", "from", "to", "since", "until"];
const STATES: [&str; 6] = ["posted", "failed", "open", "closed", "active", "inactive"];

/// Returns the complexity score of a query's text, 0..=1.
///
/// The seed's rule in Python's float arithmetic: 0.2 beyond 100 characters or
/// 0.1 beyond 50, then 0.15 for each kind of entity (at most 0.4), 0.1 for each
/// connecting word (at most 0.3), 0.05 for each word of time (at most 0.1).
/// Words are looked for as parts of the lower-cased text, as the seed does:
/// "for" counts as "or". Cost: about 1 µs for a sentence.
///
/// ```
/// assert_eq!(tachograph::complexity_score("report for tomorrow"), 0.15000000000000002);
/// ```
pub fn complexity_score(text: &str) -> f64 {
    let text = text.to_lowercase();
    let length = match text.chars().count() {
        101.. => 0.2,
        51.. => 0.1,
        _ => 0.0,
    };
    let entities = (0.15 * occurring(&text, &ENTITIES) as f64).min(0.4);
    let connectors = (0.1 * occurring(&text, &CONNECTORS) as f64).min(0.3);
    let times = (0.05 * occurring(&text, &TIMES) as f64).min(0.1);
    // The order of the additions decides the last digit.
    (0.0 + length + entities + connectors + times).min(1.0)
}

/// Which kind of agent a query calls for, and the rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// `simple` or `crewai`.
    pub agent: &'static str,
    /// The rule that decided, in a word.
    pub reason: &'static str,
}

/// Chooses between a `simple` and a `crewai` agent by the seed's rules.
/// Cost: a few microseconds for a sentence.
///
/// ```
/// let chosen = tachograph::select_agent("compare payments versus bills");
/// assert_eq!((chosen.agent, chosen.reason), ("crewai", "comparison"));
/// ```
pub fn select_agent(text: &str) -> Selection {
    let text = text.to_lowercase();
    let words = Text::of(&text);
    let simple = |reason| Selection {
        agent: "simple",
        reason,
    };
    let crewai = |reason| Selection {
        agent: "crewai",
        reason,
    };
    if words.has_and_list() {
        return match words.is_get_and_list_its() {
            true => simple("get_and_list_its"),
            false => crewai("and_list"),
        };
    }
    if words.joins() {
        return crewai("conjunction");
    }
    for (reason, any) in WHOLE_WORDS {
        if words.has_any(any) {
            return crewai(reason);
        }
    }
    let asks = ["show me", "list", "get", "find", "display"];
    if occurring(&text, &["payment", "bill", "customer", "subscription"]) > 1
        && occurring(&text, &asks) > 0
    {
        return crewai("several_entities");
    }
    if occurring(&text, &TIMES) > 1 {
        return crewai("time_range");
    }
    if occurring(&text, &STATES) > 1 {
        return crewai("several_states");
    }
    simple("simple_pattern")
}

const WHOLE_WORDS: [(&str, &[&str]); 5] = [
    ("comparison", &["compare", "comparison", "versus", "vs"]),
    (
        "aggregation",
        &[
            "aggregate",
            "sum",
            "total",
            "count",
            "average",
            "max",
            "min",
        ],
    ),
    (
        "relationship",
        &["relationship", "related", "associated", "linked"],
    ),
    (
        "analysis",
        &["analyze", "analysis", "insight", "pattern", "trend"],
    ),
    (
        "detail",
        &["complex", "detailed", "comprehensive", "complete"],
    ),
];

fn occurring(text: &str, parts: &[&str]) -> usize {
    parts.iter().filter(|part| text.contains(**part)).count()
}

/// A text cut into runs of word characters (`\w` of Python) and what stands
/// between them, which is all that the seed's regular expressions look at: a
/// word between two `\b` is exactly one whole run.
struct Text<'a> {
    /// Each run, and what follows it up to the next one.
    runs: Vec<(&'a str, &'a str)>,
}

impl<'a> Text<'a> {
    fn of(text: &'a str) -> Self {
        let mut runs = Vec::new();
        let mut rest = text.trim_start_matches(|c| !is_word(c));
        while !rest.is_empty() {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            let next = after.find(is_word).unwrap_or(after.len());
            runs.push((run, &after[..next]));
            rest = &after[next..];
        }
        Self { runs }
    }

    /// `\band\s+list\b`
    fn has_and_list(&self) -> bool {
        self.runs
            .windows(2)
            .any(|pair| pair[0].0 == "and" && is_space(pair[0].1) && pair[1].0 == "list")
    }

    /// `\b(get|fetch|retrieve|show)\s+\w+\s+\w+.*\band\s+list\s+its?\s+\w+`
    fn is_get_and_list_its(&self) -> bool {
        let runs = &self.runs;
        let starts = (0..runs.len()).filter(|&at| {
            ["get", "fetch", "retrieve", "show"].contains(&runs[at].0)
                && runs.get(at + 2).is_some()
                && is_space(runs[at].1)
                && is_space(runs[at + 1].1)
        });
        starts.into_iter().any(|at| {
            // `.` does not cross the end of a line.
            (at + 3..runs.len())
                .take_while(|&to| !runs[to - 1].1.contains('\n'))
                .any(|to| self.is_and_list_its(to))
        })
    }

    fn is_and_list_its(&self, at: usize) -> bool {
        let Some([and, list, its, _]) = self.runs.get(at..at + 4) else {
            return false;
        };
        (and.0, list.0) == ("and", "list")
            && ["it", "its"].contains(&its.0)
            && [and, list, its].iter().all(|run| is_space(run.1))
    }

    /// `\b(and|or|with|including|also|additionally)\s+(?:me|all|the|a|an)\s+`
    fn joins(&self) -> bool {
        let first = ["and", "or", "with", "including", "also", "additionally"];
        let second = ["me", "all", "the", "a", "an"];
        self.runs.windows(2).any(|pair| {
            first.contains(&pair[0].0)
                && is_space(pair[0].1)
                && second.contains(&pair[1].0)
                && pair[1].1.starts_with(is_blank)
        })
    }

    fn has_any(&self, words: &[&str]) -> bool {
        self.runs.iter().any(|(run, _)| words.contains(run))
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `\s` of Python also takes the four separators of ASCII.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

fn is_space(between: &str) -> bool {
    !between.is_empty() && between.chars().all(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables were printed by the fifth seed's own code.
    #[test]
    fn scores_are_the_seed_s_to_the_last_digit() {
        let cases: Vec<(String, f64)> =
            serde_json::from_str(include_str!("../tests/data/complexity_score.json"))
                .expect("a table");
        assert!(cases.len() > 10);
        for (text, score) in cases {
            assert_eq!(complexity_score(&text), score, "{text}");
        }
    }

    #[test]
    fn selections_are_the_seed_s() {
        let cases: Vec<(String, String)> =
            serde_json::from_str(include_str!("../tests/data/agent_selection.json"))
                .expect("a table");
        assert!(cases.len() > 20);
        for (text, agent) in cases {
            assert_eq!(select_agent(&text).agent, agent, "{text}");
        }
    }

    /// Corners of the expressions that the tables leave out; expected values
    /// come from Python's `re`.
    #[test]
    fn selection_reads_words_as_python_does() {
        for (text, agent, reason) in [
            (
                "get bill 7 and list its\tpayments",
                "simple",
                "get_and_list_its",
            ),
            ("get bill 7\nx and list its payments", "crewai", "and_list"),
            ("get\nbill\n7 and list it now", "simple", "get_and_list_its"),
            ("get bill and list its payments", "crewai", "and_list"),
            ("get bill 7 and list its", "crewai", "and_list"),
            ("band list", "simple", "simple_pattern"),
            ("brand and lists", "simple", "simple_pattern"),
            ("bills with the", "simple", "simple_pattern"),
            ("bills with the end", "crewai", "conjunction"),
            ("bills with, the end", "simple", "simple_pattern"),
            ("subtotals", "simple", "simple_pattern"),
            ("été_max", "simple", "simple_pattern"),
            ("été-max", "crewai", "aggregation"),
        ] {
            let chosen = select_agent(text);
            assert_eq!((chosen.agent, chosen.reason), (agent, reason), "{text}");
        }
    }
}
