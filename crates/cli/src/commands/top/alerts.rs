//! The table of alerts, and all about one of them.

use ratatui::style::{Modifier, Style};
use tachograph_model::UnixNanos;
use tachograph_model::alert::State;
use tachograph_model::render::{Cell, amount, human, stamp, width};

use super::board::{Board, From, Line, SHOWN};
use super::columns::{self, NOTHING};
use super::picture::Picture;
use super::view::{ABOVE, ACCENT, BAD, LOOK, Pen};

/// Columns of the word that tells the state.
const STATE: usize = 9;
/// Columns that a name gets at least.
const LEAST_NAME: usize = 16;

/// A column: its title, how wide, figures to the right.
struct Column {
    title: &'static str,
    width: usize,
    figures: bool,
    say: fn(&Line, UnixNanos) -> String,
}

/// The first stay the longest on a narrow screen.
const COLUMNS: [Column; 4] = [
    Column {
        title: "VALUE",
        width: 10,
        figures: true,
        say: |line, _| value(line, columns::shortened),
    },
    Column {
        title: "SINCE",
        width: 6,
        figures: true,
        say: |line, now| {
            let alert = line.alert.as_ref();
            alert.map_or(String::new(), |alert| columns::age(alert.since, now))
        },
    },
    Column {
        title: "CONDITION",
        width: 18,
        figures: false,
        say: |line, _| line.rule.rule.condition.clone(),
    },
    Column {
        title: "SEVERITY",
        width: 8,
        figures: false,
        say: |line, _| line.rule.rule.severity.clone(),
    },
];

/// In the unit of what is watched; a bare figure as `number` has it.
fn value(line: &Line, number: fn(f64) -> String) -> String {
    let value = line.alert.as_ref().and_then(|alert| alert.value);
    let rule = &line.rule.rule;
    value.map_or(NOTHING.to_owned(), |value| {
        match amount(&rule.family, &rule.condition, value) {
            Cell::Number(value) => number(value),
            cell => cell.shown(),
        }
    })
}

/// Draws the page of lines on which the selected one is.
pub fn table(picture: &Picture, shown: &[usize], selected: usize, pen: &mut Pen<'_>) {
    let (board, now) = (&picture.board, picture.at);
    let all = usize::from(pen.area.width);
    let mut left = all.saturating_sub(3 + STATE + LEAST_NAME);
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .map_while(|column| {
            left = left.checked_sub(column.width + 1)?;
            Some(column)
        })
        .collect();
    let figures: usize = columns.iter().map(|column| column.width + 1).sum();
    let room = all - figures - 3 - STATE;
    let mut heading = width::pad("STATE", STATE, false) + &width::pad("ALERT", room, false);
    for column in &columns {
        heading += " ";
        heading += &width::pad(column.title, column.width, column.figures);
    }
    let under = Style::new().add_modifier(Modifier::UNDERLINED);
    pen.put(2, ABOVE - 1, &heading, under);
    let page = super::view::page(pen.area.height).max(1);
    let from = selected / page * page;
    for (at, line) in shown.iter().enumerate().skip(from).take(page) {
        let line = &board.lines[*line];
        let y = ABOVE + (at - from) as u16;
        let base = match at == selected {
            true => Style::new().add_modifier(Modifier::BOLD),
            false if line.alert.is_none() => pen.theme.dim(),
            false => Style::new(),
        };
        if at == selected {
            pen.put(0, y, ">", pen.theme.paint(base, ACCENT));
        }
        pen.put(2, y, line.state(), painted(line, base, pen));
        let name = width::cut(&width::clean(&line.name(&picture.names)), room - 1);
        let mut x = 2 + STATE as u16;
        pen.put_within(x, y, &name, room - 1, base);
        x += room as u16;
        for column in &columns {
            let text = width::cut(&width::clean(&(column.say)(line, now)), column.width);
            let text = format!(" {}", width::pad(&text, column.width, column.figures));
            x = pen.put(x, y, &text, base);
        }
    }
}

fn painted(line: &Line, base: Style, pen: &Pen<'_>) -> Style {
    match line.alert.as_ref().map(|alert| alert.state) {
        Some(State::Firing) => pen.theme.paint(base, BAD),
        Some(State::Pending | State::NoData) => pen.theme.paint(base, LOOK),
        _ => base,
    }
}

/// Titles of a line's cells.
pub fn titles() -> impl Iterator<Item = &'static str> {
    let columns = COLUMNS.iter().map(|column| column.title);
    ["STATE", "ALERT"].into_iter().chain(columns)
}

/// A line, cell by cell.
pub fn cells(line: &Line, picture: &Picture) -> Vec<String> {
    let columns = COLUMNS.iter();
    let columns = columns.map(|column| (column.say)(line, picture.at));
    let first = [line.state().to_owned(), line.name(&picture.names)];
    first.into_iter().chain(columns).collect()
}

/// Draws all about one line.
pub fn detail(line: &Line, picture: &Picture, pen: &mut Pen<'_>) {
    let now = picture.at;
    let rule = &line.rule.rule;
    let room = usize::from(pen.area.width) - 3;
    let name = width::cut(&width::clean(&line.name(&picture.names)), room);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    pen.put_within(1, 3, &name, room, pen.theme.paint(bold, ACCENT));
    let mut pairs = vec![("state", line.state().to_lowercase())];
    if let Some(alert) = &line.alert {
        let at = |at: UnixNanos| format!("{} UTC ({})", stamp(at), columns::age(at, now));
        pairs.push(("since", at(alert.since)));
        pairs.push(("value", value(line, human::number)));
        let source = if alert.source.is_empty() {
            String::new()
        } else {
            format!(" ({})", alert.source)
        };
        let name = line.agent(&picture.names);
        let name = name.map_or(String::new(), |name| format!("{name} "));
        pairs.push((
            "of",
            format!("{} {name}{}{source}", rule.family, alert.name),
        ));
        pairs.extend(alert.fired_at.map(|fired| ("fired", at(fired))));
        pairs.extend(alert.resolved_at.map(|over| ("resolved", at(over))));
    } else {
        let of = [&rule.family, &rule.source, &rule.metric_name];
        let of: Vec<&str> = of
            .map(String::as_str)
            .into_iter()
            .filter(|it| !it.is_empty())
            .collect();
        pairs.push(("watches", of.join(" ")));
    }
    let seconds = |seconds: u64| human::duration(seconds as f64 * 1e3);
    pairs.push(("condition", rule.condition.clone()));
    pairs.push(("window", seconds(rule.window_seconds)));
    if rule.for_seconds > 0 {
        pairs.push(("for", seconds(rule.for_seconds)));
    }
    pairs.push((
        "told again",
        format!("after {}", seconds(rule.cooldown_seconds)),
    ));
    pairs.push(("severity", rule.severity.clone()));
    pairs.extend(line.rule.origin.clone().map(|origin| ("rule of", origin)));
    if !rule.labels.is_empty() {
        let labels = rule.labels.iter();
        let labels: Vec<String> = labels
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.push(("labels", labels.join(", ")));
    }
    if !rule.description.is_empty() {
        pairs.push(("", rule.description.clone()));
    }
    let bottom = pen.area.height - 3;
    for (at, (label, text)) in pairs.into_iter().enumerate() {
        let y = 5 + at as u16;
        if y >= bottom {
            break;
        }
        pen.put(2, y, label, pen.theme.dim());
        let room = room - 13;
        pen.put_within(
            15,
            y,
            &width::cut(&width::clean(&text), room),
            room,
            Style::new(),
        );
    }
}

/// What is said where nothing is known.
pub fn nothing(board: &Board) -> Vec<String> {
    match board.from {
        From::Nobody => vec![
            "No server has looked at alert rules on this home.".to_owned(),
            String::new(),
            "  tacho start      looks at them each second".to_owned(),
        ],
        _ => vec!["Nothing fires, and nothing did lately.".to_owned()],
    }
}

/// Who told it, and whether that is a warning.
pub fn note(board: &Board) -> (String, bool) {
    if let Some(note) = &board.note {
        return (format!("! {}", width::clean(note)), true);
    }
    match &board.from {
        From::Server(address) if board.watched => {
            let counts = counts(board);
            let unwatched = board.unwatched.unwrap_or(0);
            let beyond = match unwatched {
                0 => String::new(),
                count => format!(
                    "; nobody watches {} more",
                    human::counted(count, "series", "series")
                ),
            };
            (
                format!(
                    "{}{beyond}; from the server at {address}",
                    counts.trim_end()
                ),
                unwatched > 0,
            )
        }
        From::Server(_) => (
            "! enable_alerts is off: nothing is watched".to_owned(),
            true,
        ),
        From::File(at) => {
            let at = at.map_or(String::new(), |at| format!(" at {} UTC", stamp(at)));
            let counts = counts(board);
            (
                format!("! no server runs; {} as it stood{at}", counts.trim_end()),
                true,
            )
        }
        From::Nobody => (String::new(), false),
    }
}

/// Counts, as the line of tables says them.
pub fn counts(board: &Board) -> String {
    // What nobody looked at may fire or not.
    if board.from == From::Nobody {
        return String::new();
    }
    let say = |count: u64| human::thousands(count.into());
    let of = |state: State| match board.counts.of(state) {
        0 => None,
        count if state == State::NoData => Some(format!("{} without data", say(count))),
        count => Some(format!("{} {}", say(count), state.name())),
    };
    let counts: Vec<String> = SHOWN.into_iter().filter_map(of).collect();
    let listed = match board.shown() {
        (listed, all) if listed < all => format!("; {} of {} listed", say(listed), say(all)),
        _ => String::new(),
    };
    match counts.is_empty() {
        true => "nothing fires ".to_owned(),
        false => counts.join(", ") + &listed + " ",
    }
}
