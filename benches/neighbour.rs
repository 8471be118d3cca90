//! A second caller next to a load. It makes the same calls again and again, with a pause between
//! them, and measures how long each takes.
//!
//! `benches/distance` starts it. It prints one line of JSON: the numbers of calls and refusals of
//! each kind, and the times, which include refused calls.

mod times;

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use screenerd::client::project_service_client::ProjectServiceClient;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::{
    CloseScreenerRequest, GetPublicationRequest, IdFilter, ListProjectsRequest,
    ListScreenerSessionsRequest, Pagination, PublishScreenerRequest, Questionnaire,
    ReopenScreenerRequest, ScreenerSessionFilter, UpdateDraftRequest, UpdateScreenerRequest,
};
use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Copy, ValueEnum)]
enum Calls {
    /// A page of 25 sessions of the screener.
    Page,
    /// The list of projects.
    Projects,
    /// The screener is changed, published, closed and reopened.
    Author,
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    address: SocketAddr,

    /// The calls to make.
    #[arg(long)]
    calls: Calls,

    /// A service token of the tenant.
    #[arg(long)]
    token: String,

    #[arg(long)]
    screener: String,

    /// The screener's publication.
    #[arg(long)]
    publication: String,

    #[arg(long)]
    seconds: f64,

    /// The time before that, in which nothing counts.
    #[arg(long, default_value_t = 0.0)]
    warm_seconds: f64,

    /// The pause after each call.
    #[arg(long, default_value_t = 20)]
    pause_millis: u64,
}

const PAGE_ROWS: i32 = 25;

/// The results of one kind of call.
#[derive(Default)]
struct Seen {
    refused: u64,
    took: Vec<Duration>,
}

struct Neighbour {
    arguments: Arguments,
    channel: Channel,
    authorization: MetadataValue<Ascii>,
    counts_from: Instant,
    seen: BTreeMap<&'static str, Seen>,
    /// The call in flight, and its start.
    pending: Option<(&'static str, Instant)>,
}

impl Neighbour {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }

    /// Counts the call in flight with its time so far, if calls count by now.
    fn count_pending(&mut self) -> Option<&mut Seen> {
        let (kind, began) = self.pending.take()?;
        (Instant::now() >= self.counts_from).then(|| {
            let seen = self.seen.entry(kind).or_default();
            seen.took.push(began.elapsed());
            seen
        })
    }

    /// Waits for a call, records it, and pauses.
    async fn record<T>(
        &mut self,
        kind: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) {
        self.pending = Some((kind, Instant::now()));
        let answer = call.await;
        if let Some(seen) = self.count_pending()
            && let Err(refusal) = answer
        {
            if seen.refused == 0 {
                eprintln!("the first refusal of {kind}: {refusal}");
            }
            seen.refused += 1;
        }
        tokio::time::sleep(Duration::from_millis(self.arguments.pause_millis)).await;
    }

    async fn page(&mut self) {
        let screener_id =
            IdFilter { eq: Some(self.arguments.screener.clone()), ..IdFilter::default() };
        let filter = ScreenerSessionFilter { screener_id: Some(screener_id), id: None };
        let pagination = Pagination { limit: Some(PAGE_ROWS), offset: Some(0) };
        let message =
            ListScreenerSessionsRequest { filter: Some(filter), pagination: Some(pagination) };
        let request = self.request(message);
        let mut client = ScreenerSessionServiceClient::new(self.channel.clone());
        self.record("page", client.list_screener_sessions(request)).await;
    }

    async fn projects(&mut self) {
        let request = self.request(ListProjectsRequest { pagination: None });
        let mut client = ProjectServiceClient::new(self.channel.clone());
        self.record("projects", client.list_projects(request)).await;
    }

    /// Returns the questionnaire of the screener.
    async fn questionnaire(&self) -> Outcome<Questionnaire> {
        let id = self.arguments.publication.clone();
        let mut client = ScreenerServiceClient::new(self.channel.clone());
        let answer = client.get_publication(self.request(GetPublicationRequest { id })).await?;
        let publication = answer.into_inner().publication.ok_or("there is no publication")?;
        Ok(publication.questionnaire.ok_or("there is no questionnaire")?)
    }

    /// Performs one turn of an author. Each turn makes different changes.
    async fn author(&mut self, turn: usize, mut questionnaire: Questionnaire) {
        let mut client = ScreenerServiceClient::new(self.channel.clone());
        let id = self.arguments.screener.clone();
        let title = Some(format!("Title {turn}"));
        let message = UpdateScreenerRequest { id: id.clone(), title, ..Default::default() };
        let request = self.request(message);
        self.record("update", client.update_screener(request)).await;

        for question in questionnaire.pages.iter_mut().flat_map(|page| &mut page.questions) {
            question.prompt = Some(format!("Question {turn}?"));
        }
        let draft = Some(questionnaire);
        let message = UpdateDraftRequest { screener_id: id.clone(), draft, ..Default::default() };
        let request = self.request(message);
        self.record("draft", client.update_draft(request)).await;
        let message = PublishScreenerRequest { id: id.clone(), ..Default::default() };
        let request = self.request(message);
        self.record("publish", client.publish_screener(request)).await;

        let request = self.request(CloseScreenerRequest { id: id.clone() });
        self.record("close", client.close_screener(request)).await;
        let request = self.request(ReopenScreenerRequest { id });
        self.record("reopen", client.reopen_screener(request)).await;
    }

    async fn run(&mut self) -> Outcome<()> {
        let questionnaire = match self.arguments.calls {
            Calls::Author => Some(self.questionnaire().await?),
            Calls::Page | Calls::Projects => None,
        };
        for turn in 0.. {
            match (self.arguments.calls, &questionnaire) {
                (Calls::Page, _) => self.page().await,
                (Calls::Projects, _) => self.projects().await,
                (Calls::Author, it) => self.author(turn, it.clone().unwrap_or_default()).await,
            }
        }
        Ok(())
    }

    fn print(&mut self) {
        // A call that is still in flight took at least as long.
        self.count_pending();
        let kinds: Vec<String> = self
            .seen
            .iter_mut()
            .map(|(kind, Seen { refused, took })| {
                let (calls, times) = (took.len(), times::summary(took));
                format!(r#""{kind}":{{"calls":{calls},"refused":{refused},{times}}}"#)
            })
            .collect();
        println!("{{{}}}", kinds.join(","));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let endpoint = Endpoint::from_shared(format!("http://{}", arguments.address))?;
    let counts_from = Instant::now() + Duration::from_secs_f64(arguments.warm_seconds);
    let until = counts_from + Duration::from_secs_f64(arguments.seconds);
    let mut neighbour = Neighbour {
        channel: endpoint.tcp_nodelay(true).connect().await?,
        authorization: format!("Bearer {}", arguments.token).parse()?,
        counts_from,
        seen: BTreeMap::new(),
        pending: None,
        arguments,
    };
    tokio::time::timeout_at(until, neighbour.run()).await.unwrap_or(Ok(()))?;
    neighbour.print();
    Ok(())
}
