//! How a command ends: the exit code is a contract.

use std::io;
use std::process::ExitCode;

/// What a command returns; the error is printed to stderr by `main`.
pub type Result<T> = anyhow::Result<T>;

/// How a command that did its work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: fine.
    Ok,
    /// 1: it worked, and found something wrong.
    Findings,
    /// The exit code of a command that was run for the user.
    Code(u8),
}

/// A mistake in the command line or the settings: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// Makes the error for a mistake of the user. Say what is wrong, then on a
/// line of its own `hint: …` how to put it right.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    UsageError(message.into()).into()
}

/// Turns the end of a command into the process's exit code, and says what went
/// wrong on stderr.
pub fn settle(result: Result<Exit>) -> ExitCode {
    match result {
        Ok(Exit::Ok) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::FAILURE,
        Ok(Exit::Code(code)) => ExitCode::from(code),
        // Whoever read our output has seen enough: that is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Says what is wrong, once: sources often repeat what their outer error says.
fn complain(error: &anyhow::Error) {
    let mut text = error.to_string();
    let mut tail = String::new();
    if let Some(at) = text.find("\nhint: ") {
        tail = text.split_off(at);
    }
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    if tail.is_empty()
        && let Some(way_out) = way_out(error)
    {
        tail = format!("\nhint: {way_out}");
    }
    crate::out::err(format_args!("error: {text}{tail}"));
}

/// What to do about a disk that does not do what it should, where nobody who
/// knew more has said it.
fn way_out(error: &anyhow::Error) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    let mut causes = error.chain();
    let cause = causes.find_map(|cause| cause.downcast_ref::<io::Error>())?;
    match cause.kind() {
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Some(
            "let this user read and write there, or keep the recordings elsewhere: --home DIR, \
             or TACHOGRAPH_HOME",
        ),
        Kind::StorageFull | Kind::QuotaExceeded => Some(
            "make room on that disk (`tacho compact` shrinks the log), or keep the recordings \
             elsewhere: --home DIR, or TACHOGRAPH_HOME",
        ),
        Kind::IsADirectory => Some("a folder lies where a file belongs: move it away"),
        Kind::NotADirectory | Kind::AlreadyExists => Some(
            "a file lies where a folder belongs: move it away, or keep the recordings elsewhere: \
             --home DIR, or TACHOGRAPH_HOME",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_broken_pipe_is_no_failure_however_deep() {
        let broken: io::Result<()> = Err(io::ErrorKind::BrokenPipe.into());
        let error = broken
            .context("cannot print")
            .context("report")
            .expect_err("an error");
        assert!(is_broken_pipe(&error));
        let other: io::Result<()> = Err(io::ErrorKind::NotFound.into());
        assert!(!is_broken_pipe(
            &other.context("cannot print").expect_err("an error")
        ));
    }
}
