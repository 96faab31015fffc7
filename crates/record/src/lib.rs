//! The recorder (the public half is being written).
mod core;
pub use crate::core::{RecoverReport, recover_orphans};
