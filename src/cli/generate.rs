//! `generate`

use serde_json::json;

use super::Failure;
use super::output::print_summary;
use crate::app::{Location, Operator};
use crate::serve;
use crate::transfer::{self, Generated};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many sessions, each of another participant.
    #[arg(long, env = "SCREENERD_SESSIONS")]
    sessions: u64,

    /// How many answers in each session, 0 to 500.
    #[arg(long, env = "SCREENERD_RESPONSES_PER_SESSION", default_value_t = 6)]
    responses_per_session: u64,

    /// The same seed makes the same rows.
    #[arg(long, env = "SCREENERD_SEED", default_value_t = 1)]
    seed: u64,
}

pub(super) async fn run(args: Args, database: &Location, as_json: bool) -> Result<(), Failure> {
    let Args { sessions, responses_per_session, seed } = args;
    let app = serve::open_store(database).await?;
    let what = Generated { sessions, responses_per_session, seed };
    let result = transfer::generate(&app, &Operator::trusted(), what).await;
    app.close().await;
    let summary = result?;
    let (written, unchanged) = (summary.written, summary.unchanged);
    let text = format!("{written} records written, {unchanged} unchanged.");
    print_summary(&text, &json!({ "written": written, "unchanged": unchanged }), as_json)
}
