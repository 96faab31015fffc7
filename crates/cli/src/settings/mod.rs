//! Settings: defaults < `config.yaml` < `.env` < environment < flags.
//!
//! ```text
//! table.rs    what a setting is
//! list.rs     every setting: key, variables, range, default; list/serving.rs: the server's
//! sources.rs  reads config.yaml and .env as they lie
//! resolve.rs  settles one value per setting, and remembers where from
//! ```

mod list;
mod resolve;
mod sources;
mod table;

pub use list::SETTINGS;
pub use resolve::{Settings, Settled, Source};
pub use sources::{Inputs, read, read_dotenv};
pub use table::{Key, Kind};

#[cfg(test)]
mod tests;
