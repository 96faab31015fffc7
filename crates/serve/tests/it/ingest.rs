//! OTLP over HTTP: whatever comes, what is answered 200 is stored, once, and
//! what is not is not.

mod disk;
mod forms;
mod odd;
mod once;

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value as Json;

use crate::common::{Door, Reply, post};

const PROTOBUF: &[u8] = include_bytes!("data/openinference.pb");
const AS_PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const AS_JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).expect("written");
    to.finish().expect("finished")
}

fn send(door: &Door, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    post(door.addresses().otlp_http, path, headers, body)
}

/// How often each span is stored, by its id.
fn times(events: &[Json]) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for event in events {
        let span = event["span_id"].as_str().expect("a span");
        *times.entry(span.to_owned()).or_default() += 1;
    }
    times
}
