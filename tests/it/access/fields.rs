//! Scopes, field by field: a key with one scope reads nothing outside it through any RPC. A table
//! of the sensitive fields must match the descriptors. A test calls every RPC with a key of each
//! scope and searches the responses for planted markers.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use screenerd::app::{NewKey, Operator};
use screenerd::domain::credential::{CredentialKind, Scope};
use screenerd::domain::id::TenantId;
use screenerd::pb::DESCRIPTOR;
use serde_json::{Value, json};

use crate::support::account::good;
use crate::support::calls::Transport;
use crate::support::panelist::{LIFE, Submit, add_life, import, public_key, submit};
use crate::support::{RESPONDENT, SPOT, Server};

/// A kind of data that a scope may cover.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Sensitive {
    /// A participant's answer, current or earlier.
    Answer,
    Email,
    Name,
    /// A text about a participant, or a link that opens a meeting.
    Message,
    /// The caller's own id of a person.
    Uid,
    /// The link of a session.
    Link,
    /// The key of a panelist.
    Key,
}

/// Returns the kinds of data that a scope covers.
fn covered(scope: Scope) -> &'static [Sensitive] {
    use Sensitive::{Answer, Email, Key, Link, Message, Name, Uid};
    match scope {
        Scope::SessionsRead | Scope::SessionsWrite => &[Link],
        Scope::ResponsesRead => &[Answer, Uid],
        Scope::SubmissionsRead | Scope::SubmissionsReview => &[Answer, Name, Message],
        Scope::PanelistsRead => &[Key],
        Scope::ParticipantsRead | Scope::ParticipantsWrite => &[Email, Name, Uid],
        Scope::ScreenersRead | Scope::ScreenersWrite | Scope::HistoryRead | Scope::Admin => &[],
    }
}

/// The fields that contain each kind of data.
const SENSITIVE: &[(Sensitive, &[&str])] = &[
    (
        Sensitive::Answer,
        &[
            "ScreenerResponse.text",
            "ScreenerResponse.number",
            "EarlierResponse.text",
            "EarlierResponse.number",
            "SelectedOption.text",
            "SubmissionAnswer.text",
            "SubmissionAnswer.other",
            "TraceLine.value",
        ],
    ),
    (Sensitive::Email, &["Participant.email"]),
    (
        Sensitive::Name,
        &["Participant.name", "Profile.first_name", "Profile.last_name", "Profile.picture"],
    ),
    (
        Sensitive::Message,
        &[
            "Submission.message",
            "Disqualification.message",
            "Rejection.message",
            "Report.message",
            "Invitation.message",
            "Invitation.remote_communication_details",
            "ExternalProject.booking_url",
            "ExternalProject.meeting_cancel_link",
        ],
    ),
    (Sensitive::Uid, &["Participant.external_uid", "ScreenerResponse.external_participant_uid"]),
    (Sensitive::Link, &["ScreenerSession.screener_session_link", "ScreenerSession.link_slug"]),
    (Sensitive::Key, &["Panelist.public_key", "Panelist.hosted_response_url"]),
];

/// All other texts: of authors, of refusals, digests, and texts that are the same for all callers.
/// No value in the history is sensitive.
const PLAIN: &[&str] = &[
    "Any.type_url",
    "Any.value",
    "Change.actor",
    "DraftViolation.field",
    "DraftViolation.reason",
    "ExportScreenerResponsesResponse.resume_token",
    "ExternalProject.timezone",
    "FieldChange.after",
    "FieldChange.before",
    "FieldChange.name",
    "InvitationEvent.uid",
    "Look.accent_color",
    "Look.display_name",
    "Look.logo",
    "Look.privacy_text",
    "Look.privacy_url",
    "NumericForm.max",
    "NumericForm.min",
    "NumericForm.step",
    "NumericRange.max",
    "NumericRange.min",
    "Project.incentive",
    "Project.name",
    "Publication.content_hash",
    "Question.prompt",
    "QuestionDisqualifications.prompt",
    "QuestionOption.text",
    "Questionnaire.introduction",
    "Questionnaire.language",
    "Questionnaire.thanks_disqualified",
    "Questionnaire.thanks_qualified",
    "Screener.draft_hash",
    "Screener.title",
    "ScreenerResponse.screener_question_prompt",
    "Skill.name",
    "Skill.slug",
    "Skill.type",
    "Status.message",
    "Submission.nda_url",
    "Submission.percentage",
    "SubmissionAnswer.go_to_question_uid",
    "SubmissionAnswer.uid",
    "SubmissionProject.incentive",
    "SubmissionProject.name",
    "SubmissionResponse.question_text",
    "SubmissionResponse.question_type",
    "SubmissionResponse.type",
    "Survey.title",
    "Tag.category",
    "Tag.value",
    "Task.completed_at",
    "TextForm.pattern",
    "TextForm.pattern_hint",
    "TraceLine.rule",
    "ValidateDraftResponse.content_hash",
    "Verdict.percentage",
    "Verdict.publication_hash",
    "VideoProvider.provider_key",
];

fn field_name(field: &FieldDescriptor) -> String {
    format!("{}.{}", field.parent_message().name(), field.name())
}

/// Collects the text and floating-point fields of a message and of its nested messages.
fn texts(message: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        let kind = field.kind();
        if let Some(inner) = kind.as_message() {
            texts(inner, seen, found);
        } else if matches!(kind, Kind::String | Kind::Bytes | Kind::Double | Kind::Float) {
            found.insert(field_name(&field));
        }
    }
}

fn texts_of(method: &MethodDescriptor) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    texts(&method.output(), &mut BTreeSet::new(), &mut found);
    found.retain(|name| !name.starts_with("Timestamp.") && !name.starts_with("Duration."));
    found
}

fn sensitive(field: &str) -> Option<Sensitive> {
    let row = SENSITIVE.iter().find(|(_, fields)| fields.contains(&field))?;
    Some(row.0)
}

/// Returns the methods that accept service tokens.
fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTOR).expect("it decodes");
    let services = pool.services().filter(|it| it.package_name() == "screener.v1");
    let services =
        services.filter(|it| !matches!(it.name(), "AdminService" | "PanelistSessionService"));
    services.flat_map(|it| it.methods().collect::<Vec<_>>()).collect()
}

#[test]
fn every_text_and_fraction_of_an_answer_has_a_place_in_the_table() {
    let texts: BTreeSet<_> = methods().iter().flat_map(texts_of).collect();
    let is_id = |name: &&String| {
        let (_, field) = name.split_once('.').expect("a field of a message");
        field == "id" || field.ends_with("_id") || field.ends_with("_ids")
    };
    let others: BTreeSet<_> = texts.iter().filter(|name| !is_id(name)).cloned().collect();
    let known = SENSITIVE.iter().flat_map(|(_, fields)| *fields).chain(PLAIN);
    assert_eq!(others, known.map(|name| (*name).to_owned()).collect());
}

/// Returns a valid message for some methods and an empty message for all others.
fn message_of(method: &str, session: &str) -> Value {
    let id = json!({ "id": session });
    let review = json!({ "id": session, "projectId": "proj_123" });
    match method {
        "GetScreenerSession" | "ArchiveScreenerSession" | "RestoreScreenerSession" => id,
        "RemoveScreenerSession" => json!({ "id": "scses_790" }),
        "CreateScreenerSession" => json!({ "screenerId": "scr_124", "participantId": "ptp_mark" }),
        "GetSubmission" | "ExplainSubmission" | "HideSubmission" | "UnhideSubmission" => review,
        "ListSubmissions" => json!({ "filter": { "screenerId": { "eq": LIFE } } }),
        "GetPanelistAccess" => json!({ "surveyId": LIFE, "panelistId": "MARK-UID" }),
        "GetParticipant" => json!({ "id": "ptp_mark" }),
        "GetScreenerParticipant" => json!({ "id": "scpar_mark" }),
        "UpdateParticipant" => json!({ "id": "ptp_mark", "name": "MARK-FIRST MARK-LAST" }),
        "SetIdVerification" => {
            json!({ "id": "ptp_mark", "idVerification": "ID_VERIFICATION_PASSED" })
        }
        "GetScreener" | "GetFunnel" | "CloseScreener" | "ReopenScreener" => {
            json!({ "id": LIFE, "screenerId": LIFE })
        }
        "GetPublication" => json!({ "id": "scpub_life" }),
        _ => json!({}),
    }
}

/// The planted texts and their kinds.
type Markers = Vec<(String, Sensitive)>;

/// Plants a message or a link with each verb that accepts one, on the first and second session.
async fn review(server: &Server, [one, two]: [&str; 2]) {
    let booking = json!({ "bookedDate": "2026-02-01T10:00:00Z", "timezone": "UTC",
        "meetingLink": "https://example.com/MARK-BOOKING",
        "meetingCancelLink": "https://example.com/MARK-CANCELLING" });
    let again = json!({ "message": "MARK-REINVITED" });
    for (session, verb, body) in [
        (one, "disqualify", json!({ "reason": "OTHER", "message": "MARK-DISQUALIFIED" })),
        (one, "reject", json!({ "message": "MARK-REJECTED" })),
        (one, "report", json!({ "reasons": ["NOSHOW"], "flaggedMessage": "MARK-REPORTED" })),
        (two, "invite", json!({})),
        (two, "schedule", booking.clone()),
        (two, "cancel-booking-reinvite", again),
        (two, "schedule", booking),
    ] {
        let path = format!("/v1/projects/proj_123/screener-responses/{session}/{verb}");
        let headers = [RESPONDENT, &[("content-type", "application/json")]].concat();
        let reply = server.send_body("PATCH", &path, &headers, Some(&body.to_string())).await;
        assert_eq!(reply.status, 200, "{verb}: {}", reply.text);
    }
}

/// Plants one text of each kind. Returns the id of the session and the markers.
async fn plant(server: &Server) -> (String, Markers) {
    let lines = [
        json!({ "format": "screenerd-import", "version": 1 }),
        json!({ "type": "participant", "tenant": "acct_123", "id": "ptp_mark",
            "externalUid": "MARK-UID", "name": "MARK-FIRST MARK-LAST",
            "email": "MARK-EMAIL@example.com" }),
        json!({ "type": "screenerParticipant", "tenant": "acct_123", "id": "scpar_mark",
            "screenerId": LIFE, "participantId": "ptp_mark" }),
    ];
    add_life(server, false).await;
    import(server, &lines).await;
    let key = public_key(server, LIFE, "MARK-UID").await;
    let size = json!({ "option": ["s_other", "MARK-TYPED"] });
    for answers in [
        json!({ "q_name": { "text": "MARK-EARLIER" }, "q_years": { "number": 17.5 } }),
        json!({ "q_years": { "number": 48.5 } }),
        json!({ "q_name": { "text": "MARK-ANSWER" }, "q_size": size }),
        json!({ "q_team": { "text": "MARK-DROPPED" } }),
        json!({ "q_size": { "option": "s_big" } }),
    ] {
        submit(server, Transport::Grpc, &key, &Submit::some(answers)).await.answer();
    }
    submit(server, Transport::Grpc, &key, &Submit::last(json!({}))).await.answer();
    let other = public_key(server, LIFE, "crm-other").await;
    let answers = json!({ "q_name": { "text": "Other" } });
    submit(server, Transport::Grpc, &other, &Submit::some(answers)).await.answer();
    let path = format!("/screener-sessions?filter[screenerId][eq]={LIFE}");
    let sessions = server.send("GET", &path, SPOT).await.json()["items"].clone();
    let text = |session: usize, member: &str| {
        sessions[session][member].as_str().expect("a text").to_owned()
    };
    review(server, [&text(0, "id"), &text(1, "id")]).await;
    let mut markers: Markers = [
        ("MARK-ANSWER", Sensitive::Answer),
        ("MARK-TYPED", Sensitive::Answer),
        ("MARK-EARLIER", Sensitive::Answer),
        ("MARK-DROPPED", Sensitive::Answer),
        ("48.5", Sensitive::Answer),
        ("17.5", Sensitive::Answer),
        ("MARK-EMAIL", Sensitive::Email),
        ("MARK-FIRST", Sensitive::Name),
        ("MARK-LAST", Sensitive::Name),
        ("MARK-DISQUALIFIED", Sensitive::Message),
        ("MARK-REJECTED", Sensitive::Message),
        ("MARK-REPORTED", Sensitive::Message),
        ("MARK-REINVITED", Sensitive::Message),
        ("MARK-BOOKING", Sensitive::Message),
        ("MARK-CANCELLING", Sensitive::Message),
        ("MARK-UID", Sensitive::Uid),
    ]
    .map(|(text, kind)| (text.to_owned(), kind))
    .into();
    markers.extend([(text(0, "linkSlug"), Sensitive::Link), (key, Sensitive::Key)]);
    (text(0, "id"), markers)
}

/// Calls a method over Connect. Returns the response text, or `None` if the key lacks the scope.
async fn call(
    server: &Server,
    method: &MethodDescriptor,
    token: &str,
    body: &Value,
) -> Option<String> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let body = body.to_string();
    // A stream's envelope has a length of four bytes. The length of a short message fits into one.
    let (media_type, body) = if method.is_server_streaming() {
        let length = char::from(u8::try_from(body.len()).expect("a short message"));
        ("application/connect+json", format!("\0\0\0\0{length}{body}"))
    } else {
        ("application/json", body)
    };
    let headers = [("authorization", token), ("content-type", media_type)];
    let reply = server.send_body("POST", &path, &headers, Some(&body)).await;
    assert!(reply.status != 401, "{path}: {}", reply.text);
    (!reply.text.contains("permission_denied")).then_some(reply.text)
}

/// Creates a service token with one scope.
async fn token(server: &Server, scope: Scope) -> String {
    let tenant = good(TenantId::parse("acct_123"));
    let new = NewKey::new(tenant, CredentialKind::Service, vec![scope], None);
    let app = server.running.app();
    let created = app.create_key(&Operator::trusted(), new.expect("it is well-formed")).await;
    format!("Bearer {}", created.expect("a key").1)
}

/// Asserts that a response has no marker outside the scope, and adds the kinds of those it has.
fn search(text: &str, markers: &Markers, scope: Scope, call: &str, seen: &mut BTreeSet<Sensitive>) {
    for (marker, kind) in markers {
        if text.contains(marker.as_str()) {
            assert!(covered(scope).contains(kind), "{call} with {scope:?}: {marker}");
            seen.insert(*kind);
        }
    }
}

/// Asserts that the responses contain every planted marker.
fn assert_found(texts: &str, markers: &Markers) {
    for (marker, _) in markers {
        assert!(texts.contains(marker.as_str()), "{marker} is nowhere");
    }
}

#[tokio::test]
async fn a_key_of_one_scope_reads_nothing_that_the_scope_does_not_cover() {
    let server = Server::demo().await;
    let (session, markers) = plant(&server).await;
    let routes = [
        "/screener-sessions?filter[screenerId][eq]=scr_life".to_owned(),
        format!("/screener-sessions/{session}"),
        "/screener-responses?filter[screenerId][eq]=scr_life".to_owned(),
        format!("/v1/projects/proj_123/screener-responses/{session}"),
        "/tenant/surveys/scr_life/panelists/MARK-UID".to_owned(),
    ];
    let mut opened: BTreeMap<String, usize> = BTreeMap::new();
    let mut read = String::new();
    for scope in Scope::ALL {
        let (token, mut seen) = (token(&server, *scope).await, BTreeSet::new());
        for method in methods() {
            let name = format!("{}/{}", method.parent_service().name(), method.name());
            let body = message_of(method.name(), &session);
            let Some(text) = call(&server, &method, &token, &body).await else { continue };
            *opened.entry(name.clone()).or_default() += 1;
            let fields = texts_of(&method);
            for kind in fields.iter().filter_map(|field| sensitive(field)) {
                assert!(covered(*scope).contains(&kind), "{name} with {scope:?}: {kind:?}");
            }
            search(&text, &markers, *scope, &name, &mut seen);
            read.push_str(&text);
        }
        for route in &routes {
            for accept in ["application/json", "text/csv"] {
                let headers = [("authorization", &token[..]), ("accept", accept)];
                let reply = server.send("GET", route, &headers).await;
                search(&reply.text, &markers, *scope, route, &mut seen);
            }
        }
        // The search is valid only if it finds everything that the scope covers.
        assert_eq!(seen, covered(*scope).iter().copied().collect(), "{scope:?}");
    }
    assert_found(&read, &markers);
    let several: Vec<_> = opened.iter().filter(|(_, scopes)| **scopes != 1).collect();
    assert!(several.is_empty() && opened.len() == methods().len(), "{several:?}");
    server.stop().await;
}
