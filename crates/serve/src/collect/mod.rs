//! The machine's own metrics.
