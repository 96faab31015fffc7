//! `tacho alerts check`: what fires now, without a server.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tachograph_model::alert::{Rule, State};
use tachograph_model::answer::{About, Backtest, RulePast, Standing};
use tachograph_model::render::{Cell, Sheet, Table, amount, backtest::series, human, page_of};
use tachograph_model::{Scope, UnixNanos, Window};

use super::backtest::replay;
use super::rules;
use crate::args::Format;
use crate::args::alerts::Check;
use crate::commands::ask;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// So far back is looked for when it began.
const BACK: u64 = 86_400;

/// Runs the command.
pub fn run(args: &Check, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json, Format::Csv, Format::Markdown])?;
    let rules = rules::chosen(&args.which, ctx)?;
    let (found, about) = replay(scope(&rules, ctx.now), rules, ctx)?;
    let fires = in_state(&found, State::Firing).count();
    let text = match form {
        Format::Json => ask::pretty(&document(&found, &about))?,
        Format::Csv => page_of::csv(&sheet(&found)),
        // A heading with nothing below it tells nobody anything.
        Format::Text | Format::Markdown if shown(&found).next().is_none() => {
            headline(&found, about.from)
        }
        Format::Text => {
            let style = ask::style(ctx, None);
            format!(
                "{}\n{}",
                headline(&found, about.from),
                page_of::text(&sheet(&found), style)
            )
        }
        _ => page_of::markdown(&sheet(&found)),
    };
    ask::deliver(ctx, None, &text)?;
    ask::say_notes(ctx, &about);
    Ok(match fires {
        0 => Exit::Ok,
        _ => Exit::Findings,
    })
}

/// A day, and as much as any rule takes to begin to fire, and to end.
fn scope(rules: &[Rule], now: UnixNanos) -> Scope {
    let longest = rules
        .iter()
        .map(|rule| rule.for_seconds.max(rule.window_seconds))
        .max();
    let back = Duration::from_secs(BACK.saturating_add(longest.unwrap_or(0).saturating_mul(3)));
    Scope {
        window: Window {
            from: now.saturating_sub(back),
            to: UnixNanos::MAX,
        },
        ..Scope::all(now)
    }
}

/// It fired when there still was data, and is not resolved.
fn is_silent(standing: &Standing) -> bool {
    standing.state == State::NoData && standing.fires_since.is_some()
}

fn alerts(found: &Backtest) -> impl Iterator<Item = (&RulePast, &Standing)> {
    let of = |past| {
        let past: &RulePast = past;
        past.alerts.iter().map(move |standing| (past, standing))
    };
    found.rules.iter().flat_map(of)
}

fn in_state(found: &Backtest, wanted: State) -> impl Iterator<Item = (&RulePast, &Standing)> {
    alerts(found).filter(move |(_, standing)| standing.state == wanted)
}

fn silent(found: &Backtest) -> impl Iterator<Item = (&RulePast, &Standing)> {
    alerts(found).filter(|(_, standing)| is_silent(standing))
}

fn headline(found: &Backtest, from: UnixNanos) -> String {
    let count = |state| in_state(found, state).count() as u64;
    let (fires, pending) = (count(State::Firing), count(State::Pending));
    let rules = human::counted(found.rules.len() as u64, "rule", "rules");
    let looked = alerts_looked_at(found);
    let mut line = match fires {
        0 => format!("Nothing fires: {rules}, {looked}"),
        some => {
            let some = human::counted(some, "alert fires", "alerts fire");
            format!("{some}: {rules}, {looked}")
        }
    };
    if pending > 0 {
        line.push_str(&format!(", {pending} pending"));
    }
    let silent = silent(found).count();
    if silent > 0 {
        line.push_str(&format!(", {silent} without data that fired before"));
    }
    let since_before = in_state(found, State::Firing)
        .any(|(_, standing)| standing.fires_since.is_some_and(|since| since <= from));
    if since_before {
        line.push_str("; what fires since the first look may do so for longer");
    }
    line.push('\n');
    line
}

fn alerts_looked_at(found: &Backtest) -> String {
    let series = found.rules.iter().map(|past| past.series).sum();
    match series {
        0 => "no data of what they watch".to_owned(),
        series => human::counted(series, "series", "series"),
    }
}

fn shown(found: &Backtest) -> impl Iterator<Item = (&RulePast, &Standing)> {
    let pending = in_state(found, State::Pending);
    let told = in_state(found, State::Firing).chain(pending);
    told.chain(silent(found))
}

/// Since when it fires; of what does not, since when it is as it is.
fn since(standing: &Standing) -> UnixNanos {
    let fires = standing.fires_since;
    fires
        .filter(|_| !is_silent(standing))
        .unwrap_or(standing.since)
}

fn sheet(found: &Backtest) -> Sheet {
    let columns = [
        ("Of", "series"),
        ("State", "state"),
        ("Value", "value"),
        ("Condition", "condition"),
        ("Threshold", "threshold"),
        ("Since", "since"),
        ("Severity", "severity"),
    ];
    let mut table = Table::new("alerts", "Rule", &columns).least(&["severity", "threshold"]);
    for (past, standing) in shown(found) {
        let rule = &past.rule;
        let figure = |value| amount(&rule.family, &rule.condition, value);
        table.row(
            &rule.name,
            vec![
                Cell::Text(series(&standing.source, &standing.name)),
                Cell::Text(standing.state.name().to_owned()),
                standing.value.map(figure).into(),
                Cell::Text(rule.condition.clone()),
                Cell::Number(rule.threshold),
                Cell::Time(since(standing)),
                Cell::Text(rule.severity.clone()),
            ],
        );
    }
    let mut sheet = Sheet::new("alerts", "Alerts", "🔔");
    sheet.table(table);
    sheet
}

fn document(found: &Backtest, about: &About) -> Json {
    let one = |(past, standing): (&RulePast, &Standing)| {
        json!({
            "rule": past.rule,
            "source": standing.source,
            "name": standing.name,
            "state": standing.state.name(),
            "open": standing.fires_since.is_some(),
            "value": standing.value,
            "threshold": past.rule.threshold,
            "since": since(standing),
        })
    };
    let alerts: Vec<Json> = shown(found).map(one).collect();
    json!({
        "check": {
            "at": about.at,
            "rules": found.rules.len(),
            "series": found.rules.iter().map(|past| past.series).sum::<u64>(),
            "alerts": alerts,
        },
        "notes": about.notes,
    })
}
