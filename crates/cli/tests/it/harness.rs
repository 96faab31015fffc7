//! A desk of one's own: fresh folders, and the binary with a clean
//! environment.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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
        let mut command = Command::new(env!("CARGO_BIN_EXE_tacho"));
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
