//! A desk of one's own: fresh folders, and the binary with a clean
//! environment.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;

/// Fresh folders; gone when dropped.
pub struct Desk {
    dir: TempDir,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["user", "cwd", "run"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir }
    }

    /// The recordings' home: not there until something is recorded.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The user's own home.
    pub fn user(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    /// The current folder.
    pub fn cwd(&self) -> PathBuf {
        self.dir.path().join("cwd")
    }

    /// Writes a file in the current folder.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.cwd().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The binary, in the current folder, with nothing in its environment but
    /// these folders.
    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        self.program(env!("CARGO_BIN_EXE_tacho"), args)
    }

    /// Any program, as [`Self::command`] runs the binary.
    pub fn program<A: AsRef<OsStr>>(&self, program: &str, args: &[A]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.user())
            .env("TACHOGRAPH_HOME", self.home())
            .env("XDG_RUNTIME_DIR", self.dir.path().join("run"))
            .current_dir(self.cwd())
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary.
    pub fn tacho(&self, args: &[&str]) -> Said {
        said(self.command(args).output().unwrap())
    }

    /// Runs the binary with something on stdin.
    pub fn tacho_with(&self, args: &[&str], stdin: &[u8]) -> Said {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A child that ends early closes its end: what it says then counts.
        let _ = pipe.write_all(stdin);
        drop(pipe);
        said(child.wait_with_output().unwrap())
    }

    /// Runs the binary, which must succeed.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> Said {
        let said = self.tacho(args);
        assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
        said
    }

    /// Every event in the home's live log.
    pub fn events(&self) -> Vec<Json> {
        events_in(&self.home())
    }
}

/// A server that a desk runs; killed when it is dropped.
pub struct Server {
    child: Child,
    ready_file: PathBuf,
    out: PathBuf,
    /// What the ready file says.
    pub ready: Json,
}

/// Every door of `tacho start` on a free port.
pub const ANY_PORTS: [&str; 10] = [
    "--port",
    "0",
    "--otlp-grpc-port",
    "0",
    "--otlp-http-port",
    "0",
    "--json-port",
    "0",
    "--prometheus-port",
    "0",
];

impl Desk {
    /// Starts a server on free ports and waits until it is ready.
    #[track_caller]
    pub fn serve(&self, args: &[&str]) -> Server {
        self.serve_at(&self.home(), args)
    }

    /// As [`Self::serve`], on another home.
    #[track_caller]
    pub fn serve_at(&self, home: &Path, args: &[&str]) -> Server {
        let ready_file = self.cwd().join("ready.json");
        let out = self.dir.path().join("out");
        let err = std::fs::File::create(self.dir.path().join("err")).unwrap();
        // Whoever runs the tests may have it that signals are ignored (`nohup`), and
        // what is ignored is inherited.
        let tacho = env!("CARGO_BIN_EXE_tacho");
        let mut line = match cfg!(target_os = "linux") {
            true => vec!["--default-signal=HUP,INT,TERM", tacho],
            false => vec![tacho],
        };
        line.extend(["start", "--ready-file", ready_file.to_str().unwrap()]);
        line.extend(ANY_PORTS);
        line.extend(args);
        let mut child = self
            .program("env", &line)
            .env("TACHOGRAPH_HOME", home)
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(err)
            .spawn()
            .unwrap();
        let began = Instant::now();
        loop {
            // One that a killed server left names another process.
            let text = std::fs::read_to_string(&ready_file).unwrap_or_default();
            let ready: Json = serde_json::from_str(&text).unwrap_or_default();
            if ready["pid"] == child.id() {
                return Server {
                    child,
                    ready_file,
                    out,
                    ready,
                };
            }
            let ended = child.try_wait().unwrap();
            let said = || std::fs::read_to_string(self.dir.path().join("err")).unwrap();
            assert!(ended.is_none(), "{args:?}: {ended:?}: {}", said());
            assert!(began.elapsed() < Duration::from_secs(60), "{}", said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the server has said on stderr so far.
    pub fn server_log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("err")).unwrap()
    }
}

impl Server {
    /// One that was started otherwise, once its home says where it listens.
    #[track_caller]
    pub fn of(mut child: Child, home: &Path) -> Self {
        let lock = home.join("server.lock");
        let mut ready = Json::Null;
        eventually("it listens or is gone", || {
            let text = std::fs::read_to_string(&lock).unwrap_or_default();
            ready = serde_json::from_str(&text).unwrap_or_default();
            ready["pid"] == child.id() || child.try_wait().unwrap().is_some()
        });
        assert_eq!(ready["pid"], child.id(), "it is gone");
        Self {
            child,
            ready_file: lock,
            out: PathBuf::new(),
            ready,
        }
    }

    /// Where a door of the ready file is.
    #[track_caller]
    pub fn address(&self, door: &str) -> SocketAddr {
        let address = self.ready[door].as_str();
        address
            .unwrap_or_else(|| panic!("no {door}: {}", self.ready))
            .parse()
            .unwrap()
    }

    /// What the server said on stdout.
    pub fn screen(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }

    /// Whether the ready file is there.
    pub fn is_ready(&self) -> bool {
        self.ready_file.exists()
    }

    /// Asks a door by plain HTTP; returns the status and the body.
    #[track_caller]
    pub fn ask(
        &self,
        door: &str,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &str,
    ) -> (u16, String) {
        self.ask_as("localhost", door, method, target, headers, body)
    }

    /// As [`Self::ask`], of a machine called `host`.
    #[track_caller]
    fn ask_as(
        &self,
        host: &str,
        door: &str,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address(door)).unwrap();
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let len = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {host}\r\n{headers}connection: close\r\ncontent-length: {len}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Asks a door for something.
    #[track_caller]
    pub fn get(&self, door: &str, target: &str) -> (u16, String) {
        self.ask(door, "GET", target, &[], "")
    }

    /// The status of an answer to a request that calls the machine `host`.
    #[cfg(unix)]
    #[track_caller]
    pub fn get_as(&self, host: &str, door: &str, target: &str) -> u16 {
        self.ask_as(host, door, "GET", target, &[], "").0
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Sends a signal; returns the exit code and how long leaving took.
    #[cfg(unix)]
    pub fn end(&mut self, signal: rustix::process::Signal) -> (Option<i32>, Duration) {
        let began = Instant::now();
        self.signal(signal);
        eventually("it ends", || self.child.try_wait().unwrap().is_some());
        let code = self.child.wait().unwrap().code();
        (code, began.elapsed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a command on a terminal, where a person looks at both of its streams;
/// what was seen is whole when the command has ended.
#[cfg(unix)]
pub fn on_terminal(mut command: Command) -> (Child, std::thread::JoinHandle<String>) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = || {
        let mut options = std::fs::File::options();
        options.read(true).write(true);
        options.open(name.to_str().unwrap()).unwrap()
    };
    command.env("TERM", "xterm").stdout(end()).stderr(end());
    let child = command.spawn().unwrap();
    // It keeps its ends open: it goes before anything is waited for.
    drop(command);
    let mut terminal = std::fs::File::from(terminal);
    let seen = std::thread::spawn(move || {
        let (mut all, mut some) = (Vec::new(), [0; 4096]);
        // Linux says EIO when the other end is closed.
        while let Ok(count @ 1..) = terminal.read(&mut some) {
            all.extend_from_slice(&some[..count]);
        }
        String::from_utf8(all).unwrap()
    });
    (child, seen)
}

/// Waits until something is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every event in a folder's live log.
pub fn events_in(folder: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

impl Said {
    /// The data, as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts how it ended and that stderr has these words.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is missing: {}",
                self.stderr
            );
        }
    }
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
