//! What crosses the rooms of `serve`: bytes in, events out.

mod alerts;
mod api;
mod collect;
mod common;
mod expose;
mod formats;
mod grpc;
mod guard;
mod ingest;
mod live;
mod logs;
mod notify;
mod otlp;
mod page;
mod privacy;
mod rules;
mod spans;
