//! What crosses the rooms of `serve`: bytes in, events out.

mod logs;
mod spans;
