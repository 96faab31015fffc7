//! One number a row that is equal exactly where all key columns are.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray};
use arrow::datatypes::Int32Type;
use foldhash::fast::FixedState;

use crate::error::StoreError;
use crate::schema::dictionary_type;

/// A text column as dictionary; `None` when all null.
#[derive(Debug, Default)]
pub(super) struct Texts(Option<(DictionaryArray<Int32Type>, StringArray)>);

impl Texts {
    pub(super) fn of(array: Option<&ArrayRef>) -> Result<Self, StoreError> {
        let Some(array) = array else {
            return Ok(Self(None));
        };
        let array = super::columns::cast(array, &dictionary_type())?;
        let dictionary = array.as_dictionary::<Int32Type>().clone();
        let values = dictionary.values().as_string::<i32>().clone();
        Ok(Self(Some((dictionary, values))))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        let (dictionary, values) = self.0.as_ref()?;
        let key = dictionary
            .keys()
            .is_valid(row)
            .then(|| dictionary.keys().value(row))?;
        Some(values.value(key as usize))
    }
}

/// Keeps its buffer from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Codes {
    rows: Vec<u64>,
    /// Codes lie below this.
    limit: u64,
}

impl Codes {
    pub(super) fn rows(&self) -> &[u64] {
        &self.rows
    }

    pub(super) fn read(&mut self, texts: &[Texts], flags: &[Option<Arc<dyn Array>>], rows: usize) {
        self.rows.clear();
        self.rows.resize(rows, 0);
        self.limit = 1;
        for column in texts {
            let Some((dictionary, values)) = &column.0 else {
                continue;
            };
            // The last code of a column stands for null.
            let null = values.len() as u64;
            self.make_room(null + 1);
            let keys = dictionary.keys();
            let (limit, codes) = (self.limit, &mut self.rows);
            match keys.nulls() {
                None => {
                    for (code, key) in codes.iter_mut().zip(keys.values()) {
                        *code += limit * u64::from(*key as u32);
                    }
                }
                Some(nulls) => {
                    for ((code, key), valid) in
                        codes.iter_mut().zip(keys.values()).zip(nulls.iter())
                    {
                        *code += limit * if valid { u64::from(*key as u32) } else { null };
                    }
                }
            }
            self.limit *= null + 1;
        }
        for flags in flags.iter().flatten() {
            let flags = flags.as_boolean();
            self.make_room(3);
            let limit = self.limit;
            for (row, code) in self.rows.iter_mut().enumerate() {
                let flag = if flags.is_valid(row) {
                    1 + u64::from(flags.value(row))
                } else {
                    0
                };
                *code += limit * flag;
            }
            self.limit *= 3;
        }
    }

    /// Makes sure that codes times `factor` fit 64 bits, by numbering them
    /// anew from 0 where they would not.
    fn make_room(&mut self, factor: u64) {
        if self.limit.checked_mul(factor).is_some() {
            return;
        }
        let mut numbers: HashMap<u64, u64, FixedState> = HashMap::default();
        for code in &mut self.rows {
            let next = numbers.len() as u64;
            *code = *numbers.entry(*code).or_insert(next);
        }
        self.limit = numbers.len() as u64;
    }
}
