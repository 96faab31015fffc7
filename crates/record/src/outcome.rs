//! What a failure is called: the name of its type, never its message.

use std::any::type_name;
use std::borrow::Cow;

/// The class of failure that `E` stands for: the last part of its type's path,
/// without arguments: `TimeoutError` for `my_app::errors::TimeoutError<T>`.
///
/// A type that is called plainly `Error` says nothing by itself, so the crate
/// or module goes before it: `io::Error`, `serde_json::Error`. What a `Box` or
/// reference holds is named instead of the box. Never a message, so nothing
/// that was in one can be stored.
///
/// Cost: about 50 ns; failures only.
///
/// ```
/// assert_eq!(tachograph::error_type_of::<std::num::ParseIntError>(), "ParseIntError");
/// assert_eq!(tachograph::error_type_of::<std::io::Error>(), "io::Error");
/// ```
pub fn error_type_of<E: ?Sized>() -> Cow<'static, str> {
    class_of(type_name::<E>())
}

fn class_of(mut name: &str) -> Cow<'_, str> {
    loop {
        let shorter = name
            .trim_start_matches(['&', '*'])
            .trim_start_matches("mut ")
            .trim_start_matches("dyn ")
            .trim_start_matches("alloc::boxed::Box<");
        if shorter == name {
            break;
        }
        name = shorter;
    }
    let path = name.split(['<', '>', ' ', '+', ',']).next().unwrap_or(name);
    let mut parts = path.rsplit("::");
    let last = parts.next().unwrap_or(path);
    if last != "Error" {
        return Cow::Borrowed(last);
    }
    match parts.find(|part| *part != "error" && *part != "errors") {
        Some(owner) => Cow::Owned(format!("{owner}::Error")),
        None => Cow::Borrowed(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        for (name, class) in [
            ("my_app::errors::TimeoutError", "TimeoutError"),
            ("app::Failed<alloc::string::String>", "Failed"),
            ("std::io::error::Error", "io::Error"),
            ("serde_json::error::Error", "serde_json::Error"),
            (
                "alloc::boxed::Box<dyn core::error::Error + core::marker::Send>",
                "core::Error",
            ),
            ("alloc::boxed::Box<app::Broken>", "Broken"),
            ("&mut app::Broken", "Broken"),
            ("&str", "str"),
            ("Error", "Error"),
            ("()", "()"),
        ] {
            assert_eq!(class_of(name), class, "{name}");
        }
    }
}
