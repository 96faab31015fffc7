//! A progress bar for what takes longer than a second, on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::context::Context;

/// Shorter work needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// Steps of the bar.
const STEPS: f64 = 1000.0;

/// A bar that shows itself only when it is needed; gone when dropped.
pub struct Progress {
    began: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub fn new(ctx: &Context) -> Self {
        Self {
            began: Instant::now(),
            wanted: ctx.look.progress && !ctx.quiet,
            bar: None,
        }
    }

    /// Says which part is done, 0 to 1.
    pub fn at(&mut self, part: f64) {
        if !self.wanted || self.began.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let template = "looking at the past {wide_bar} {percent}% {eta} left";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(STEPS as u64).with_style(style)
        });
        bar.set_position((part.clamp(0.0, 1.0) * STEPS) as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
