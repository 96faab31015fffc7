//! JSON as it lies in a body: texts and keys are borrowed unless they hold an
//! escape, an object is the list of its members. A body of spans is some
//! thousands of tiny objects, for which maps are dear.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    /// A whole number below zero.
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    String(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Members<'a>),
}

/// An object's members as they came; of equal keys the last counts.
pub type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

impl<'a> Json<'a> {
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub fn as_object(&self) -> Option<&Members<'a>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A whole number that fits; a float never.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Unsigned(whole) => Some(*whole),
            Self::Signed(whole) => u64::try_from(*whole).ok(),
            _ => None,
        }
    }

    /// A whole number that fits; a float never.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Unsigned(whole) => i64::try_from(*whole).ok(),
            Self::Signed(whole) => Some(*whole),
            _ => None,
        }
    }

    /// Any number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Unsigned(whole) => Some(*whole as f64),
            Self::Signed(whole) => Some(*whole as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Borrows no more from the body.
    pub fn into_owned(self) -> Json<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Json::Null,
            Self::Bool(truth) => Json::Bool(truth),
            Self::Signed(whole) => Json::Signed(whole),
            Self::Unsigned(whole) => Json::Unsigned(whole),
            Self::Float(number) => Json::Float(number),
            Self::String(text) => Json::String(owned(text)),
            Self::List(list) => Json::List(list.into_iter().map(Json::into_owned).collect()),
            Self::Object(members) => {
                let member = |(key, value): (_, Json<'a>)| (owned(key), value.into_owned());
                Json::Object(members.into_iter().map(member).collect())
            }
        }
    }
}

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// A value has two bytes in a body, and fifty in memory.
    #[error("more than {0} values; send fewer at once")]
    Many(usize),
}

/// Reads a body that holds one value, of `most` values in all.
///
/// # Errors
/// [`ReadError`].
pub fn read(body: &[u8], most: usize) -> Result<Json<'_>, ReadError> {
    let left = Cell::new(most);
    let mut from = serde_json::Deserializer::from_slice(body);
    let read = Reader { left: &left }.deserialize(&mut from);
    let read = read.and_then(|json| from.end().map(|()| json));
    read.map_err(|error| match left.get() {
        0 => ReadError::Many(most),
        _ => error.into(),
    })
}

/// A key, borrowed where it can be.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let left = Cell::new(1);
        match from.deserialize_str(Reader { left: &left })? {
            Json::String(text) => Ok(Self(text)),
            _ => Ok(Self(Cow::Borrowed(""))),
        }
    }
}

/// Reads a value, if there may be one more.
#[derive(Clone, Copy)]
struct Reader<'c> {
    left: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json<'de>, D::Error> {
        let left = self.left.get().saturating_sub(1);
        self.left.set(left);
        if left == 0 {
            return Err(D::Error::custom("too many values"));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Json<'de>, E> {
        Ok(Json::Signed(whole))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Json<'de>, E> {
        Ok(Json::Unsigned(whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = from.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut members = Members::new();
        while let Some(Key(key)) = from.next_key()? {
            members.push((key, from.next_value_seed(self)?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Json<'_>> {
        super::read(text.as_bytes(), 10_000).ok()
    }

    #[test]
    fn there_are_no_more_values_than_asked_for() {
        let check = |body: &str, most, fits: bool| {
            let found = super::read(body.as_bytes(), most);
            match fits {
                true => assert!(found.is_ok(), "{body} {most}"),
                false => assert!(matches!(found, Err(ReadError::Many(_))), "{body} {most}"),
            }
        };
        for body in [r#"{"a":[1,{}]}"#, "[[],[[]]]"] {
            check(body, 4, false);
            check(body, 5, true);
        }
        assert!(matches!(super::read(b"[1,", 5), Err(ReadError::Syntax(_))));
    }

    #[test]
    fn every_kind_of_value() {
        for (text, expected) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("-5", Json::Signed(-5)),
            ("18446744073709551615", Json::Unsigned(u64::MAX)),
            ("1.5e3", Json::Float(1500.0)),
            (r#""a\n""#, Json::String("a\n".into())),
            (
                "[1,[]]",
                Json::List(vec![Json::Unsigned(1), Json::List(vec![])]),
            ),
            (
                r#"{"a":1,"\u0061":{}}"#,
                Json::Object(vec![
                    ("a".into(), Json::Unsigned(1)),
                    ("a".into(), Json::Object(vec![])),
                ]),
            ),
        ] {
            let found = read(text);
            assert_eq!(found, Some(expected.clone()), "{text}");
            assert_eq!(found.map(Json::into_owned), Some(expected));
        }
        for wrong in ["", "{", "[1,]", "nul", "\"\\ud800\"", "1 2", "{1:2}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read(&"[".repeat(1000)), None, "depth is bounded");
    }

    #[test]
    fn texts_are_borrowed() {
        let Some(Json::Object(members)) = read(r#"{"plain":"text","odd":"\u00fc"}"#) else {
            panic!("no object");
        };
        let borrowed = |text: &Cow<'_, str>| matches!(text, Cow::Borrowed(_));
        let found: Vec<_> = members
            .iter()
            .map(|(key, value)| match value {
                Json::String(text) => (borrowed(key), borrowed(text)),
                _ => (false, false),
            })
            .collect();
        assert_eq!(found, [(true, true), (true, false)]);
    }

    #[test]
    fn numbers_fit_or_do_not() {
        let check = |text, expected| {
            let json = read(text).expect("JSON");
            assert_eq!(
                (json.as_u64(), json.as_i64(), json.as_f64()),
                expected,
                "{text}"
            );
        };
        check("5", (Some(5), Some(5), Some(5.0)));
        check("-5", (None, Some(-5), Some(-5.0)));
        check("5.0", (None, None, Some(5.0)));
        check(
            "9223372036854775808",
            (Some(1 << 63), None, Some(9_223_372_036_854_775_808.0)),
        );
        check("\"5\"", (None, None, None));
    }
}
