//! `copy`

use super::Failure;
use super::output::{print_table, progress_bar};
use crate::app::{self, CopyProgress, Location, Operator};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The database to copy, `sqlite://FILE` or `postgres://USER@HOST/NAME`. No server may have it
    /// open.
    #[arg(
        long,
        env = "SCREENERD_COPY_FROM",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Location::parse
    )]
    from: Location,

    /// The database to copy it into, which holds nothing; a file is made.
    #[arg(
        long,
        env = "SCREENERD_COPY_TO",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Location::parse
    )]
    to: Location,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { from, to } = args;
    let bar = progress_bar("copying", "{human_pos}/{human_len} rows");
    let progress = |CopyProgress { table, done, total }| {
        bar.set_message(table);
        bar.set_length(total);
        bar.set_position(done);
    };
    let copied = app::copy(&Operator::trusted(), &from, &to, progress).await;
    bar.finish_and_clear();
    let rows: Vec<_> = copied?
        .into_iter()
        .map(|table| {
            let digest = data_encoding::HEXLOWER.encode(&table.digest);
            vec![table.table.to_owned(), table.rows.to_string(), digest]
        })
        .collect();
    print_table(&["TABLE", "ROWS", "SHA-256"], &rows)
}
