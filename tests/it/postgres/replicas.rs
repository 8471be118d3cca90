//! Several servers on one database: no server keeps state that another one lacks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use screenerd::app::{Location, Operator};
use screenerd::client as pb;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::domain::id::{CredentialId, TenantId};
use screenerd::transfer;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::answering::{everything, responses, sessions};
use crate::support::backend::{self, Backend};
use crate::support::calls::{Call, Outcome, Transport, make};
use crate::support::panelist::{LIFE, Submit, add_life, public_key, submit};
use crate::support::unary::unary;
use crate::support::{PANEL, SERVICE, SPOT, Server, config};

const CALLERS: usize = 64;

type Replicas = [Arc<Server>; 2];

/// Runs a case on two servers that start concurrently on an empty database of PostgreSQL.
pub(super) fn on_two(case: impl AsyncFnOnce(&Replicas)) {
    let Some(postgres) = Backend::postgres("several servers on one database") else { return };
    backend::run(&postgres, async |database| {
        database.close().await;
        let Location::Postgres(url) = &database.location else { unreachable!("it is PostgreSQL") };
        let mut raw = sqlx::PgConnection::connect(url).await.expect("it connects");
        raw.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            .await
            .expect("nothing is left of what was made when the database was");
        raw.close().await.expect("the connection closes");
        let config = config(Some(database.location.clone()), false);
        let (one, other) = tokio::join!(Server::start(&config), Server::start(&config));
        transfer::demo::load(one.running.app(), &Operator::trusted()).await.expect("it loads");
        add_life(&other, false).await;
        let replicas = [Arc::new(one), Arc::new(other)];
        case(&replicas).await;
        for replica in replicas {
            Arc::into_inner(replica).expect("nobody else holds it").stop().await;
        }
    });
}

fn name(text: &str) -> Value {
    json!({ "q_name": { "text": text } })
}

/// Makes all submissions at once, over both transports of both servers, and returns the outcomes.
async fn all_at_once(
    replicas: &Replicas,
    key: &str,
    of: impl Fn(usize) -> Submit,
) -> Vec<(usize, Outcome)> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (server, key) = (Arc::clone(&replicas[caller / 2 % 2]), key.to_owned());
        let message = of(caller);
        callers.spawn(async move {
            (caller, submit(&server, Transport::BOTH[caller % 2], &key, &message).await)
        });
    }
    callers.join_all().await
}

#[test]
fn what_is_written_through_one_server_is_seen_through_the_other_at_once() {
    on_two(async |replicas| {
        for round in 0..16 {
            let (here, there) = (&replicas[round % 2], &replicas[(round + 1) % 2]);
            let panelist = format!("crm-{round}");
            // Each server opens the keys that the other one seals.
            let key = public_key(here, LIFE, &panelist).await;
            submit(there, Transport::BOTH[round / 2 % 2], &key, &Submit::some(name("Ada")))
                .await
                .answer();
            let path = format!("/tenant/surveys/{LIFE}/panelists/{panelist}");
            let access = here.send("GET", &path, PANEL).await.json();
            assert_eq!(access["panelist"]["sessionCount"], 1, "{round}");
            let listed = sessions(here).await;
            assert_eq!(listed.len(), round + 1);
            let id = listed[round]["id"].as_str().expect("an id").to_owned();
            make(here, Transport::Grpc, SPOT, &Call::RemoveSession(id.clone())).await.answer();
            let session = make(there, Transport::Rest, SPOT, &Call::GetSession(id)).await.answer();
            assert_eq!(session["status"], "REMOVED", "{round}");
        }
    });
}

/// Calls until the server refuses. Asserts that it does after a second at the latest.
async fn is_refused_within_a_second(server: &Server, headers: &[(&str, &str)], code: &str) {
    let revoked = Instant::now();
    let list = Call::page(None, None);
    for transport in Transport::BOTH.into_iter().cycle() {
        let is_late = revoked.elapsed() > Duration::from_secs(1);
        let outcome = make(server, transport, headers, &list).await;
        if is_late || !matches!(outcome, Outcome::Answer(_)) {
            assert_eq!(outcome, Outcome::refusal(code, &[]), "over {transport:?}");
            return;
        }
    }
}

#[test]
fn a_revocation_through_one_server_holds_here_at_once_and_on_the_other_within_a_second() {
    on_two(async |[here, there]| {
        let operator = Operator::trusted();
        let list = Call::page(None, None);
        // Both servers have now cached the valid credential.
        for server in [here, there] {
            make(server, Transport::Grpc, SPOT, &list).await.answer();
        }
        let id = CredentialId::parse("acct_123").expect("an id");
        here.running.app().revoke_key(&operator, id).await.expect("it is revoked");
        for transport in Transport::BOTH {
            let refused = make(here, transport, SPOT, &list).await;
            assert_eq!(refused, Outcome::refusal("unauthorized", &[]), "over {transport:?}");
        }
        is_refused_within_a_second(there, SPOT, "unauthorized").await;
        let tenant = TenantId::parse("acct_123").expect("an id");
        make(here, Transport::Grpc, SERVICE, &list).await.answer();
        there.running.app().set_tenant_disabled(&operator, tenant, true).await.expect("it is");
        is_refused_within_a_second(here, SERVICE, "forbidden").await;
    });
}

#[test]
fn one_panelist_who_answers_through_both_servers_has_one_session_and_one_set_of_answers() {
    on_two(async |replicas| {
        let key = public_key(&replicas[0], LIFE, "crm-together").await;
        let of = |caller: usize| Submit::some(name(&format!("Caller {caller}")));
        for (_, outcome) in all_at_once(replicas, &key, of).await {
            assert_eq!(outcome, Outcome::Answer(json!({ "count": 1 })));
        }
        assert_eq!(
            (sessions(&replicas[0]).await.len(), responses(&replicas[1]).await.len()),
            (1, 1)
        );
        let clicks = all_at_once(replicas, &key, |_| Submit::last(everything()).under("click"));
        let told: BTreeSet<String> =
            clicks.await.into_iter().map(|(_, outcome)| outcome.answer().to_string()).collect();
        assert_eq!(told, BTreeSet::from([json!({ "count": 6 }).to_string()]));
        assert_eq!(
            (sessions(&replicas[0]).await.len(), responses(&replicas[1]).await.len()),
            (1, 6)
        );
        // Without the idempotency key, the session is exhausted for all callers.
        for (_, outcome) in all_at_once(replicas, &key, of).await {
            assert_eq!(outcome, Outcome::refusal("exhausted", &[]));
        }
    });
}

#[test]
fn a_screener_that_one_server_closes_takes_no_answer_of_the_other_afterwards() {
    on_two(async |[here, there]| {
        let mut keys = Vec::new();
        for caller in 0..CALLERS {
            keys.push(public_key(there, LIFE, &format!("crm-{caller}")).await);
        }
        let mut callers = JoinSet::new();
        for (caller, key) in keys.into_iter().enumerate() {
            let server = Arc::clone(there);
            callers.spawn(async move {
                let message = Submit::some(name(&format!("Caller {caller}")));
                (caller, submit(&server, Transport::BOTH[caller % 2], &key, &message).await)
            });
        }
        let close = pb::CloseScreenerRequest { id: LIFE.into() };
        unary!(here, SERVICE, ScreenerServiceClient.close_screener(close)).expect("it is closed");
        let after = responses(here).await;
        let mut taken = BTreeSet::new();
        for (caller, outcome) in callers.join_all().await {
            match outcome {
                Outcome::Answer(_) => taken.extend([json!(format!("Caller {caller}")).to_string()]),
                refused @ Outcome::Refusal { .. } => {
                    assert_eq!(refused, Outcome::refusal("not_open", &[]));
                }
            }
        }
        // The responses after the acknowledged close are final.
        assert_eq!(responses(there).await, after);
        let stored: BTreeSet<String> = after.iter().map(|(_, text)| text.to_string()).collect();
        assert_eq!(stored, taken);
    });
}
