//! Other servers, measured beside ours in the same run: installed into Pythons of
//! their own under `target/`, or as Debian packages; started on free ports of
//! loopback, stopped by their process group.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::python;
use crate::server::Client;
use crate::workspace::output;

/// Importing a large Python program for the first time takes its time.
const PATIENCE: Duration = Duration::from_secs(180);
const GLANCE: Duration = Duration::from_millis(5);
/// The kernel's unit of processor time in `/proc` (USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// Where its program comes from.
enum Source {
    /// What pip installs; pinned so that two machines measure alike.
    Python(&'static str),
    /// A program on the path, by its package's name.
    Debian(&'static str),
}

/// A server that is no part of this project.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    source: Source,
    /// By its folder and port.
    arguments: fn(&Path, u16) -> Vec<String>,
    environment: &'static [(&'static str, &'static str)],
    /// Variables that name its folder and ports.
    placed: fn(&Path, u16, u16) -> Vec<(&'static str, String)>,
    health: &'static str,
    /// What its requests must carry besides.
    pub(crate) header: Option<(&'static str, &'static str)>,
    /// SQLite with a table `spans`, for those that take OTLP over HTTP at `/v1/traces`.
    pub(crate) database: Option<&'static str>,
}

pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "Phoenix",
        source: Source::Python("arize-phoenix==20.26.1\n"),
        arguments: |_, _| {
            ["-m", "phoenix.server.main", "serve"]
                .map(str::to_owned)
                .into()
        },
        environment: &[
            ("PHOENIX_TELEMETRY_ENABLED", "false"),
            ("PHOENIX_HOST", "127.0.0.1"),
        ],
        placed: |folder, port, second| {
            vec![
                ("PHOENIX_WORKING_DIR", folder.display().to_string()),
                ("PHOENIX_PORT", port.to_string()),
                ("PHOENIX_GRPC_PORT", second.to_string()),
            ]
        },
        health: "/healthz",
        header: None,
        database: Some("phoenix.db"),
    },
    Peer {
        name: "MLflow",
        source: Source::Python("mlflow==3.17.2\n"),
        arguments: |folder, port| {
            let store = format!("sqlite:///{}", folder.join("mlflow.db").display());
            let artifacts = folder.join("artifacts").display().to_string();
            [
                "-m",
                "mlflow",
                "server",
                "--host",
                "127.0.0.1",
                "--workers",
                "1",
                "--port",
            ]
            .map(str::to_owned)
            .into_iter()
            .chain([port.to_string()])
            .chain(["--backend-store-uri".to_owned(), store])
            .chain(["--default-artifact-root".to_owned(), artifacts])
            .collect()
        },
        environment: &[
            ("MLFLOW_DISABLE_TELEMETRY", "true"),
            ("DO_NOT_TRACK", "true"),
        ],
        placed: |_, _, _| Vec::new(),
        health: "/health",
        header: Some(("x-mlflow-experiment-id", "0")),
        database: Some("mlflow.db"),
    },
    Peer {
        name: "VictoriaMetrics",
        source: Source::Debian("victoria-metrics"),
        arguments: |folder, port| {
            vec![
                format!("-storageDataPath={}", folder.join("data").display()),
                format!("-httpListenAddr=127.0.0.1:{port}"),
            ]
        },
        environment: &[],
        placed: |_, _, _| Vec::new(),
        health: "/health",
        header: None,
        database: None,
    },
];

/// A peer that runs; its group is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) ready_after: Duration,
}

impl Peer {
    /// The interpreter it runs in, made on first use, or its program.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        match self.source {
            Source::Python(wanted) => {
                python::ready(&format!("venv-{}", self.name.to_lowercase()), wanted)
            }
            Source::Debian(package) => {
                output(Command::new(package).arg("--version"))
                    .with_context(|| format!("Debian: apt-get install {package}"))?;
                Ok(package.into())
            }
        }
    }

    /// Its name and version.
    pub(crate) fn title(&self) -> String {
        let version = match self.source {
            Source::Python(wanted) => wanted.trim().rsplit("==").next().map(str::to_owned),
            Source::Debian(package) => {
                let version =
                    output(Command::new("dpkg-query").args(["-W", "-f=${Version}", package]));
                version.ok()
            }
        };
        format!("{} {}", self.name, version.unwrap_or_default())
    }

    /// Starts it on a folder of its own and waits for its first answer.
    pub(crate) fn start(&self, program: &Path, folder: &Path) -> Result<Running> {
        let (port, second) = (free_port()?, free_port()?);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("said.log"))?;
        let mut command = Command::new(program);
        command
            .args((self.arguments)(folder, port))
            .envs(self.environment.iter().copied())
            .envs((self.placed)(folder, port, second))
            .env("HOME", folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        let began = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut running = Running {
            child,
            address,
            ready_after: Duration::ZERO,
        };
        while began.elapsed() < PATIENCE {
            if Client::to(address).is_ok_and(|mut client| client.get(self.health).is_ok()) {
                running.ready_after = began.elapsed();
                return Ok(running);
            }
            if let Some(status) = running.child.try_wait()? {
                let said = std::fs::read_to_string(folder.join("said.log"))?;
                bail!("{} ended with {status}: {said}", self.name);
            }
            std::thread::sleep(GLANCE);
        }
        bail!("{} was not ready within {PATIENCE:?}", self.name)
    }

    /// Every span id in its database, as hexadecimal digits, once for each time it
    /// stands there.
    pub(crate) fn stored(&self, python: &Path, folder: &Path) -> Result<Vec<String>> {
        let script = "import sqlite3, sys\n\
            for (span,) in sqlite3.connect(sys.argv[1]).execute('select span_id from spans'): print(span)";
        let database = self
            .database
            .with_context(|| format!("{} keeps no spans", self.name))?;
        let database = folder.join(database);
        let text = output(Command::new(python).args(["-c", script]).arg(database))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

impl Running {
    /// Processor time of its whole group so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut ticks = 0;
        for process in self.group()? {
            // It may have ended since.
            let Ok(stat) = std::fs::read_to_string(process.join("stat")) else {
                continue;
            };
            let rest = stat.rsplit(')').next().unwrap_or_default();
            let field = |at: usize| rest.split_whitespace().nth(at)?.parse::<u32>().ok();
            // utime, stime, and those of children that were waited for.
            ticks += (11..15).filter_map(field).sum::<u32>();
        }
        Ok(TICK * ticks)
    }

    /// Resident memory of its whole group now.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let mut kibibytes = 0;
        for process in self.group()? {
            let Ok(status) = std::fs::read_to_string(process.join("status")) else {
                continue;
            };
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let value = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kibibytes += value.unwrap_or_default();
        }
        Ok(kibibytes * 1024)
    }

    fn group(&self) -> Result<Vec<PathBuf>> {
        let group = self.child.id().to_string();
        let mut members = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let path = entry?.path();
            let Ok(stat) = std::fs::read_to_string(path.join("stat")) else {
                continue;
            };
            let rest = stat.rsplit(')').next().unwrap_or_default();
            if rest.split_whitespace().nth(2) == Some(&group) {
                members.push(path);
            }
        }
        Ok(members)
    }

    /// Kills the group (SIGKILL).
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Members may be gone already.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
