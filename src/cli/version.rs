//! `version`

use serde_json::json;

use super::failure::Failure;
use super::output;
use crate::transfer::FORMAT_VERSION;

pub(super) fn run(as_json: bool) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if as_json {
        output::print_json(&json!({
            "version": version,
            "contract": "screener.v1",
            "importFormat": FORMAT_VERSION,
        }))
    } else {
        output::print_line(&format!("screenerd {version}"))
    }
}
