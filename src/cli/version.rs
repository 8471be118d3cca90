//! `version`

use serde_json::json;

use super::{Failure, output};
use crate::transfer::FORMAT_VERSION;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    printed: output::Printed,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if args.printed.as_json {
        output::print_json(&json!({
            "version": version,
            "contract": "screener.v1",
            "importFormat": FORMAT_VERSION,
        }))
    } else {
        output::print_line(&format!("screenerd {version}"))
    }
}
