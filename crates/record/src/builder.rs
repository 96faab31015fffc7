//! A recorder's settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tachograph_model::{Salt, Sink};

use crate::core::{Core, CoreSettings};
use crate::env::Settings;
use crate::notice::{Listener, Notices};
use crate::opt_out::OptOut;
use crate::recorder::{Inner, Recorder, Shared};

/// Most samples that a tool's window may hold.
pub(crate) const MAX_WINDOW: usize = 1_000_000;

/// Settings of a [`Recorder`], made by [`Recorder::builder`].
///
/// Reads nothing from the environment: [`crate::init`] does, or
/// [`Builder::settings`] with [`Settings::from_env`].
#[must_use = "call `build` to get a recorder"]
pub struct Builder {
    enabled: bool,
    tool_metrics: bool,
    query_metrics: bool,
    sampling_rate: f64,
    window: usize,
    keep_text: bool,
    legacy_agent_hash: bool,
    salt: Option<Salt>,
    listener: Option<Listener>,
    engine: CoreSettings,
    opt_outs: Vec<OptOut>,
    notices: Vec<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            enabled: true,
            tool_metrics: true,
            query_metrics: true,
            sampling_rate: 1.0,
            window: 1_000,
            keep_text: false,
            legacy_agent_hash: false,
            salt: None,
            listener: None,
            engine: CoreSettings::default(),
            opt_outs: Vec::new(),
            notices: Vec::new(),
        }
    }
}

impl Builder {
    /// Folder of the log and of the salt; made when it is missing. Without one
    /// (the default) only the live windows are kept.
    pub fn home(mut self, home: impl AsRef<Path>) -> Self {
        self.engine.home = Some(home.as_ref().to_owned());
        self
    }

    /// Whether anything is recorded at all. Default: yes.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Whether tool calls, caches and the live windows are recorded
    /// (`PERFORMANCE_METRICS_ENABLED` of the third seed). Default: yes.
    pub fn tool_metrics(mut self, enabled: bool) -> Self {
        self.tool_metrics = enabled;
        self
    }

    /// Whether queries are recorded (`METRICS_ENABLED` of the fifth seed).
    /// Default: yes.
    pub fn query_metrics(mut self, enabled: bool) -> Self {
        self.query_metrics = enabled;
        self
    }

    /// Part of the queries that is recorded, 0..=1; decided once for a query
    /// and all that is asked within it. Default: 1. Others are brought into
    /// the range, NaN becomes 1.
    pub fn sampling_rate(mut self, rate: f64) -> Self {
        self.sampling_rate = if rate.is_nan() {
            1.0
        } else {
            rate.clamp(0.0, 1.0)
        };
        self
    }

    /// Latencies kept for each tool's live percentiles, 1..=1,000,000; 8 bytes
    /// each. Default: 1000.
    pub fn window(mut self, samples: usize) -> Self {
        self.window = samples.clamp(1, MAX_WINDOW);
        self
    }

    /// Whether error messages and the text of queries are kept. Default: no.
    pub fn keep_text(mut self, keep: bool) -> Self {
        self.keep_text = keep;
        self
    }

    /// Whether agents are hashed as the first seed does: eight digits of the
    /// plain SHA-256, which whoever has the list of names can undo. Only for
    /// logs that must fit old ones. Default: no.
    pub fn legacy_agent_hash(mut self, legacy: bool) -> Self {
        self.legacy_agent_hash = legacy;
        self
    }

    /// Hashes with this salt instead of the home's own.
    pub fn salt(mut self, salt: Salt) -> Self {
        self.salt = Some(salt);
        self
    }

    /// Gives the events to `sink`, on the drain thread, instead of the log.
    pub fn sink(mut self, sink: Arc<dyn Sink>) -> Self {
        self.engine.sink = Some(sink);
        self
    }

    /// Folder of the rings; default: the user's runtime folder or `/dev/shm`.
    pub fn ring_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.engine.ring_dir = Some(folder.as_ref().to_owned());
        self
    }

    /// Bytes of each thread's ring, rounded up to a power of two. Default:
    /// 256 KiB, some thousands of events between two looks of the drain.
    pub fn ring_bytes(mut self, bytes: usize) -> Self {
        self.engine.ring_bytes = bytes;
        self
    }

    /// Most rings; threads beyond that share. Default: 64.
    pub fn max_rings(mut self, rings: usize) -> Self {
        self.engine.max_rings = rings;
        self
    }

    /// Most distinct names; further ones become `_other`, counted as lost for
    /// reason `cardinality`. Default: 4096.
    pub fn max_names(mut self, names: usize) -> Self {
        self.engine.max_names = names;
        self
    }

    /// How often the drain looks for events. Default: 20 ms.
    pub fn drain_interval(mut self, interval: Duration) -> Self {
        self.engine.drain_interval = interval;
        self
    }

    /// Size at which the log is rotated. Default: 10 MiB.
    pub fn rotate_bytes(mut self, bytes: u64) -> Self {
        self.engine.rotate_bytes = bytes;
        self
    }

    /// Told each thing that degrades recording, once; default: the first such
    /// thing in the life of the process is one line on standard error.
    pub fn on_notice(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(tell));
        self
    }

    /// Takes over settled values, such as those of [`Settings::from_env`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.enabled = settings.enabled;
        self.tool_metrics = settings.tool_metrics;
        self.query_metrics = settings.query_metrics;
        self.engine.home = settings.home;
        self.opt_outs = settings.opt_outs;
        self.notices.extend(settings.notices);
        self.sampling_rate(settings.sampling_rate)
            .window(settings.window)
    }

    /// Makes the recorder. Never fails: what cannot be had is done without,
    /// and said. Cost: milliseconds (folders, files, a thread).
    pub fn build(self) -> Recorder {
        let notices = Notices::to(self.listener);
        for notice in &self.notices {
            notices.tell(notice);
        }
        let opt_outs = Some(self.opt_outs.into()).filter(|outs: &Arc<[_]>| !outs.is_empty());
        if !self.enabled {
            return Recorder {
                inner: None,
                opt_outs,
            };
        }
        let settings = Shared {
            home: self.engine.home.clone(),
            tool_metrics: self.tool_metrics,
            query_metrics: self.query_metrics,
            sampling_rate: self.sampling_rate,
            keep_text: self.keep_text,
            legacy_agent_hash: self.legacy_agent_hash,
        };
        let told = notices.clone();
        let core = Core::open(CoreSettings {
            on_notice: Arc::new(move |text: &str| told.tell(text)),
            ..self.engine
        });
        Recorder {
            inner: Some(Inner::new(core, settings, self.window, self.salt, notices)),
            opt_outs,
        }
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let home: &Option<PathBuf> = &self.engine.home;
        f.debug_struct("Builder")
            .field("home", home)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}
