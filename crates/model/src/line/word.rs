//! Eight bytes of a line at once, in one register.
//!
//! The tests for a byte in a word: Sean Eron Anderson, "Bit Twiddling Hacks",
//! "Determine if a word has a byte less than n"; those for digits: Daniel
//! Lemire's `fast_float`. In a word read as little endian the lowest byte that
//! they mark is marked rightly; higher ones may be wrong.

/// Bytes in a word.
pub(crate) const BYTES: usize = 8;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Eight bytes, the first lowest.
#[derive(Clone, Copy)]
pub(crate) struct Word(u64);

impl Word {
    /// The eight bytes from `at`; `None` when fewer are left.
    #[inline]
    pub(crate) fn at(line: &[u8], at: usize) -> Option<Self> {
        let bytes = line.get(at..)?.first_chunk()?;
        Some(Self(u64::from_le_bytes(*bytes)))
    }

    /// How many bytes stand before the first quote, backslash or control
    /// character; 8 when there is none.
    #[inline]
    pub(crate) fn plain_text(self) -> usize {
        let is = |byte: u8| {
            let differs = self.0 ^ (ONES * u64::from(byte));
            differs.wrapping_sub(ONES) & !differs
        };
        let control = self.0.wrapping_sub(ONES * 0x20) & !self.0;
        let marked = (is(b'"') | is(b'\\') | control) & HIGH;
        (marked.trailing_zeros() / 8) as usize
    }

    /// The number that eight digits stand for; `None` when one is no digit.
    #[inline]
    pub(crate) fn eight_digits(self) -> Option<u64> {
        let high = self.0 & 0xF0F0_F0F0_F0F0_F0F0;
        let carried = self.0.wrapping_add(0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0;
        if high | (carried >> 4) != 0x3333_3333_3333_3333 {
            return None;
        }
        const PAIRS: u64 = 0x0000_00FF_0000_00FF;
        let digits = self.0 - ONES * u64::from(b'0');
        let pairs = digits * 10 + (digits >> 8);
        let low = (pairs & PAIRS).wrapping_mul(0x000F_4240_0000_0064);
        let high = ((pairs >> 16) & PAIRS).wrapping_mul(0x0000_2710_0000_0001);
        Some(low.wrapping_add(high) >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_at_every_place_is_told_apart() {
        for at in 0..BYTES {
            for byte in 0..=u8::MAX {
                for around in [b'a', b'!', b'#', b'[', 0x7F, 0x80, 0xFF] {
                    let mut bytes = [around; BYTES];
                    bytes[at] = byte;
                    let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                    let word = Word::at(&bytes, 0).expect("eight bytes");
                    assert_eq!(
                        word.plain_text(),
                        if special { at } else { BYTES },
                        "{bytes:?}"
                    );
                    let mut digits = *b"90817263";
                    digits[at] = byte;
                    let read = Word::at(&digits, 0).and_then(Word::eight_digits);
                    let text = String::from_utf8_lossy(&digits).into_owned();
                    let all = digits.iter().all(u8::is_ascii_digit);
                    assert_eq!(read, text.parse().ok().filter(|_| all), "{text}");
                }
            }
        }
        assert!(Word::at(b"1234567", 0).is_none());
        assert!(Word::at(b"12345678", 1).is_none());
        assert!(Word::at(b"12345678", 9).is_none());
    }

    proptest! {
        #[test]
        fn the_first_special_byte_is_found(bytes: [u8; BYTES]) {
            let special = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
            let word = Word::at(&bytes, 0).expect("eight bytes");
            let first = bytes.iter().position(special);
            prop_assert_eq!(word.plain_text(), first.unwrap_or(BYTES));
        }
    }
}
