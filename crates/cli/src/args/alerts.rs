//! `tacho alerts`: what is too much, was, or would be.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tachograph_model::alert::FAMILIES;

use super::window::WindowArgs;

/// Alert rules: which there are, what fires, and what they would have said
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    tacho alerts check                         exit 1 when a rule fires\n  \
    tacho alerts backtest --days 30            what the rules would have said\n  \
    tacho alerts suggest > suggested.yaml      thresholds from your own history\n\n\
    docs/guide/alerts.md says what a rule is and how to write one.")]
pub enum Alerts {
    /// Every rule, who made it, and how its alerts stand
    List(List),
    /// Evaluate the rules now, without a server; exit 1 when one fires
    Check(Check),
    /// Send a marked test through a channel of the settings, once
    Test(Test),
    /// Tell nobody of a rule's alerts for a while, or list and end silences
    Silence(Silence),
    /// Replay the past: what the rules would have said
    Backtest(Backtest),
    /// Thresholds from your own history, each with its back-test, as YAML
    Suggest(Suggest),
    /// Write the rules as a Prometheus rule file
    Export(Export),
}

/// `tacho alerts list`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho alerts list\n  \
    tacho alerts list --json | jq '.alert_rules[] | select(.state == \"firing\") | .rule.name'")]
pub struct List {}

/// `tacho alerts check`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho alerts check                          all rules that are on\n  \
    tacho alerts check --rules rules.yaml       those of a file, in the form of `alert_rules`\n  \
    tacho alerts check --as-of 2025-11-20T14:00:00Z\n\n\
    Exit codes: 0 nothing fires, 1 something does, 2 a mistake in the command line or a rule.\n\
    A rule with `for_seconds` fires when its condition held for so long: the last day is replayed.")]
pub struct Check {
    #[command(flatten)]
    pub which: Which,
}

/// Which rules.
#[derive(Args, Debug, Default)]
pub struct Which {
    /// Only this rule, by its name, on or off; may be repeated
    #[arg(long, value_name = "NAME")]
    pub rule: Vec<String>,
    /// Rules of this YAML or JSON file in place of those there are (`-`: stdin)
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
}

/// `tacho alerts test`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    tacho alerts test ops-mail\n\n\
    Channels are those of `alert_channels` in config.yaml. Nothing is retried, and no alert's state \
    changes.")]
pub struct Test {
    /// Name of the channel
    #[arg(value_name = "CHANNEL")]
    pub channel: String,
}

/// `tacho alerts silence`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json.\n\n\
    Examples:\n  \
    tacho alerts silence                              which there are\n  \
    tacho alerts silence \"Slow Tool\" --for 2h\n  \
    tacho alerts silence \"Slow Tool\" --name grep --for 30m\n  \
    tacho alerts silence '*' --for 8h                 every rule\n  \
    tacho alerts silence --remove ID\n\n\
    What is silenced changes its state all the same; nobody is told of it. A running server heeds \
    it within a second.")]
pub struct Silence {
    /// Name of the rule (`*`: any); without it, silences are listed
    #[arg(value_name = "RULE", requires = "for_seconds")]
    pub rule: Option<String>,
    /// Only alerts of this source
    #[arg(long, value_name = "SOURCE", requires = "rule")]
    pub source: Option<String>,
    /// Only alerts of this metric, tool, model, …
    #[arg(long, value_name = "NAME", requires = "rule")]
    pub name: Option<String>,
    /// For how long, such as 30m, 2h or 7d; up to 30 days
    #[arg(long = "for", value_name = "TIME", value_parser = seconds, requires = "rule")]
    pub for_seconds: Option<u64>,
    /// End this silence
    #[arg(long, value_name = "ID", conflicts_with_all = ["rule", "for_seconds"])]
    pub remove: Option<String>,
}

/// `tacho alerts backtest`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho alerts backtest                               the last 30 days, all rules that are on\n  \
    tacho alerts backtest --rule \"Slow Tool\" --days 90\n  \
    tacho alerts backtest --condition 'p95 > 1000' --family tool\n  \
    tacho alerts backtest --condition 'sum > 5' --family model_cost --over 24h --json\n\n\
    Each rule is looked at every second, by the same machine as a server's.")]
pub struct Backtest {
    #[command(flatten)]
    pub window: WindowArgs,
    #[command(flatten)]
    pub which: Which,
    /// Try this condition, such as 'p95 > 1000', in place of the rules
    #[arg(long, value_name = "CONDITION", conflicts_with_all = ["rule", "rules"])]
    pub condition: Option<String>,
    #[command(flatten)]
    pub tried: Tried,
}

/// What a condition that is tried is of.
#[derive(Args, Debug)]
#[command(next_help_heading = "With --condition")]
pub struct Tried {
    /// What is watched
    #[arg(long, value_name = "FAMILY", requires = "condition", value_parser = clap::builder::PossibleValuesParser::new(FAMILIES), default_value = FAMILIES[0], hide_default_value = false)]
    pub family: String,
    /// Which metric, tool, model, … (`*`: each there is)
    #[arg(long, value_name = "NAME", requires = "condition", default_value = "*")]
    pub metric: String,
    /// Of which source or provider [default: any]
    #[arg(long, value_name = "SOURCE", requires = "condition")]
    pub source: Option<String>,
    /// How far back each look reaches, such as 5m, 24h or 7d
    #[arg(long, value_name = "TIME", requires = "condition", value_parser = seconds, default_value = "5m")]
    pub over: u64,
    /// How long the condition must hold
    #[arg(long = "for", value_name = "TIME", requires = "condition", value_parser = seconds, default_value = "0")]
    pub for_seconds: u64,
    /// Fewer values in a window tell nothing
    #[arg(long, value_name = "N", requires = "condition", default_value_t = 1)]
    pub min_count: u64,
}

/// `tacho alerts suggest`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (YAML for config.yaml, default), json.\n\n\
    Examples:\n  \
    tacho alerts suggest                       from the last 30 days\n  \
    tacho alerts suggest --days 90 > rules.yaml\n  \
    tacho alerts suggest --write               add them to the rules of this home\n\n\
    Thresholds lie a quarter beyond the worst of what is usual: failing and slow tools, cold caches, \
    dear models.")]
pub struct Suggest {
    #[command(flatten)]
    pub window: WindowArgs,
    /// Add the rules to alerts/rules.json in the home, in place of those of their names
    #[arg(long)]
    pub write: bool,
}

/// `tacho alerts export`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    tacho alerts export --output tachograph.rules.yml\n  \
    promtool check rules tachograph.rules.yml\n\n\
    The expressions are over what `tacho start` exposes on port 9108. What PromQL cannot say is \
    named in a comment.")]
pub struct Export {
    #[command(flatten)]
    pub which: Which,
    /// Write to this file instead of stdout (`-`: stdout); folders above it are made
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Reads a length of time: a whole number with s, m, h, d or w, or of seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let each = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err("write a whole number and s, m, h, d or w, such as 90s or 2h".to_owned()),
    };
    let number = number.parse::<u64>().ok();
    let found = number.and_then(|number| number.checked_mul(each));
    found.ok_or_else(|| "write a whole number and s, m, h, d or w, such as 90s or 2h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, wanted) in [
            ("0", Some(0)),
            ("90", Some(90)),
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("2h", Some(7_200)),
            ("7d", Some(604_800)),
            ("1w", Some(604_800)),
            ("", None),
            ("h", None),
            ("1.5h", None),
            ("-1h", None),
            ("1 h", None),
            ("1y", None),
            ("99999999999999999999", None),
            ("9999999999999999999w", None),
        ] {
            assert_eq!(seconds(text).ok(), wanted, "{text}");
        }
    }
}
