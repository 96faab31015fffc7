//! The store from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod answers;
mod apart;
mod common;
mod damage;
mod keeping;
mod kill;
mod random;
mod recent;
mod sealing;
mod sessions;
