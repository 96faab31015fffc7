//! An error and its causes as one line.

use std::error::Error;

/// What went wrong, and below it why, and why that. A cause that was named by
/// what it caused is not said twice.
pub fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        below = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AskError;

    #[test]
    fn causes_follow_what_they_caused_each_once() {
        let read = |what: &str, source: Box<dyn Error + Send + Sync>| AskError::Read {
            what: what.to_owned(),
            source: Some(source),
        };
        let below = read("the file", std::io::Error::other("no such disk").into());
        let named = below.to_string();
        for (what, wanted) in [
            (
                "the day",
                "the day: cannot read the events: the file: no such disk",
            ),
            (&*named, "cannot read the events: the file: no such disk"),
        ] {
            let below = read("the file", std::io::Error::other("no such disk").into());
            let said = describe(&read(what, below.into()));
            assert_eq!(said, format!("cannot read the events: {wanted}"));
        }
    }
}
