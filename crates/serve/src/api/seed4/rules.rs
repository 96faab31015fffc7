//! Alert rules: `alerts/rules.json` in the home. Read each time it is needed,
//! so that what an editor changed counts; replaced as a whole, so that a kill
//! leaves the old or the new one. The server and the command line both change the
//! file, each under a lock beside it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tachograph_model::alert::Rule;

use crate::alert::file::{self, Mark};

/// Rules there may be.
pub const MOST_RULES: usize = 256;
/// Bytes of the file; so many of the longest rules take less.
const MOST_BYTES: u64 = 8 << 20;
const VERSION: u32 = 1;

/// The rules of a home.
#[derive(Debug)]
pub struct Rules {
    path: PathBuf,
}

/// Why rules could not be read, or one not be added.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// There are as many as may be.
    #[error("there are {MOST_RULES} rules already, and no more may be")]
    TooMany,
    /// The file holds something else.
    #[error("{path} holds no rules: {what}; mend it, or move it away to start anew")]
    Malformed {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk said no.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    rules: Vec<Rule>,
}

impl Rules {
    /// Those of the home at `root`; touches nothing.
    pub fn of(root: &Path) -> Self {
        Self {
            path: root.join("alerts").join("rules.json"),
        }
    }

    /// The rules, in the order in which they were made.
    ///
    /// # Errors
    /// [`RulesError`] when the file cannot be read, or is none of rules.
    pub fn read(&self) -> Result<Vec<Rule>, RulesError> {
        let read = file::read(&self.path, MOST_BYTES);
        let Some(text) = read.map_err(|source| match source.kind() {
            io::ErrorKind::Other => self.malformed(source.to_string()),
            _ => self.io("read", source),
        })?
        else {
            return Ok(Vec::new());
        };
        let stored: Stored =
            serde_json::from_slice(&text).map_err(|error| self.malformed(error.to_string()))?;
        if stored.version != VERSION {
            let what = format!("it is of version {}, not {VERSION}", stored.version);
            return Err(self.malformed(what));
        }
        if stored.rules.len() > MOST_RULES {
            return Err(self.malformed(format!("it has more than {MOST_RULES} rules")));
        }
        for rule in &stored.rules {
            rule.check()
                .map_err(|error| self.malformed(format!("rule {:?}: {error}", rule.name)))?;
        }
        Ok(stored.rules)
    }

    /// Adds a rule, in the place of one of the same name. Whoever adds one has
    /// checked it.
    ///
    /// # Errors
    /// [`RulesError`]; then the rules are as they were.
    pub fn add(&self, rule: Rule) -> Result<(), RulesError> {
        let _alone = self.lock()?;
        let mut rules = self.read()?;
        match rules.iter().position(|old| old.name == rule.name) {
            Some(at) => rules[at] = rule,
            None if rules.len() >= MOST_RULES => return Err(RulesError::TooMany),
            None => rules.push(rule),
        }
        self.write(rules)
    }

    /// Removes a rule; false: there is none of that name.
    ///
    /// # Errors
    /// [`RulesError`]; then the rules are as they were.
    pub fn remove(&self, name: &str) -> Result<bool, RulesError> {
        let _alone = self.lock()?;
        let mut rules = self.read()?;
        let before = rules.len();
        rules.retain(|rule| rule.name != name);
        match rules.len() == before {
            true => Ok(false),
            false => self.write(rules).map(|()| true),
        }
    }

    /// What tells whether the file is another one than before; `None`: there is
    /// none.
    pub fn mark(&self) -> Option<Mark> {
        file::mark(&self.path)
    }

    fn lock(&self) -> Result<File, RulesError> {
        file::lock(&self.path).map_err(|source| self.io("change", source))
    }

    fn write(&self, rules: Vec<Rule>) -> Result<(), RulesError> {
        let stored = Stored {
            version: VERSION,
            rules,
        };
        let text = serde_json::to_vec_pretty(&stored)
            .map_err(|error| self.io("write", io::Error::other(error)))?;
        file::replace(&self.path, &text).map_err(|source| self.io("write", source))
    }

    fn io(&self, what: &'static str, source: io::Error) -> RulesError {
        RulesError::Io {
            what,
            path: self.path.clone(),
            source,
        }
    }

    fn malformed(&self, what: String) -> RulesError {
        RulesError::Malformed {
            path: self.path.clone(),
            what,
        }
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
        let stored = Stored {
            version: VERSION,
            rules: many.collect(),
        };
        let text = serde_json::to_vec(&stored).expect("JSON");
        file::replace(&rules.path, &text).expect("written");
        assert!(matches!(
            rules.add(rule("x", 0.0)),
            Err(RulesError::TooMany)
        ));
        rules.add(rule("r7", 9.0)).expect("replaced");
        assert_eq!(rules.read().expect("read").len(), MOST_RULES);
    }

    #[test]
    fn two_who_add_at_once_lose_nothing() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path();
        std::thread::scope(|scope| {
            for of in 0..4 {
                scope.spawn(move || {
                    // As another process: each has its own.
                    let rules = Rules::of(root);
                    for at in 0..5 {
                        rules.add(rule(&format!("r{of}.{at}"), 1.0)).expect("added");
                    }
                });
            }
        });
        assert_eq!(Rules::of(root).read().expect("all").len(), 20);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("a folder");
        let rules = Rules::of(home.path());
        rules.add(rule("a", 1.0)).expect("added");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&rules.path), 0o600);
        assert_eq!(mode(&home.path().join("alerts")), 0o700);
        assert!(!rules.path.with_extension("json.tmp").exists());
    }

    #[test]
    fn a_file_of_something_else_is_named_and_kept() {
        let home = tempfile::tempdir().expect("a folder");
        let rules = Rules::of(home.path());
        rules.add(rule("a", 1.0)).expect("added");
        let check = |text: &str, said: &str| {
            fs::write(&rules.path, text).expect("written");
            let error = rules.read().expect_err(text).to_string();
            assert!(
                error.contains(said) && error.contains("rules.json"),
                "{error}"
            );
            assert!(rules.add(rule("b", 1.0)).is_err());
            assert_eq!(fs::read_to_string(&rules.path).expect("kept"), text);
        };
        check("", "EOF");
        check("{}", "version");
        check(r#"{"version":2,"rules":[]}"#, "version 2");
        let bad = r#"{"version":1,"rules":[{"name":"","metric_name":"m","source":"s",
            "condition":"avg > 1","threshold":1,"created_at":"2025-11-20"}]}"#;
        check(bad, "`name`");
        check(&" ".repeat(MOST_BYTES as usize + 1), "more than");
    }
}
