//! A picture and the choices, drawn. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use tachograph_model::render::{Glyphs, human, iso, width};

use super::alerts;
use super::app::App;
use super::columns::{self, NOTHING};
use super::detail;
use super::picture::{Key, Picture, Row, TABS};
use crate::args::top::Tab;

/// Below this nothing can be laid out.
const LEAST: (u16, u16) = (60, 15);
/// Lines above the rows, and below.
pub const ABOVE: u16 = 4;
const BELOW: u16 = 3;

/// How it may look.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    pub color: bool,
    pub glyphs: Glyphs,
}

/// All that is drawn.
pub struct Scene<'a> {
    pub app: &'a App,
    pub picture: &'a Picture,
    pub bars: Option<&'a Bars>,
    pub home: &'a str,
    pub theme: Theme,
}

/// How often something happened, bar by bar.
#[derive(Clone, Debug)]
pub struct Bars {
    pub key: Key,
    pub seconds: u64,
    pub counts: Vec<u64>,
}

/// Rows of a table that fit.
pub fn page(height: u16) -> usize {
    usize::from(height.saturating_sub(ABOVE + BELOW))
}

/// Draws everything.
pub fn draw(scene: &Scene<'_>, buffer: &mut Buffer) {
    let area = buffer.area;
    let mut pen = Pen {
        buffer,
        area,
        theme: scene.theme,
    };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(&mut pen);
    } else {
        head(scene, &mut pen);
        tabs(scene, &mut pen);
        let key = scene.app.detail.as_ref();
        let line = key.and_then(|key| scene.picture.line(key));
        match (&scene.picture.detail, line, scene.app.help) {
            (.., true) => help(&mut pen),
            (Some(about), ..) => detail::draw(about, scene.picture, &mut pen),
            (_, Some(line), _) => alerts::detail(line, scene.picture, &mut pen),
            _ => table(scene, &mut pen),
        }
        foot(scene, &mut pen);
    }
    pen.settle();
}

fn too_small(pen: &mut Pen<'_>) {
    let (columns, lines) = (pen.area.width, pen.area.height);
    for (line, text) in [
        format!("This window is {columns} x {lines}."),
        format!("tacho top needs {} x {}:", LEAST.0, LEAST.1),
        "please make it larger, or".to_owned(),
        "try tacho top --once; q quits".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        pen.put(0, line as u16, text, Style::new());
    }
}

fn head(scene: &Scene<'_>, pen: &mut Pen<'_>) {
    let picture = scene.picture;
    let bar = Style::new().add_modifier(Modifier::REVERSED);
    pen.fill(0, bar);
    let time = iso(picture.at);
    let time = time.get(11..19).unwrap_or(&time);
    let state = match scene.app.paused {
        true => "PAUSED at ",
        false => "",
    };
    let right = format!("window {}  {state}{time} UTC ", picture.window.name());
    let room = usize::from(pen.area.width).saturating_sub(width::width(&right) + 1);
    let home = width::clean(scene.home);
    pen.put(0, 0, &width::cut(&format!(" tacho top  {home}"), room), bar);
    pen.right(0, &right, bar.add_modifier(Modifier::BOLD));
    let mut x = 1;
    for (name, value) in figures(picture) {
        // A figure that is cut would be another.
        let taken = width::width(name) + 1 + width::width(&value);
        if usize::from(x) + taken > pen.area.width.into() {
            continue;
        }
        x = pen.put(x, 1, name, pen.theme.dim());
        x = pen.put(x + 1, 1, &value, Style::new().add_modifier(Modifier::BOLD));
        x += 3;
    }
}

/// The figures of all together.
pub fn figures(picture: &Picture) -> [(&'static str, String); 5] {
    let head = &picture.head;
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
    let tokens = head
        .tokens_per_second
        .map(|it| columns::shortened((it * 60.0).round()));
    let sessions = i128::from(picture.overview.active_sessions);
    [
        ("events/s", columns::say_per(head.events_per_second)),
        ("failed/s", columns::say_per(head.failed_per_second)),
        ("tokens/min", or_nothing(tokens)),
        ("cost/h", or_nothing(head.cost_per_hour.map(human::usd))),
        ("sessions", human::thousands(sessions)),
    ]
}

fn tabs(scene: &Scene<'_>, pen: &mut Pen<'_>) {
    let mut x = 0;
    for (at, tab) in TABS.into_iter().enumerate() {
        let title = format!("{} {}", at + 1, tab.title());
        let bold = Style::new().add_modifier(Modifier::BOLD);
        x = match tab == scene.app.tab {
            true => pen.put(x, 2, &format!("[{title}]"), pen.theme.paint(bold, ACCENT)),
            false => pen.put(x, 2, &format!(" {title} "), Style::new()),
        };
    }
    if scene.app.detail.is_some() || scene.app.help {
        return;
    }
    if scene.picture.tab == Tab::Alerts {
        let text = alerts::counts(&scene.picture.board);
        if x as usize + width::width(&text) < usize::from(pen.area.width) {
            pen.right(2, &text, pen.theme.dim());
        }
        return;
    }
    let shown = scene.app.order(scene.picture).len();
    let all = scene.picture.rows.len();
    let count = match shown == all {
        true => human::thousands(all as i128),
        false => format!("{shown} of {all}"),
    };
    let sort = scene.app.sort();
    let by = match sort.column {
        Some(at) => columns::of(scene.picture.tab)[at].title,
        None => "NAME",
    };
    let text = format!("{count}, by {by} {} ", pen.theme.arrow(sort.falls()));
    if x as usize + width::width(&text) < usize::from(pen.area.width) {
        pen.right(2, &text, pen.theme.dim());
    }
}

fn table(scene: &Scene<'_>, pen: &mut Pen<'_>) {
    let (app, picture) = (scene.app, scene.picture);
    let order = app.order(picture);
    let Some(selected) = app.selected(picture, &order) else {
        for (line, text) in nothing(scene).iter().enumerate() {
            pen.put(2, ABOVE + 1 + line as u16, text, Style::new());
        }
        return;
    };
    if picture.tab == Tab::Alerts {
        return alerts::table(picture, &order, selected, pen);
    }
    let all = columns::of(picture.tab);
    let shown = columns::fitting(picture.tab, pen.area.width.into());
    let figures: usize = shown.iter().map(|at| all[*at].width + 1).sum();
    let room = usize::from(pen.area.width) - figures - 3;
    let sort = app.sort();
    let under = Style::new().add_modifier(Modifier::UNDERLINED);
    let titled = |title: &str, sorted: bool| match sorted {
        true => format!("{title}{}", pen.theme.arrow(sort.falls())),
        false => title.to_owned(),
    };
    let mut line = width::pad(
        &titled(columns::name_title(picture.tab), sort.column.is_none()),
        room,
        false,
    );
    for at in &shown {
        let title = titled(all[*at].title, sort.column == Some(*at));
        line += &format!(" {}", width::pad(&title, all[*at].width, true));
    }
    pen.put(2, ABOVE - 1, &line, under);
    let page = page(pen.area.height);
    let from = (selected / page.max(1)) * page;
    for (line, at) in order.iter().enumerate().skip(from).take(page) {
        let row = &picture.rows[*at];
        let y = ABOVE + (line - from) as u16;
        row_line(row, &shown, room, (y, line == selected), picture, pen);
    }
}

fn row_line(
    row: &Row,
    shown: &[usize],
    room: usize,
    (y, selected): (u16, bool),
    picture: &Picture,
    pen: &mut Pen<'_>,
) {
    let base = match selected {
        true => Style::new().add_modifier(Modifier::BOLD),
        false if row.happened().is_none() => pen.theme.dim(),
        false => Style::new(),
    };
    if selected {
        pen.put(0, y, ">", pen.theme.paint(base, ACCENT));
    }
    let name = width::cut(&width::clean(&columns::name(row, &picture.names)), room);
    pen.put_within(2, y, &name, room, base);
    let mut x = 2 + room as u16;
    for at in shown {
        let column = &columns::of(picture.tab)[*at];
        let text = width::cut(&column.text(row, picture.at), column.width);
        let bad =
            column.title.starts_with("FAIL") && (column.value)(row).is_some_and(|it| it > 0.0);
        let style = if bad {
            pen.theme.paint(base, BAD)
        } else {
            base
        };
        let text = width::pad(&text, column.width + 1, true);
        x = pen.put(x, y, &text, style);
    }
}

/// What is said where a table has no rows.
fn nothing(scene: &Scene<'_>) -> Vec<String> {
    let what = match scene.picture.tab {
        Tab::Tools => "tool call",
        Tab::Models => "model call",
        Tab::Agents => "agent at work",
        Tab::Caches => "cache look-up",
        Tab::Metrics => "measurement",
        Tab::Alerts if scene.picture.len() == 0 => return alerts::nothing(&scene.picture.board),
        Tab::Alerts => "alert",
    };
    if !scene.picture.overview.settled {
        return vec!["Reading the log ...".to_owned()];
    }
    if scene.picture.len() > 0 {
        let filter = width::clean(&scene.app.filter);
        return vec![format!(
            "Nothing is called like \"{filter}\". Esc shows all."
        )];
    }
    let mut lines = vec![format!(
        "No {what} in this log so far. It shows up here as it comes."
    )];
    if scene.picture.overview.events == 0 {
        lines.push(String::new());
        lines.push("Try in another terminal:".to_owned());
        lines.push(
            "  tacho record tool_call --tool search --duration-ms 12.5 --success true".to_owned(),
        );
        lines.push("  tacho start      takes in what agents send".to_owned());
    }
    lines
}

fn help(pen: &mut Pen<'_>) {
    const KEYS: [(&str, &str); 10] = [
        ("arrows, hjkl", "up and down; left and right: another table"),
        ("PgUp PgDn g G", "a page; first, last"),
        ("Tab, 1-6", "another table; alerts: what matters first"),
        ("s  r", "sort by the next column; the other way round"),
        ("/", "filter by name; Enter keeps it, Esc clears it"),
        ("w", "window: 1 min, 5 min, 15 min, 1 h"),
        ("Enter  Esc", "all about the selected one; back"),
        ("p", "pause: the figures stand still"),
        ("q", "quit"),
        ("dash", "not known; with * since the log began to be read"),
    ];
    for (line, (keys, what)) in KEYS.into_iter().enumerate() {
        let y = ABOVE + line as u16;
        if y + BELOW > pen.area.height {
            break;
        }
        pen.put(2, y, keys, Style::new().add_modifier(Modifier::BOLD));
        pen.put(18, y, what, Style::new());
    }
}

fn foot(scene: &Scene<'_>, pen: &mut Pen<'_>) {
    let height = pen.area.height;
    if !scene.app.help {
        sparkline(scene, height - 3, pen);
    }
    let (text, style) = note(scene);
    let room = usize::from(pen.area.width) - 2;
    let style = if style {
        pen.theme.paint(Style::new(), LOOK)
    } else {
        Style::new()
    };
    pen.put(1, height - 2, &width::cut(&text, room), style);
    let keys: &[&str] = match (scene.app.typing, scene.app.help, &scene.app.detail) {
        (true, ..) => &["type a part of the name", "Enter keep", "Esc clear"],
        (_, true, _) => &["any key goes back", "q quit"],
        (_, _, Some(_)) => &[
            "q quit",
            "? help",
            "Esc back",
            "w window",
            "p pause",
            "1-6 tables",
        ],
        _ if scene.app.tab == Tab::Alerts => {
            &["q quit", "? help", "/ filter", "Enter details", "p pause"]
        }
        _ => &[
            "q quit",
            "? help",
            "s sort",
            "r reverse",
            "/ filter",
            "w window",
            "Enter details",
            "p pause",
        ],
    };
    let mut x = 1;
    for key in keys {
        if usize::from(x) + key.len() <= pen.area.width.into() {
            x = pen.put(x, height - 1, key, pen.theme.dim()) + 2;
        }
    }
}

fn sparkline(scene: &Scene<'_>, y: u16, pen: &mut Pen<'_>) {
    let Some(bars) = scene.bars else { return };
    let most = bars.counts.iter().copied().max().unwrap_or(0);
    let right = format!(
        " most {} in {} s ",
        human::thousands(i128::from(most)),
        bars.seconds
    );
    let taken = bars.counts.len() + width::width(&right) + 2;
    let room = usize::from(pen.area.width).saturating_sub(taken);
    let mut x = 1;
    // Of a shorter piece nobody would learn the name.
    if room >= 8 {
        let room = room.min(40);
        let name = width::cut(&width::clean(scene.picture.called(&bars.key)), room);
        x = pen.put_within(1, y, &name, room, pen.theme.dim()) + 1;
    }
    let bar = human::bars(&bars.counts);
    x = pen.put(x, y, &bar, pen.theme.paint(Style::new(), ACCENT));
    pen.put(x, y, &right, pen.theme.dim());
}

/// What has to be said, and whether it is a warning.
fn note(scene: &Scene<'_>) -> (String, bool) {
    let (app, picture) = (scene.app, scene.picture);
    let overview = &picture.overview;
    if app.typing {
        return (format!("filter: {}_", width::clean(&app.filter)), false);
    }
    if picture.tab == Tab::Alerts && app.filter.is_empty() {
        return alerts::note(&picture.board);
    }
    if overview.lag.as_secs() >= 5 && overview.settled {
        let late = human::duration(overview.lag.as_secs_f64() * 1e3);
        return (format!("! the log was last read {late} ago"), true);
    }
    if !overview.settled {
        return ("reading the log ...".to_owned(), false);
    }
    if !app.filter.is_empty() && app.detail.is_none() {
        let filter = width::clean(&app.filter);
        return (format!("filter: {filter}   (Esc shows all)"), false);
    }
    let totals = picture.rows.iter().map(|row| &row.reading.totals);
    let without: u64 = totals.map(|it| it.events.saturating_sub(it.values)).sum();
    // Of caches those are evictions, which have columns of their own.
    if without > 0 && !matches!(picture.tab, Tab::Caches | Tab::Metrics) {
        let events = human::counted(without, "event", "events");
        return (
            format!("{events} without a duration: in no percentile, see Enter"),
            false,
        );
    }
    if overview.overflow > 0 {
        let events = human::counted(overview.overflow, "event", "events");
        return (format!("! too many names: {events} under _other"), true);
    }
    (String::new(), false)
}

pub const ACCENT: Color = Color::Cyan;
pub const BAD: Color = Color::Red;
pub const LOOK: Color = Color::Magenta;

impl Theme {
    pub fn paint(self, style: Style, color: Color) -> Style {
        if self.color { style.fg(color) } else { style }
    }

    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn arrow(self, falls: bool) -> &'static str {
        match (self.glyphs == Glyphs::Ascii, falls) {
            (true, true) => "v",
            (true, false) => "^",
            (false, true) => "▼",
            (false, false) => "▲",
        }
    }
}

/// Writes into the buffer, and never beyond it.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    pub area: Rect,
    pub theme: Theme,
}

impl Pen<'_> {
    /// Returns the column after the text.
    pub fn put(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        self.put_within(x, y, text, usize::MAX, style)
    }

    pub fn put_within(&mut self, x: u16, y: u16, text: &str, room: usize, style: Style) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        self.buffer.set_stringn(x, y, text, room, style).0
    }

    fn right(&mut self, y: u16, text: &str, style: Style) {
        let taken = u16::try_from(width::width(text)).unwrap_or(u16::MAX);
        self.put(self.area.width.saturating_sub(taken), y, text, style);
    }

    fn fill(&mut self, y: u16, style: Style) {
        let line = Rect::new(0, y, self.area.width, 1);
        self.buffer.set_style(line, style);
    }

    /// Where the terminal shows ASCII alone, nothing else is left.
    fn settle(self) {
        if self.theme.glyphs != Glyphs::Ascii {
            return;
        }
        for cell in &mut self.buffer.content {
            if !cell.symbol().is_ascii() {
                let fit = self.theme.glyphs.fit(cell.symbol().to_owned());
                // Emoji are dropped there; the place stays.
                cell.set_symbol(if fit.is_empty() { "?" } else { &fit });
            }
        }
    }
}
