//! `version`

use clap::builder::FalseyValueParser;
use serde_json::json;

use super::{Failure, output};
use crate::transfer::FORMAT_VERSION;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON.
    #[arg(long, env = "SCREENERD_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        output::print_json(&json!({
            "version": version,
            "contract": "screener.v1",
            "importFormat": FORMAT_VERSION,
        }))
    } else {
        output::print_line(&format!("screenerd {version}"))
    }
}
