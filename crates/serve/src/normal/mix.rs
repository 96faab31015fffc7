//! A quick hash for tables that are looked into for every record. Not for keys
//! that an enemy chooses to make a table slow: such tables here are small, or
//! their keys come from the enemy's own records.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by [`Mix`].
pub type MixMap<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;
/// A set by [`Mix`].
pub type MixSet<K> = HashSet<K, BuildHasherDefault<Mix>>;

/// Eight bytes a step: rotate, xor, multiply, as Firefox's hash does; at the end
/// MurmurHash3's `fmix64`, so that every bit depends on every other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mix(u64);

impl Mix {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.add(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    fn finish(&self) -> u64 {
        let mut bits = self.0;
        bits = (bits ^ bits >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        bits = (bits ^ bits >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        bits ^ bits >> 33
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, Hash};

    use super::*;

    fn hash(item: impl Hash) -> u64 {
        BuildHasherDefault::<Mix>::default().hash_one(item)
    }

    #[test]
    fn a_million_ids_have_a_million_hashes() {
        // As sloppy clients make them: counted up, in either half.
        let mut hashes = MixSet::default();
        for number in 0..500_000_u64 {
            let (low, high) = (number.to_be_bytes(), number.to_le_bytes());
            assert!(hashes.insert(hash([[0; 8], low])));
            assert!(hashes.insert(hash([[1; 8], high])));
        }
    }

    #[test]
    fn texts_that_differ_anywhere_differ() {
        let texts = [
            "",
            "a",
            "b",
            "ab",
            "ba",
            "abcdefgh",
            "abcdefghi",
            "abcdefgh\0",
        ];
        let hashes: MixSet<u64> = texts.iter().map(hash).collect();
        assert_eq!(hashes.len(), texts.len());
        // Bits at both ends are used by a table.
        let low: MixSet<u64> = (0..100_u64)
            .map(|number| hash(number << 40) & 0x7f)
            .collect();
        assert!(low.len() > 50, "{}", low.len());
    }
}
