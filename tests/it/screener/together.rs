//! Concurrent changes of one screener.

use futures_util::future::join_all;
use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::transfer;

use super::{asking, call, create, get, history, new, publication, publish, update_draft};
use crate::support::backend::{Backend, run};
use crate::support::unary::unary;
use crate::support::{SERVICE, Server, config};

const CALLERS: usize = 16;
const ROUNDS: usize = 8;

/// Asserts that of many concurrent updates of one draft exactly one succeeds.
async fn one_draft_wins(server: &Server) {
    let made = create(server, new("scr_race", Some(asking("First?")))).await.expect("it is made");
    let expected = made.draft_hash;
    let updates = (0..CALLERS).map(|caller| {
        let draft = asking(&format!("By {caller}?"));
        update_draft(server, "scr_race", draft, expected.as_deref())
    });
    let outcomes = join_all(updates).await;
    let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(won.len(), 1);
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        refused.is("CONFLICT", &[]);
    }
    assert_eq!(get(server, "scr_race").await.as_ref(), Ok(won[0]));
    assert_eq!(history(server, "scr_race").await.len(), 2);
}

/// Asserts that every publication is the whole draft of one caller.
async fn drafts_and_publications_do_not_mix(server: &Server) {
    create(server, new("scr_mix", Some(asking("First?")))).await.expect("it is made");
    let mut successes = 0;
    for round in 0..ROUNDS {
        let updates = (0..CALLERS).map(|caller| {
            let draft = asking(&format!("{round} by {caller}?"));
            update_draft(server, "scr_mix", draft, None)
        });
        let publishes = (0..CALLERS).map(|_| publish(server, "scr_mix", None));
        let (updates, publishes) = tokio::join!(join_all(updates), join_all(publishes));
        assert!(updates.iter().all(Result::is_ok), "{updates:?}");
        for outcome in publishes {
            match outcome {
                Ok(_) => successes += 1,
                Err(refused) => refused.is("INVALID_STATUS_TRANSITION", &[]),
            }
        }
    }
    let pagination = Some(pb::Pagination { limit: Some(500), offset: None });
    let message = pb::ListPublicationsRequest { screener_id: "scr_mix".into(), pagination };
    let page = call!(server, list_publications(message)).expect("a page");
    assert_eq!(page.items.len(), successes);
    for head in &page.items {
        let whole = publication(server, &head.id).await.expect("its content has its digest");
        assert_eq!(whole.content_hash, head.content_hash);
        let questionnaire = whole.questionnaire.expect("it asks something");
        let prompt = questionnaire.pages[0].questions[0].prompt().to_owned();
        assert_eq!(questionnaire, asking(&prompt));
    }
    let screener = get(server, "scr_mix").await.expect("it is there");
    let last = page.items.last().map(|it| it.id.clone());
    assert_eq!(screener.active_publication_id, last, "the newest one is active");
    let log = history(server, "scr_mix").await;
    let recorded = log.iter().filter(|line| line.starts_with("PUBLISH")).count();
    assert_eq!(recorded, successes);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_replace_a_draft_one_does_and_no_publication_is_mixed() {
    let server = Server::demo().await;
    one_draft_wins(&server).await;
    drafts_and_publications_do_not_mix(&server).await;
    server.stop().await;
}

#[test]
fn drafts_on_postgres_do_not_mix_either_or_are_left_out() {
    let Some(backend) = Backend::postgres("drafts that several write at once") else { return };
    run(&backend, async |db| {
        let server = Server::start(&config(Some(db.location.clone()), false)).await;
        transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
        one_draft_wins(&server).await;
        drafts_and_publications_do_not_mix(&server).await;
        server.stop().await;
    });
}
