//! Rows that come from elsewhere or leave as a file, streamed in bounded memory on top of the use
//! cases.
//!
//! An import file is NDJSON: a header line, then one record a line, each naming its type and its
//! tenant. `docs/import.md` describes the format; [`record`] is the format.

pub mod demo;
pub mod export;
mod generate;
mod import;
mod number;
pub mod record;

pub use generate::{Generated, generate};
pub use import::{FORMAT_VERSION, import_lines};
pub(crate) use number::Number;
