//! `tacho alerts list`

use std::path::Path;

use serde_json::{Value as Json, json};
use tachograph_model::alert::{EVERY, Rule, State};
use tachograph_model::render::{Cell, Sheet, Table, backtest::series, human, page_of};
use tachograph_serve::alert::{
    Alert, Book, Owned, Quiet, RuleState, kept_at, quiet, standing, unwatched,
};

use super::rules;
use crate::args::Format;
use crate::commands::ask;
use crate::commands::start::lock;
use crate::context::Context;
use crate::exit::{Exit, Result};
use crate::source::Server;

/// Runs the command.
pub fn run(ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json, Format::Csv, Format::Markdown])?;
    let (watch, unread) = rules::watch(ctx)?;
    let home = ctx.folder();
    match standing(home) {
        Ok(kept) => watch.book().resume(kept),
        Err(error) => ctx.say(format_args!(
            "warning: how alerts stand cannot be read ({}): {error}\n\
             hint: a server begins it anew when it starts",
            home.join("alerts").join("state.json").display()
        )),
    }
    // What there is to say of that file has just been said.
    let quiet = quiet(home).unwrap_or_default();
    let book = watch.book();
    let alerts: Vec<Alert> = book.alerts().collect();
    let found: Vec<Found<'_>> = book
        .rules()
        .iter()
        .map(|owned| Found::of(owned, &book, &alerts, quiet.get(&owned.rule.name)))
        .collect();
    let text = match form {
        Format::Json => ask::pretty(&document(&found, home))?,
        Format::Csv => page_of::csv(&sheet(&found)),
        Format::Markdown => page_of::markdown(&sheet(&found)),
        _ => page_of::text(&sheet(&found), ask::style(ctx, None)),
    };
    ask::deliver(ctx, None, &text)?;
    ctx.say(as_of(home));
    let crowded = found
        .iter()
        .map(|it| (&*it.owned.rule.name, it.stands.unwatched));
    if let Some(note) = unwatched(crowded) {
        ctx.say(format_args!("warning: {note}"));
    }
    match unread {
        None => Ok(Exit::Ok),
        Some(error) => {
            ctx.say(format_args!("warning: not every rule is here: {error}"));
            Ok(Exit::Findings)
        }
    }
}

/// A rule, and its alerts that are worth a word.
struct Found<'a> {
    owned: &'a Owned,
    alerts: Vec<&'a Alert>,
    stands: RuleState,
}

impl<'a> Found<'a> {
    /// `quiet` is of its other series; `None`: nobody has looked at it.
    fn of(owned: &'a Owned, book: &Book, alerts: &'a [Alert], quiet: Option<&Quiet>) -> Self {
        let own = |alert: &&Alert| alert.rule.name == owned.rule.name;
        let alerts = alerts.iter().filter(own);
        Self {
            owned,
            alerts: alerts.filter(|_| owned.rule.enabled).collect(),
            stands: book.state_of(&owned.rule, quiet.copied()),
        }
    }

    /// Those that have its state; none: nothing is known to be amiss.
    fn worst(&self) -> impl Iterator<Item = &&'a Alert> {
        let amiss = move |alert: &&&Alert| {
            let machine = &alert.machine;
            let told = match machine.state() {
                State::Inactive => false,
                State::NoData => machine.is_open(),
                _ => true,
            };
            told && Some(machine.state()) == self.stands.state
        };
        self.alerts.iter().filter(amiss)
    }

    /// Series in a state of which there is nothing to tell.
    fn quiet(&self, state: State) -> u64 {
        let totals = &self.stands.totals;
        match state {
            State::NoData => totals.of(state) - totals.open_without_data,
            state => totals.of(state),
        }
    }

    fn state(&self) -> &'static str {
        match self.owned.rule.enabled {
            false => "off",
            true => self.stands.state.map_or(UNWATCHED, State::name),
        }
    }

    /// Which series that is of.
    fn series(&self) -> Option<String> {
        let mut worst = self.worst();
        let known = match worst.next() {
            Some(alert) => {
                let name = series(&alert.series.0, &alert.series.1);
                Some(match worst.count() {
                    0 => name,
                    others => format!("{name} and {others} more"),
                })
            }
            None => match (self.quiet(State::Inactive), self.quiet(State::NoData)) {
                (0, _) => None,
                (well, 0) => Some(human::counted(well, "series", "series")),
                (well, silent) => {
                    let well = human::counted(well, "series", "series");
                    Some(format!(
                        "{well}, {} without data",
                        human::thousands(silent.into())
                    ))
                }
            },
        };
        let unwatched = match self.stands.unwatched {
            0 => None,
            count => Some(format!("{} unwatched", human::thousands(count.into()))),
        };
        match (known, unwatched) {
            (Some(known), Some(unwatched)) => Some(format!("{known}, {unwatched}")),
            (known, unwatched) => known.or(unwatched),
        }
    }
}

/// The state of a rule of which no server has looked at any series.
const UNWATCHED: &str = "unwatched";

fn watched(rule: &Rule) -> String {
    let name = series(&rule.source, &rule.metric_name);
    let name = if name == EVERY {
        "each".to_owned()
    } else {
        name
    };
    format!("{} {name}", rule.family.replace('_', " "))
}

fn sheet(found: &[Found<'_>]) -> Sheet {
    let columns = [
        ("Group", "group"),
        ("State", "state"),
        ("Of", "series"),
        ("Watches", "watches"),
        ("Condition", "condition"),
        ("Window", "window_ms"),
        ("For", "for_ms"),
        ("Severity", "severity"),
        ("By", "origin"),
    ];
    let mut table = Table::new("alert_rules", "Rule", &columns).least(&[
        "for_ms",
        "severity",
        "window_ms",
        "origin",
        "group",
    ]);
    let milliseconds = |seconds: u64| match seconds {
        0 => Cell::Nothing,
        seconds => Cell::Ms(seconds as f64 * 1e3),
    };
    for one in found {
        let rule = &one.owned.rule;
        let of = one.series().map(Cell::Text);
        let group = Some(rule.group.clone()).filter(|group| !group.is_empty());
        table.row(
            &rule.name,
            vec![
                group.map(Cell::Text).into(),
                Cell::Text(one.state().to_owned()),
                of.into(),
                Cell::Text(watched(rule)),
                Cell::Text(
                    rule.check()
                        .map_or(rule.condition.clone(), |it| it.to_string()),
                ),
                milliseconds(rule.window_seconds),
                milliseconds(rule.for_seconds),
                Cell::Text(rule.severity.clone()),
                Cell::Text(one.owned.origin.name().to_owned()),
            ],
        );
    }
    let mut sheet = Sheet::new("alert_rules", "Alert rules", "🔔");
    sheet.table(table);
    sheet
}

fn document(found: &[Found<'_>], home: &Path) -> Json {
    let alert = |alert: &&Alert| {
        json!({
            "source": alert.series.0,
            "name": alert.series.1,
            "state": alert.machine.state().name(),
            "open": alert.machine.is_open(),
            "since": alert.machine.since(),
            "value": alert.machine.value(),
        })
    };
    let one = |one: &Found<'_>| {
        json!({
            "rule": one.owned.rule,
            "origin": one.owned.origin.name(),
            "state": one.state(),
            "series_well": one.quiet(State::Inactive),
            "series_without_data": one.quiet(State::NoData),
            "series_unwatched": one.stands.unwatched,
            "alerts": one.alerts.iter().map(alert).collect::<Vec<_>>(),
        })
    };
    json!({
        "alert_rules": found.iter().map(one).collect::<Vec<_>>(),
        "server": lock::running(home),
        "as_of": kept_at(home),
    })
}

fn as_of(home: &Path) -> String {
    let kept = kept_at(home).map(tachograph_model::render::stamp);
    match (lock::running(home), kept) {
        (Some(_), _) => {
            let server = Server::of(home);
            let address = server.map_or(String::new(), |it| format!(" ({}/)", it.url()));
            format!("a server watches them{address}; each change shows here at once")
        }
        (None, Some(at)) => format!(
            "no server runs: states are those of {at} UTC\n\
             hint: `tacho alerts check` looks now, `tacho start` watches"
        ),
        (None, None) => "no server has watched them yet\n\
             hint: `tacho alerts check` looks now, `tacho start` watches"
            .to_owned(),
    }
}
