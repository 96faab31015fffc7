//! When each kind of entity was first named: cells know only days and counts.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use tachograph_model::{UnixNanos, Window};

use super::crowd::Chosen;

/// By name: the time of the first event that names it, and its place in that
/// event's list.
#[derive(Clone, Debug, Default)]
pub struct FirstNamed {
    first: HashMap<Arc<str>, (i64, u32)>,
}

impl FirstNamed {
    /// Looks at the lists of events of some times, as far as these lie in the
    /// window.
    pub(crate) fn push(
        &mut self,
        lists: &dyn Array,
        times: &[i64],
        window: Window,
        chosen: Option<&Chosen>,
    ) {
        each(lists, times, window, |name, at| {
            self.see(place(name, chosen), at);
        });
    }

    fn see(&mut self, name: &str, at: (i64, u32)) {
        match self.first.get_mut(name) {
            Some(first) => *first = at.min(*first),
            None => {
                self.first.insert(Arc::from(name), at);
            }
        }
    }

    /// Takes in what another saw first in `window`. Of what it saw before, it
    /// does not know when that was named in the window first.
    pub(crate) fn merge(&mut self, other: &Self, window: Window, chosen: Option<&Chosen>) {
        for (name, at) in &other.first {
            if window.contains(UnixNanos(at.0)) {
                self.see(place(name, chosen), *at);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    /// About how much memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.first.keys().map(|name| 96 + name.len()).sum()
    }

    /// Names with their places in the order of first sight, from 0.
    pub fn in_order(self) -> HashMap<Arc<str>, u64> {
        let mut list: Vec<_> = self.first.into_iter().collect();
        list.sort_by(|(a, at_a), (b, at_b)| (at_a, a).cmp(&(at_b, b)));
        let names = list.into_iter().zip(0..);
        names.map(|((name, _), place)| (name, place)).collect()
    }
}

fn place<'a>(name: &'a str, chosen: Option<&Chosen>) -> &'a str {
    chosen.map_or(name, |chosen| chosen.entity(name))
}

/// Every entity that an event of the window names.
pub(super) fn each_entity(
    lists: &dyn Array,
    times: &[i64],
    window: Window,
    mut see: impl FnMut(&str),
) {
    each(lists, times, window, |name, _| see(name));
}

fn each(lists: &dyn Array, times: &[i64], window: Window, mut see: impl FnMut(&str, (i64, u32))) {
    let Some(lists) = lists.as_list_opt::<i32>() else {
        return;
    };
    for (row, time) in times.iter().enumerate() {
        if !lists.is_valid(row) || !window.contains(UnixNanos(*time)) {
            continue;
        }
        let list = lists.value(row);
        let Some(names) = list.as_string_opt::<i32>() else {
            continue;
        };
        for (place, name) in names.iter().flatten().enumerate() {
            see(name, (*time, place as u32));
        }
    }
}
