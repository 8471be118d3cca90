//! `ScreenerSessionService`: creating, archiving and restoring sessions.

mod batch;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::create_screener_session_request::Participant as Named;
use screenerd::client::panelist_service_client::PanelistServiceClient;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::transfer;

use crate::support::audit::{audit, demo_on_file};
use crate::support::backend::{Backend, run};
use crate::support::calls::{Call, Transport, make};
use crate::support::unary::{Refused, unary};
use crate::support::{PANEL, PUBLIC_URL, SERVICE, SPOT, STRANGER, Server, config};

fn request(screener: &str, named: Named) -> pb::CreateScreenerSessionRequest {
    pb::CreateScreenerSessionRequest { screener_id: screener.into(), participant: Some(named) }
}

fn id(id: &str) -> Named {
    Named::ParticipantId(id.into())
}

fn uid(uid: &str) -> Named {
    Named::ExternalUid(uid.into())
}

async fn create(
    server: &Server,
    credential: &[(&str, &str)],
    (screener, named): (&str, Named),
) -> Result<pb::ScreenerSession, Refused> {
    let message = request(screener, named);
    let answer =
        unary!(server, credential, ScreenerSessionServiceClient.create_screener_session(message))?;
    Ok(answer.screener_session.expect("a session"))
}

/// A change of a session's status.
#[derive(Clone, Copy, Debug)]
enum Step {
    Archive,
    Restore,
    Remove,
}

async fn take(
    server: &Server,
    credential: &[(&str, &str)],
    step: Step,
    id: &str,
) -> Result<pb::ScreenerSession, Refused> {
    let id = id.to_owned();
    let session = match step {
        Step::Archive => {
            let message = pb::ArchiveScreenerSessionRequest { id };
            let client = unary!(
                server,
                credential,
                ScreenerSessionServiceClient.archive_screener_session(message)
            );
            client?.screener_session
        }
        Step::Restore => {
            let message = pb::RestoreScreenerSessionRequest { id };
            let client = unary!(
                server,
                credential,
                ScreenerSessionServiceClient.restore_screener_session(message)
            );
            client?.screener_session
        }
        Step::Remove => {
            let message = pb::RemoveScreenerSessionRequest { id };
            let client = unary!(
                server,
                credential,
                ScreenerSessionServiceClient.remove_screener_session(message)
            );
            client?.screener_session
        }
    };
    Ok(session.expect("a session"))
}

async fn total(server: &Server) -> i64 {
    let list = server.send("GET", "/screener-sessions?pagination[limit]=1", SERVICE).await.json();
    list["total"].as_i64().expect("a number")
}

async fn people(server: &Server) -> i32 {
    let message = pb::ListParticipantsRequest::default();
    let page = unary!(server, SERVICE, ParticipantServiceClient.list_participants(message));
    page.expect("a page").total()
}

async fn may_respond(server: &Server, survey: &str, panelist: &str) -> bool {
    let message =
        pb::GetPanelistAccessRequest { survey_id: survey.into(), panelist_id: panelist.into() };
    let access = unary!(server, PANEL, PanelistServiceClient.get_panelist_access(message));
    let access = access.expect("an access").panelist_access.expect("an access");
    access.panelist.expect("a panelist").can_respond()
}

#[tokio::test]
async fn a_session_for_somebody_new_is_whole_from_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    let made = create(&server, SPOT, ("scr_124", uid("crm-new"))).await.expect("it is created");
    assert!(made.id.starts_with("scses_") && made.id.len() == 32, "{}", made.id);
    assert_eq!(made.link_slug.len(), 16);
    assert!(made.screener_participant_id.starts_with("scpar_"));
    assert_eq!(made.screener_publication_id, "scpub_457");
    assert_eq!(made.screener_session_link, format!("{PUBLIC_URL}/screeners/scr_124/{}", made.id));
    assert_eq!(made.status(), pb::ScreenerSessionStatus::Active);
    assert_eq!(made.state(), pb::ScreenerSessionState::NotStarted);
    assert_eq!((made.started_at, made.last_active_at, made.completed_at), (None, None, None));
    assert_eq!(made.assigned_tags.len(), 1, "the publication's tags");
    let message = pb::GetScreenerSessionRequest { id: made.id.clone() };
    let got = unary!(server, SPOT, ScreenerSessionServiceClient.get_screener_session(message));
    assert_eq!(got.expect("it is there").screener_session.as_ref(), Some(&made));
    for path in [format!("/screeners/scr_124/{}", made.id), format!("/s/{}", made.link_slug)] {
        let page = server.send("GET", &path, &[]).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains("round two"), "{}", page.text);
    }
    let named = pb::get_participant_request::Participant::ExternalUid("crm-new".into());
    let message = pb::GetParticipantRequest { participant: Some(named) };
    let person = unary!(server, SERVICE, ParticipantServiceClient.get_participant(message));
    let person = person.expect("it was made").participant.expect("a participant");
    assert_eq!((person.name, person.email), (None, None));
    // Another session of the same person uses the existing assignment.
    let again = create(&server, SERVICE, ("scr_124", id(&person.id))).await.expect("another");
    assert_eq!(again.screener_participant_id, made.screener_participant_id);
    assert!(again.id != made.id && again.link_slug != made.link_slug);
    let list = server.send("GET", "/screener-sessions?filter[screenerId][eq]=scr_124", SPOT).await;
    let items = list.json()["items"].as_array().expect("a list").clone();
    let newest: Vec<_> = items[items.len() - 2..].iter().map(|it| it["id"].as_str()).collect();
    assert_eq!(newest, [Some(made.id.as_str()), Some(again.id.as_str())]);
    let log = audit(&file).await;
    let expected =
        ["CREATE PARTICIPANT - NONE", "CREATE SESSION - ACTIVE", "CREATE SESSION - ACTIVE"];
    assert_eq!(log, expected);
    server.stop().await;
}

#[tokio::test]
async fn a_session_is_created_only_where_it_could_be_answered() {
    let server = Server::demo().await;
    let unpublished = r#"{"format": "screenerd-import", "version": 1}
{"type": "screener", "tenant": "acct_123", "id": "scr_bare", "projectId": "proj_123", "title": "Bare", "status": "OPEN"}"#;
    let reader = std::io::Cursor::new(unpublished);
    transfer::import_lines(server.running.app(), &Operator::trusted(), reader, false)
        .await
        .expect("it imports");
    let before = (total(&server).await, people(&server).await);
    for (screener, named, reason, field, words) in [
        ("survey-draft", uid("new"), "NOT_OPEN", "screener_id", "not open yet"),
        ("survey-closed", uid("new"), "NOT_OPEN", "screener_id", "closed"),
        ("scr_bare", uid("new"), "NOT_OPEN", "screener_id", "no active publication"),
        ("scr_999", uid("new"), "NOT_FOUND", "screener_id", "No such screener"),
        ("nothing", uid("new"), "NOT_FOUND", "screener_id", "No such screener"),
        ("scr_124", id("nobody"), "NOT_FOUND", "participant_id", "No such participant"),
        ("scr_124", id("ptp_999"), "NOT_FOUND", "participant_id", "No such participant"),
        ("survey-123", uid("customer-done"), "EXHAUSTED", "external_uid", "one response"),
        ("survey-123", id("ptp_done"), "EXHAUSTED", "participant_id", "one response"),
        ("", uid("new"), "INVALID_ARGUMENT", "screener_id", "Required."),
        ("scr_124", uid(""), "INVALID_ARGUMENT", "external_uid", "1 to 256"),
        ("scr_124", id(""), "INVALID_ARGUMENT", "participant_id", "Required."),
    ] {
        let refused = create(&server, SPOT, (screener, named)).await.expect_err(screener);
        refused.is(reason, &[field]);
        assert!(refused.message.contains(words), "{}", refused.message);
    }
    let both =
        create(&server, SPOT, ("nothing", id("nobody"))).await.expect_err("neither is there");
    both.is("NOT_FOUND", &["screener_id", "participant_id"]);
    assert_eq!((total(&server).await, people(&server).await), before, "nothing was made");
    // If several responses are allowed, a completed session does not prevent another.
    create(&server, SPOT, ("survey-multi", uid("customer-done"))).await.expect("it is created");
    // An unfinished session never prevents another.
    create(&server, SPOT, ("scr_124", id("ptp_003"))).await.expect("it is created");
    server.stop().await;
}

#[tokio::test]
async fn sessions_of_another_tenant_are_neither_made_nor_moved() {
    let server = Server::demo().await;
    let refused = create(&server, STRANGER, ("scr_124", uid("crm-001"))).await;
    refused.expect_err("the screener is another's").is("NOT_FOUND", &["screener_id"]);
    for step in [Step::Archive, Step::Restore] {
        let refused = take(&server, STRANGER, step, "scses_791").await;
        refused.expect_err("it is another's").is("NOT_FOUND", &[]);
        let refused = take(&server, SPOT, step, "").await;
        refused.expect_err("nothing is named").is("INVALID_ARGUMENT", &["id"]);
    }
    // The same external uid is another person in another tenant.
    create(&server, STRANGER, ("scr_999", uid("crm-001"))).await.expect("it is created");
    assert_eq!(people(&server).await, 8);
    server.stop().await;
}

#[tokio::test]
async fn a_status_changes_as_the_matrix_says_and_the_page_at_once() {
    use pb::ScreenerSessionStatus::{Active, Archived, Removed};
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    let made = create(&server, SPOT, ("scr_124", uid("crm-new"))).await.expect("it is created");
    let path = format!("/s/{}", made.link_slug);
    for (step, after, page, words) in [
        (Step::Restore, Some(Active), 200, "round two"),
        (Step::Archive, Some(Archived), 200, "closed"),
        (Step::Archive, Some(Archived), 200, "closed"),
        (Step::Restore, Some(Active), 200, "round two"),
        (Step::Archive, Some(Archived), 200, "closed"),
        (Step::Remove, Some(Removed), 410, "no longer valid"),
        (Step::Remove, Some(Removed), 410, "no longer valid"),
        (Step::Archive, None, 410, "no longer valid"),
        (Step::Restore, None, 410, "no longer valid"),
    ] {
        match (take(&server, SPOT, step, &made.id).await, after) {
            (Ok(session), Some(after)) => {
                let expected = pb::ScreenerSession { status: after.into(), ..made.clone() };
                assert_eq!(session, expected, "{step:?}");
            }
            (Err(refused), None) => refused.is("INVALID_STATUS_TRANSITION", &[]),
            (outcome, _) => panic!("{step:?}: {outcome:?}"),
        }
        let reply = server.send("GET", &path, &[]).await;
        assert_eq!(reply.status, page, "{step:?}");
        assert!(reply.text.to_lowercase().contains(words), "{step:?}: {}", reply.text);
    }
    let log = audit(&file).await;
    let expected = [
        "ARCHIVE SESSION ACTIVE ARCHIVED",
        "RESTORE SESSION ARCHIVED ACTIVE",
        "ARCHIVE SESSION ACTIVE ARCHIVED",
        "REMOVE SESSION ARCHIVED REMOVED",
    ];
    assert_eq!(log[2..], expected, "what changed nothing wrote nothing");
    // A completed session keeps its state and its instants.
    let got = take(&server, SPOT, Step::Restore, "scses_792").await.expect("it is archived");
    assert_eq!((got.status(), got.state()), (Active, pb::ScreenerSessionState::Completed));
    assert!(got.completed_at.is_some());
    server.stop().await;
}

#[tokio::test]
async fn a_new_session_lifts_a_revocation_and_an_archived_one_is_one() {
    let server = Server::demo().await;
    let may = async || may_respond(&server, "survey-123", "customer-revoked").await;
    assert!(!may().await, "the newest session is removed");
    let first = create(&server, SPOT, ("survey-123", uid("customer-revoked"))).await;
    let first = first.expect("it is created");
    assert!(may().await);
    for (step, expected) in [(Step::Archive, false), (Step::Restore, true), (Step::Remove, false)] {
        take(&server, SPOT, step, &first.id).await.expect("it is allowed");
        assert_eq!(may().await, expected, "{step:?}");
    }
    let second = create(&server, SPOT, ("survey-123", uid("customer-revoked"))).await;
    let second = second.expect("it is created");
    assert!(may().await);
    // The newest session decides, whatever happens to the earlier ones.
    let third = create(&server, SPOT, ("survey-123", uid("customer-revoked"))).await;
    third.expect("it is created");
    take(&server, SPOT, Step::Archive, &second.id).await.expect("it is allowed");
    assert!(may().await);
    server.stop().await;
}

/// Creates 64 sessions concurrently, half of them for one person and the others for new persons.
async fn create_at_once(server: &Server) {
    const CALLERS: usize = 64;
    let (before, people_before) = (total(server).await, people(server).await);
    let calls = (0..CALLERS).map(async |caller| {
        let own = format!("crm-own-{caller}");
        let person = if caller % 2 == 0 { "crm-shared" } else { own.as_str() };
        create(server, SPOT, ("survey-multi", uid(person))).await.expect("it is created")
    });
    let made = join_all(calls).await;
    let ids: BTreeSet<&str> = made.iter().map(|session| session.id.as_str()).collect();
    let slugs: BTreeSet<&str> = made.iter().map(|session| session.link_slug.as_str()).collect();
    let assigned: BTreeSet<&str> =
        made.iter().map(|session| session.screener_participant_id.as_str()).collect();
    assert_eq!((ids.len(), slugs.len(), assigned.len()), (CALLERS, CALLERS, CALLERS / 2 + 1));
    assert_eq!((total(server).await, people(server).await), (before + 64, people_before + 33));
    let list = server.send("GET", "/screener-sessions?pagination[limit]=500", SPOT).await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), usize::try_from(before + 64).ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_creates_at_once_keep_the_list_dense_and_one_person_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    create_at_once(&server).await;
    let log = audit(&file).await;
    let count = |line: &str| log.iter().filter(|it| *it == line).count();
    assert_eq!((count("CREATE SESSION - ACTIVE"), count("CREATE PARTICIPANT - NONE")), (64, 33));
    server.stop().await;
}

#[test]
fn creating_sessions_on_postgres_is_the_same_or_is_left_out() {
    let Some(backend) = Backend::postgres("creating many sessions at once") else { return };
    run(&backend, async |db| {
        let server = Server::start(&config(Some(db.location.clone()), false)).await;
        transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
        create_at_once(&server).await;
        batch::a_thousand_are_made(&server).await;
        server.stop().await;
    });
}

#[tokio::test]
async fn a_created_session_is_the_same_over_both_transports() {
    let server = Server::demo().await;
    let made = create(&server, SERVICE, ("scr_124", uid("crm-new"))).await.expect("it is created");
    let get = Call::GetSession(made.id.clone());
    for step in [Step::Archive, Step::Restore, Step::Remove] {
        let status = take(&server, SERVICE, step, &made.id).await.expect("it is allowed").status();
        let rest = make(&server, Transport::Rest, SPOT, &get).await.answer();
        assert_eq!(make(&server, Transport::Grpc, SPOT, &get).await.answer(), rest);
        let word = rest["status"].as_str().expect("a word");
        assert!(status.as_str_name().ends_with(&format!("_{word}")), "{word}");
        assert_eq!(rest["linkSlug"], made.link_slug.as_str());
    }
    server.stop().await;
}
