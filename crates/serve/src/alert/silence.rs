//! Silences: `alerts/silences.json` in the home. What is silenced changes its
//! state all the same, and nobody is told of it. The server and the command
//! line both change the file, and a server reads it again when it is another.
//!
//! ```
//! use tachograph_model::UnixNanos;
//! use tachograph_serve::alert::silence::{Ask, Silences};
//! let home = tempfile::tempdir()?;
//! let (silences, now) = (Silences::of(home.path()), UnixNanos::now());
//! let made = silences.add(Ask::rule("Slow Tool", 60), "cli", now)?;
//! assert!(made.covers("Slow Tool", "", "grep", now));
//! assert!(silences.remove(&made.id, now)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;

use serde::{Deserialize, Serialize};
use tachograph_model::UnixNanos;
use tachograph_model::alert::{EVERY, MAX_NAME};

use super::file::Mark;
use super::list::{Entry, Found, List, ListError};

/// Silences there may be.
pub const MOST_SILENCES: usize = 1000;
/// The longest silence, minutes: thirty days.
pub const MOST_MINUTES: u64 = 30 * 24 * 60;
/// Bytes of a series' name that a silence may name.
const MOST_SERIES: usize = 16 << 10;

/// One silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub id: String,
    /// Of which rule; [`EVERY`]: of any.
    pub rule: String,
    /// Of which source; `None`: of any.
    pub source: Option<String>,
    /// Of which series; `None`: of any.
    pub name: Option<String>,
    pub until: UnixNanos,
    /// Who made it, such as `api` or `cli`.
    pub by: String,
    pub created_at: UnixNanos,
}

/// What is to be silenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub rule: String,
    pub source: Option<String>,
    pub name: Option<String>,
    pub minutes: u64,
}

/// Why there is no silence, or none could be made.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    /// A value that does not do.
    #[error("`{field}` must be {allowed}")]
    Field {
        field: &'static str,
        allowed: String,
    },
    /// There are as many as may be.
    #[error("there are {MOST_SILENCES} silences already; end one first")]
    TooMany,
    /// The file, or the disk.
    #[error(transparent)]
    List(#[from] ListError),
}

/// The silences of a home.
#[derive(Debug)]
pub struct Silences(List<Silence>);

impl Entry for Silence {
    const ONE: &'static str = "silence";
    const MANY: &'static str = "silences";
    const ID: &'static str = "id";
    const MOST: usize = MOST_SILENCES;
    const MOST_BYTES: u64 = 32 << 20;

    fn id(&self) -> &str {
        &self.id
    }

    /// Whatever it is of, it does no harm.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Ask {
    /// Every alert of a rule.
    pub fn rule(rule: &str, minutes: u64) -> Self {
        Self {
            rule: rule.to_owned(),
            source: None,
            name: None,
            minutes,
        }
    }

    /// # Errors
    /// [`SilenceError::Field`].
    pub fn check(&self) -> Result<(), SilenceError> {
        let texts = [
            ("rule", Some(&self.rule), MAX_NAME),
            ("source", self.source.as_ref(), MOST_SERIES),
            ("name", self.name.as_ref(), MOST_SERIES),
        ];
        for (field, text, most) in texts {
            if text.is_some_and(|text| !(1..=most).contains(&text.len())) {
                let allowed = format!("text of 1 to {most} bytes");
                return Err(SilenceError::Field { field, allowed });
            }
        }
        match (1..=MOST_MINUTES).contains(&self.minutes) {
            true => Ok(()),
            false => Err(SilenceError::Field {
                field: "minutes",
                allowed: format!("a whole number of minutes from 1 to {MOST_MINUTES}"),
            }),
        }
    }
}

impl Silence {
    /// Whether nobody is to be told now of that rule's alert on that series.
    pub fn covers(&self, rule: &str, source: &str, name: &str, now: UnixNanos) -> bool {
        let same = |own: &Option<String>, text: &str| own.as_ref().is_none_or(|own| own == text);
        self.until > now
            && (self.rule == rule || self.rule == EVERY)
            && same(&self.source, source)
            && same(&self.name, name)
    }
}

/// Until when nobody is told of an alert; `None`: people are.
pub fn until(
    silences: &[Silence],
    rule: &str,
    source: &str,
    name: &str,
    now: UnixNanos,
) -> Option<UnixNanos> {
    let covering = silences.iter();
    let covering = covering.filter(|silence| silence.covers(rule, source, name, now));
    covering.map(|silence| silence.until).max()
}

impl Silences {
    /// Those of the home at `root`; touches nothing.
    pub fn of(root: &Path) -> Self {
        Self(List::of(root))
    }

    /// Those that are not over, in the order in which they were made.
    ///
    /// # Errors
    /// [`ListError`] when not all of them can be read.
    pub fn read(&self, now: UnixNanos) -> Result<Vec<Silence>, ListError> {
        self.readable(now).whole()
    }

    /// Those of them that can be read, and why these are not all.
    pub fn readable(&self, now: UnixNanos) -> Found<Silence> {
        let mut found = self.0.read();
        found.entries.retain(|silence| silence.until > now);
        found
    }

    /// Makes one from now on.
    ///
    /// # Errors
    /// [`SilenceError`]; then the silences are as they were.
    pub fn add(&self, ask: Ask, by: &str, now: UnixNanos) -> Result<Silence, SilenceError> {
        ask.check()?;
        self.0.change(|silences| {
            silences.retain(|silence| silence.until > now);
            if silences.len() >= MOST_SILENCES {
                return Err(SilenceError::TooMany);
            }
            let nanos = i64::try_from(ask.minutes).unwrap_or(i64::MAX);
            // Two of one instant are told apart by their number.
            let free = |at: &u32| {
                let id = id(now, *at);
                !silences.iter().any(|silence| silence.id == id)
            };
            let at = (0..).find(free).unwrap_or(0);
            let made = Silence {
                id: id(now, at),
                rule: ask.rule,
                source: ask.source,
                name: ask.name,
                until: UnixNanos(now.0.saturating_add(nanos.saturating_mul(60_000_000_000))),
                by: by.to_owned(),
                created_at: now,
            };
            silences.push(made.clone());
            Ok(made)
        })
    }

    /// Ends one; false: there is none of that id.
    ///
    /// # Errors
    /// [`ListError`]; then the silences are as they were.
    pub fn remove(&self, id: &str, now: UnixNanos) -> Result<bool, ListError> {
        let ended = self.end(now, |silence| silence.id == id)?;
        Ok(!ended.is_empty())
    }

    /// Ends those of exactly that rule, which is no more: one made anew by its name
    /// is another. Those of any rule stay. Returns what was ended.
    ///
    /// # Errors
    /// [`ListError`]; then the silences are as they were.
    pub fn remove_of(&self, rule: &str, now: UnixNanos) -> Result<Vec<Silence>, ListError> {
        match rule {
            EVERY => Ok(Vec::new()),
            rule => self.end(now, |silence| silence.rule == rule),
        }
    }

    fn end(
        &self,
        now: UnixNanos,
        which: impl Fn(&Silence) -> bool,
    ) -> Result<Vec<Silence>, ListError> {
        self.0.change(|silences| {
            silences.retain(|silence| silence.until > now);
            Ok(silences.extract_if(.., |silence| which(silence)).collect())
        })
    }

    /// What tells whether the file is another one than before; `None`: there is
    /// none.
    pub fn mark(&self) -> Option<Mark> {
        self.0.mark()
    }
}

/// Short enough to be typed: the second it was made in and its number there.
fn id(now: UnixNanos, at: u32) -> String {
    format!("{:x}-{at}", now.0.div_euclid(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixNanos = UnixNanos(1_763_640_000_000_000_000);

    fn later(minutes: i64) -> UnixNanos {
        UnixNanos(NOW.0 + minutes * 60_000_000_000)
    }

    #[test]
    fn silences_stay_and_end_by_themselves() {
        let home = tempfile::tempdir().expect("a folder");
        let silences = Silences::of(home.path());
        assert_eq!(silences.read(NOW).expect("none"), []);
        assert_eq!(silences.mark(), None);
        let one = silences.add(Ask::rule("a", 10), "api", NOW).expect("made");
        let other = silences.add(Ask::rule("a", 20), "cli", NOW).expect("made");
        assert_ne!(one.id, other.id);
        assert_eq!(other.until, later(20));
        let again = Silences::of(home.path());
        assert_eq!(again.read(NOW).expect("two"), [one.clone(), other.clone()]);
        let both = [one.clone(), other.clone()];
        assert_eq!(until(&both, "a", "", "x", NOW), Some(later(20)));
        assert_eq!(until(&both, "a", "", "x", later(20)), None);
        assert_eq!(
            again.read(later(10)).expect("one"),
            std::slice::from_ref(&other)
        );
        let before = silences.mark();
        assert!(again.remove(&one.id, NOW).expect("removed"));
        assert!(!again.remove(&one.id, NOW).expect("was not there"));
        assert_ne!(silences.mark(), before);
        assert_eq!(silences.read(NOW).expect("one"), [other]);
    }

    #[test]
    fn a_silence_covers_what_it_names() {
        let check = |rule: &str, source: Option<&str>, name: Option<&str>, covered: bool| {
            let silence = Silence {
                id: String::new(),
                rule: rule.to_owned(),
                source: source.map(str::to_owned),
                name: name.map(str::to_owned),
                until: later(1),
                by: String::new(),
                created_at: NOW,
            };
            assert_eq!(silence.covers("r", "s", "n", NOW), covered, "{silence:?}");
            assert!(!silence.covers("r", "s", "n", later(1)), "{silence:?}");
        };
        check("r", None, None, true);
        check("*", None, None, true);
        check("q", None, None, false);
        check("r", Some("s"), None, true);
        check("r", Some("t"), None, false);
        check("r", None, Some("n"), true);
        check("*", Some("s"), Some("m"), false);
    }

    #[test]
    fn what_is_no_silence_is_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let silences = Silences::of(home.path());
        let check = |ask: Ask, field: &str| {
            let error = silences.add(ask, "api", NOW).expect_err(field).to_string();
            assert!(error.contains(field), "{error}");
        };
        check(Ask::rule("", 1), "`rule`");
        check(Ask::rule("a", 0), "`minutes`");
        check(Ask::rule("a", MOST_MINUTES + 1), "`minutes`");
        let name = Some("x".repeat(MOST_SERIES + 1));
        let long = Ask {
            name,
            ..Ask::rule("a", 1)
        };
        check(long, "`name`");
        assert_eq!(silences.mark(), None);
    }

    #[test]
    fn a_rule_that_goes_takes_its_own_silences_and_no_others() {
        let home = tempfile::tempdir().expect("a folder");
        let silences = Silences::of(home.path());
        let add = |ask: Ask| silences.add(ask, "api", NOW).expect("made");
        let own = [
            add(Ask::rule("a", 10)),
            add(Ask {
                name: Some("grep".to_owned()),
                ..Ask::rule("a", 20)
            }),
        ];
        let others = [add(Ask::rule("b", 10)), add(Ask::rule(EVERY, 10))];
        assert_eq!(silences.remove_of("c", NOW).expect("none"), []);
        assert_eq!(silences.remove_of(EVERY, NOW).expect("none"), []);
        assert_eq!(silences.remove_of("a", NOW).expect("ended"), own);
        assert_eq!(silences.read(NOW).expect("the others"), others);
    }

    #[test]
    fn a_torn_file_is_named_and_what_is_whole_in_it_counts() {
        let home = tempfile::tempdir().expect("a folder");
        let silences = Silences::of(home.path());
        let one = silences.add(Ask::rule("a", 1), "api", NOW).expect("made");
        silences.add(Ask::rule("b", 1), "api", NOW).expect("made");
        let path = home.path().join("alerts/silences.json");
        let text = std::fs::read_to_string(&path).expect("there");
        let torn = &text[..text.len() - 40];
        std::fs::write(&path, torn).expect("torn");
        assert_eq!(silences.readable(NOW).entries, [one]);
        let error = silences.add(Ask::rule("c", 1), "api", NOW);
        let error = error.expect_err("torn").to_string();
        assert!(error.contains("silences.json: it is torn"), "{error}");
        assert!(silences.remove_of("a", NOW).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("kept"), torn);
    }
}
