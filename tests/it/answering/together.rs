//! Concurrent submissions on either engine: no duplicates, no loss after an acknowledgement, and a
//! reason for each refusal.

use std::collections::BTreeSet;
use std::sync::Arc;

use screenerd::client as pb;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{everything, responses, sessions};
use crate::support::backend::{self, Backend};
use crate::support::calls::{Call, Outcome, Transport, make};
use crate::support::panelist::{LIFE, Submit, add_life, public_key, submit};
use crate::support::unary::unary;
use crate::support::{SERVICE, SPOT, Server, config};

const CALLERS: usize = 64;

/// Declares each case as a test on either engine.
macro_rules! on_each_engine {
    ($($case:ident,)+) => {
        mod on_sqlite {
            $(
                #[test]
                fn $case() {
                    super::run(&crate::support::backend::Backend::Sqlite, super::$case);
                }
            )+
        }

        mod on_postgres_or_left_out {
            $(
                #[test]
                fn $case() {
                    let backend = crate::support::backend::Backend::postgres("answering at once");
                    if let Some(backend) = backend {
                        super::run(&backend, super::$case);
                    }
                }
            )+
        }
    };
}

on_each_engine! {
    many_first_submissions_of_one_panelist_are_one_session_and_one_set_of_answers,
    of_many_final_submissions_one_completes_the_session_and_the_others_learn_that_it_is,
    many_clicks_under_one_idempotency_key_are_one_submission,
    a_session_that_is_removed_meanwhile_keeps_what_was_acknowledged_and_refuses_the_rest,
    a_screener_that_is_closed_meanwhile_takes_nothing_after_it_was_said_to_be,
}

/// Runs a case on a server with the example data.
fn run(backend: &Backend, case: impl AsyncFnOnce(Arc<Server>)) {
    backend::run(backend, async |database| {
        database.close().await;
        let location = database.location.clone();
        let server = Arc::new(Server::start(&config(Some(location), true)).await);
        add_life(&server, false).await;
        case(Arc::clone(&server)).await;
        Arc::into_inner(server).expect("nobody else holds it").stop().await;
    });
}

/// Makes all submissions at once, alternating between the transports, and returns the outcomes.
async fn all_at_once(
    server: &Arc<Server>,
    key: &str,
    of: impl Fn(usize) -> Submit,
) -> Vec<(usize, Outcome)> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (server, key, message) = (Arc::clone(server), key.to_owned(), of(caller));
        callers.spawn(async move {
            (caller, submit(&server, Transport::BOTH[caller % 2], &key, &message).await)
        });
    }
    callers.join_all().await
}

fn name(caller: usize) -> Value {
    json!({ "q_name": { "text": format!("Caller {caller}") } })
}

async fn many_first_submissions_of_one_panelist_are_one_session_and_one_set_of_answers(
    server: Arc<Server>,
) {
    let key = public_key(&server, LIFE, "crm-together").await;
    let outcomes = all_at_once(&server, &key, |caller| Submit::some(name(caller))).await;
    for (_, outcome) in outcomes {
        assert_eq!(outcome, Outcome::Answer(json!({ "count": 1 })));
    }
    assert_eq!(sessions(&server).await.len(), 1);
    let [(question, answer)] = &responses(&server).await[..] else {
        panic!("one answer is expected")
    };
    assert_eq!(question, "q_name");
    assert!(answer.as_str().is_some_and(|text| text.starts_with("Caller ")), "{answer}");
}

async fn of_many_final_submissions_one_completes_the_session_and_the_others_learn_that_it_is(
    server: Arc<Server>,
) {
    let key = public_key(&server, LIFE, "crm-final").await;
    let of = |caller: usize| {
        let mut answers = everything();
        answers["q_name"] = json!({ "text": format!("Caller {caller}") });
        Submit::last(answers)
    };
    let outcomes = all_at_once(&server, &key, of).await;
    let mut winners = Vec::new();
    for (caller, outcome) in outcomes {
        match outcome {
            Outcome::Answer(_) => winners.push(caller),
            refusal @ Outcome::Refusal { .. } => {
                assert_eq!(refusal, Outcome::refusal("exhausted", &[]));
            }
        }
    }
    let [winner] = winners[..] else { panic!("one winner is expected: {winners:?}") };
    assert_eq!(sessions(&server).await.len(), 1);
    let stored = responses(&server).await;
    assert_eq!(stored.len(), 6);
    assert_eq!(stored[0], ("q_name".into(), json!(format!("Caller {winner}"))));
}

async fn many_clicks_under_one_idempotency_key_are_one_submission(server: Arc<Server>) {
    let key = public_key(&server, LIFE, "crm-click").await;
    let outcomes = all_at_once(&server, &key, |_| Submit::last(everything()).under("click")).await;
    let different: BTreeSet<String> =
        outcomes.into_iter().map(|(_, outcome)| outcome.answer().to_string()).collect();
    assert_eq!(different, BTreeSet::from([json!({ "count": 6 }).to_string()]));
    assert_eq!((sessions(&server).await.len(), responses(&server).await.len()), (1, 6));
}

async fn a_session_that_is_removed_meanwhile_keeps_what_was_acknowledged_and_refuses_the_rest(
    server: Arc<Server>,
) {
    let key = public_key(&server, LIFE, "crm-removed").await;
    let first = Submit::some(json!({ "q_years": { "number": 7 } }));
    submit(&server, Transport::Rest, &key, &first).await.answer();
    let id = sessions(&server).await[0]["id"].as_str().expect("an id").to_owned();
    let remover = {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            make(&server, Transport::Rest, SPOT, &Call::RemoveSession(id)).await.answer()
        })
    };
    let outcomes = all_at_once(&server, &key, |caller| Submit::some(name(caller))).await;
    let gone = remover.await.expect("it is removed");
    assert_eq!(gone["status"], "REMOVED");
    let mut names = BTreeSet::new();
    for (caller, outcome) in outcomes {
        match outcome {
            Outcome::Answer(_) => drop(names.insert(format!("Caller {caller}"))),
            refusal @ Outcome::Refusal { .. } => {
                assert_eq!(refusal, Outcome::refusal("gone", &[]));
            }
        }
    }
    let [session] = &sessions(&server).await[..] else { panic!("one session is expected") };
    assert_eq!((&session["status"], &session["state"]), (&json!("REMOVED"), &json!("IN_PROGRESS")));
    let stored = responses(&server).await;
    assert_eq!(stored[0], ("q_years".into(), json!(7)));
    let kept = stored.get(1).map(|(_, answer)| answer.as_str().expect("a text"));
    assert_eq!(kept.is_some(), !names.is_empty());
    assert!(kept.is_none_or(|name| names.contains(name)), "{kept:?} of {names:?}");
    let late = submit(&server, Transport::Grpc, &key, &Submit::some(name(0))).await;
    assert_eq!(late, Outcome::refusal("gone", &[]));
}

async fn a_screener_that_is_closed_meanwhile_takes_nothing_after_it_was_said_to_be(
    server: Arc<Server>,
) {
    let mut keys = Vec::new();
    for caller in 0..CALLERS {
        keys.push(public_key(&server, LIFE, &format!("crm-close-{caller}")).await);
    }
    let closer = {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let message = pb::CloseScreenerRequest { id: LIFE.into() };
            unary!(server, SERVICE, ScreenerServiceClient.close_screener(message))
                .expect("it is closed");
            // After the acknowledged close, the number of sessions is final.
            sessions(&server).await.len()
        })
    };
    let mut callers = JoinSet::new();
    for (caller, key) in keys.into_iter().enumerate() {
        let server = Arc::clone(&server);
        callers.spawn(async move {
            let transport = Transport::BOTH[caller % 2];
            submit(&server, transport, &key, &Submit::last(everything())).await
        });
    }
    let outcomes = callers.join_all().await;
    let seen = closer.await.expect("it is closed");
    let mut taken = 0;
    for outcome in outcomes {
        match outcome {
            Outcome::Answer(_) => taken += 1,
            refusal @ Outcome::Refusal { .. } => {
                assert_eq!(refusal, Outcome::refusal("not_open", &[]));
            }
        }
    }
    assert_eq!(sessions(&server).await.len(), taken);
    assert_eq!(seen, taken);
}
