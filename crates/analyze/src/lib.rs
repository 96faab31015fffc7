//! THE QUESTIONS.
#![deny(missing_docs)]

mod cells;
mod digest;
mod engine;
pub mod question;

pub use cells::Cells;
pub use engine::{Engine, EngineConfig, Rows};
