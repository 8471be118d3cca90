//! The load of submissions: each caller submits answers to one session after another, which
//! `benches/run` has imported, and waits for each to be acknowledged.
//!
//! With a rate, submissions begin that often in all. With `--read-back`, each caller then reads the
//! session that it submitted to and counts those that do not show it. It prints one line of JSON.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use screenerd::client::answer_value::Value;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::{
    AnswerValue, ChosenOption, GetScreenerSessionRequest, ScreenerSessionState,
    SubmitAnswersRequest,
};
use tokio::time::Instant;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Parser)]
struct Arguments {
    #[arg(long)]
    address: SocketAddr,

    /// How many wait for an answer at the same time.
    #[arg(long)]
    callers: u64,

    /// The number of the first session.
    #[arg(long)]
    first: u64,

    /// How many sessions, each submitted to once.
    #[arg(long)]
    count: u64,

    /// Submissions that begin in a second; without it, as many as can.
    #[arg(long)]
    rate: Option<f64>,

    /// Reads each session after its submission was acknowledged.
    #[arg(long)]
    read_back: bool,
}

/// Calls share few connections, as those of a gateway do.
const CALLERS_OF_A_CONNECTION: u64 = 8;

/// What callers share.
struct Shared {
    arguments: Arguments,
    taken: AtomicU64,
    unseen: AtomicU64,
    began: Instant,
}

fn session(number: u64) -> String {
    format!("scses_open_{number:09}")
}

/// Three answers, of three kinds, that differ from session to session.
fn answers(number: u64) -> Outcome<HashMap<String, AnswerValue>> {
    let option_id = format!("sco_{}", number % 4);
    let given = [
        Value::Text(format!("Answer number {number:016x}")),
        Value::Number(f64::from(u32::try_from(number % 10_000)?)),
        Value::Option(ChosenOption { option_id, write_in: None }),
    ];
    let of = |(place, value)| (format!("scq_{place:03}"), AnswerValue { value: Some(value) });
    Ok(given.into_iter().enumerate().map(of).collect())
}

/// Submits to one session after another; says how long each took.
async fn submit(shared: Arc<Shared>, channel: Channel) -> Outcome<Vec<Duration>> {
    let mut panelist = PanelistSessionServiceClient::new(channel.clone());
    let mut sessions = ScreenerSessionServiceClient::new(channel);
    let Arguments { first, count, rate, read_back, .. } = shared.arguments;
    let mut took = Vec::new();
    loop {
        let turn = shared.taken.fetch_add(1, Ordering::Relaxed);
        if turn >= count {
            return Ok(took);
        }
        if let Some(rate) = rate {
            let place = f64::from(u32::try_from(turn)?) / rate;
            tokio::time::sleep_until(shared.began + Duration::from_secs_f64(place)).await;
        }
        let number = first + turn;
        let id = session(number);
        let message =
            SubmitAnswersRequest { answers: answers(number)?, ..SubmitAnswersRequest::default() };
        let mut request = Request::new(message);
        let link = format!("/screeners/scr_generated/{id}").parse()?;
        request.metadata_mut().insert("authorization", link);
        let began = Instant::now();
        panelist.submit_answers(request).await?;
        took.push(began.elapsed());
        if read_back {
            let mut request = Request::new(GetScreenerSessionRequest { id });
            request.metadata_mut().insert("authorization", "Bearer sdk_generated".parse()?);
            let session = sessions.get_screener_session(request).await?.into_inner();
            let state = session.screener_session.unwrap_or_default().state();
            if state != ScreenerSessionState::InProgress {
                shared.unseen.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The time that so many hundredths of the calls do not exceed, in milliseconds.
fn percentile(sorted: &[Duration], hundredths: usize) -> f64 {
    let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, |it| it.as_secs_f64() * 1000.0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let mut channels = Vec::new();
    for _ in 0..arguments.callers.div_ceil(CALLERS_OF_A_CONNECTION) {
        let endpoint = Endpoint::from_shared(format!("http://{}", arguments.address))?;
        channels.push(endpoint.tcp_nodelay(true).connect().await?);
    }
    let (count, read_back) = (arguments.count, arguments.read_back);
    let shared = Arc::new(Shared {
        taken: AtomicU64::new(0),
        unseen: AtomicU64::new(0),
        began: Instant::now(),
        arguments,
    });
    let callers: Vec<_> = channels
        .iter()
        .cycle()
        .take(usize::try_from(shared.arguments.callers)?)
        .map(|channel| tokio::spawn(submit(Arc::clone(&shared), channel.clone())))
        .collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await??);
    }
    let seconds = shared.began.elapsed().as_secs_f64();
    took.sort_unstable();
    let unseen = shared.unseen.load(Ordering::Relaxed);
    let reads = if read_back { count } else { 0 };
    println!(
        r#"{{"submissions":{count},"seconds":{seconds:.4},"reads":{reads},"unseen":{unseen},"median_ms":{:.3},"p99_ms":{:.3}}}"#,
        percentile(&took, 50),
        percentile(&took, 99),
    );
    Ok(())
}
