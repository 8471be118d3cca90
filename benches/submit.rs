//! The load of submissions: each caller submits answers to one session after another and waits for
//! each acknowledgement. `benches/run` or `benches/distance` has imported the sessions.
//!
//! `--rate` sets how often submissions start in all. With `--read-back`, each caller then reads the
//! session that it submitted to, and counts sessions without the submission. With `--seconds`, it
//! ends after that time, and refused callers retry. It prints one line of JSON.

mod times;

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// A server. Connections are spread over several.
    #[arg(long, required = true)]
    address: Vec<SocketAddr>,

    /// A screener and the prefix of its sessions' ids, as `SCREENER/PREFIX`. Callers are spread
    /// over several.
    #[arg(long, default_value = "scr_generated/scses_open_")]
    sessions: Vec<String>,

    /// The number of concurrent callers.
    #[arg(long)]
    callers: u64,

    /// The number of the first session.
    #[arg(long)]
    first: u64,

    /// The number of sessions of each screener, each submitted to once.
    #[arg(long)]
    count: u64,

    /// Submissions that start in a second. Without it, as many as possible.
    #[arg(long)]
    rate: Option<f64>,

    /// Reads each session after its submission was acknowledged.
    #[arg(long)]
    read_back: bool,

    /// Ends after this time.
    #[arg(long)]
    seconds: Option<f64>,

    /// The time before that, in which nothing counts.
    #[arg(long, default_value_t = 0.0)]
    warm_seconds: f64,
}

/// Callers share few connections, as behind a gateway.
const CALLERS_OF_A_CONNECTION: u64 = 8;
/// The pause of a refused caller.
const REFUSED_PAUSE: Duration = Duration::from_millis(20);

/// The state that callers share.
struct Shared {
    arguments: Arguments,
    /// The number of sessions of each screener that are taken.
    taken: Vec<AtomicU64>,
    unseen: AtomicU64,
    refused: AtomicU64,
    began: Instant,
    /// The time of each acknowledgement, and the duration of the submission.
    acknowledged: Mutex<Vec<(Instant, Duration)>>,
}

/// Returns three answers of three kinds that differ between sessions.
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

/// Submits to one session after another of those at an index of `Arguments::sessions`.
async fn submit(shared: Arc<Shared>, channel: Channel, place: usize) -> Outcome<()> {
    let mut panelist = PanelistSessionServiceClient::new(channel.clone());
    let mut sessions = ScreenerSessionServiceClient::new(channel);
    let Arguments { first, count, rate, read_back, seconds, .. } = shared.arguments;
    let (screener, prefix) =
        shared.arguments.sessions[place].split_once('/').ok_or("sessions are SCREENER/PREFIX")?;
    loop {
        let turn = shared.taken[place].fetch_add(1, Ordering::Relaxed);
        if turn >= count {
            return Ok(());
        }
        if let Some(rate) = rate {
            let place = f64::from(u32::try_from(turn)?) / rate;
            tokio::time::sleep_until(shared.began + Duration::from_secs_f64(place)).await;
        }
        let number = first + turn;
        let id = format!("{prefix}{number:09}");
        let message =
            SubmitAnswersRequest { answers: answers(number)?, ..SubmitAnswersRequest::default() };
        let began = Instant::now();
        loop {
            let mut request = Request::new(message.clone());
            let link = format!("/screeners/{screener}/{id}").parse()?;
            request.metadata_mut().insert("authorization", link);
            match panelist.submit_answers(request).await {
                Ok(_) => break,
                Err(refusal) if seconds.is_none() => return Err(refusal.into()),
                Err(refusal) => {
                    if shared.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                        eprintln!("the first refusal: {refusal}");
                    }
                    tokio::time::sleep(REFUSED_PAUSE).await;
                }
            }
        }
        let acknowledged = (Instant::now(), began.elapsed());
        shared.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(acknowledged);
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

/// Prints the acknowledged submissions in the counted time.
fn print(shared: &Shared, until: Instant) {
    let Arguments { warm_seconds, read_back, .. } = shared.arguments;
    let from = shared.began + Duration::from_secs_f64(warm_seconds);
    let acknowledged = shared.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
    let counted = acknowledged.iter().filter(|(at, _)| (from..=until).contains(at));
    let mut took: Vec<_> = counted.map(|(_, took)| *took).collect();
    let submissions = took.len();
    let reads = if read_back { submissions } else { 0 };
    let unseen = shared.unseen.load(Ordering::Relaxed);
    let refused = shared.refused.load(Ordering::Relaxed);
    println!(
        r#"{{"submissions":{submissions},"seconds":{:.4},"reads":{reads},"unseen":{unseen},"refused":{refused},{}}}"#,
        until.saturating_duration_since(from).as_secs_f64(),
        times::summary(&mut took),
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let callers = usize::try_from(arguments.callers)?;
    let mut channels = Vec::new();
    let connections = arguments.callers.div_ceil(CALLERS_OF_A_CONNECTION);
    let addresses = arguments.address.iter().cycle();
    for address in addresses.take(usize::try_from(connections)?.max(arguments.address.len())) {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        channels.push(endpoint.tcp_nodelay(true).connect().await?);
    }
    let shared = Arc::new(Shared {
        taken: arguments.sessions.iter().map(|_| AtomicU64::new(0)).collect(),
        unseen: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        began: Instant::now(),
        acknowledged: Mutex::default(),
        arguments,
    });
    let Arguments { seconds, warm_seconds, .. } = shared.arguments;
    let all = async {
        let places = (0..shared.arguments.sessions.len()).cycle();
        let callers: Vec<_> = channels
            .iter()
            .cycle()
            .zip(places)
            .take(callers)
            .map(|(channel, place)| {
                tokio::spawn(submit(Arc::clone(&shared), channel.clone(), place))
            })
            .collect();
        for caller in callers {
            caller.await??;
        }
        Outcome::Ok(())
    };
    match seconds {
        None => all.await,
        Some(seconds) => {
            let after = Duration::from_secs_f64(warm_seconds + seconds);
            // Calls in flight at the end were not acknowledged.
            tokio::time::timeout(after, all).await.unwrap_or(Ok(()))
        }
    }?;
    print(&shared, Instant::now());
    Ok(())
}
