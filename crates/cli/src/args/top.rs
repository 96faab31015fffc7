//! `tacho top`, as it was typed.

use clap::{Args, ValueEnum};

/// `tacho top`
#[derive(Args, Debug, Default)]
#[command(
    after_help = "It follows the home's log: what any process records shows up, whether a server \
    runs or not. It reads only. How alerts stand it asks the server that runs on the home, if one \
    does, and reads where the last one left it otherwise.\n\n\
    Keys: arrows or hjkl move, Tab or 1-6 another table, s sort by the next column, r reverse, \
    / filter by name, w window, Enter all about one, Esc back, p pause, ? help, q quit.\n\n\
    Examples:\n  \
    tacho top\n  \
    tacho top --tab models --window 1h\n  \
    tacho top --once --format json"
)]
pub struct Top {
    /// Print what is there now, once, and end: for pipes
    #[arg(long)]
    pub once: bool,
    /// The table to begin with; with --once, the only one
    #[arg(long, value_name = "TABLE", value_enum)]
    pub tab: Option<Tab>,
    /// How far back the figures reach
    #[arg(long, value_name = "LENGTH", value_enum, default_value_t)]
    pub window: Window,
}

/// A table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Tab {
    /// Tool calls
    #[default]
    Tools,
    /// Model calls, their tokens and cost
    Models,
    /// Agents at work
    Agents,
    /// Cache look-ups
    Caches,
    /// Measurements
    Metrics,
    /// Alerts and the rules they are of
    Alerts,
}

/// A window that ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Window {
    /// One minute
    #[value(name = "1m", alias = "60")]
    Minute,
    /// Five minutes
    #[default]
    #[value(name = "5m", alias = "300")]
    FiveMinutes,
    /// A quarter of an hour
    #[value(name = "15m", alias = "900")]
    Quarter,
    /// One hour
    #[value(name = "1h", alias = "3600")]
    Hour,
}
