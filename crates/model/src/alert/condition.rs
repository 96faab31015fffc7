//! When it is too much: `<stat> <op> <number>`.

use super::RuleError;

/// `==` and `!=` take values this near for the same, as the fourth seed has it.
pub const NEAR: f64 = 0.001;

/// Names in one table: in code, as written.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// All of them, as written.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// As written.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn by_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// A figure of a window.
    Stat {
        /// Mean.
        Avg "avg",
        /// Smallest.
        Min "min",
        /// Largest.
        Max "max",
        /// Median.
        P50 "p50",
        /// 95th percentile.
        P95 "p95",
        /// 99th percentile.
        P99 "p99",
        /// Values a second.
        Rate "rate",
        /// How many values.
        Count "count",
        /// All of them together.
        Sum "sum",
        /// What failed of all there was, 0 to 1; of a cache: hits of look-ups.
        Ratio "ratio",
    }
}

words! {
    /// How a figure is compared with the threshold.
    Op {
        /// Above.
        Above ">",
        /// Not below; also written `≥`.
        AtLeast ">=",
        /// Below.
        Below "<",
        /// Not above; also written `≤`.
        AtMost "<=",
        /// Within [`NEAR`].
        Equals "==",
        /// Not within [`NEAR`]; also written `≠`.
        Differs "!=",
    }
}

impl Op {
    fn read(text: &str) -> Option<Self> {
        Self::by_name(match text {
            "≥" => ">=",
            "≤" => "<=",
            "≠" => "!=",
            text => text,
        })
    }

    /// Whether `value` is so to `number`; never where either is NaN.
    pub fn holds(self, value: f64, number: f64) -> bool {
        let apart = (value - number).abs();
        match self {
            Self::Above => value > number,
            Self::AtLeast => value >= number,
            Self::Below => value < number,
            Self::AtMost => value <= number,
            // Infinities of one sign are no distance apart that is a number.
            Self::Equals => value == number || apart < NEAR,
            Self::Differs => value != number && apart >= NEAR,
        }
    }
}

/// What a series did in a window, as far as conditions ask for it. A figure
/// that is not finite is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// How many values; 0: there is nothing to say.
    pub count: u64,
    /// All of them together.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The mean.
    pub avg: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// Values a second.
    pub rate: f64,
    /// See [`Stat::Ratio`].
    pub ratio: f64,
}

impl Reading {
    /// A figure; `None` where there is nothing to say, or it is not finite.
    pub fn figure(&self, stat: Stat) -> Option<f64> {
        let figure = match stat {
            Stat::Avg => self.avg,
            Stat::Min => self.min,
            Stat::Max => self.max,
            Stat::P50 => self.p50,
            Stat::P95 => self.p95,
            Stat::P99 => self.p99,
            Stat::Rate => self.rate,
            Stat::Count => self.count as f64,
            Stat::Sum => self.sum,
            Stat::Ratio => self.ratio,
        };
        (self.count > 0 && figure.is_finite()).then_some(figure)
    }
}

/// When it is too much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Which figure.
    pub stat: Stat,
    /// Compared how.
    pub op: Op,
    /// With what; where a rule's threshold differs, that counts.
    pub number: f64,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`RuleError::Condition`], which names the column and shows how to write
    /// one.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let wrong = |rest: &str, what| RuleError::Condition {
            text: text.chars().take(64).collect(),
            column: text[..text.len() - rest.len()].chars().count() + 1,
            what,
        };
        let mut rest = text.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let (stat, after) = rest.split_at(end.unwrap_or(rest.len()));
        let stat = Stat::by_name(stat).ok_or_else(|| wrong(rest, "there is no figure"))?;
        rest = after.trim_start();
        let end = rest.find(|c| !matches!(c, '<' | '>' | '=' | '!' | '≥' | '≤' | '≠'));
        let (op, after) = rest.split_at(end.unwrap_or(rest.len()));
        let op = Op::read(op).ok_or_else(|| wrong(rest, "no comparison follows the figure"))?;
        rest = after.trim_start();
        let number = rest.trim_end().parse::<f64>().ok();
        let number = number.filter(|number| number.is_finite());
        let number = number.ok_or_else(|| wrong(rest, "it ends with no finite number"))?;
        Ok(Self { stat, op, number })
    }

    /// The value that decides; `None`: there is none.
    pub fn value(&self, reading: &Reading) -> Option<f64> {
        reading.figure(self.stat)
    }

    /// Whether it is too much; `None`: nothing is known.
    pub fn holds(&self, reading: &Reading) -> Option<bool> {
        Some(self.op.holds(self.value(reading)?, self.number))
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (stat, op) = (self.stat.name(), self.op.name());
        write!(f, "{stat} {op} {}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let check = |text: &str, stat, op, number| {
            let condition = Condition { stat, op, number };
            assert_eq!(Condition::parse(text), Ok(condition), "{text}");
            assert_eq!(Condition::parse(&condition.to_string()), Ok(condition));
        };
        check("avg > 100", Stat::Avg, Op::Above, 100.0);
        check("p95>=100", Stat::P95, Op::AtLeast, 100.0);
        check("  min   <   -0.5 ", Stat::Min, Op::Below, -0.5);
        check("max <= 1e3", Stat::Max, Op::AtMost, 1000.0);
        check("p50 == 5", Stat::P50, Op::Equals, 5.0);
        check("p99 > .5", Stat::P99, Op::Above, 0.5);
        check("rate < 1", Stat::Rate, Op::Below, 1.0);
        check("count ≥ 3", Stat::Count, Op::AtLeast, 3.0);
        check("sum≤3", Stat::Sum, Op::AtMost, 3.0);
        check("ratio != 0", Stat::Ratio, Op::Differs, 0.0);
        check("ratio ≠ 0", Stat::Ratio, Op::Differs, 0.0);
    }

    #[test]
    fn what_is_no_condition_says_so_and_where() {
        let check = |text: &str, column: usize, said: &str| {
            let error = Condition::parse(text).expect_err(text).to_string();
            let at = format!("column {column}: ");
            assert!(
                error.contains(said) && error.contains(&at),
                "{text}: {error}"
            );
            assert!(
                error.contains("such as `p95 > 100`") && error.len() < 480,
                "{error}"
            );
        };
        check("", 1, "no figure");
        check("> 5", 1, "no figure");
        check("  p75 > 5", 3, "no figure");
        check("median > 1", 1, "no figure");
        check("AVG > 5", 1, "no figure");
        check("avg 5", 5, "no comparison");
        check("avg", 4, "no comparison");
        check("avg => 5", 5, "no comparison");
        check("avg >> 5", 5, "no comparison");
        check("avg ≥= 5", 5, "no comparison");
        check("avg >", 6, "no finite number");
        check("avg > five", 7, "no finite number");
        check("avg ≥ five", 7, "no finite number");
        check("avg > NaN", 7, "no finite number");
        check("avg > inf", 7, "no finite number");
        check("avg > 1e999", 7, "no finite number");
        check("avg > 5 or 1=1", 7, "no finite number");
        check("avg > 5; max > 3", 7, "no finite number");
        check(&"é".repeat(10_000), 1, "no figure");
    }

    #[test]
    fn a_condition_holds_or_not_or_nobody_knows() {
        let some = Reading {
            count: 4,
            avg: 5.0005,
            max: 7.0,
            sum: f64::NAN,
            ..Reading::default()
        };
        let check = |text: &str, reading: &Reading, holds: Option<bool>| {
            let condition = Condition::parse(text).expect(text);
            assert_eq!(condition.holds(reading), holds, "{text}");
        };
        check("avg == 5", &some, Some(true));
        check("avg != 5", &some, Some(false));
        check("avg == 5.01", &some, Some(false));
        check("avg != 5.01", &some, Some(true));
        check("max >= 7", &some, Some(true));
        check("max > 7", &some, Some(false));
        check("max <= 7", &some, Some(true));
        check("count < 5", &some, Some(true));
        check("sum > 0", &some, None);
        check("sum != 0", &some, None);
        check("avg < 5", &Reading::default(), None);
        check("count < 5", &Reading::default(), None);
    }
}
