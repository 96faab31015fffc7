//! All about one series: its windows side by side, and its totals.

use ratatui::style::{Modifier, Style};
use tachograph_model::render::{human, width};

use super::columns::{self, NOTHING};
use super::picture::{Detail, Picture, Row, WINDOWS};
use super::view::{ACCENT, BAD, Pen};
use crate::args::top::Tab;

/// Lines above.
const TOP: u16 = 3;
/// Columns of a figure's name, and of a figure.
const LABEL: usize = 10;
const FIGURE: usize = 11;
/// From so many columns on all windows fit beside the totals.
const WIDE: u16 = 80;

/// One line of figures: its name, and what it says of a window.
type Line = (&'static str, fn(&Row) -> Option<String>);

pub fn draw(about: &Detail, picture: &Picture, pen: &mut Pen<'_>) {
    let Some(row) = about.windows.last() else {
        return;
    };
    let shown = shown(pen.area.width, picture);
    let totals_at = (2 + LABEL + shown.len() * FIGURE + 2) as u16;
    let room = usize::from(pen.area.width) - 3;
    let name = width::cut(&width::clean(&columns::name(row, &picture.names)), room);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let after = pen.put_within(1, TOP, &name, room, pen.theme.paint(bold, ACCENT));
    if picture.names.contains_key(&*row.reading.name) {
        // By this events and other tools tell of it.
        pen.put(after + 2, TOP, &row.reading.name, pen.theme.dim());
    }
    let mut heading = width::pad("", LABEL, false);
    for at in &shown {
        heading += &width::pad(WINDOWS[*at].name(), FIGURE, true);
    }
    let under = Style::new().add_modifier(Modifier::UNDERLINED);
    pen.put(2, TOP + 1, &heading, under);
    let bottom = pen.area.height - 3;
    for (at, (label, say)) in lines(picture.tab).enumerate() {
        let y = TOP + 2 + at as u16;
        if y >= bottom {
            break;
        }
        pen.put(2, y, label, pen.theme.dim());
        let mut x = 2 + LABEL as u16;
        for row in shown.iter().filter_map(|at| about.windows.get(*at)) {
            let text = say(row).unwrap_or_else(|| NOTHING.to_owned());
            let text = width::cut(&text, FIGURE - 1);
            x = pen.put(x, y, &width::pad(&text, FIGURE, true), Style::new());
        }
    }
    let room = usize::from(pen.area.width.saturating_sub(totals_at + 1));
    pen.put(totals_at, TOP + 1, "All that was read", under);
    for (at, (text, bad)) in totals(row, picture, room).into_iter().enumerate() {
        let y = TOP + 2 + at as u16;
        if y >= bottom {
            break;
        }
        let style = match bad {
            true => pen.theme.paint(Style::new(), BAD),
            false => Style::new(),
        };
        pen.put_within(totals_at, y, &text, room, style);
    }
}

/// Which windows: on a narrow screen the chosen one and the longest.
fn shown(columns: u16, picture: &Picture) -> Vec<usize> {
    let last = WINDOWS.len() - 1;
    let is_shown = |at: &usize| columns >= WIDE || *at == last || WINDOWS[*at] == picture.window;
    (0..WINDOWS.len()).filter(is_shown).collect()
}

fn lines(tab: Tab) -> impl Iterator<Item = Line> {
    const COUNTS: [Line; 2] = [
        ("count", |row| {
            Some(human::thousands(row.happened()?.count.into()))
        }),
        ("per second", |row| {
            Some(columns::say_per(row.happened()?.rate))
        }),
    ];
    const FAILURES: [Line; 2] = [
        ("failed", |row| {
            let counts = row.happened().filter(|_| row.tells_outcome())?;
            Some(human::thousands(counts.failed.into()))
        }),
        ("failed %", |row| Some(human::percent(row.failure_ratio()?))),
    ];
    const VALUES: [Line; 7] = [
        // The last is the first to go where there is little room.
        ("p50", |row| Some(columns::measured(row, row.window()?.p50))),
        ("p95", |row| Some(columns::measured(row, row.window()?.p95))),
        ("p99", |row| Some(columns::measured(row, row.window()?.p99))),
        ("max", |row| Some(columns::measured(row, row.window()?.max))),
        ("avg", |row| Some(columns::measured(row, row.window()?.avg))),
        ("min", |row| Some(columns::measured(row, row.window()?.min))),
        ("std dev", |row| {
            Some(columns::measured(row, row.window()?.std))
        }),
    ];
    const MODEL: [Line; 2] = [
        ("tokens", |row| Some(human::number(row.tokens?.sum))),
        ("cost", |row| Some(human::usd(row.cost?.sum))),
    ];
    const AGENT: [Line; 7] = [
        ("uses", |row| count(columns::part(row, |it| &it.uses))),
        ("uses p95", |row| {
            Some(human::duration(columns::slow(row, |it| &it.uses)?))
        }),
        ("tools", |row| count(columns::part(row, |it| &it.tools))),
        ("tools p95", |row| {
            Some(human::duration(columns::slow(row, |it| &it.tools)?))
        }),
        ("models", |row| count(columns::part(row, |it| &it.models))),
        ("models p95", |row| {
            Some(human::duration(columns::slow(row, |it| &it.models)?))
        }),
        ("cost", |row| Some(human::usd(row.cost?.sum))),
    ];
    const CACHE: [Line; 3] = [
        ("hits", |row| Some(human::number(row.window()?.sum))),
        ("misses", |row| {
            let window = row.window()?;
            Some(human::number(window.count as f64 - window.sum))
        }),
        ("hit %", |row| Some(human::percent(row.window()?.avg))),
    ];
    let parts: &[&[Line]] = match tab {
        Tab::Tools => &[&COUNTS, &FAILURES, &VALUES],
        Tab::Agents => &[&COUNTS, &FAILURES, &AGENT],
        Tab::Models => &[&COUNTS, &FAILURES, &MODEL, &VALUES],
        Tab::Caches => &[&COUNTS, &CACHE],
        Tab::Metrics => &[&COUNTS, &VALUES],
        Tab::Alerts => &[],
    };
    parts.concat().into_iter()
}

fn count(value: Option<f64>) -> Option<String> {
    value.map(human::number)
}

/// Everything since the log began to be read, and whether a line is of failures.
fn totals(row: &Row, picture: &Picture, room: usize) -> Vec<(String, bool)> {
    let reading = &row.reading;
    let totals = &reading.totals;
    let whole = |count: u64| human::thousands(count.into());
    let mut pairs = vec![("events", whole(totals.events))];
    if let Some(at) = reading.heard {
        pairs.push(("last", columns::age(at, picture.at)));
    }
    if let Some((_, value)) = reading.latest
        && picture.tab != Tab::Caches
    {
        pairs.push(("last value", columns::measured(row, value)));
    }
    match picture.tab {
        Tab::Caches => {
            let lookups = &totals.lookups;
            pairs.push(("hits", whole(lookups.hits)));
            pairs.push(("misses", whole(lookups.misses)));
            pairs.push(("evicted", whole(lookups.evictions)));
            pairs.push(("too big", whole(lookups.size_rejections)));
        }
        Tab::Metrics => {
            let text = |text: &Option<std::sync::Arc<str>>| {
                text.as_deref().map_or(NOTHING.to_owned(), width::clean)
            };
            pairs.push(("type", text(&reading.kind)));
            pairs.push(("unit", text(&reading.unit)));
        }
        _ => {
            pairs.push(("outcome untold", whole(totals.unknown)));
            let without = totals.events.saturating_sub(totals.values);
            pairs.push(("no duration", whole(without)));
        }
    }
    if totals.priced > 0 {
        pairs.push(("cost", human::usd(totals.cost_usd)));
    }
    if totals.tokens != Default::default() {
        let tokens = &totals.tokens;
        pairs.push(("input tokens", whole(tokens.input)));
        // 0 is also what nobody told.
        if tokens.cache_read > 0 {
            pairs.push(("  of the cache", whole(tokens.cache_read)));
        }
        pairs.push(("output tokens", whole(tokens.output)));
        if tokens.reasoning > 0 {
            pairs.push(("  reasoning", whole(tokens.reasoning)));
        }
    }
    let pair = |name: &str, value: &str| {
        let gap = room.min(44).saturating_sub(width::width(name) + 1);
        format!("{name} {}", width::pad(&width::cut(value, gap), gap, true))
    };
    let mut lines: Vec<(String, bool)> = pairs
        .iter()
        .map(|(name, value)| (pair(name, value), false))
        .collect();
    if !matches!(picture.tab, Tab::Caches | Tab::Metrics) {
        let failed = if row.tells_outcome() {
            whole(totals.failed)
        } else {
            NOTHING.to_owned()
        };
        lines.push((pair("failed", &failed), totals.failed > 0));
        let mut errors = totals.errors.clone();
        errors.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        for (name, count) in errors {
            let count = whole(count);
            let name = width::cut(
                &width::clean(&name),
                room.min(44).saturating_sub(count.len() + 3),
            );
            lines.push((pair(&format!("  {name}"), &count), true));
        }
    }
    lines
}
