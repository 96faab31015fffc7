//! `tacho start` under test: on free ports of loopback, asked over HTTP, looked
//! at in `/proc`, stopped by its id.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;

/// So long may starting, stopping or one answer take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often its state is looked at meanwhile.
const GLANCE: Duration = Duration::from_micros(500);

/// A server that runs; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    ready: Json,
    /// From the start of the process to its ready file.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts `tacho start` on a home, with every port free to choose, and
    /// waits until it is ready. What it says goes to `server.log` beside the
    /// home.
    pub(crate) fn start(tacho: &Path, home: &Path, args: &[&str]) -> Result<Self> {
        let ready_file = beside(home, "ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let log = std::fs::File::create(beside(home, "server.log"))?;
        let mut command = Command::new(tacho);
        command.arg("--home").arg(home).arg("start");
        for port in ["", "otlp-grpc-", "otlp-http-", "json-", "prometheus-"] {
            command.args([format!("--{port}port"), "0".to_owned()]);
        }
        command.arg("--ready-file").arg(&ready_file).args(args);
        command
            .env("HOME", home)
            .env_remove("TACHOGRAPH_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let began = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", tacho.display()))?;
        let mut server = Self {
            child,
            ready: Json::Null,
            ready_after: Duration::ZERO,
        };
        while began.elapsed() < PATIENCE {
            if let Ok(text) = std::fs::read(&ready_file) {
                server.ready_after = began.elapsed();
                server.ready = serde_json::from_slice(&text)?;
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                let said = std::fs::read_to_string(beside(home, "server.log"))?;
                bail!("tacho start: {status}: {said}");
            }
            std::thread::sleep(GLANCE);
        }
        bail!("tacho start was not ready within {PATIENCE:?}")
    }

    /// Where one of its doors listens: `dashboard`, `otlp_http`, …
    pub(crate) fn address(&self, door: &str) -> Result<SocketAddr> {
        let address = self.ready[door].as_str();
        let address = address.with_context(|| format!("no {door} in {}", self.ready))?;
        Ok(address.parse()?)
    }

    /// What its ready file says.
    pub(crate) fn ready(&self) -> &Json {
        &self.ready
    }

    /// Processor time of all its threads so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name may hold blanks; behind its parenthesis the fields are fixed
        // (proc(5): utime and stime are the 14th and 15th of all).
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let field = |at: usize| -> Option<u64> { rest.split_whitespace().nth(at)?.parse().ok() };
        let ticks = field(11).zip(field(12)).context("no times in /proc")?;
        // The kernel's unit here is a hundredth of a second (USER_HZ).
        Ok(Duration::from_millis((ticks.0 + ticks.1) * 10))
    }

    /// Resident memory now.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kibibytes.context("no VmRSS in /proc")? * 1024)
    }

    /// Asks it to leave (SIGTERM); returns how long it took.
    pub(crate) fn stop(mut self) -> Result<Duration> {
        let began = Instant::now();
        let id = self.child.id().to_string();
        if !Command::new("kill")
            .args(["-TERM", &id])
            .status()?
            .success()
        {
            bail!("cannot signal {id}");
        }
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!("tacho start ended with {status}");
                }
                return Ok(began.elapsed());
            }
            std::thread::sleep(GLANCE);
        }
        bail!("tacho start did not leave within {PATIENCE:?}")
    }
}

impl Server {
    /// Kills it (SIGKILL).
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn beside(home: &Path, name: &str) -> PathBuf {
    let mut file = home.as_os_str().to_owned();
    file.push(format!(".{name}"));
    file.into()
}

/// What the server of a home said on stderr.
pub(crate) fn log_of(home: &Path) -> Result<String> {
    let path = beside(home, "server.log");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Removes what a server under test left beside its home.
pub(crate) fn forget(home: &Path) {
    for name in ["ready.json", "server.log"] {
        // It may never have come that far.
        let _ = std::fs::remove_file(beside(home, name));
    }
}

/// One connection over which requests go one after the other (HTTP/1.1).
pub(crate) struct Client {
    host: String,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            host: address.to_string(),
            stream: BufReader::new(stream),
        })
    }

    /// Returns the body; fails on any status but 200 to 299.
    pub(crate) fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        self.ask(&format!("GET {path}"), "", b"")
    }

    /// As [`Self::get`].
    pub(crate) fn post(&mut self, path: &str, content_type: &str, body: &[u8]) -> Result<Vec<u8>> {
        self.post_with(path, content_type, &[], body)
    }

    /// As [`Self::post`], with further headers.
    pub(crate) fn post_with(
        &mut self,
        path: &str,
        content_type: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<u8>> {
        let mut head = format!(
            "Content-Type: {content_type}\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        self.ask(&format!("POST {path}"), &head, body)
    }

    fn ask(&mut self, what: &str, head: &str, body: &[u8]) -> Result<Vec<u8>> {
        let mut request = format!("{what} HTTP/1.1\r\nHost: {}\r\n{head}\r\n", self.host);
        let mut bytes = std::mem::take(&mut request).into_bytes();
        bytes.extend_from_slice(body);
        self.stream.get_mut().write_all(&bytes)?;
        let (status, body) = self.answer().with_context(|| what.to_owned())?;
        if !(200..300).contains(&status) {
            bail!("{what}: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    fn answer(&mut self) -> Result<(u16, Vec<u8>)> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("no status in {line:?}"))?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        if !chunked {
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body)?;
            return Ok((status, body));
        }
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(self.line()?.trim(), 16)?;
            let at = body.len();
            body.resize(at + size, 0);
            self.stream.read_exact(&mut body[at..])?;
            self.line()?;
            if size == 0 {
                return Ok((status, body));
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}
