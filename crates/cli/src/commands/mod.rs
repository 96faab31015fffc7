//! One file per command; each has `run(args, ctx)`, which prints its data and
//! says how it ended.

pub mod agents;
pub mod alerts;
pub mod ask;
pub mod changes;
pub mod compact;
pub mod completions;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod health;
pub mod import;
pub mod man;
pub mod record;
pub mod report;
pub mod run;
pub mod sql;
pub mod sql_worker;
pub mod start;
pub mod stats;
pub mod timeline;
pub mod top;
pub mod trends;
