//! The server as a child process, and what it uses.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tachograph_log::{DurableLog, Home};
use tachograph_model::{Answer, Answerer, AskError, Question};
use tachograph_serve::{Addresses, Config, Doors, start};

/// The argument that makes this program a server.
pub(crate) const SERVE: &str = "--serve";

/// Ticks of the processor a second, as `/proc` counts them everywhere on Linux.
const TICKS: f64 = 100.0;

struct NoEngine;

impl Answerer for NoEngine {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        Err(AskError::Mismatch {
            question: question.name(),
        })
    }
}

/// Serves until its input ends; tells its addresses first.
pub(crate) fn serve(home: &str) {
    let home = Home::create(home).expect("a home");
    let config = Config {
        dashboard: Some(0),
        otlp_grpc: Some(0),
        otlp_http: Some(0),
        json: None,
        prometheus: Some(0),
        ..Config::default()
    };
    let doors = Doors {
        sink: Arc::new(DurableLog::new(&home)),
        answerer: Arc::new(NoEngine),
        salt: home.salt().expect("a salt"),
        home,
    };
    let running = start(config, doors).expect("the doors open");
    let Addresses {
        dashboard,
        otlp_grpc,
        otlp_http,
        ..
    } = running.addresses();
    for address in [dashboard, otlp_grpc, otlp_http] {
        println!("{}", address.expect("this door is open"));
    }
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .expect("an input");
    running.stop();
}

/// Where the child listens.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) api: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
}

/// The server in a process of its own; it ends with this.
pub(crate) struct Child {
    process: std::process::Child,
    ports: Ports,
    home: tempfile::TempDir,
}

/// What lies in its log.
pub(crate) struct Stored {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
}

impl Child {
    pub(crate) fn start() -> Self {
        // Beside the build: the temporary folder may be memory, which is no disk.
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .arg(SERVE)
            .arg(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let output = process.stdout.take().expect("its output");
        let mut lines = BufReader::new(output).lines();
        let mut next = || {
            let line = lines.next().expect("an address").expect("text");
            line.parse().expect("an address")
        };
        let (api, grpc, http) = (next(), next(), next());
        Self {
            process,
            ports: Ports { api, grpc, http },
            home,
        }
    }

    pub(crate) fn addresses(&self) -> Ports {
        self.ports
    }

    /// As [`cpu_of`].
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.process.id())
    }

    pub(crate) fn stored(&self) -> Stored {
        let mut stored = Stored { lines: 0, bytes: 0 };
        for file in Home::at(self.home.path()).files().expect("files").files {
            let text = fs::read(file.path).expect("a file");
            stored.bytes += text.len() as u64;
            stored.lines += memchr::memchr_iter(b'\n', &text).count() as u64;
        }
        stored
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Processor time of all threads of a process so far.
pub(crate) fn cpu_of(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux's /proc");
    // Behind the name in parentheses: fields 14 and 15, counted from 1.
    let (_, fields) = text.rsplit_once(')').expect("a name");
    let ticks = fields.split_ascii_whitespace().skip(11).take(2);
    let ticks: f64 = ticks
        .map(|field| field.parse::<f64>().expect("ticks"))
        .sum();
    Duration::from_secs_f64(ticks / TICKS)
}
