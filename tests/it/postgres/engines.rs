//! One long random sequence of calls on a SQLite file and on PostgreSQL: responses, refusals and
//! pages are equal, byte for byte.
//!
//! Both servers have the same clock and the same random numbers, so that even ids, slugs and keys
//! are equal.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use screenerd::app::{Environment, Location, Operator};
use screenerd::client as pb;
use screenerd::client::funnel_service_client::FunnelServiceClient;
use screenerd::client::history_service_client::HistoryServiceClient;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use screenerd::domain::review::Verb;
use screenerd::transfer;
use serde_json::{Value, json};

use crate::support::backend::{self, Backend};
use crate::support::calls::{Call, Ids, Transport, make};
use crate::support::panelist::{LIFE, Submit, add_life, public_key, submit};
use crate::support::unary::unary;
use crate::support::{Clock, SERVICE, Server, config};

/// Calls to compare. Together they take some seconds.
const STEPS: usize = 2_000;
const PANELISTS: u64 = 12;

/// `SplitMix64`: the same numbers for the same seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("it is below a usize")
    }

    fn small(&mut self, bound: u64) -> i32 {
        i32::try_from(self.below(bound)).expect("it is small")
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }
}

/// A call with all its random arguments.
#[derive(Clone, Debug)]
enum Step {
    Submit(Transport, String, Submit),
    Make(Transport, Call),
    Create(String),
    Archive(String),
    Restore(String),
    Close,
    Reopen,
    Verify(String, i32),
    Look(Look),
}

/// A call without side effects.
#[derive(Clone, Debug)]
enum Look {
    Submissions { page: (i32, i32), statuses: Vec<i32>, qualified: Option<bool> },
    Explain(String),
    Funnel,
    Changes { page: (i32, i32), subject: Option<String> },
    Participants { page: (i32, i32) },
}

/// The source of random calls, and the session ids read so far, which are equal on both servers.
struct Draw {
    numbers: Numbers,
    sessions: Vec<String>,
}

impl Draw {
    fn panelist(&mut self) -> String {
        format!("crm-{}", self.numbers.below(PANELISTS))
    }

    fn session(&mut self) -> String {
        if self.sessions.is_empty() || self.numbers.one_in(30) {
            return "scses_nobody".into();
        }
        let index = self.numbers.index(self.sessions.len());
        self.sessions[index].clone()
    }

    fn page(&mut self) -> (i32, i32) {
        (1 + self.numbers.small(40), self.numbers.small(80))
    }

    /// Returns answers to some questions. Most are valid.
    fn answers(&mut self) -> Value {
        let numbers = &mut self.numbers;
        let mut answers = json!({});
        let name = ["Ada", "Ünal", "A", "ЖЖ", "z"][numbers.index(5)];
        let size = ["s_small", "s_mid", "s_big", "s_none"][numbers.index(4)];
        let code = ["ABC", "abc"][usize::from(numbers.one_in(8))];
        for (question, answer) in [
            ("q_name", json!({ "text": name })),
            ("q_years", json!({ "number": f64::from(numbers.small(104)) / 2.0 })),
            ("q_size", json!({ "option": size })),
            ("q_team", json!({ "text": "A\nB" })),
            ("q_tools", json!({ "options": ["t_must", ["t_other", name]] })),
            ("q_code", json!({ "text": code })),
        ] {
            if !numbers.one_in(3) {
                answers[question] = answer;
            }
        }
        answers
    }

    fn list(&mut self) -> Call {
        let (limit, offset) = self.page();
        let session = self.session();
        let ids = match self.numbers.below(4) {
            0 => Ids::default(),
            1 => Ids::eq(&session),
            _ => Ids::is_in(&[&session, &self.session(), &self.session()]),
        };
        let screener = [LIFE, "scr_123", "scr_124"][self.numbers.index(3)];
        if self.numbers.one_in(2) {
            let screener =
                if self.numbers.one_in(2) { Ids::eq(screener) } else { Ids::ne(screener) };
            let id = if self.numbers.one_in(2) { Ids::default() } else { ids };
            return Call::ListSessions { id, screener, limit: Some(limit), offset: Some(offset) };
        }
        Call::ListResponses {
            screener: self.numbers.one_in(2).then(|| screener.to_owned()),
            publication: self.numbers.one_in(3).then(|| "scpub_life".to_owned()),
            session: ids,
            participant: Ids::default(),
            limit: Some(limit),
            offset: Some(offset),
        }
    }

    fn review(&mut self) -> Call {
        // REST has no route for setting a visibility.
        let verbs: Vec<_> = Verb::ALL.iter().filter(|verb| **verb != Verb::SetVisibility).collect();
        let verb = verbs[self.numbers.index(verbs.len())].row().name;
        let body = match verb {
            "disqualify" => json!({ "reason": "OTHER", "message": "Ü" }),
            "schedule" => json!({ "scheduledAt": "2024-06-03T09:00:00Z", "timezone": "Asia/Tokyo",
                "bookingLink": "https://book", "meetingCancelLink": "https://cancel" }),
            "invite" => json!({ "bookingLink": "https://book/first" }),
            "report" => json!({ "reasons": ["OTHER", "NOSHOW"], "flaggedMessage": "Ü" }),
            "cancel-booking-reinvite" => json!({ "message": "Ü" }),
            "participant-cancel-booking" => json!({ "reason": "time", "message": "Ü" }),
            _ => Value::Null,
        };
        Call::review(verb, "proj_123", &self.session(), body)
    }

    fn step(&mut self) -> Step {
        let transport = Transport::BOTH[self.numbers.index(2)];
        match self.numbers.below(24) {
            0..7 => {
                let is_final = self.numbers.one_in(3);
                let idempotency_key = format!("click-{}", self.numbers.below(4));
                let idempotency_key = self.numbers.one_in(4).then_some(idempotency_key);
                let answers = self.answers();
                let message = Submit { answers, is_final, idempotency_key, publication: None };
                Step::Submit(transport, self.panelist(), message)
            }
            7..9 => Step::Create(self.panelist()),
            9..12 => Step::Make(transport, self.review()),
            12 => Step::Make(transport, Call::submission("proj_123", &self.session())),
            14 => Step::Make(transport, Call::access(LIFE, &self.panelist())),
            15 if self.numbers.one_in(2) => {
                Step::Make(transport, Call::RemoveSession(self.session()))
            }
            15 => Step::Archive(self.session()),
            16 => Step::Restore(self.session()),
            17 if self.numbers.one_in(6) => Step::Close,
            17 => Step::Reopen,
            18 => Step::Verify(self.panelist(), 1 + self.numbers.small(4)),
            19 => {
                let statuses = (1..10).filter(|_| self.numbers.one_in(4)).collect();
                let qualified = self.numbers.one_in(2).then(|| self.numbers.one_in(2));
                Step::Look(Look::Submissions { page: self.page(), statuses, qualified })
            }
            20 if self.numbers.one_in(2) => Step::Look(Look::Explain(self.session())),
            20 if self.numbers.one_in(2) => Step::Look(Look::Funnel),
            20 => Step::Look(Look::Participants { page: self.page() }),
            21 => {
                let subject = self.numbers.one_in(2).then(|| self.session());
                Step::Look(Look::Changes { page: self.page(), subject })
            }
            _ => Step::Make(transport, self.list()),
        }
    }
}

fn pagination((limit, offset): (i32, i32)) -> pb::Pagination {
    pb::Pagination { limit: Some(limit), offset: Some(offset) }
}

macro_rules! answer {
    ($server:expr, $client:ident.$method:ident($message:expr)) => {
        format!("{:?}", unary!($server, SERVICE, $client.$method($message)))
    };
}

/// Makes a call and returns the response as text.
async fn take(server: &Server, step: Step) -> String {
    server.clock.advance_seconds(1);
    match step {
        Step::Submit(transport, panelist, message) => {
            let key = public_key(server, LIFE, &panelist).await;
            format!("{key} {:?}", submit(server, transport, &key, &message).await)
        }
        Step::Make(transport, call) => {
            format!("{:?}", make(server, transport, SERVICE, &call).await)
        }
        Step::Create(uid) => {
            let participant =
                Some(pb::create_screener_session_request::Participant::ExternalUid(uid));
            let message =
                pb::CreateScreenerSessionRequest { screener_id: LIFE.into(), participant };
            answer!(server, ScreenerSessionServiceClient.create_screener_session(message))
        }
        Step::Archive(id) => {
            let message = pb::ArchiveScreenerSessionRequest { id };
            answer!(server, ScreenerSessionServiceClient.archive_screener_session(message))
        }
        Step::Restore(id) => {
            let message = pb::RestoreScreenerSessionRequest { id };
            answer!(server, ScreenerSessionServiceClient.restore_screener_session(message))
        }
        Step::Close => {
            let message = pb::CloseScreenerRequest { id: LIFE.into() };
            answer!(server, ScreenerServiceClient.close_screener(message))
        }
        Step::Reopen => {
            let message = pb::ReopenScreenerRequest { id: LIFE.into() };
            answer!(server, ScreenerServiceClient.reopen_screener(message))
        }
        Step::Verify(uid, verification) => {
            let find = pb::get_participant_request::Participant::ExternalUid(uid);
            let message = pb::GetParticipantRequest { participant: Some(find) };
            let found = unary!(server, SERVICE, ParticipantServiceClient.get_participant(message));
            let Ok(found) = found else { return format!("{found:?}") };
            let id = found.participant.expect("a participant").id;
            let message = pb::SetIdVerificationRequest { id, id_verification: verification };
            answer!(server, ParticipantServiceClient.set_id_verification(message))
        }
        Step::Look(at) => look(server, at).await,
    }
}

async fn look(server: &Server, at: Look) -> String {
    match at {
        Look::Submissions { page, statuses, qualified } => {
            let filter = pb::SubmissionFilter { statuses, qualified, ..Default::default() };
            let message = pb::ListSubmissionsRequest {
                filter: Some(filter),
                pagination: Some(pagination(page)),
            };
            answer!(server, SubmissionServiceClient.list_submissions(message))
        }
        Look::Explain(id) => {
            let message = pb::ExplainSubmissionRequest { project_id: "proj_123".into(), id };
            answer!(server, SubmissionServiceClient.explain_submission(message))
        }
        Look::Funnel => {
            let message = pb::GetFunnelRequest { screener_id: LIFE.into(), publication_id: None };
            answer!(server, FunnelServiceClient.get_funnel(message))
        }
        Look::Changes { page, subject } => {
            let subject_id = subject.map(|id| pb::IdEqFilter { eq: Some(id) });
            let filter = Some(pb::ChangeFilter { subject: None, subject_id });
            let message = pb::ListChangesRequest { filter, pagination: Some(pagination(page)) };
            answer!(server, HistoryServiceClient.list_changes(message))
        }
        Look::Participants { page } => {
            let message = pb::ListParticipantsRequest { pagination: Some(pagination(page)) };
            answer!(server, ParticipantServiceClient.list_participants(message))
        }
    }
}

/// Starts a server on the example data whose clock and random numbers depend on the seed only.
async fn server(location: Location, seed: u64) -> Server {
    let clock = Clock::new();
    let numbers = Arc::new(Mutex::new(Numbers(seed)));
    let random = move || {
        let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = [0; 32];
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&numbers.next().to_le_bytes());
        }
        bytes
    };
    let environment = Environment { random: Arc::new(random), ..clock.environment() };
    let config = config(Some(location), false);
    let server = Server::start_in(&config, environment, clock).await;
    let app = server.running.app();
    transfer::demo::load(app, &Operator::trusted()).await.expect("it loads");
    add_life(&server, true).await;
    server
}

async fn session_ids(server: &Server) -> Vec<String> {
    let page = server.send("GET", "/screener-sessions?pagination[limit]=500", SERVICE).await.json();
    let items = page["items"].as_array().expect("items").clone();
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// Returns `SCREENERD_TEST_SEED`, or a new seed in each run.
fn seed() -> u64 {
    let seed = std::env::var("SCREENERD_TEST_SEED").map_or_else(
        |_| RandomState::new().build_hasher().finish(),
        |seed| seed.parse().expect("SCREENERD_TEST_SEED is a number"),
    );
    println!("the same calls again: SCREENERD_TEST_SEED={seed}");
    seed
}

#[test]
fn both_engines_give_the_same_answer_to_each_of_many_random_calls() {
    let Some(postgres) = Backend::postgres("the comparison of the two engines") else { return };
    let seed = seed();
    backend::run(&Backend::Sqlite, async |embedded| {
        embedded.close().await;
        let file = embedded.location.clone();
        // A second runtime creates and removes the other database.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                backend::run(&postgres, async |shared| {
                    shared.close().await;
                    let one = server(file, seed).await;
                    let other = server(shared.location.clone(), seed).await;
                    compare(&one, &other, seed).await;
                    one.stop().await;
                    other.stop().await;
                });
            });
        });
    });
}

/// Returns the number of calls. `SCREENERD_TEST_STEPS` sets a higher one for long runs.
fn steps() -> usize {
    let chosen = std::env::var("SCREENERD_TEST_STEPS").ok();
    chosen.map_or(STEPS, |steps| steps.parse().expect("SCREENERD_TEST_STEPS is a number"))
}

async fn compare(one: &Server, other: &Server, seed: u64) {
    let mut draw = Draw { numbers: Numbers(seed), sessions: Vec::new() };
    let (steps, mut refused) = (steps(), 0);
    for number in 0..steps {
        if number % 20 == 0 {
            draw.sessions = session_ids(one).await;
        }
        let step = draw.step();
        let answers = (take(one, step.clone()).await, take(other, step.clone()).await);
        assert_eq!(answers.0, answers.1, "step {number} of seed {seed}: {step:?}");
        refused += usize::from(answers.0.contains("Refus"));
    }
    assert!(draw.sessions.len() > 20, "only {} sessions were made", draw.sessions.len());
    println!("{refused} of {steps} calls were refused");
    assert!(refused < steps / 2, "{refused} of {steps} calls were refused");
}
