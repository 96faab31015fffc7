//! Who may come in, and how many at once.

pub mod listen;
