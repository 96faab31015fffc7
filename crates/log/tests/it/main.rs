//! The log under many writers and bad luck.
#![expect(clippy::unwrap_used, reason = "tests")]

mod durable;
mod faults;
mod follow;
mod home;
mod writers;
