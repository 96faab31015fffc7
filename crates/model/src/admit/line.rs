//! A line from outside → an event: every field of its kind must fit, and what
//! does not is named. Without a time it happened now; a number is seconds
//! since 1970.

use super::{Admission, Admitted, Hasher, Misfit, Refusal, from_zero, misfit, wanted};
use crate::column::{Column, Type};
use crate::event::{Event, Value};
use crate::kind::{Field, Kind};
use crate::line::{Cell, Decoder, LineError, Visitor};
use crate::time::UnixNanos;

/// Why a line was not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineRefusal<E> {
    /// It is no event.
    #[error(transparent)]
    Line(LineError),
    /// A field does not fit, or its identity cannot be hashed.
    #[error(transparent)]
    Field(#[from] Refusal<E>),
    /// There is no such kind, and unknown ones are not kept.
    #[error("no kind of event is called `{0}`")]
    Kind(String),
    /// A call of a tool does not say which, and a member that is not known may
    /// have been meant to.
    #[error("no {missing}; did you mean `{missing}` instead of `{}`?", super::shorten(.written))]
    Misspelt {
        /// The field.
        missing: &'static str,
        /// The member.
        written: String,
    },
}

impl<H: Hasher> Admission<H> {
    /// Lets in a line, of which every field must fit; what its kind does not
    /// know is left out unless texts are kept. A line without `timestamp`
    /// happened `now`.
    ///
    /// Costs about 1 µs for a line of 170 bytes, and as much again for each
    /// JSON object in it.
    ///
    /// # Errors
    /// [`LineRefusal`]; then nothing of it was admitted.
    pub fn line(
        &mut self,
        decoder: &mut Decoder,
        line: &[u8],
        now: UnixNanos,
    ) -> Result<Event, LineRefusal<H::Error>> {
        let mut desk = Desk {
            admission: self,
            event: Event::default(),
            kind: None,
            misspelt: None,
            outcome: Ok(()),
        };
        decoder
            .decode_open(line, now, &mut desk)
            .map_err(LineRefusal::Line)?;
        let Desk {
            event,
            misspelt,
            outcome,
            ..
        } = desk;
        outcome?;
        match misspelt {
            Some((missing, written)) if event.str(Column::Name).is_none() => {
                Err(LineRefusal::Misspelt { missing, written })
            }
            _ => Ok(event),
        }
    }

    /// Sets a field from what the line's decoder found for its column.
    fn cell(
        &mut self,
        event: &mut Event,
        kind: &Kind,
        field: &Field,
        cell: Cell<'_>,
    ) -> Admitted<(), H> {
        match cell {
            Cell::Str(text) => return self.text(event, kind, field, text),
            Cell::Json(json) => return self.attributes(event, kind, field, json),
            Cell::List(json) => return self.raw(event, kind, field, json),
            Cell::F64(number) if from_zero(field.column) && number < 0.0 => {
                let text = (number / field.scale).to_string();
                return Err(misfit(field, &text, wanted(field)).into());
            }
            cell => event.set(field.column, Value::from(cell)),
        };
        Ok(())
    }
}

/// Takes one line's members.
struct Desk<'a, H: Hasher> {
    admission: &'a mut Admission<H>,
    event: Event,
    kind: Option<&'static Kind>,
    /// The field that names the tool, and what may be written in its place.
    misspelt: Option<(&'static str, String)>,
    outcome: Result<(), LineRefusal<H::Error>>,
}

impl<H: Hasher> Desk<'_, H> {
    fn set(&mut self, set: impl FnOnce(&mut Admission<H>, &mut Event) -> Admitted<(), H>) {
        if self.outcome.is_ok() {
            self.outcome = set(self.admission, &mut self.event).map_err(LineRefusal::Field);
        }
    }

    fn unknown(&mut self, key: &str, json: &str) {
        if let Some(kind) = self.kind {
            let meant = self.admission.unknown.see(kind, key);
            if let Some(name) = meant.filter(|_| kind.name == "tool_call")
                && kind
                    .field_of(Column::Name)
                    .is_some_and(|field| field.key == name)
            {
                self.misspelt = Some((name, key.to_owned()));
            }
        }
        self.admission.unknown(&mut self.event, key, json);
    }
}

impl<H: Hasher> Visitor for Desk<'_, H> {
    fn begin(&mut self, time: UnixNanos, event_type: &str, kind: Option<&'static Kind>) {
        self.event = Event::new(time, event_type);
        self.kind = kind;
        if kind.is_none() && !self.admission.keep_text {
            let name = event_type.chars().take(40).collect();
            self.outcome = Err(LineRefusal::Kind(name));
        } else if event_type.len() > super::MAX_NAME_BYTES {
            let misfit = Misfit {
                key: "event_type".to_owned(),
                text: super::shorten(event_type),
                wanted: super::NAME,
            };
            self.outcome = Err(LineRefusal::Field(misfit.into()));
        }
    }

    fn cell(&mut self, column: Column, cell: Cell<'_>) {
        let kind = self.kind;
        if let Some((kind, field)) = kind.and_then(|kind| Some((kind, kind.field_of(column)?))) {
            self.set(|admission, event| admission.cell(event, kind, field, cell));
        }
    }

    fn extra(&mut self, key: &str, json: &str) {
        let kind = self.kind;
        let known = kind.and_then(|kind| {
            let field = kind.fields.iter().find(|field| field.key == key)?;
            Some((kind, field))
        });
        match known {
            // Its letters only: the column has what it says.
            Some((_, field)) if self.event.get(field.column).is_some() => {}
            // What the decoder had to leave out of the column is left out.
            Some((_, field)) if field.column.def().ty == Type::Json && json.starts_with('{') => {}
            Some((kind, field)) => {
                self.set(|admission, event| admission.raw(event, kind, field, json));
            }
            None if self.outcome.is_ok() => self.unknown(key, json),
            None => {}
        }
    }

    fn no_number(&mut self, key: &str, text: &str) {
        let fields = self.kind.map_or(&[][..], |kind| kind.fields);
        match fields.iter().find(|field| field.key == key) {
            Some(field) => self.set(|_, _| Err(misfit(field, text, wanted(field)).into())),
            None => self.extra(key, "null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::Salt;

    const NOW: UnixNanos = UnixNanos(1_763_636_400_000_000_000);

    /// The line that is stored, or what is wrong.
    fn admit(line: &[u8], keep_text: bool) -> String {
        let mut admission = Admission::new(Salt::new([1; 32]), keep_text);
        match admission.line(&mut Decoder::default(), line, NOW) {
            Ok(event) => String::from_utf8_lossy(event.to_line().trim_ascii_end()).into_owned(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn what_fits_gets_in_and_what_does_not_is_named() {
        let check = |line: &str, members: &str| {
            let stored =
                format!(r#"{{"timestamp":"2025-11-20T11:00:00+00:00","event_type":{members}}}"#);
            assert_eq!(admit(line.as_bytes(), false), stored);
        };
        check(
            r#"{"event_type":"tool_call","tool":"a\u00e9\u002db","duration_ms":3,"success":true}"#,
            r#""tool_call","tool":"aé-b","duration_ms":3.0,"success":true"#,
        );
        check(
            r#"{"mine":"secret","tool":"x","event_type":"tool_call","timestamp":1763636400,"error_type":"KeyError: secret"}"#,
            r#""tool_call","tool":"x","error_type":"KeyError""#,
        );
        check(
            r#"{"timestamp":"2025-11-20T12:00:00+01:00","event_type":"metric","value":-0.0,"tags":{"a": 1.10,"b":[1]},"unit":null}"#,
            r#""metric","value":-0.0,"unit":null,"tags":{"a":1.10}"#,
        );
        check(
            r#"{"timestamp":1763636400.0,"event_type":"metric","tags":{"a":1e999,"b":2}}"#,
            r#""metric","tags":{"b":2}"#,
        );
        check(
            r#"{"event_type":"query","entities_detected":["a","b"],"duration_ms":1e1,"success":null}"#,
            r#""query","duration_ms":10.0,"success":null,"entities_detected":["a","b"]"#,
        );
        let check = |line: &str, wrong: &str| assert_eq!(admit(line.as_bytes(), false), wrong);
        check(
            r#"{"event_type":"tool_call","duration_ms":-1}"#,
            "duration_ms: -1 is not a number of at least 0",
        );
        check(
            r#"{"event_type":"tool_call","tool":7}"#,
            "tool: 7 is not a text",
        );
        check(
            r#"{"event_type":"llm_call","input_tokens":-9}"#,
            "input_tokens: -9 is not a whole number of at least 0",
        );
        for word in ["NaN", "Infinity", "-Infinity"] {
            check(
                &format!(r#"{{"event_type":"metric","name":"m","value":{word}}}"#),
                &format!("value: {word} is not a number"),
            );
        }
        check(
            r#"{"event_type":"tool_call","tol":"x","duration":5,"sucess":true}"#,
            "no tool; did you mean `tool` instead of `tol`?",
        );
        check(
            r#"{"event_type":"zebra","input_tokens":-9}"#,
            "no kind of event is called `zebra`",
        );
        check(r#"{"tool":"x"}"#, "no event_type");
        check(
            r#"{"event_type":"tool_call","timestamp":null}"#,
            "no timestamp",
        );
        check(
            r#"{"event_type":"tool_call","timestamp":1e300}"#,
            "timestamp: a field is outside its range",
        );
        check(
            r#"{"event_type":"tool_call","timestamp":"soon"}"#,
            "timestamp: not an ISO 8601 date and time",
        );
        check("[1]", "not a JSON object (at byte 0)");
        assert_eq!(admit(b"\xff{}", false), "not UTF-8");
    }

    #[test]
    fn members_that_no_kind_knows_are_named() {
        let mut admission = Admission::new(Salt::new([1; 32]), false);
        let mut decoder = Decoder::default();
        for _ in 0..2 {
            let line =
                br#"{"event_type":"tool_call","tool":"a","sucess":true,"mine":[1],"odd":NaN}"#;
            assert!(admission.line(&mut decoder, line, NOW).is_ok());
        }
        let seen: Vec<_> = admission
            .unknown_fields()
            .iter()
            .map(|unknown| (unknown.field.as_str(), unknown.did_you_mean))
            .collect();
        let expected = [("sucess", Some("success")), ("mine", None), ("odd", None)];
        assert_eq!(seen, expected);
        for number in 0..100 {
            let line = format!(r#"{{"event_type":"tool_call","tool":"a","member{number}":1}}"#);
            assert!(admission.line(&mut decoder, line.as_bytes(), NOW).is_ok());
        }
        assert!(admission.unknown_fields().len() == super::super::MAX_UNKNOWN_FIELDS);
    }

    #[test]
    fn with_keep_text_other_kinds_and_members_are_kept() {
        let line =
            r#"{"timestamp":"2025-11-20T11:00:00+00:00","event_type":"zebra","a":"b","n":[1.10]}"#;
        assert_eq!(admit(line.as_bytes(), true), line);
    }

    #[test]
    fn a_line_cut_anywhere_is_refused() {
        let line = br#"{"timestamp":"2025-11-20T11:00:00Z","event_type":"metric","name":"a\u00e9","value":1.5,"tags":{"a":[{}]}}"#;
        assert!(admit(line, false).starts_with('{'));
        for end in 0..line.len() {
            let refused = admit(&line[..end], false);
            assert!(refused.starts_with("not "), "{end}: {refused}");
        }
    }
}
