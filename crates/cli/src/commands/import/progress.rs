//! A progress bar for what takes longer than a second, on a terminal.

use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use tachograph_model::render::width;

use crate::out::Look;

/// Shorter work needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often, in records, the clock is looked at.
const EVERY: u32 = 512;

/// A bar that shows itself only when it is needed.
pub struct Progress {
    began: Instant,
    bytes: u64,
    name: String,
    wanted: bool,
    calls: u32,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Makes the bar of one file.
    pub fn new(path: &Path, look: &Look) -> Self {
        Self {
            began: Instant::now(),
            bytes: std::fs::metadata(path).map_or(0, |meta| meta.len()),
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            wanted: look.progress,
            calls: 0,
            bar: None,
        }
    }

    /// Says how many bytes are done.
    pub fn at(&mut self, bytes: u64) {
        self.calls = self.calls.wrapping_add(1);
        if !self.wanted || !self.calls.is_multiple_of(EVERY) || self.began.elapsed() < PATIENCE {
            return;
        }
        let (total, name) = (self.bytes, &self.name);
        let bar = self.bar.get_or_insert_with(|| {
            let template = "{msg} {wide_bar} {percent}% {bytes_per_sec} {eta} left";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total)
                .with_style(style)
                .with_message(width::clean(name))
        });
        bar.set_position(bytes);
    }

    /// Takes the bar away.
    pub fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
