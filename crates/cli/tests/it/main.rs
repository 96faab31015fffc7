//! The real binary, driven from outside: each test has a user's home, a
//! recordings' home and a current folder of its own.
//!
//! Read `follow_one_event.rs` first: it is the guided tour.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test that cannot go on fails; nobody depends on a test"
)]

mod agents;
mod alerts;
mod alerts_edges;
mod config;
mod conformance;
mod conformance_defects;
mod conformance_queries;
mod demo;
mod demo_page;
mod docs;
mod first_screen;
mod follow_one_event;
mod harness;
mod hostile;
mod import;
mod import_kill;
mod manners;
mod output;
mod record;
mod round_trip;
mod run;
mod start;
mod top;
