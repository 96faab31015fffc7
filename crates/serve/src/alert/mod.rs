//! Alerts: what is too much right now.

mod figures;

pub use figures::figures;
