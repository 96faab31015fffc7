//! Alert rules: `alerts/rules.json` in the home. Read each time it is needed,
//! so that what an editor changed counts; replaced as a whole, so that a kill
//! leaves the old or the new one. The server and the command line both change the
//! file, each under a lock beside it.

use std::path::Path;

use tachograph_model::alert::Rule;

use crate::alert::file::Mark;
use crate::alert::list::{Entry, Found, List, ListError};

/// Rules there may be.
pub const MOST_RULES: usize = 256;

/// The rules of a home.
#[derive(Debug)]
pub struct Rules(List<Rule>);

/// Why rules could not be read, or one not be added.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// There are as many as may be.
    #[error("there are {MOST_RULES} rules already, and no more may be")]
    TooMany,
    /// The file, or the disk.
    #[error(transparent)]
    List(#[from] ListError),
}

impl Entry for Rule {
    const ONE: &'static str = "rule";
    const MANY: &'static str = "rules";
    const ID: &'static str = "name";
    const MOST: usize = MOST_RULES;
    /// So many of the longest rules take less.
    const MOST_BYTES: u64 = 8 << 20;

    fn id(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), String> {
        let checked = Self::check(self).map_err(|error| error.to_string());
        checked.map(|_| ())
    }
}

impl Rules {
    /// Those of the home at `root`; touches nothing.
    pub fn of(root: &Path) -> Self {
        Self(List::of(root))
    }

    /// The rules, in the order in which they were made.
    ///
    /// # Errors
    /// [`ListError`] when not all of them can be read.
    pub fn read(&self) -> Result<Vec<Rule>, ListError> {
        self.0.read().whole()
    }

    /// Those that can be read, and why these are not all.
    pub fn readable(&self) -> Found<Rule> {
        self.0.read()
    }

    /// Adds a rule, in the place of one of the same name. Whoever adds one has
    /// checked it.
    ///
    /// # Errors
    /// [`RulesError`]; then the rules are as they were.
    pub fn add(&self, rule: Rule) -> Result<(), RulesError> {
        self.0.change(|rules| {
            match rules.iter().position(|old| old.name == rule.name) {
                Some(at) => rules[at] = rule,
                None if rules.len() >= MOST_RULES => return Err(RulesError::TooMany),
                None => rules.push(rule),
            }
            Ok(())
        })
    }

    /// Removes a rule; false: there is none of that name.
    ///
    /// # Errors
    /// [`RulesError`]; then the rules are as they were.
    pub fn remove(&self, name: &str) -> Result<bool, RulesError> {
        self.0.change(|rules| {
            let before = rules.len();
            rules.retain(|rule| rule.name != name);
            Ok(rules.len() < before)
        })
    }

    /// What tells whether the file is another one than before; `None`: there is
    /// none.
    pub fn mark(&self) -> Option<Mark> {
        self.0.mark()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use tachograph_model::alert::Condition;

    fn rule(name: &str, threshold: f64) -> Rule {
        let condition = Condition::parse("p95 > 100").expect("a condition");
        Rule {
            threshold,
            ..Rule::new(name, "query_latency_ms", "database", condition)
        }
    }

    #[test]
    fn rules_stay_replace_and_end_somewhere() {
        let home = tempfile::tempdir().expect("a folder");
        let rules = Rules::of(home.path());
        assert_eq!(rules.read().expect("none"), []);
        rules.add(rule("a", 1.0)).expect("added");
        rules.add(rule("b", 2.0)).expect("added");
        rules.add(rule("a", 3.0)).expect("replaced");
        rules.add(rule("c", 3.0)).expect("added");
        let before = rules.mark();
        assert!(rules.remove("c").expect("removed"));
        assert_ne!(rules.mark(), before);
        assert!(!rules.remove("c").expect("was not there"));
        let read = Rules::of(home.path()).read().expect("read");
        assert_eq!(read, [rule("a", 3.0), rule("b", 2.0)]);
        let many = (0..MOST_RULES).map(|at| rule(&format!("r{at}"), 0.0));
        rules.0.write(&many.collect::<Vec<_>>()).expect("written");
        assert!(matches!(
            rules.add(rule("x", 0.0)),
            Err(RulesError::TooMany)
        ));
        rules.add(rule("r7", 9.0)).expect("replaced");
        assert_eq!(rules.read().expect("read").len(), MOST_RULES);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("a folder");
        let rules = Rules::of(home.path());
        rules.add(rule("a", 1.0)).expect("added");
        let path = home.path().join("alerts/rules.json");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&home.path().join("alerts")), 0o700);
        assert!(!path.with_extension("json.tmp").exists());
    }

    #[test]
    fn a_rule_that_is_none_is_named_and_leaves_the_others() {
        let home = tempfile::tempdir().expect("a folder");
        let rules = Rules::of(home.path());
        rules.add(rule("a", 1.0)).expect("added");
        rules.add(rule("b", 1.0)).expect("added");
        let path = home.path().join("alerts/rules.json");
        let text = fs::read_to_string(&path).expect("there");
        // As somebody leaves it who changes it by hand.
        let text = text.replacen("p95 > 100", "p95 = 100", 1);
        fs::write(&path, &text).expect("written");
        let found = rules.readable();
        assert_eq!(found.entries, [rule("b", 1.0)]);
        let error = rules.read().expect_err("not all").to_string();
        assert!(
            error.contains("rules.json: rule 1 (a): the condition"),
            "{error}"
        );
        assert!(error.contains("1 rule in it can be read"), "{error}");
        assert!(rules.add(rule("c", 1.0)).is_err());
        assert_eq!(fs::read_to_string(&path).expect("kept"), text);
    }
}
