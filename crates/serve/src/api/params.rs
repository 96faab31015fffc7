//! Parameters of a URL: a table says what each takes; what is given is held
//! against it before anything else happens, and the OpenAPI document is made
//! from the same table.

use std::borrow::Cow;

use serde_json::{Value, json};
use tachograph_model::near::near;
use tachograph_model::question::asked;

use super::problem::{Kind, Problem, quoted};

/// Bytes of a query string; more is no question.
const MOST_BYTES: usize = 64 << 10;

/// Bytes of an address as it is sent: of a longer one nobody but `hyper` knows,
/// which answers it with 414, or 431 where the head is too long for it.
const MOST_ADDRESS: usize = u16::MAX as usize - 1;
/// Bytes of one, percent-encoded (`%F0%9F%98%80`).
const BYTES_OF_CHARACTER: usize = 12;

/// The key of the token where pages and WebSockets may send it; the guard has
/// looked at it.
const TOKEN: &str = "token";

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A whole number from the first to the last.
    Whole(u64, u64),
    /// An instant or a date.
    Instant,
    /// true or false; without a value: true.
    Flag,
    /// One of these names.
    OneOf(&'static [&'static str]),
    /// Some of these names, with commas between.
    SomeOf(&'static [&'static str]),
    /// Text of at most so many characters, none of them a control character.
    Text(usize),
    /// The same; with nothing in it, it counts as not given.
    TextOrNone(usize),
    /// Text of at most so many characters, whatever it holds: what is stored was
    /// named by others.
    Name(usize),
    /// Text of at most so many bytes, whatever it holds.
    Statement(usize),
}

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its key.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it takes.
    pub takes: Takes,
}

/// Parameters as they were given, each held against the table.
#[derive(Debug, Default)]
pub struct Params<'a> {
    given: Vec<(&'static str, Cow<'a, str>)>,
}

impl<'a> Params<'a> {
    /// Reads a query string.
    ///
    /// # Errors
    /// A problem that names the key, the value and what is allowed: a key that
    /// is not `known` (with the near one) or comes twice, a value that it does
    /// not take.
    pub fn read(query: Option<&'a str>, known: &[Param]) -> Result<Self, Problem> {
        let query = query.unwrap_or("");
        if query.len() > MOST_BYTES {
            let detail = format!("the query string is longer than {MOST_BYTES} bytes");
            return Err(Problem::new(Kind::BadParameter, detail));
        }
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = decoded(key)?;
            if key == TOKEN {
                continue;
            }
            let Some(param) = known.iter().find(|param| param.name == key) else {
                return Err(unknown(&key, known));
            };
            if read.text(param.name).is_some() {
                let detail = format!("`{}` is given twice", param.name);
                return Err(Problem::new(Kind::BadParameter, detail).with("parameter", param.name));
            }
            let value = match decoded(value)? {
                Cow::Borrowed("") if param.takes == Takes::Flag => Cow::Borrowed("true"),
                value => value,
            };
            if value.is_empty() && matches!(param.takes, Takes::TextOrNone(_)) {
                continue;
            }
            param.check(&value)?;
            read.given.push((param.name, value));
        }
        Ok(read)
    }

    /// The text that was given as `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        let mut given = self.given.iter();
        given.find(|(key, _)| *key == name).map(|(_, text)| &**text)
    }

    /// The whole number that was given as `name`, which takes one.
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Whether the flag `name` was given and not refused.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|text| text == "true" || text == "1")
    }
}

/// The character data of a part of a query string, as browsers and `curl
/// --data-urlencode` write it: `+` is a space.
fn decoded(text: &str) -> Result<Cow<'_, str>, Problem> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let bad = |what: &str| {
        let detail = format!("{:?} {what}", quoted(text));
        Problem::new(Kind::BadParameter, detail).with("value", quoted(text))
    };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit(), digit());
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(bad("has a `%` without two hexadecimal digits"));
                };
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    match String::from_utf8(out) {
        Ok(text) => Ok(Cow::Owned(text)),
        Err(_) => Err(bad("is not UTF-8 when decoded")),
    }
}

fn unknown(key: &str, known: &[Param]) -> Problem {
    let names: Vec<&str> = known.iter().map(|param| param.name).collect();
    let key = quoted(key);
    let near = near(&key, names.iter().copied());
    let hint = match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None if names.is_empty() => "; there are none here".to_owned(),
        None => format!("; there are {}", names.join(", ")),
    };
    let detail = format!("there is no parameter {key:?} here{hint}");
    let problem = Problem::new(Kind::UnknownParameter, detail)
        .with("parameter", key)
        .with("allowed", names);
    match near {
        Some(near) => problem.with("near", near),
        None => problem,
    }
}

impl Param {
    /// Holds a value against what it takes.
    fn check(&self, value: &str) -> Result<(), Problem> {
        let wrong = |allowed: Value| Err(Problem::parameter(self.name, value, allowed));
        match self.takes {
            Takes::Whole(from, to) => {
                // `parse` alone would take a sign and any number of zeros.
                let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                let number = value.parse::<u64>().ok().filter(|_| digits);
                match number.is_some_and(|number| (from..=to).contains(&number)) {
                    true => Ok(()),
                    false => wrong(format!("a whole number from {from} to {to}").into()),
                }
            }
            Takes::Instant => match asked::instant(self.name, value) {
                Ok(_) => Ok(()),
                Err(_) => wrong(
                    "a date or an instant of the years 1678 to 2261: 2025-11-20, \
                     2025-11-20T12:00:00Z or 2025-11-20T13:00:00+01:00 (`+` is written %2B in a URL)"
                        .into(),
                ),
            },
            Takes::Flag => match value {
                "true" | "1" | "false" | "0" => Ok(()),
                _ => wrong(vec!["true", "false"].into()),
            },
            Takes::OneOf(names) => match names.contains(&value) {
                true => Ok(()),
                false => wrong(names.to_vec().into()),
            },
            Takes::SomeOf(names) => match value.split(',').all(|name| names.contains(&name)) {
                true => Ok(()),
                false => {
                    let wrong = value.split(',').find(|name| !names.contains(name));
                    let wrong = wrong.unwrap_or_default();
                    let problem = Problem::parameter(self.name, wrong, names.to_vec());
                    Err(match near(wrong, names.iter().copied()) {
                        Some(near) => problem.with("near", near),
                        None => problem,
                    })
                }
            },
            Takes::Text(most) | Takes::TextOrNone(most) => match is_text(value, most) {
                true => Ok(()),
                false => wrong(
                    format!("text of 1 to {most} characters, none of them a control character")
                        .into(),
                ),
            },
            Takes::Name(most) => match (1..=most).contains(&value.chars().count()) {
                true => Ok(()),
                false => wrong(format!("text of 1 to {most} characters").into()),
            },
            Takes::Statement(most) => match (1..=most).contains(&value.trim().len()) {
                true => Ok(()),
                false => wrong(format!("text of 1 to {most} bytes").into()),
            },
        }
    }

    /// As OpenAPI describes it.
    pub fn openapi(&self) -> Value {
        let mut out = json!({
            "name": self.name,
            "in": "query",
            "description": self.doc,
            "schema": self.takes.schema(),
        });
        if let Takes::SomeOf(_) = self.takes {
            out["style"] = "form".into();
            out["explode"] = false.into();
        }
        // Of characters that take several bytes fewer come through.
        if let Takes::Name(most) = self.takes
            && most > MOST_ADDRESS / BYTES_OF_CHARACTER
        {
            let limit = format!(
                "{} The whole address has at most {MOST_ADDRESS} bytes as it is sent, where a \
                 character may be {BYTES_OF_CHARACTER}.",
                self.doc
            );
            out["description"] = limit.into();
        }
        out
    }
}

/// Whether `value` is text of at most `most` characters, none of them a control
/// character.
pub fn is_text(value: &str, most: usize) -> bool {
    (1..=most).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

impl Takes {
    /// As JSON Schema describes it.
    pub fn schema(self) -> Value {
        match self {
            Self::Whole(from, to) => {
                json!({"type": "integer", "minimum": from, "maximum": to})
            }
            Self::Instant => json!({"type": "string", "pattern": INSTANT}),
            // Alone, and as a number, it is taken too.
            Self::Flag => json!({"anyOf": [{"type": "boolean"}, {"enum": ["", "0", "1"]}]}),
            Self::OneOf(names) => json!({"type": "string", "enum": names}),
            Self::SomeOf(names) => json!({
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "enum": names},
            }),
            Self::Text(most) => json!({
                "type": "string",
                "minLength": 1,
                "maxLength": most,
                "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
            }),
            Self::TextOrNone(most) => json!({
                "type": "string",
                "maxLength": most,
                "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
            }),
            Self::Name(most) => {
                json!({"type": "string", "minLength": 1, "maxLength": most})
            }
            // Fewer are surely taken: they may be of four bytes each.
            Self::Statement(most) => {
                json!({"type": "string", "minLength": 1, "maxLength": most / 4})
            }
        }
    }
}

/// What is surely taken as an instant; the parser takes some more (29 February,
/// the week and ordinal forms it does not).
const INSTANT: &str = "^(1[7-9]|20|21)[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]))?$";

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Param; 8] = [
        param("days", Takes::Whole(1, 36_500)),
        param("since", Takes::Instant),
        param("exact", Takes::Flag),
        param("format", Takes::OneOf(&["json", "csv"])),
        param("section", Takes::SomeOf(&["tools", "models"])),
        param("agent", Takes::Text(16)),
        param("source", Takes::TextOrNone(16)),
        param("name", Takes::Name(16)),
    ];

    const fn param(name: &'static str, takes: Takes) -> Param {
        Param {
            name,
            doc: "",
            takes,
        }
    }

    #[test]
    fn what_fits_is_read() {
        let check = |query: &str, name: &str, text: Option<&str>| {
            let params = Params::read(Some(query), &KNOWN).expect(query);
            assert_eq!(params.text(name), text, "{query}");
        };
        check("", "days", None);
        check("&&", "days", None);
        check("days=1", "days", Some("1"));
        check("days=36500&exact", "exact", Some("true"));
        check("d%61ys=7", "days", Some("7"));
        check(
            "since=2025-11-20T13:00:00%2B01:00",
            "since",
            Some("2025-11-20T13:00:00+01:00"),
        );
        check("agent=a%20b+c", "agent", Some("a b c"));
        check("agent=%C3%A9", "agent", Some("é"));
        check("agent=a=b", "agent", Some("a=b"));
        let long = "é".repeat(16);
        check(&format!("agent={long}"), "agent", Some(&long));
        check("section=tools,models", "section", Some("tools,models"));
        check("name=%0A%00", "name", Some("\n\0"));
        check("name=+", "name", Some(" "));
        // As many as the schema says, whatever they are.
        let long = "😀".repeat(16);
        check(&format!("name={long}"), "name", Some(&long));
        assert_eq!(Takes::Name(16).schema()["maxLength"], 16);
        assert_eq!(Takes::Statement(16).schema()["maxLength"], 4);
        let told = |most: usize| param("name", Takes::Name(most)).openapi();
        let limit = |most: usize| {
            told(most)["description"]
                .to_string()
                .contains("65534 bytes")
        };
        assert_eq!((limit(256), limit(16 << 10)), (false, true));
        check("source=", "source", None);
        check("source=&source=x", "source", Some("x"));
        assert!(
            Params::read(Some("exact=1"), &KNOWN)
                .expect("read")
                .flag("exact")
        );
        assert!(
            !Params::read(Some("exact=false"), &KNOWN)
                .expect("read")
                .flag("exact")
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let check = |query: &str, member: &str, value: &str| {
            let problem = Params::read(Some(query), &KNOWN).expect_err(query);
            assert_eq!(problem.kind().status().as_u16(), 400);
            assert_eq!(problem.json()[member], value, "{query}: {problem:?}");
        };
        for value in [
            "0",
            "-1",
            "36501",
            "1.5",
            "1e3",
            "NaN",
            "inf",
            "0x10",
            "%2B7",
            "+7",
            "",
            "%00",
            "99999999999999999999",
            "١",
            "７",
        ] {
            check(&format!("days={value}"), "parameter", "days");
        }
        check("days=soon", "allowed", "a whole number from 1 to 36500");
        check("day=1", "near", "days");
        check("zzzzzzzz=1", "parameter", "zzzzzzzz");
        check("days=1&days=2", "detail", "`days` is given twice");
        check("agent=%", "value", "%");
        check("agent=%4", "value", "%4");
        check("agent=%zz", "value", "%zz");
        // Overlong, a lone surrogate, a lone continuation.
        for bad in ["%C0%AF", "%ED%A0%80", "%80", "%FF"] {
            check(&format!("agent={bad}"), "value", bad);
        }
        check("agent=a%0Ab", "parameter", "agent");
        check("agent=%C2%9B", "parameter", "agent");
        check("agent=12345678901234567", "parameter", "agent");
        check(&format!("agent={}", "é".repeat(17)), "parameter", "agent");
        check("agent=", "parameter", "agent");
        check("source=%0A", "parameter", "source");
        check("name=", "parameter", "name");
        check("name=12345678901234567", "parameter", "name");
        check(&format!("name={}", "é".repeat(17)), "parameter", "name");
        check("exact=maybe", "parameter", "exact");
        check("format=pdf", "value", "pdf");
        check("section=tools,tool", "near", "tools");
        check("section=", "value", "");
        check("since=yesterday", "parameter", "since");
        check("since=9999-01-01", "parameter", "since");
        let long = "x".repeat(MOST_BYTES + 1);
        assert!(Params::read(Some(&long), &KNOWN).is_err());
        let value = format!("days={}", "9".repeat(10_000));
        let problem = Params::read(Some(&value), &KNOWN).expect_err("too big");
        assert!(problem.json().to_string().len() < 1_000);
    }
}
