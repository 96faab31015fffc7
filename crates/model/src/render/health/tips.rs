//! The verdict and the tips: true for the data at hand.

use super::super::width::clean;
use super::check::{Check, Status, is_missed, is_operational};
use super::{format_duration, plain};
use crate::answer::Report;

/// What there is to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was recorded in the window.
    NoData,
    /// What was recorded has no targets.
    NoTargets,
    /// The first seed's: latency, hit rate and savings are known and good.
    Operational,
    /// What is known is good; the rest was not recorded.
    GoodSoFar,
    /// A target is missed.
    Missed,
}

impl Verdict {
    pub(super) fn of(report: &Report, checks: &[Check]) -> Self {
        if report.usage.is_empty() {
            Self::NoData
        } else if checks.is_empty() {
            Self::NoTargets
        } else if is_operational(checks) {
            Self::Operational
        } else if is_missed(checks) {
            Self::Missed
        } else {
            Self::GoodSoFar
        }
    }

    /// The line on the dashboard.
    pub(super) fn line(self) -> &'static str {
        match self {
            Self::NoData => "⚠️  No Data Yet - Nothing Was Recorded in This Window",
            Self::NoTargets => "⚠️  No Verdict - What Was Recorded Has No Targets",
            Self::Operational => "✅ All Systems Operational - Performance Excellent",
            Self::GoodSoFar => "✅ No Target Missed - Some Have No Data Yet",
            Self::Missed => "⚠️  Some Metrics Below Target - Review Recommended",
        }
    }

    /// Its name in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::NoTargets => "no_targets",
            Self::Operational => "operational",
            Self::GoodSoFar => "good_so_far",
            Self::Missed => "missed",
        }
    }
}

/// What is good, what is not, and what to do where nothing was recorded.
pub(super) fn tips(verdict: Verdict, checks: &[Check]) -> Vec<String> {
    let fixed: &[&str] = match verdict {
        Verdict::NoData => &[
            "Nothing was recorded in this window: `--days N` or `--since DATE` looks further back",
            "`tacho run -- COMMAND` records any command, `tacho import FILE` old logs",
            "`tacho demo` shows all of this on made-up data",
        ],
        Verdict::NoTargets => &[
            "Targets are for agent discovery, its cache and token savings",
            "`tacho report` shows what was recorded, `tacho changes` what got worse",
        ],
        _ => &[],
    };
    let mut tips: Vec<String> = fixed.iter().map(|tip| (*tip).to_owned()).collect();
    let good = |name: &str| {
        checks
            .iter()
            .find(|check| check.name == name && check.status == Status::Good)
    };
    if let Some(check) = good("cache hit rate") {
        tips.push(format!("Cache hit rate is excellent ({:.1}%)", check.value));
    }
    if let Some(check) = good("token savings") {
        tips.push(format!(
            "Phase 1 lazy loading saving {:.1}% of tokens",
            check.value
        ));
    }
    let mut latencies = checks.iter().filter(|check| check.latency).peekable();
    if latencies.peek().is_some() && latencies.all(|check| check.status == Status::Good) {
        tips.push("All operations meeting performance targets".to_owned());
    }
    for check in checks.iter().filter(|check| check.status != Status::Good) {
        tips.push(missed(check));
    }
    tips
}

fn missed(check: &Check) -> String {
    let name = clean(&check.name);
    if check.latency {
        let (value, target) = (format_duration(check.value), plain(check.target));
        return format!("{name} is {value}, its target is below {target}ms");
    }
    let advice = match check.name.as_str() {
        "cache hit rate" => {
            "a larger cache, or fetching the same agents less far apart, would raise it"
        }
        _ => "loading fewer agents would raise it",
    };
    format!(
        "The {name} is {:.1}%, its target is above {}%: {advice}",
        check.value,
        plain(check.target)
    )
}
