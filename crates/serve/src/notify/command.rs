//! Channels that are programs of this machine: a command of the user's own, and
//! notices on the desktop.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tachograph_model::render::width::clean;

use super::Failure;
use super::item::Notification;
use super::secret::Veil;
use super::{shape, words};

/// Bytes of what it says on stderr.
const MOST_SAID: u64 = 4096;
/// Between two looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// What it left behind may hold its stderr open.
const SAID_WITHIN: Duration = Duration::from_millis(200);

/// A command: the alert as JSON on stdin, and in short in variables.
pub(super) struct Exec {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) timeout: Duration,
    /// Over what it says.
    pub(super) veil: Veil,
}

/// `notify-send`, or what takes its arguments.
pub(super) struct Desktop {
    pub(super) program: PathBuf,
    pub(super) timeout: Duration,
    /// Over what it says.
    pub(super) veil: Veil,
}

impl Exec {
    pub(super) fn send(&self, name: &str, notification: &Notification) -> Result<(), Failure> {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        command.envs(variables(name, notification));
        let body = shape::webhook(name, notification).to_string();
        run(command, Some(body), self.timeout, &self.veil)
    }
}

/// `TACHOGRAPH_ALERT_*`: of the first alert; all of them are on stdin.
fn variables(name: &str, notification: &Notification) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("TACHOGRAPH_ALERT_CHANNEL", name.to_owned()),
        ("TACHOGRAPH_ALERT_TITLE", words::title(notification)),
        (
            "TACHOGRAPH_ALERT_STATUS",
            notification.status().name().to_owned(),
        ),
        (
            "TACHOGRAPH_ALERT_COUNT",
            (notification.alerts.len() + notification.more).to_string(),
        ),
        ("TACHOGRAPH_ALERT_TEST", notification.test.to_string()),
    ];
    if let Some(first) = notification.alerts.first() {
        let value = first.value.map_or(String::new(), |value| value.to_string());
        all.extend([
            ("TACHOGRAPH_ALERT_RULE", first.rule.clone()),
            ("TACHOGRAPH_ALERT_SEVERITY", first.severity.clone()),
            ("TACHOGRAPH_ALERT_FAMILY", first.family.clone()),
            ("TACHOGRAPH_ALERT_SOURCE", first.source.clone()),
            ("TACHOGRAPH_ALERT_NAME", first.name.clone()),
            ("TACHOGRAPH_ALERT_GROUP", first.group.clone()),
            ("TACHOGRAPH_ALERT_VALUE", value),
            ("TACHOGRAPH_ALERT_THRESHOLD", first.threshold.to_string()),
            ("TACHOGRAPH_ALERT_CONDITION", first.condition.clone()),
            ("TACHOGRAPH_ALERT_SUMMARY", words::figures(first)),
            ("TACHOGRAPH_ALERT_DESCRIPTION", first.description.clone()),
        ]);
    }
    // A variable holds no NUL, and names are no commands for a terminal.
    all.into_iter()
        .map(|(key, value)| (key, clean(&value)))
        .collect()
}

impl Desktop {
    pub(super) fn send(&self, notification: &Notification) -> Result<(), Failure> {
        let firing = notification.firing() > 0;
        let worst = notification
            .alerts
            .iter()
            .map(|item| words::severity(&item.severity));
        let urgency = match (firing, worst.max().unwrap_or(0)) {
            (true, 2) => "critical",
            (true, 1) => "normal",
            _ => "low",
        };
        let body = notification.alerts.iter().take(5).map(|item| {
            let text = format!("{}: {}", words::series(item), words::figures(item));
            // Some desktops take markup.
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        });
        let body: Vec<String> = body.collect();
        let mut command = Command::new(&self.program);
        command.args(["-a", "Tachograph", "-u", urgency, "--"]);
        command.args([words::title(notification), body.join("\n")]);
        run(command, None, self.timeout, &self.veil).map_err(|failure| match failure.is_for_now() {
            true => failure,
            false => Failure::never(format!(
                "{} (Debian: apt-get install libnotify-bin)",
                failure.what
            )),
        })
    }
}

/// Runs it to its end, or ends it, with all that it started.
fn run(
    mut command: Command,
    stdin: Option<String>,
    timeout: Duration,
    veil: &Veil,
) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.stdin(match stdin {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    });
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| {
        let what = format!("{program} cannot be run: {error}");
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Failure::never(what),
            _ => Failure::later(what),
        }
    })?;
    let said = attend(&mut child, stdin);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => {
                let said = said.recv_timeout(SAID_WITHIN).unwrap_or_default();
                let said = veil.cover(&said);
                let colon = if said.is_empty() { "" } else { ": " };
                return Err(Failure::later(format!(
                    "{program} ended with {status}{colon}{said}"
                )));
            }
            Ok(None) if began.elapsed() < timeout => std::thread::sleep(LOOK_EVERY),
            Ok(None) => {
                end(&mut child);
                let seconds = timeout.as_secs_f32();
                return Err(Failure::later(format!(
                    "{program} did not end within {seconds} s and was killed"
                )));
            }
            Err(error) => {
                end(&mut child);
                return Err(Failure::later(format!(
                    "{program} cannot be waited for: {error}"
                )));
            }
        }
    }
}

/// Feeds it, and reads the beginning of what it says on stderr; neither holds
/// up whoever waits for its end.
fn attend(child: &mut Child, stdin: Option<String>) -> mpsc::Receiver<String> {
    if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
        // One that does not read what it is given need not.
        std::thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
    }
    let (says, said) = mpsc::sync_channel(1);
    if let Some(mut pipe) = child.stderr.take() {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = pipe.by_ref().take(MOST_SAID).read_to_end(&mut text);
            let _ = says.send(String::from_utf8_lossy(&text).into_owned());
            // So that it is not held up.
            let _ = io::copy(&mut pipe, &mut io::sink());
        });
    }
    said
}

fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        let group = rustix::process::Pid::from_child(child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::notify::Again;
    use crate::notify::shape::tests::hostile;

    fn exec(script: &str, timeout: Duration) -> Exec {
        Exec {
            program: "sh".into(),
            args: vec!["-c".to_owned(), script.to_owned()],
            timeout,
            veil: Veil::default(),
        }
    }

    #[test]
    fn a_command_has_the_alert_on_stdin_and_in_variables() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let script = format!(
            "cat > {0}; printf '%s|%s|%s' \"$TACHOGRAPH_ALERT_STATUS\" \
             \"$TACHOGRAPH_ALERT_COUNT\" \"$TACHOGRAPH_ALERT_RULE\" > {0}.env",
            path.display()
        );
        let within = Duration::from_secs(20);
        exec(&script, within).send("own", &hostile()).expect("run");
        let body = std::fs::read_to_string(&path).expect("written");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["receiver"], "own");
        assert_eq!(body["alerts"].as_array().map(Vec::len), Some(2));
        let variables = std::fs::read_to_string(path.with_extension("env")).expect("written");
        assert!(variables.starts_with("firing|2|a\\r\\nBcc"), "{variables}");
        // One that reads nothing is told, too.
        exec("exit 0", within).send("own", &hostile()).expect("run");
    }

    #[test]
    fn what_fails_says_so_and_what_hangs_is_killed() {
        let check = |exec: Exec, said: &str, again: Again| {
            let failure = exec.send("own", &hostile()).expect_err(said);
            assert!(failure.what.contains(said), "{failure}");
            assert_eq!(failure.again, again, "{failure}");
        };
        let within = Duration::from_secs(20);
        check(
            exec("echo it broke >&2; exit 3", within),
            "it broke",
            Again::Later,
        );
        let mut gone = exec("", within);
        gone.program = "no-such-program-of-ours".into();
        check(gone, "no-such-program-of-ours", Again::Never);
        let began = Instant::now();
        // What it started is killed, too; it holds the pipes open.
        let hangs = exec("sleep 60 & sleep 60", Duration::from_millis(200));
        check(hangs, "was killed", Again::Later);
        assert!(began.elapsed() < Duration::from_secs(10));
        let loud = exec("yes 1>&2 & sleep 60", Duration::from_millis(200));
        check(loud, "was killed", Again::Later);
    }

    #[test]
    fn a_desktop_is_told_without_markup() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("notify");
        let out = folder.path().join("out");
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\n", out.display());
        // Written by another process: a file that this one still has open for
        // writing in a child of another test is busy.
        let write = format!("cat > {0}; chmod 700 {0}", program.display());
        let stdin = Some(script);
        let mut shell = Command::new("sh");
        shell.args(["-c", &write]);
        run(shell, stdin, Duration::from_secs(20), &Veil::default()).expect("written");
        let timeout = Duration::from_secs(20);
        let veil = Veil::default();
        let desktop = Desktop {
            program,
            timeout,
            veil,
        };
        desktop.send(&hostile()).expect("told");
        let told = std::fs::read_to_string(out).expect("told");
        assert!(
            told.starts_with("-a\nTachograph\n-u\nlow\n--\nTEST FIRING info"),
            "{told}"
        );
        assert!(!told.contains("<!channel>"), "{told}");
    }
}
