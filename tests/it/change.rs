//! `HistoryService`: changes, their actors, and the fields that they changed.

use screenerd::app::{NewKey, Operator, ResponseFilter};
use screenerd::client as pb;
use screenerd::client::create_screener_session_request::Participant as Named;
use screenerd::client::history_service_client::HistoryServiceClient;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::project_service_client::ProjectServiceClient;
use screenerd::client::screener_response_service_client::ScreenerResponseServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::domain::credential::{CredentialKind, Scope};
use screenerd::domain::export::Format;
use screenerd::domain::id::TenantId;
use screenerd::transfer;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::account::good;
use crate::support::backend::{Backend, run};
use crate::support::calls::{Call, Transport, make, request};
use crate::support::unary::{Refused, unary};
use crate::support::{RESPONDENT, SERVICE, SPOT, START_MICROS, STRANGER, Server, config};

async fn list(
    server: &Server,
    credential: &[(&str, &str)],
    filter: Option<pb::ChangeFilter>,
    (limit, offset): (Option<i32>, Option<i32>),
) -> Result<pb::ListChangesResponse, Refused> {
    let pagination = Some(pb::Pagination { limit, offset });
    let message = pb::ListChangesRequest { filter, pagination };
    unary!(server, credential, HistoryServiceClient.list_changes(message))
}

async fn whole(server: &Server) -> Vec<pb::Change> {
    let page = list(server, SERVICE, None, (Some(500), None)).await.expect("a page");
    assert_eq!(usize::try_from(page.total()), Ok(page.items.len()));
    page.items
}

fn of(subject: pb::ChangeSubject, id: &str) -> pb::ChangeFilter {
    let subject_id = Some(pb::IdEqFilter { eq: Some(id.into()) });
    pb::ChangeFilter { subject: Some(subject.into()), subject_id }
}

/// Prints a change on one line. A field is printed without values if they are redacted.
fn line(change: &pb::Change) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let fields = change.fields.iter().map(|pb::FieldChange { name, before, after }| {
        if before.is_none() && after.is_none() {
            return name.clone();
        }
        format!("{name} {}>{}", word(before), word(after))
    });
    let fields: Vec<_> = fields.collect();
    let action = change.action().as_str_name().trim_start_matches("CHANGE_ACTION_");
    let subject = change.subject().as_str_name().trim_start_matches("CHANGE_SUBJECT_");
    let pb::Change { actor, subject_id, .. } = change;
    format!("{actor}: {action} {subject} {subject_id}: {}", fields.join(", "))
}

/// Writes projects and participants, each step twice. The second write is a no-op.
async fn write_people(server: &Server) {
    for _ in 0..2 {
        let message = pb::CreateProjectRequest {
            id: Some("proj_new".into()),
            name: "One".into(),
            incentive: Some(5.0),
            ..pb::CreateProjectRequest::default()
        };
        let _ = unary!(server, SERVICE, ProjectServiceClient.create_project(message));
        let message = pb::CreateParticipantRequest {
            id: Some("ptp_new".into()),
            external_uid: Some("crm-new".into()),
            name: Some("Pat Doe".into()),
            email: Some("pat@example.com".into()),
        };
        let _ = unary!(server, SERVICE, ParticipantServiceClient.create_participant(message));
    }
    for _ in 0..2 {
        let (name, incentive) = (Some("Two".into()), Some(7.5));
        let message = pb::UpdateProjectRequest { id: "proj_new".into(), name, incentive };
        let done = unary!(server, SERVICE, ProjectServiceClient.update_project(message));
        done.expect("it changes");
        let message = pb::UpdateParticipantRequest {
            id: "ptp_new".into(),
            name: Some("Sam Doe".into()),
            email: Some(String::new()),
        };
        let done = unary!(server, SERVICE, ParticipantServiceClient.update_participant(message));
        done.expect("it changes");
        let id_verification = pb::IdVerification::Passed.into();
        let message = pb::SetIdVerificationRequest { id: "ptp_new".into(), id_verification };
        let done = unary!(server, SERVICE, ParticipantServiceClient.set_id_verification(message));
        done.expect("it is set");
    }
}

/// Creates, archives, restores and removes a session. Each step but the first is repeated.
async fn write_session(server: &Server) -> pb::ScreenerSession {
    let participant = Some(Named::ParticipantId("ptp_new".into()));
    let message = pb::CreateScreenerSessionRequest { screener_id: "scr_124".into(), participant };
    let made = unary!(server, SPOT, ScreenerSessionServiceClient.create_screener_session(message));
    let made = made.expect("it is created").screener_session.expect("a session");
    let id = &made.id;
    for _ in 0..2 {
        let message = pb::ArchiveScreenerSessionRequest { id: id.clone() };
        let done =
            unary!(server, SPOT, ScreenerSessionServiceClient.archive_screener_session(message));
        done.expect("it is archived");
    }
    for _ in 0..2 {
        let message = pb::RestoreScreenerSessionRequest { id: id.clone() };
        let done =
            unary!(server, SPOT, ScreenerSessionServiceClient.restore_screener_session(message));
        done.expect("it is restored");
    }
    for transport in [Transport::Rest, Transport::Grpc] {
        make(server, transport, SPOT, &Call::RemoveSession(id.clone())).await.answer();
    }
    made
}

/// Reviews a submission, each step over REST and then again over gRPC.
async fn write_review(server: &Server) {
    for (verb, body) in [
        ("invite", Value::Null),
        ("schedule", json!({ "scheduledAt": "2024-06-03T09:00:00Z" })),
        ("favorite", Value::Null),
        ("disqualify", json!({ "reason": "OTHER", "message": "Pat was rude." })),
        ("reject", json!({ "message": "Pat was rude." })),
    ] {
        server.clock.advance_seconds(1);
        for transport in [Transport::Rest, Transport::Grpc] {
            let call = Call::review(verb, "proj_123", "scses_790", body.clone());
            make(server, transport, RESPONDENT, &call).await.answer();
        }
    }
    let refused = Call::review("invite", "proj_123", "scses_790", Value::Null);
    let refused = make(server, Transport::Rest, RESPONDENT, &refused).await;
    assert_eq!(refused.code(), "invalid_status_transition");
}

/// Makes the operator's changes: creates a key that expires, revokes it, and disables a tenant.
async fn write_account(server: &Server) -> String {
    let (app, operator) = (server.running.app(), Operator::trusted());
    let tenant = good(TenantId::parse("acct_123"));
    let (kind, scopes) = (CredentialKind::Service, vec![Scope::SessionsRead, Scope::HistoryRead]);
    let new = NewKey::new(tenant.clone(), kind, scopes, Some(3600)).expect("it is well-formed");
    let (key, _) = app.create_key(&operator, new).await.expect("it is created");
    server.clock.advance_seconds(1);
    for _ in 0..2 {
        app.revoke_key(&operator, key.id.clone()).await.expect("it is revoked");
    }
    for disabled in [true, true, false, false] {
        let done = app.set_tenant_disabled(&operator, tenant.clone(), disabled).await;
        done.expect("the tenant is there");
    }
    key.id.to_string()
}

/// Returns an instant of the test by its second.
fn at(second: u8) -> String {
    format!("2024-06-01T12:00:0{second}Z")
}

/// Returns the expected history of the review.
fn expected_review() -> Vec<String> {
    let steps = [
        (
            "INVITE",
            format!(
                "status PENDING>INVITED, invite_sent_at ->{0}, status_updated_at ->{0}, \
                 actor ->researcher, is_new true>false",
                at(1)
            ),
        ),
        (
            "SCHEDULE",
            format!(
                "status INVITED>SCHEDULED, scheduled_at ->2024-06-03T09:00:00Z, \
                 status_updated_at {}>{}",
                at(1),
                at(2)
            ),
        ),
        ("FAVORITE", "favorite false>true".into()),
        (
            "DISQUALIFY",
            "qualified_override ->false, disqualification.reasons ->OTHER, \
             disqualification.message"
                .into(),
        ),
        (
            "REJECT",
            format!(
                "status SCHEDULED>REJECTEDQUALITY, status_updated_at {}>{1}, rejection.message, \
                 rejection.rejected_at ->{1}",
                at(2),
                at(5)
            ),
        ),
    ];
    let line =
        |(action, fields)| format!("respondent_123: {action} SUBMISSION scses_790: {fields}");
    steps.map(line).into()
}

/// Returns the expected history of all changes.
fn expected(session: &pb::ScreenerSession, key: &str) -> Vec<String> {
    let (id, assignment) = (&session.id, &session.screener_participant_id);
    let me = "key_demo_service";
    let demo = digest(transfer::demo::FILE);
    let mut lines = vec![
        format!(
            "operator: IMPORT TENANT acct_123: file_sha256 ->{demo}, tenants ->1, \
             credentials ->6, projects ->2, screeners ->6, publications ->5, participants ->8, \
             screener_participants ->9, sessions ->8, responses ->12, dismissals ->1"
        ),
        format!(
            "{me}: CREATE PROJECT proj_new: name ->One, incentive ->5, \
             organization_id ->acct_123, team_id ->acct_123"
        ),
        format!(
            "{me}: CREATE PARTICIPANT ptp_new: external_uid, name, email, id_verification ->NONE"
        ),
        format!("{me}: UPDATE PROJECT proj_new: name One>Two, incentive 5>7.5"),
        format!("{me}: UPDATE PARTICIPANT ptp_new: name, email"),
        format!("{me}: UPDATE PARTICIPANT ptp_new: id_verification NONE>PASSED"),
        format!(
            "acct_123: CREATE SESSION {id}: screener_id ->scr_124, \
             screener_participant_id ->{assignment}, screener_publication_id ->scpub_457, \
             link_slug, status ->ACTIVE"
        ),
        format!("acct_123: ARCHIVE SESSION {id}: status ACTIVE>ARCHIVED"),
        format!("acct_123: RESTORE SESSION {id}: status ARCHIVED>ACTIVE"),
        format!("acct_123: REMOVE SESSION {id}: status ACTIVE>REMOVED"),
    ];
    lines.extend(expected_review());
    lines.extend([
        format!(
            "operator: CREATE CREDENTIAL {key}: kind ->service, \
             scopes ->sessions:read history:read, expires_at ->2024-06-01T13:00:05Z"
        ),
        format!("operator: REVOKE CREDENTIAL {key}: revoked_at ->{}", at(6)),
        format!("operator: DISABLE TENANT acct_123: disabled_at ->{}", at(6)),
        format!("operator: ENABLE TENANT acct_123: disabled_at {}>-", at(6)),
    ]);
    lines
}

/// Returns the digest of a file.
fn digest(file: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(file))
}

/// Makes all changes and compares the history with the expected one.
async fn story(server: &Server) {
    write_people(server).await;
    let session = write_session(server).await;
    write_review(server).await;
    let key = write_account(server).await;
    let log = whole(server).await;
    let expected = expected(&session, &key);
    assert_eq!(log.iter().map(line).collect::<Vec<_>>(), expected);
    let seconds = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 5, 6, 6, 6];
    for ((seq, change), second) in (0_i64..).zip(&log).zip(seconds) {
        let at = change.at.as_ref().map(|at| at.seconds);
        assert_eq!((change.seq, at), (Some(seq), Some(START_MICROS / 1_000_000 + second)));
    }
    // No value that is redacted occurs in the history.
    let told = format!("{log:?}");
    for secret in ["Pat", "Sam", "example.com", "crm-", "rude", session.link_slug.as_str()] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    parts(server, &log, &session.id).await;
}

/// Checks pages of the history and the histories of single subjects.
async fn parts(server: &Server, log: &[pb::Change], session: &str) {
    use pb::ChangeSubject::{Credential, Participant, Project, Session, Submission, Tenant};
    for (limit, offset) in [(1, 0), (5, 3), (7, 14), (500, 18), (3, 19), (3, 1000)] {
        let page = list(server, SERVICE, None, (Some(limit), Some(offset))).await.expect("a page");
        let begin = usize::try_from(offset).expect("small").min(log.len());
        let end = (begin + usize::try_from(limit).expect("small")).min(log.len());
        assert_eq!(page.items, log[begin..end], "{limit}, {offset}");
        assert_eq!((page.total, page.limit, page.offset), (Some(19), limit, Some(offset)));
    }
    for (subject, id, count) in [
        (Project, "proj_new", 2),
        (Participant, "ptp_new", 3),
        (Session, session, 4),
        (Submission, "scses_790", 5),
        (Session, "scses_790", 0),
        (Tenant, "acct_123", 3),
        (Credential, "nobody", 0),
    ] {
        let matches = |change: &&pb::Change| change.subject() == subject && change.subject_id == id;
        let own: Vec<pb::Change> = log.iter().filter(matches).cloned().collect();
        assert_eq!(own.len(), count, "{subject:?} {id}");
        let filter = Some(of(subject, id));
        let page = list(server, SERVICE, filter.clone(), (None, None)).await.expect("a page");
        assert_eq!((page.items, page.total), (own.clone(), i32::try_from(count).ok()));
        assert_eq!((page.limit, page.offset), (100, Some(0)));
        let page = list(server, SERVICE, filter.clone(), (Some(2), Some(1))).await;
        let end = own.len().min(3);
        assert_eq!(page.expect("a page").items, own[end.min(1)..end]);
        let theirs = list(server, STRANGER, filter, (None, None)).await.expect("a page");
        assert_eq!((theirs.items, theirs.total), (vec![], Some(0)), "{subject:?} {id}");
    }
    let theirs = list(server, STRANGER, None, (None, None)).await.expect("a page");
    assert_eq!(theirs.total, Some(1), "their part of the import");
}

#[tokio::test]
async fn what_was_done_is_told_in_order_and_field_by_field() {
    let server = Server::demo().await;
    story(&server).await;
    server.stop().await;
}

#[test]
fn the_history_on_postgres_is_the_same_or_is_left_out() {
    let Some(backend) = Backend::postgres("the history of changes") else { return };
    run(&backend, async |db| {
        let server = Server::start(&config(Some(db.location.clone()), false)).await;
        transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
        story(&server).await;
        server.stop().await;
    });
}

#[tokio::test]
async fn an_import_is_told_once_for_each_tenant_that_it_brings_something_to() {
    let server = Server::demo().await;
    let project = json!({ "type": "project", "tenant": "acct_123", "id": "proj_file", "name": "P",
        "incentive": 0, "organizationId": "o", "teamId": "t" });
    let head = json!({ "format": "screenerd-import", "version": 1 });
    let file = format!("{head}\n{project}\n");
    let broken = format!("{file}{{}}\n");
    let (app, operator) = (server.running.app(), Operator::trusted());
    for (text, is_good) in [(&broken, false), (&file, true), (&file, true)] {
        let reader = std::io::Cursor::new(text.clone());
        let done = transfer::import_lines(app, &operator, reader, false).await;
        assert_eq!(done.is_ok(), is_good);
    }
    transfer::demo::load(app, &operator).await.expect("it is all there");
    let told: Vec<_> = whole(&server).await.iter().skip(1).map(line).collect();
    let digest = digest(&file);
    let expected =
        format!("operator: IMPORT TENANT acct_123: file_sha256 ->{digest}, projects ->1");
    assert_eq!(told, [expected]);
    assert_eq!(list(&server, STRANGER, None, (None, None)).await.expect("a page").total, Some(1));
    server.stop().await;
}

#[tokio::test]
async fn an_export_is_told_before_it_begins() {
    let server = Server::demo().await;
    let of = |id: &str| Some(pb::IdEqFilter { eq: Some(id.into()) });
    let filter = pb::ScreenerResponseFilter { screener_id: of("scr_124"), ..Default::default() };
    let mut token = None;
    for _ in 0..2 {
        let (filter, resume_token) = (Some(filter.clone()), token.take());
        let message = pb::ExportScreenerResponsesRequest { filter, resume_token };
        let mut client = ScreenerResponseServiceClient::new(server.channel().await);
        let stream = client.export_screener_responses(request(message, SPOT)).await;
        let mut stream = stream.expect("an export").into_inner();
        while let Some(message) = stream.message().await.expect("a message") {
            token = Some(message.resume_token);
        }
    }
    let refused = [("accept", "text/csv"), ("authorization", "Bearer nobody")];
    let two = "filter[screenerSessionId][in][]=scses_793&filter[screenerSessionId][in][]=scses_789";
    let path = format!("/screener-responses?{two}");
    assert_eq!(server.send("GET", &path, &refused).await.status, 401);
    for accept in ["text/csv", "application/json"] {
        let headers = [SPOT, &[("accept", accept)]].concat();
        assert_eq!(server.send("GET", &path, &headers).await.status, 200);
    }
    let (app, operator) = (server.running.app(), Operator::trusted());
    let tenant = Some(good(TenantId::parse("acct_123")));
    let all = ResponseFilter::default();
    let export = app.export_responses_of(&operator, tenant, &all, Format::Parquet).await;
    drop(export.expect("an export"));
    let told: Vec<_> = whole(&server).await.iter().skip(1).map(line).collect();
    let export = "EXPORT TENANT acct_123:";
    let screener = format!("acct_123: {export} filter.screener_id ->scr_124, format ->MESSAGES");
    let sessions = "filter.screener_session_id ->scses_789 scses_793";
    let expected = [
        format!("{screener}, rows ->8"),
        format!("{screener}, is_resumed ->true, rows ->8"),
        format!("acct_123: {export} {sessions}, format ->CSV, rows ->3"),
        format!("operator: {export} format ->PARQUET, rows ->12"),
    ];
    assert_eq!(told, expected);
    server.stop().await;
}

#[tokio::test]
async fn a_filter_names_one_thing_and_everything_that_is_wrong_is_named() {
    let server = Server::demo().await;
    let eq = |id: &str| Some(pb::IdEqFilter { eq: Some(id.into()) });
    let session = Some(pb::ChangeSubject::Session.into());
    let nothing = pb::IdEqFilter { eq: None };
    for (subject, subject_id, fields) in [
        (session, None, &["filter.subject_id"][..]),
        (session, Some(nothing.clone()), &["filter.subject_id"]),
        (None, eq("scses_790"), &["filter.subject"]),
        (Some(0), eq("scses_790"), &["filter.subject"]),
        (Some(99), eq(""), &["filter.subject", "filter.subject_id.eq"]),
        (session, eq(&"x".repeat(129)), &["filter.subject_id.eq"]),
    ] {
        let filter = Some(pb::ChangeFilter { subject, subject_id });
        let refused = list(&server, SERVICE, filter.clone(), (None, None)).await;
        refused.expect_err("it is wrong").is("INVALID_ARGUMENT", fields);
        let refused = list(&server, SERVICE, filter, (Some(0), Some(-1))).await;
        let all = [fields, &["pagination.limit", "pagination.offset"]].concat();
        refused.expect_err("it is wrong").is("INVALID_ARGUMENT", &all);
    }
    for filter in
        [pb::ChangeFilter::default(), pb::ChangeFilter { subject: None, subject_id: Some(nothing) }]
    {
        list(&server, SERVICE, Some(filter), (None, None)).await.expect("it asks for everything");
    }
    server.stop().await;
}
