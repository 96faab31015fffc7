//! Figures of alert rules, in the unit of what they watch.

use super::Cell;
use crate::alert::{Condition, Stat};

/// A value of a rule, or its threshold. What a metric measures is not known here:
/// its figures are bare.
pub fn amount(family: &str, condition: &str, value: f64) -> Cell {
    let stat = Condition::parse(condition).map(|condition| condition.stat);
    match (stat, family) {
        (Ok(Stat::Ratio), _) => Cell::Ratio(value),
        (Ok(Stat::Rate), _) => Cell::PerSecond(value),
        (Ok(Stat::Count) | Err(_), _) => Cell::Number(value),
        (_, "model_cost" | "agent_cost") => Cell::Usd(value),
        (_, "tool" | "model" | "agent" | "agent_tool" | "agent_model") => Cell::Ms(value),
        (_, "query" | "discovery" | "profile") => Cell::Ms(value),
        _ => Cell::Number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::FAMILIES;

    #[test]
    fn figures_are_in_the_unit_of_what_is_watched() {
        let check = |family: &str, condition: &str, value: f64, shown: &str| {
            let cell = amount(family, condition, value);
            assert_eq!(cell.shown(), shown, "{family} {condition}");
            // For programs it is the same everywhere.
            assert_eq!(cell.raw(), value.to_string());
        };
        check("tool", "p95 > 30000", 31_200.0, "31.2 s");
        check("agent_tool", "avg > 1", 0.25, "250 µs");
        check("model_cost", "sum > 5", 12.5, "$12.50");
        check("agent_cost", "sum > 5", 0.0, "$0.00");
        check("cache", "ratio < 0.5", 0.495, "49.5%");
        check("tool", "ratio > 0.2", 0.25, "25.0%");
        check("tool", "count > 3", 1234.0, "1,234");
        check("error", "rate > 3", 3.25, "3.25/s");
        check("metric", "avg > 3", 3.25, "3.25");
        check("model_tokens", "sum > 3", 1234.0, "1,234");
        // What cannot be read, and what nobody knows.
        check("tool", "what", 3.25, "3.25");
        check("own", "avg > 3", 3.25, "3.25");
        for family in FAMILIES {
            for stat in ["p99", "rate", "ratio", "count"] {
                let cell = amount(family, &format!("{stat} > 1"), f64::NAN);
                assert_eq!((cell.shown(), cell.raw()), ("–".to_owned(), String::new()));
            }
        }
    }
}
