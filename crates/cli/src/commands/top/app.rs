//! What the person at the keyboard has chosen. Pure: keys in, choices out.

use std::cmp::Ordering;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::columns;
use super::names::shown;
use super::picture::{Key, Picture, TABS};
use crate::args::top::{Tab, Window};

/// Longest filter, characters.
const MAX_FILTER: usize = 64;

/// Choices.
#[derive(Clone, Debug, Default)]
pub struct App {
    pub tab: Tab,
    pub window: Window,
    pub filter: String,
    /// Keys go to the filter.
    pub typing: bool,
    pub paused: bool,
    pub help: bool,
    /// All about this one is shown.
    pub detail: Option<Key>,
    /// Of each table: the column it is sorted by, and whether the other way round.
    sorts: [Sort; TABS.len()],
    /// Of each table: the series that is selected; none: the first.
    chosen: [Option<Key>; TABS.len()],
}

/// An order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// `None`: by name.
    pub column: Option<usize>,
    pub reversed: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            column: Some(0),
            reversed: false,
        }
    }
}

impl Sort {
    /// Whether figures fall, or names rise, from the top down: the usual way.
    pub fn falls(self) -> bool {
        self.column.is_some() != self.reversed
    }
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Nothing,
    Draw,
    /// What is shown has to be read anew.
    Read,
    Quit,
}

impl App {
    pub fn new(tab: Tab, window: Window) -> Self {
        let mut app = Self {
            tab,
            window,
            ..Self::default()
        };
        // Measurements have no order but their names.
        app.sorts[Tab::Metrics as usize].column = None;
        app
    }

    pub fn sort(&self) -> Sort {
        self.sorts[self.tab as usize]
    }

    /// Which rows are shown, and in which order.
    pub fn order(&self, picture: &Picture) -> Vec<usize> {
        let wanted = self.filter.to_lowercase();
        let is_shown = |at: &usize| wanted.is_empty() || picture.is_like(*at, &wanted);
        let mut order: Vec<usize> = (0..picture.len()).filter(is_shown).collect();
        if picture.tab == Tab::Alerts {
            // What matters first.
            return order;
        }
        let rows = &picture.rows;
        let sort = self.sort();
        let name = |at: &usize| {
            let reading = &rows[*at].reading;
            (shown(&picture.names, &reading.name), &reading.source)
        };
        let Some(column) = sort.column else {
            order.sort_by(|a, b| name(a).cmp(&name(b)));
            if sort.reversed {
                order.reverse();
            }
            return order;
        };
        let value = columns::of(picture.tab)[column].value;
        let mut keyed: Vec<(Option<f64>, usize)> =
            order.into_iter().map(|at| (value(&rows[at]), at)).collect();
        keyed.sort_by(|(a, x), (b, y)| {
            compare(*a, *b, sort.reversed).then_with(|| name(x).cmp(&name(y)))
        });
        keyed.into_iter().map(|(_, at)| at).collect()
    }

    /// Where the selection stands in an order.
    pub fn selected(&self, picture: &Picture, order: &[usize]) -> Option<usize> {
        let chosen = self.chosen[self.tab as usize].as_ref();
        let is = |at: &usize, key: &Key| picture.key(*at).as_ref() == Some(key);
        let found = chosen.and_then(|key| order.iter().position(|at| is(at, key)));
        found.or((!order.is_empty()).then_some(0))
    }

    /// The series that is selected, or of which all is shown.
    pub fn key(&self, picture: &Picture) -> Option<Key> {
        if self.detail.is_some() {
            return self.detail.clone();
        }
        let order = self.order(picture);
        let at = self.selected(picture, &order)?;
        picture.key(order[at])
    }

    /// Takes a key; `page` rows fit, on a screen of so many columns.
    pub fn on(&mut self, key: KeyEvent, picture: &Picture, page: usize, columns: usize) -> Then {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => return Then::Quit,
            _ if control => return Then::Nothing,
            _ if self.typing => return self.type_in(key.code),
            _ => {}
        }
        if self.help {
            self.help = false;
            return match key.code {
                KeyCode::Char('q') => Then::Quit,
                _ => Then::Draw,
            };
        }
        match key.code {
            KeyCode::Char('q') => Then::Quit,
            KeyCode::Char('?') => self.draw(|app| app.help = true),
            KeyCode::Char('p' | ' ') => {
                self.paused = !self.paused;
                if self.paused { Then::Draw } else { Then::Read }
            }
            KeyCode::Char('w') => self.read(|app| app.window = app.window.next()),
            KeyCode::Char('/') => self.draw(|app| {
                app.detail = None;
                app.typing = true;
            }),
            KeyCode::Esc | KeyCode::Backspace => self.back(),
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => self.turn(1),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => self.turn(TABS.len() - 1),
            KeyCode::Char(digit @ '1'..='6') => {
                let tab = TABS[digit as usize - '1' as usize];
                self.read(|app| (app.tab, app.detail) = (tab, None))
            }
            _ if self.detail.is_some() => Then::Nothing,
            KeyCode::Enter => {
                self.detail = self.key(picture);
                Then::Read
            }
            KeyCode::Char('s' | 'r') if self.tab == Tab::Alerts => Then::Nothing,
            KeyCode::Char('s') => self.draw(|app| app.sort_by_next(columns)),
            KeyCode::Char('r') => self.draw(|app| {
                let sort = &mut app.sorts[app.tab as usize];
                sort.reversed = !sort.reversed;
            }),
            code => self.walk(code, picture, page),
        }
    }

    fn draw(&mut self, change: impl FnOnce(&mut Self)) -> Then {
        change(self);
        Then::Draw
    }

    fn read(&mut self, change: impl FnOnce(&mut Self)) -> Then {
        change(self);
        Then::Read
    }

    fn type_in(&mut self, code: KeyCode) -> Then {
        match code {
            KeyCode::Esc => {
                self.filter.clear();
                self.typing = false;
            }
            KeyCode::Enter => self.typing = false,
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(letter)
                if !letter.is_control() && self.filter.chars().count() < MAX_FILTER =>
            {
                self.filter.push(letter);
            }
            _ => return Then::Nothing,
        }
        Then::Draw
    }

    fn back(&mut self) -> Then {
        if self.detail.take().is_some() {
            return Then::Read;
        }
        self.filter.clear();
        Then::Draw
    }

    fn turn(&mut self, by: usize) -> Then {
        let at = (self.tab as usize + by) % TABS.len();
        self.read(|app| (app.tab, app.detail) = (TABS[at], None))
    }

    /// The next of the columns that are on the screen; after the last, the name.
    fn sort_by_next(&mut self, columns: usize) {
        let shown = columns::fitting(self.tab, columns);
        let sort = &mut self.sorts[self.tab as usize];
        let next = match sort.column {
            None => shown.first().copied(),
            Some(at) => shown.iter().copied().find(|next| *next > at),
        };
        *sort = Sort {
            column: next,
            reversed: false,
        };
    }

    fn walk(&mut self, code: KeyCode, picture: &Picture, page: usize) -> Then {
        let order = self.order(picture);
        let Some(at) = self.selected(picture, &order) else {
            return Then::Nothing;
        };
        let last = order.len() - 1;
        let page = page.max(1);
        let to = match code {
            KeyCode::Down | KeyCode::Char('j') => at + 1,
            KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
            KeyCode::PageDown => at + page,
            KeyCode::PageUp => at.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            _ => return Then::Nothing,
        };
        self.chosen[self.tab as usize] = picture.key(order[to.min(last)]);
        Then::Draw
    }
}

/// The larger first, or the smaller; what is not known comes last either way.
fn compare(a: Option<f64>, b: Option<f64>, smaller_first: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if smaller_first => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
