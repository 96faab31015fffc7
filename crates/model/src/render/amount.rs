//! Figures of alert rules, in the unit of what they watch.

use super::{Cell, human};
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

/// A threshold, as exactly as it was written: one that is rounded is another.
pub fn threshold(family: &str, condition: &str, value: f64) -> String {
    match amount(family, condition, value) {
        Cell::Ratio(ratio) => format!("{}%", exact(ratio * 100.0)),
        Cell::PerSecond(rate) => format!("{}/s", exact(rate)),
        Cell::Usd(usd) if usd < 0.0 => format!("-${}", exact(-usd)),
        Cell::Usd(usd) => format!("${}", exact(usd)),
        Cell::Ms(ms) => format!("{} ms", exact(ms)),
        _ => exact(value),
    }
}

/// To twelve significant digits: the rest is noise of arithmetic.
fn exact(value: f64) -> String {
    if value.fract() == 0.0 || !value.is_finite() {
        return human::number(value);
    }
    let digits = format!("{value:.11e}");
    digits.parse::<f64>().unwrap_or(value).to_string()
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

    #[test]
    fn a_threshold_is_not_rounded() {
        let check = |family: &str, condition: &str, value: f64, said: &str| {
            assert_eq!(threshold(family, condition, value), said, "{condition}");
        };
        check("tool", "ratio > 0.0004", 0.0004, "0.04%");
        check("tool", "ratio > 0.07", 0.07, "7%");
        check("cache", "ratio < 0.9996", 0.9996, "99.96%");
        check("tool", "p95 > 31234.5", 31_234.5, "31234.5 ms");
        check("tool", "p95 > 30000", 30_000.0, "30,000 ms");
        check("model_cost", "sum > 5.7", 5.7, "$5.7");
        check("agent_cost", "sum > -1", -1.0, "-$1");
        check("error", "rate > 0.125", 0.125, "0.125/s");
        check("metric", "avg > 0.05", 0.05, "0.05");
        check("metric", "avg > 1e300", 1e300, "1.000e300");
        check("metric", "avg > 1", f64::NAN, "–");
    }
}
