//! `copy`

use serde_json::{Value, json};

use super::admin;
use super::failure::Failure;
use super::output::{Rows, print_rows, progress_bar};
use crate::app::{self, CopyProgress, Location, Operator, TableDigest};
use crate::config::Secret;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The database to copy, `sqlite://FILE` or `postgres://USER@HOST/NAME`. Stop its servers first.
    #[arg(
        long,
        env = "SCREENERD_COPY_FROM",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Secret(Location::parse)
    )]
    from: Location,

    /// The empty database to copy into. A SQLite file is created.
    #[arg(
        long,
        env = "SCREENERD_COPY_TO",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Secret(Location::parse)
    )]
    to: Location,
}

/// The flags of fields in refusals.
const FIELDS: &[(&str, &str)] = &[("from", "--from"), ("to", "--to")];

pub(super) async fn run(args: Args, as_json: bool) -> Result<(), Failure> {
    let Args { from, to } = args;
    admin::must_exist(&from)?;
    let bar = progress_bar("copying", "{human_pos}/{human_len} rows");
    let progress = |CopyProgress { table, done, total }| {
        bar.set_message(table);
        bar.set_length(total);
        bar.set_position(done);
    };
    let copied = app::copy(&Operator::trusted(), &from, &to, progress).await;
    bar.finish_and_clear();
    let cannot = format!("cannot copy {} to {}", from.name(), to.name());
    let row = |table: TableDigest| -> Value {
        let digest = data_encoding::HEXLOWER.encode(&table.digest);
        json!({ "table": table.table, "rows": table.rows, "sha256": digest })
    };
    let copied = copied.map_err(|error| Failure::of(&error, FIELDS, &cannot))?;
    let rows = Rows::Many(copied.into_iter().map(row).collect());
    print_rows(rows, &[("TABLE", "table"), ("ROWS", "rows"), ("SHA-256", "sha256")], as_json)
}
