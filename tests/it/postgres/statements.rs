//! The statements and round trips of each write: a proxy in front of PostgreSQL counts them, and a
//! test compares them with `docs/scale.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use screenerd::app::{Location, Operator};
use screenerd::client as pb;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::project_service_client::ProjectServiceClient;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use screenerd::transfer;
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::answering::sessions;
use crate::screener::asking;
use crate::support::backend::{self, Backend};
use crate::support::calls::Transport;
use crate::support::panelist::{LIFE, Submit, add_life, import, public_key, submit};
use crate::support::unary::unary;
use crate::support::{SERVICE, Server, config, written};

/// A text that only the statement for the look-up of a credential has.
const CREDENTIALS: &[u8] = b"FROM credentials";

/// The first statement of a new connection, which the pool opens if no connection is idle.
const OPENED: &[u8] = b"SET lock_timeout";
/// How the BEGIN of a read ends.
const READ_ONLY: &[u8] = b"READ ONLY";

/// The messages to PostgreSQL so far.
#[derive(Default)]
struct Counts {
    statements: AtomicUsize,
    round_trips: AtomicUsize,
}

/// Counts the statements and round trips of one connection. The counts exclude preparing a named
/// statement, which happens once per connection, and opening a connection or checking it on return
/// to the pool, and the COMMIT of a read, for which no caller waits. They also exclude the look-up
/// of a credential, which is cached.
async fn count(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counts: Arc<Counts>) {
    let (mut look_ups, mut is_look_up) = (BTreeSet::new(), false);
    let mut is_read = false;
    // The first message has no type byte.
    let mut is_first = true;
    loop {
        let mut kind = 0;
        if !is_first {
            let Ok(read) = from.read_u8().await else { return };
            kind = read;
            to.write_u8(kind).await.expect("PostgreSQL reads");
        }
        is_first = false;
        let Ok(length) = from.read_u32().await else { return };
        let mut body = vec![0; usize::try_from(length).expect("it is small") - 4];
        from.read_exact(&mut body).await.expect("a whole message");
        to.write_u32(length).await.expect("PostgreSQL reads");
        to.write_all(&body).await.expect("PostgreSQL reads");
        let mut texts = body.split(|byte| *byte == 0);
        let [first, second] = [(); 2].map(|()| texts.next().unwrap_or_default());
        let statements = match kind {
            b'Q' if first.starts_with(OPENED) => continue,
            b'Q' if is_read && first == b"COMMIT" => {
                is_read = false;
                continue;
            }
            b'Q' => {
                is_read = first.ends_with(READ_ONLY);
                body.split(|byte| *byte == b';').count()
            }
            b'E' if !is_look_up => 1,
            // A statement without a name is prepared each time.
            b'P' if first.is_empty() => 0,
            // `P` has the name of a statement and its text, `B` those of a portal and a statement.
            b'P' if second.windows(CREDENTIALS.len()).any(|it| it == CREDENTIALS) => {
                look_ups.insert(first.to_vec());
                continue;
            }
            b'B' => {
                is_look_up = look_ups.contains(second);
                continue;
            }
            _ => continue,
        };
        counts.statements.fetch_add(statements, Ordering::SeqCst);
        counts.round_trips.fetch_add(1, Ordering::SeqCst);
    }
}

/// Starts a counting proxy in front of PostgreSQL. Returns its port and counts.
async fn proxy(server: &PgConnectOptions) -> (u16, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (address, counts) =
        (format!("{}:{}", server.get_host(), server.get_port()), Arc::default());
    let counted = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&address).await.expect("PostgreSQL answers");
            let (from_client, mut to_client) = client.into_split();
            let (mut from_server, to_server) = server.into_split();
            tokio::spawn(count(from_client, to_server, Arc::clone(&counted)));
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        }
    });
    (port, counts)
}

/// The rows of the table: call, statements, and round trips.
struct Counted<'a> {
    server: &'a Server,
    counts: Arc<Counts>,
    table: String,
}

impl Counted<'_> {
    fn now(&self) -> (usize, usize) {
        let Counts { statements, round_trips } = &*self.counts;
        (statements.load(Ordering::SeqCst), round_trips.load(Ordering::SeqCst))
    }

    /// Makes a call and adds its row.
    async fn row<T>(&mut self, what: &str, call: impl AsyncFnOnce(&Server) -> T) -> T {
        let before = self.now();
        let answer = call(self.server).await;
        let after = self.now();
        let (statements, round_trips) = (after.0 - before.0, after.1 - before.1);
        let _ = writeln!(self.table, "| {what} | {statements} | {round_trips} |");
        answer
    }
}

/// The marks around the table.
const MARKS: [&str; 2] = ["<!-- statements -->\n", "<!-- end of statements -->"];

fn name(text: &str) -> Value {
    json!({ "q_name": { "text": text } })
}

fn of(uid: &str) -> pb::CreateScreenerSessionRequest {
    let participant = pb::create_screener_session_request::Participant::ExternalUid(uid.into());
    pb::CreateScreenerSessionRequest { screener_id: LIFE.into(), participant: Some(participant) }
}

macro_rules! call {
    ($counted:ident, $what:literal, $client:ident.$method:ident($message:expr)) => {{
        let message = $message;
        let call = async |server: &Server| unary!(server, SERVICE, $client.$method(message));
        $counted.row($what, call).await.expect($what)
    }};
}

/// A screener with a choice that skips all other questions.
const LONG: &str = "scr_long";
const LONG_QUESTIONS: usize = 40;

async fn add_long(server: &Server) {
    let option = |id: &str, is_end: bool| json!({ "id": id, "text": id, "rule": "NEUTRAL", "goToEnd": is_end });
    let options = [option("on", false), option("end", true)];
    let go = json!({ "id": "q_go", "kind": "SINGLE_SELECT", "prompt": "Go on?", "required": true,
        "options": options });
    let texts = (0..LONG_QUESTIONS)
        .map(|number| json!({ "id": format!("q_{number}"), "kind": "TEXT", "prompt": "Why?" }));
    let pages = json!([
        { "id": "p_1", "questions": [go] },
        { "id": "p_2", "questions": texts.collect::<Vec<_>>() },
    ]);
    let lines = [
        json!({ "format": "screenerd-import", "version": 1 }),
        json!({ "type": "screener", "tenant": "acct_123", "id": LONG, "projectId": "proj_123",
            "title": "A long one", "status": "OPEN", "activePublicationId": "scpub_long",
            "allowMultipleResponses": false }),
        json!({ "type": "publication", "tenant": "acct_123", "id": "scpub_long",
            "screenerId": LONG, "pages": pages }),
    ];
    import(server, &lines).await;
}

/// Adds the rows of submissions.
async fn answers(counted: &mut Counted<'_>) -> String {
    let key = public_key(counted.server, LIFE, "counted").await;
    let mut answer = async |what: &str, message: Submit| {
        let call = async |server: &Server| submit(server, Transport::Grpc, &key, &message).await;
        counted.row(what, call).await.answer();
    };
    let years = json!({ "q_name": { "text": "Ada" }, "q_years": { "number": 3.0 },
        "q_size": { "option": "s_small" } });
    // The first submission loads the publication.
    answer("submit the first answers of a new person", Submit::some(name("Ada"))).await;
    answer("submit more answers", Submit::some(years.clone()).under("more")).await;
    answer("submit the same under one request id", Submit::some(years.clone()).under("more")).await;
    answer("submit an answer in place of another", Submit::some(name("Eve"))).await;
    answer("submit the last answers", Submit::last(years)).await;
    let key = public_key(counted.server, LONG, "counted").await;
    let mut all = json!({ "q_go": { "option": "on" } });
    for number in 0..LONG_QUESTIONS {
        all[format!("q_{number}")] = json!({ "text": "Ada" });
    }
    submit(counted.server, Transport::Grpc, &key, &Submit::some(all)).await.answer();
    let mut answer = async |what: &str, message: Submit| {
        let call = async |server: &Server| submit(server, Transport::Grpc, &key, &message).await;
        counted.row(what, call).await.answer();
    };
    let end = json!({ "q_go": { "option": "end" } });
    answer("submit an answer by which 40 others are dropped", Submit::some(end)).await;
    let dismissed = public_key(counted.server, LIFE, "dismissed").await;
    let headers = [("authorization", dismissed.as_str())];
    let dismiss = async |server: &Server| {
        server.send("POST", "/public/surveys/dismiss/", &headers).await.status
    };
    assert_eq!(counted.row("dismiss a survey", dismiss).await / 100, 2);
    let listed = sessions(counted.server).await;
    listed[0]["id"].as_str().expect("an id").to_owned()
}

async fn reviews_and_sessions(counted: &mut Counted<'_>, session: String) {
    let reject = pb::RejectSubmissionRequest {
        project_id: "proj_123".into(),
        id: session.clone(),
        message: None,
    };
    call!(counted, "reject a submission", SubmissionServiceClient.reject_submission(reject));
    call!(
        counted,
        "create a session of a new person",
        ScreenerSessionServiceClient.create_screener_session(of("new"))
    );
    call!(
        counted,
        "create a session of a known person",
        ScreenerSessionServiceClient.create_screener_session(of("new"))
    );
    let screener_id = |number: usize| [LIFE, LONG, "scr_124"][number % 3].to_owned();
    let requests = (0..20).map(|number| pb::CreateScreenerSessionRequest {
        screener_id: screener_id(number),
        ..of(&format!("new-{number}"))
    });
    let requests = requests.collect();
    call!(
        counted,
        "create 20 sessions of new persons in 3 screeners",
        ScreenerSessionServiceClient
            .batch_create_screener_sessions(pb::BatchCreateScreenerSessionsRequest { requests })
    );
    let id = session;
    call!(
        counted,
        "archive a session",
        ScreenerSessionServiceClient
            .archive_screener_session(pb::ArchiveScreenerSessionRequest { id })
    );
    let find = pb::get_participant_request::Participant::ExternalUid("counted".into());
    let find = pb::GetParticipantRequest { participant: Some(find) };
    let found = unary!(counted.server, SERVICE, ParticipantServiceClient.get_participant(find));
    let id = found.expect("it is there").participant.expect("a participant").id;
    call!(
        counted,
        "verify an identity",
        ParticipantServiceClient
            .set_id_verification(pb::SetIdVerificationRequest { id, id_verification: 3 })
    );
}

async fn authors(counted: &mut Counted<'_>) {
    let project = pb::CreateProjectRequest { name: "P".into(), ..<_>::default() };
    call!(counted, "create a project", ProjectServiceClient.create_project(project));
    let draft = || Some(asking("Why?"));
    let screener = pb::CreateScreenerRequest {
        id: Some("scr_counted".into()),
        project_id: "proj_123".into(),
        title: "T".into(),
        draft: draft(),
        ..<_>::default()
    };
    call!(
        counted,
        "create a screener with a draft",
        ScreenerServiceClient.create_screener(screener)
    );
    let update = pb::UpdateDraftRequest {
        screener_id: "scr_counted".into(),
        draft: Some(asking("Why not?")),
        expected_draft_hash: None,
    };
    call!(counted, "replace a draft", ScreenerServiceClient.update_draft(update));
    let id = || "scr_counted".to_owned();
    call!(
        counted,
        "publish a screener",
        ScreenerServiceClient
            .publish_screener(pb::PublishScreenerRequest { id: id(), expected_draft_hash: None })
    );
    call!(
        counted,
        "close a screener",
        ScreenerServiceClient.close_screener(pb::CloseScreenerRequest { id: id() })
    );
}

async fn reads(counted: &mut Counted<'_>) {
    let id = sessions(counted.server).await[0]["id"].as_str().expect("an id").to_owned();
    let submissions = "/v1/projects/proj_123/screener-responses";
    for (what, path) in [
        ("get a session", format!("/screener-sessions/{id}")),
        ("list sessions", "/screener-sessions".to_owned()),
        ("list a screener's sessions", format!("/screener-sessions?filter[screenerId][eq]={LIFE}")),
        ("list answers", "/screener-responses".to_owned()),
        ("get a submission", format!("{submissions}/{id}")),
        ("list submissions", submissions.to_owned()),
        ("get a panelist's access", format!("/tenant/surveys/{LIFE}/panelists/counted")),
    ] {
        let read = async |server: &Server| server.send("GET", &path, SERVICE).await.status;
        // The first read of its kind fills caches.
        assert_eq!(read(counted.server).await, 200, "{path}");
        assert_eq!(counted.row(what, read).await, 200, "{path}");
    }
}

/// Fails if a write adds a statement. Document its number with `UPDATE_DOCS=1`.
#[test]
fn every_write_is_as_many_statements_as_the_documentation_says_on_postgres() {
    let Some(postgres) = Backend::postgres("how many statements a write is") else { return };
    backend::run(&postgres, async |database| {
        let Location::Postgres(url) = &database.location else { unreachable!("it is PostgreSQL") };
        let options: PgConnectOptions = url.parse().expect("a URL");
        let (port, counts) = proxy(&options).await;
        let through = Location::Postgres(options.port(port).to_url_lossy().to_string());
        let server = Server::start(&config(Some(through), false)).await;
        transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
        add_life(&server, false).await;
        add_long(&server).await;
        // Fills the caches, prepares statements and opens connections before the count.
        let key = public_key(&server, LIFE, "first").await;
        submit(&server, Transport::Grpc, &key, &Submit::some(name("Ada"))).await.answer();
        let mut counted = Counted { server: &server, counts, table: String::new() };
        let session = answers(&mut counted).await;
        reviews_and_sessions(&mut counted, session).await;
        authors(&mut counted).await;
        reads(&mut counted).await;
        let table = counted.table;
        server.stop().await;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md");
        let document = std::fs::read_to_string(path).expect("the document is readable text");
        let [begin, end] = MARKS;
        let (head, rest) = document.split_once(begin).expect("the table begins somewhere");
        let (_, tail) = rest.split_once(end).expect("the table ends somewhere");
        let columns = "| call | statements | round trips |\n|---|---|---|\n";
        let expected = format!("{head}{begin}\n{columns}{table}\n{end}{tail}");
        written::compare("docs/scale.md", &expected);
    });
}
