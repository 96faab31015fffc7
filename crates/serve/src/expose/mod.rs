//! Live state in the formats that scrapers read: the third seed's JSON and
//! Prometheus' text.

pub mod json;
pub mod prometheus;
