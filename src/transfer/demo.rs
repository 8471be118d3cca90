//! The example data of `serve --demo`: an ordinary import file, embedded.

use std::io::Cursor;

use super::import_lines;
use crate::app::{App, Operator, Summary};
use crate::domain::error::Result;

/// The import file. Its keys are public, so never load it into a database in use.
pub const FILE: &str = include_str!("demo.ndjson");

/// The first tenant of the file, which identifies a database with the example data.
pub const TENANT: &str = "acct_123";

/// Loads the example data, with trusted links.
pub async fn load(app: &App, operator: &Operator) -> Result<Summary> {
    import_lines(app, operator, Cursor::new(FILE.as_bytes()), true).await
}
