//! The release binary and the homes it is measured on, under `target/bench-data`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::generate::{self, Load};
use super::process::Run;
use crate::workspace::{cargo, output, root, target_dir};

const SEED: u64 = 1;

pub(crate) struct Lab {
    tacho: PathBuf,
    data: PathBuf,
    steady: Duration,
}

/// What a home is filled with.
struct Recorded {
    name: String,
    load: Load,
    events: u64,
    days: u32,
}

impl Recorded {
    fn library(events: u64) -> Self {
        Self {
            name: events.to_string(),
            load: Load::Library,
            events,
            days: 7,
        }
    }

    fn sessions(events: u64) -> Self {
        Self {
            name: format!("sessions-{events}"),
            load: Load::Sessions,
            events,
            days: 30,
        }
    }
}

impl Lab {
    /// Builds `tacho` in release and opens the folder of test homes; steady load
    /// lasts so long.
    pub(crate) fn open(steady: Duration) -> Result<Self> {
        let mut build = cargo();
        build.args(["build", "--release", "--package", "tachograph-cli"]);
        if !build.status()?.success() {
            bail!("the release build of tacho failed");
        }
        let name = format!("tacho{}", std::env::consts::EXE_SUFFIX);
        let tacho = target_dir().join("release").join(name);
        Self::at(tacho, target_dir().join("bench-data"), steady)
    }

    fn at(tacho: PathBuf, data: PathBuf, steady: Duration) -> Result<Self> {
        fs::create_dir_all(&data)?;
        Ok(Self {
            tacho,
            data,
            steady,
        })
    }

    /// How long steady load lasts.
    pub(crate) fn steady(&self) -> Duration {
        self.steady
    }

    /// The binary.
    pub(crate) fn tacho(&self) -> &Path {
        &self.tacho
    }

    /// As [`Self::run`] once, by the system's clock.
    pub(crate) fn run_now(&self, home: &Path, args: &[&str]) -> Result<()> {
        let mut run = self.run(home, args, "");
        run.args.drain(2..4);
        run.once().map(|_| ())
    }

    /// `tacho --home HOME ARGS…`, its clock at the newest generated event.
    pub(crate) fn run<'a>(&'a self, home: &Path, args: &[&str], stdin: &'a str) -> Run<'a> {
        let home = home.display().to_string();
        let start = ["--home", &home, "--as-of", generate::ANCHOR];
        Run {
            program: self.tacho.as_os_str(),
            args: start
                .iter()
                .chain(args)
                .map(|arg| (*arg).to_owned())
                .collect(),
            stdin,
            env: &[],
            folder: &self.data,
        }
    }

    /// A home with nothing in it.
    pub(crate) fn empty(&self) -> Result<PathBuf> {
        self.folder("empty")
    }

    /// A folder with nothing in it.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.data.join(name);
        clear(&folder)?;
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A fresh copy of a raw home, for what changes it.
    pub(crate) fn copy(&self, events: u64) -> Result<PathBuf> {
        self.copy_of(&Recorded::library(events))
    }

    /// A sealed home of a library, made anew once per build of `tacho`.
    pub(crate) fn sealed(&self, events: u64) -> Result<PathBuf> {
        self.sealed_of(&Recorded::library(events))
    }

    /// A sealed home of a month of sessions, made anew once per build of `tacho`.
    pub(crate) fn sessions(&self, events: u64) -> Result<PathBuf> {
        self.sealed_of(&Recorded::sessions(events))
    }

    /// A home with a raw log, generated once.
    fn raw_of(&self, recorded: &Recorded) -> Result<PathBuf> {
        let Recorded {
            load, events, days, ..
        } = *recorded;
        let home = self.data.join(format!("raw-{}", recorded.name));
        // The marker says that the log was written to its end.
        let marker = self.data.join(format!("raw-{}.done", recorded.name));
        if !marker.is_file() {
            println!("generating {events} events");
            clear(&home)?;
            generate::log(&home, load, events, days, SEED)?;
            fs::write(&marker, "")?;
        }
        Ok(home)
    }

    fn copy_of(&self, recorded: &Recorded) -> Result<PathBuf> {
        let raw = self.raw_of(recorded)?;
        let copy = self.data.join("copy");
        clear(&copy)?;
        fs::create_dir_all(&copy)?;
        for entry in fs::read_dir(&raw)? {
            let entry = entry?;
            fs::copy(entry.path(), copy.join(entry.file_name()))?;
        }
        Ok(copy)
    }

    fn sealed_of(&self, recorded: &Recorded) -> Result<PathBuf> {
        let home = self.data.join(format!("sealed-{}", recorded.name));
        let marker = self.data.join(format!("sealed-{}.done", recorded.name));
        let stamp = format!("{:?}", fs::metadata(&self.tacho)?.modified()?);
        if fs::read_to_string(&marker).unwrap_or_default() != stamp {
            println!("sealing {} events", recorded.events);
            clear(&home)?;
            let copy = self.copy_of(recorded)?;
            self.run(&copy, &["compact"], "").once()?;
            fs::rename(&copy, &home)?;
            fs::write(&marker, stamp)?;
        }
        Ok(home)
    }

    /// DuckDB's exact quantiles by kind and name over a sealed home: seconds of the
    /// query alone, median of five, and DuckDB's version.
    pub(crate) fn duckdb(&self, home: &Path) -> Result<(f64, String)> {
        let python = crate::python::referee()?;
        let script = root().join("xtask/assets/duckdb_twin.py");
        let text = output(std::process::Command::new(python).arg(script).arg(home))?;
        let value: serde_json::Value = serde_json::from_str(&text)?;
        let seconds = value["seconds"].as_f64().context("no seconds")?;
        Ok((seconds, value["version"].as_str().unwrap_or("?").to_owned()))
    }
}

/// Bytes of the files below a folder whose names end so.
pub(crate) fn bytes(folder: &Path, end: &str) -> Result<u64> {
    let mut total = 0;
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let entry = entry?;
        let path = entry.path();
        if path.is_dir() {
            total += bytes(&path, end)?;
        } else if path.to_string_lossy().ends_with(end) {
            total += entry.metadata()?.len();
        }
    }
    Ok(total)
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot clear {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{Duration, Lab, Recorded, bytes};

    /// Stands in for `tacho`: seals by renaming, fails at anything else.
    const STAND_IN: &str = "#!/bin/sh\n[ $5 = compact ] || { echo cannot $5 >&2; exit 2; }\n\
        mkdir $2/segments && mv $2/events.jsonl $2/segments/a.parquet\n";

    #[test]
    fn homes_are_made_sealed_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let tacho = folder.path().join("tacho");
        fs::write(&tacho, STAND_IN).unwrap();
        fs::set_permissions(&tacho, fs::Permissions::from_mode(0o755)).unwrap();
        let lab = Lab::at(tacho, folder.path().join("data"), Duration::ZERO).unwrap();

        let sealed = lab.sealed(500).unwrap();
        let raw = lab.raw_of(&Recorded::library(500)).unwrap();
        let size = bytes(&raw, ".jsonl").unwrap();
        assert!(size > 500 * 100, "the raw home is left as it was");
        assert_eq!(bytes(&sealed, ".parquet").unwrap(), size);

        fs::write(sealed.join("kept"), "").unwrap();
        assert!(
            lab.sealed(500).unwrap().join("kept").is_file(),
            "made once per build"
        );

        let empty = lab.empty().unwrap();
        let error = lab
            .run(&empty, &["report"], "")
            .once()
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("exit status: 2: cannot report"), "{error}");
    }
}
