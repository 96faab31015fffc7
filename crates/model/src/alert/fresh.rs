//! What a rule that somebody makes is refused for, beside what no rule may say.

use super::{Condition, Rule, RuleError, Stat};
use crate::render::width;

impl Rule {
    /// As [`Rule::check`], for a rule that is made now: also what can never hold, or
    /// nobody could see. One that lies in a home since before is only what it is,
    /// and can be mended or removed.
    ///
    /// # Errors
    /// What is wrong with the rule, the first thing.
    pub fn check_new(&self) -> Result<Condition, RuleError> {
        let condition = self.check()?;
        let wrong = |field, allowed: &str| {
            let allowed = allowed.to_owned();
            Err(RuleError::Field { field, allowed })
        };
        if !self.name.chars().any(width::is_seen) {
            return wrong("name", "text of which something is to be seen");
        }
        if condition.stat == Stat::Ratio && !(0.0..=1.0).contains(&condition.number) {
            return wrong("threshold", "from 0 to 1 for a ratio: 20 % is 0.2");
        }
        Ok(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, condition: &str) -> Rule {
        let condition = Condition::parse(condition).expect("a condition");
        Rule::new(name, "*", "system", condition)
    }

    #[test]
    fn a_ratio_is_from_0_to_1() {
        let check = |condition: &str, good: bool| {
            let made = rule("a", condition);
            let checked = made.check_new();
            assert_eq!(checked.is_ok(), good, "{condition}: {checked:?}");
            // It was good enough before, and is still there.
            assert!(made.check().is_ok(), "{condition}");
        };
        for good in ["ratio > 0", "ratio <= 1", "ratio == 0.2", "avg > 20"] {
            check(good, true);
        }
        for wrong in ["ratio > 20", "ratio < 1.01", "ratio > -0.1", "ratio != 7"] {
            check(wrong, false);
        }
        // What counts is the threshold, not the condition's number.
        let mut made = rule("a", "ratio > 20");
        made.threshold = 0.2;
        assert!(made.check_new().is_ok());
        made.threshold = 2.0;
        let error = made.check_new().expect_err("too much").to_string();
        assert_eq!(
            error,
            "`threshold` must be from 0 to 1 for a ratio: 20 % is 0.2"
        );
    }

    #[test]
    fn a_name_can_be_seen() {
        for blank in [
            " ",
            "   ",
            "\u{a0}",
            "\u{200b}",
            " \u{2060}\u{300}",
            "\u{feff}",
        ] {
            let error = rule(blank, "avg > 1").check_new().expect_err("blank");
            assert!(error.to_string().starts_with("`name` must be"), "{error}");
        }
        for name in ["a", " a ", "é", "🔔", "\u{200f}א", "-"] {
            assert!(rule(name, "avg > 1").check_new().is_ok(), "{name}");
        }
    }
}
