//! Questions asked through the front door, of homes with a hand-made log.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod backtest;
mod chance;
mod changes;
mod crowd;
mod guard;
mod home;
mod limits;
mod listing;
mod pins;
mod property;
mod queries;
mod questions;
mod sealed;
mod sql;
mod timeline;
mod trends;
