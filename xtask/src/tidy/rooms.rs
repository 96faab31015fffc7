//! What a room may touch outside itself: the network, the environment, the screen.

use super::source::{Source, line_at, words};
use super::{Files, Finding};

/// The only places that may open a connection to anywhere.
const MAY_CONNECT: [&str; 4] = [
    // Telemetry the user turned on, exactly as `tacho telemetry preview` shows it.
    "crates/ship/src/send",
    // Alert channels the user configured.
    "crates/serve/src/notify",
    // Our own server, asked by our own command line.
    "crates/cli/src/source",
    // A socket that only listens.
    "crates/serve/src/ingest/statsd",
];

const CONNECTS: [&str; 13] = [
    "TcpStream::connect",
    "TcpStream::connect_timeout",
    "UdpSocket",
    "ToSocketAddrs",
    "reqwest",
    "ureq",
    "lettre",
    "isahc",
    "minreq",
    "attohttpc",
    "hyper::client",
    "hyper_util::client",
    "tonic::transport::Channel",
];

/// Client crates may stand in the manifest of these rooms only.
const MAY_HAVE_CLIENT: [&str; 3] = ["ship", "serve", "cli"];
const CLIENTS: [&str; 6] = ["reqwest", "ureq", "lettre", "isahc", "minreq", "attohttpc"];

const ENVIRONMENT: [&str; 8] = [
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "env::{",
    "env::args",
    "env::home_dir",
    "env::temp_dir",
];
const SCREEN: [&str; 6] = [
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "io::stdout",
    "io::stderr",
];
const EXIT: [&str; 2] = ["process::exit", "process::abort"];

/// Files of libraries that may do one thing libraries may not, and why.
const EXCEPTIONS: [(&str, &[&str]); 2] = [
    // The opt-out variables of the older recorders must work in programs that embed
    // this one without a line of code, so one file settles them into a config.
    ("crates/record/src/env.rs", &ENVIRONMENT),
    // A recorder whose home is unusable degrades and says so, once, on stderr.
    ("crates/record/src/notice.rs", &SCREEN),
];

/// Wall 3: outgoing connections only where they are listed.
pub(crate) fn connections(files: &Files) -> Vec<Finding> {
    let code = shipped(files).filter(|source| {
        !MAY_CONNECT
            .iter()
            .any(|allowed| source.path.starts_with(allowed))
    });
    let mut found: Vec<Finding> = code
        .flat_map(|source| {
            uses(
                source,
                &CONNECTS,
                "opens a connection, which only ship/send, serve/notify and cli/source may",
            )
        })
        .collect();
    let manifests = files.iter().filter(|source| {
        source.path.ends_with("Cargo.toml")
            && source
                .room()
                .is_some_and(|room| !MAY_HAVE_CLIENT.contains(&room))
    });
    for source in manifests {
        for (index, line) in source.text.lines().enumerate() {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if CLIENTS.contains(&name) {
                let message = format!(
                    "depends on `{name}`, which opens connections; this room sends nothing"
                );
                found.push(Finding::new(&source.path, index + 1, message));
            }
        }
    }
    found
}

/// Wall 5: every room but the command line leaves env, screen and exit to its caller.
pub(crate) fn libraries(files: &Files) -> Vec<Finding> {
    let rules: [(&[&str], &str); 3] = [
        (
            &ENVIRONMENT,
            "libraries do not read the environment: take a settled config",
        ),
        (
            &SCREEN,
            "libraries do not print: give the text to the caller",
        ),
        (&EXIT, "libraries do not exit: give an error to the caller"),
    ];
    let mut found = Vec::new();
    for source in shipped(files).filter(|source| source.room() != Some("cli")) {
        for (patterns, message) in rules {
            let allowed = EXCEPTIONS
                .iter()
                .any(|(path, what)| *path == source.path && *what == patterns);
            if !allowed {
                found.extend(uses(source, patterns, message));
            }
        }
    }
    found
}

fn shipped(files: &Files) -> impl Iterator<Item = &Source> {
    files
        .rust()
        .filter(|source| source.room().is_some() && !source.is_test())
}

fn uses(source: &Source, patterns: &[&str], message: &str) -> Vec<Finding> {
    let code = source.shipped();
    let mut found = Vec::new();
    for pattern in patterns {
        for at in words(code, pattern) {
            let line = line_at(code, at);
            found.push(Finding::new(
                &source.path,
                line,
                format!("`{pattern}`: {message}"),
            ));
        }
    }
    found
}
