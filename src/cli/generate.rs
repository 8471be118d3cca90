//! `generate`

use serde_json::json;

use super::failure::Failure;
use super::output::{self, print_summary};
use crate::app::{Location, Operator};
use crate::domain::publication::QUESTIONS_MAX;
use crate::serve;
use crate::transfer::{self, Generated};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many sessions to create, each with its own participant.
    #[arg(long, env = "SCREENERD_SESSIONS", value_parser = output::count)]
    sessions: u64,

    /// How many answers each session has, 0 to 500.
    #[arg(
        long,
        env = "SCREENERD_RESPONSES_PER_SESSION",
        default_value_t = 6,
        value_parser = responses
    )]
    responses_per_session: u64,

    /// The seed. The same seed creates the same rows.
    #[arg(long, env = "SCREENERD_SEED", default_value_t = 1, value_parser = output::count)]
    seed: u64,
}

/// Parses the number of answers of a session.
fn responses(text: &str) -> Result<u64, String> {
    let most = QUESTIONS_MAX as u64;
    let number = output::count(text).ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("Must be a whole number from 0 to {most}."))
}

pub(super) async fn run(args: Args, database: &Location, as_json: bool) -> Result<(), Failure> {
    let Args { sessions, responses_per_session, seed } = args;
    let cannot = format!("cannot use {}", database.name());
    let failed = |error| Failure::of(&error, &[], &cannot);
    let app = serve::open_store(database).await.map_err(failed)?;
    let what = Generated { sessions, responses_per_session, seed };
    let result = transfer::generate(&app, &Operator::trusted(), what).await;
    app.close().await;
    let summary = result.map_err(failed)?;
    let (written, unchanged) = (summary.written, summary.unchanged);
    let text = format!("{written} records written, {unchanged} unchanged.");
    print_summary(&text, &json!({ "written": written, "unchanged": unchanged }), as_json)
}
