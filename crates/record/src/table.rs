//! The shape of records: which word of which kind means what. Written into
//! every region, so that a later version of this program, whose kinds may
//! differ, still reads what an earlier one left behind.

use tachograph_model::{Column, Field, KINDS, Type};

/// How a field's words are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A name.
    Name,
    /// A number, as 16 hex digits.
    Hex,
    /// A whole number.
    Whole,
    /// Nanoseconds, shown in milliseconds.
    Millis,
    /// Nanoseconds, shown in seconds.
    Seconds,
    /// A float's bits.
    Float,
    /// 0 or 1.
    Truth,
    /// A count, and that many names.
    List,
    /// A name that is JSON.
    Json,
}

const SHAPES: [(char, Shape); 9] = [
    ('n', Shape::Name),
    ('h', Shape::Hex),
    ('i', Shape::Whole),
    ('m', Shape::Millis),
    ('s', Shape::Seconds),
    ('f', Shape::Float),
    ('b', Shape::Truth),
    ('l', Shape::List),
    ('j', Shape::Json),
];

impl Shape {
    fn of(field: &Field) -> Self {
        match field.column {
            Column::Id | Column::TraceId | Column::ParentId | Column::SessionId => Self::Hex,
            Column::DurationMs if field.scale == 1_000.0 => Self::Seconds,
            Column::DurationMs => Self::Millis,
            column => match column.def().ty {
                Type::Str => Self::Name,
                Type::I64 => Self::Whole,
                Type::F64 => Self::Float,
                Type::Bool => Self::Truth,
                Type::List => Self::List,
                Type::Json => Self::Json,
            },
        }
    }
}

/// A field of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) key: String,
    pub(crate) shape: Shape,
}

/// A kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) slots: Vec<Slot>,
}

/// Every kind, by its number in records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table(pub(crate) Vec<Entry>);

impl Table {
    /// The kinds of this version.
    pub(crate) fn current() -> Self {
        let slot = |field: &Field| Slot {
            key: field.key.to_owned(),
            shape: Shape::of(field),
        };
        let entries = KINDS.iter().map(|kind| Entry {
            name: kind.name.to_owned(),
            slots: kind.fields.iter().map(slot).collect(),
        });
        Self(entries.collect())
    }

    /// Writes it as text: a line for each kind, its fields behind it.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for entry in &self.0 {
            text += &entry.name;
            for slot in &entry.slots {
                let letter = SHAPES.iter().find(|(_, shape)| *shape == slot.shape);
                text.push(' ');
                text.push(letter.map_or('?', |(letter, _)| *letter));
                text += &slot.key;
            }
            text.push('\n');
        }
        text
    }

    /// Reads that text; `None` when it says what this version does not know.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut entries = Vec::new();
        for line in text.lines() {
            let mut words = line.split(' ');
            let name = words.next()?.to_owned();
            let mut slots = Vec::new();
            for word in words {
                let letter = word.chars().next()?;
                let (_, shape) = SHAPES.iter().find(|(known, _)| *known == letter)?;
                slots.push(Slot {
                    key: word[letter.len_utf8()..].to_owned(),
                    shape: *shape,
                });
            }
            entries.push(Entry { name, slots });
        }
        Some(Self(entries))
    }

    /// Finds a kind's number.
    pub(crate) fn kind(&self, name: &str) -> Option<u8> {
        let at = self.0.iter().position(|entry| entry.name == name)?;
        u8::try_from(at).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_being_written_and_read() {
        let table = Table::current();
        assert_eq!(Table::from_text(&table.to_text()), Some(table));
        assert_eq!(Table::from_text("tool_call ?what\n"), None);
    }

    #[test]
    fn every_kind_fits_a_record() {
        let table = Table::current();
        assert!(table.0.len() <= crate::ring::MAX_KINDS);
        for entry in &table.0 {
            assert!(entry.slots.len() <= 32, "{}: one bit each", entry.name);
            assert!(!entry.name.contains([' ', '\n']));
        }
    }
}
