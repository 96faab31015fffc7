//! Live state in the formats that scrapers read: the third seed's JSON and
//! Prometheus' text.

mod door;
pub mod json;
mod machine;
pub mod page;
pub mod prometheus;
