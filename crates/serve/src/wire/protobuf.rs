//! Reads the protobuf wire format, borrowing from the body: what a generated
//! decoder would copy, of which most is dropped at the door, is never copied.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use std::borrow::Cow;

/// Why a body is no protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The body ends within a field.
    #[error("the message ends within a field")]
    Truncated,
    /// A number of more than ten bytes.
    #[error("a variable-length number is longer than ten bytes")]
    Varint,
    /// A field's number is 0 or its wire type is none of 0, 1, 2 and 5.
    #[error("a field has number 0 or an unknown wire type")]
    Tag,
    /// There is more of something than is held at once.
    #[error("there are more points, attributes or scopes than are read at once; send fewer")]
    Many,
    /// A field that this schema knows has another wire type.
    #[error("field {0} has another wire type than its schema says")]
    Type(u32),
}

/// A field's number and value.
pub type Field<'a> = (u32, Wire<'a>);

/// A field's value, as the wire has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire<'a> {
    /// int32, int64, uint32, uint64, sint*, bool, enum.
    Varint(u64),
    /// fixed64, sfixed64, double.
    Fixed64(u64),
    /// fixed32, sfixed32, float.
    Fixed32(u32),
    /// string, bytes, messages, packed lists.
    Bytes(&'a [u8]),
}

/// Goes through the fields of one message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    rest: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes a message's bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns the next field; `None` at the end.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are no field. Go no further then.
    pub fn next_field(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| WireError::Tag)?;
        if number == 0 {
            return Err(WireError::Tag);
        }
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| WireError::Truncated)?;
                Wire::Bytes(self.take(len)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(WireError::Tag),
        };
        Ok(Some((number, value)))
    }

    /// Returns the next number of a packed list; `None` at the end.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are no number.
    pub fn packed_varint(&mut self) -> Result<Option<u64>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.varint().map(Some)
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        // Tags and most lengths are one byte.
        if let [byte @ 0..=0x7f, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        let mut value = 0_u64;
        for at in 0..10 {
            let Some(&byte) = self.rest.get(at) else {
                return Err(WireError::Truncated);
            };
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(WireError::Varint)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }
}

/// The value as the schema's type, or [`WireError::Type`].
impl<'a> Wire<'a> {
    pub fn bytes(self, number: u32) -> Result<&'a [u8], WireError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(WireError::Type(number)),
        }
    }

    /// A text. What is not UTF-8 in it, such as a character that a client cut in
    /// two, becomes U+FFFD: it must not cost the records beside it.
    pub fn text(self, number: u32) -> Result<Cow<'a, str>, WireError> {
        let bytes = self.bytes(number)?;
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        })
    }

    pub fn message(self, number: u32) -> Result<Message<'a>, WireError> {
        self.bytes(number).map(Message::new)
    }

    pub fn varint(self, number: u32) -> Result<u64, WireError> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(WireError::Type(number)),
        }
    }

    pub fn fixed64(self, number: u32) -> Result<u64, WireError> {
        match self {
            Self::Fixed64(value) => Ok(value),
            _ => Err(WireError::Type(number)),
        }
    }

    pub fn double(self, number: u32) -> Result<f64, WireError> {
        self.fixed64(number).map(f64::from_bits)
    }
}

/// Writes a field of bytes, for the bodies that tests make.
#[cfg(test)]
pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    [&field, bytes].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<Field<'_>>, WireError> {
        let mut message = Message::new(bytes);
        let mut fields = Vec::new();
        while let Some(field) = message.next_field()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn the_wire_types_are_read() {
        // The examples of the encoding's own documentation, and the fixed ones.
        let check = |bytes: &[u8], field| assert_eq!(fields(bytes), Ok(vec![field]));
        check(&[0x08, 0x96, 0x01], (1, Wire::Varint(150)));
        check(b"\x12\x07testing", (2, Wire::Bytes(b"testing")));
        check(&[0x1d, 1, 0, 0, 0], (3, Wire::Fixed32(1)));
        check(&[0x21, 2, 0, 0, 0, 0, 0, 0, 0], (4, Wire::Fixed64(2)));
        let most = [
            0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        check(&most, (1, Wire::Varint(u64::MAX)));
    }

    #[test]
    fn what_is_no_message_is_named() {
        let check = |bytes: &[u8], error| assert_eq!(fields(bytes), Err(error));
        check(&[0x08], WireError::Truncated);
        check(&[0x12, 0x05, b'a'], WireError::Truncated);
        check(&[0x21, 0], WireError::Truncated);
        check(&[0x00, 0x00], WireError::Tag);
        check(&[0x0b], WireError::Tag);
        check(&[0x08, 0x80], WireError::Truncated);
        check(
            &[[0x08].as_slice(), &[0xff; 10]].concat(),
            WireError::Varint,
        );
        check(
            &[
                0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
            ],
            WireError::Truncated,
        );
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let read = fields(&bytes);
            if let Ok(read) = read {
                prop_assert!(read.len() <= bytes.len());
            }
            let _ = crate::wire::otlp::traces(&bytes);
            let _ = crate::wire::otlp::logs(&bytes);
            let _ = crate::wire::otlp::metrics(&bytes);
        }
    }
}
