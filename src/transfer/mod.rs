//! Rows that are imported or exported as a file, streamed in bounded memory on top of the use
//! cases.
//!
//! An import file is NDJSON: a header line, then one record a line, each with its type and its
//! tenant. `docs/import.md` describes the format, which [`record`] implements.

pub mod demo;
pub mod export;
mod generate;
mod import;
mod number;
pub mod record;

pub use generate::{Generated, generate};
pub use import::{FORMAT_VERSION, import_lines};
pub(crate) use number::Number;
