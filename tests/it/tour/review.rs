//! Submissions: verdicts and their explanations, every verb from every status, and lists.

use serde_json::{Value, json};

use super::authoring::history;
use super::guide::Tour;
use super::sessions::pages;

/// A submission, with the project in front.
type Target = (&'static str, &'static str);

const PAID: Target = ("proj_123", "scses_792");
const ON_HOLD: Target = ("proj_123", "scses_793");
const REMOVED: Target = ("proj_surveys", "scses_revoked");

fn message((project, id): Target, more: &Value) -> Value {
    let mut message = json!({ "projectId": project, "id": id });
    for (name, value) in more.as_object().into_iter().flatten() {
        message[name] = value.clone();
    }
    message
}

/// Returns every verb.
fn verbs() -> Vec<(&'static str, Value, Vec<Value>)> {
    [qualifications(), bookings(), marks()].concat()
}

/// Returns the verbs of qualification, with a valid message and invalid ones.
fn qualifications() -> Vec<(&'static str, Value, Vec<Value>)> {
    let long = json!({ "message": "x".repeat(2_001) });
    let reason = |word: &str| json!({ "reason": format!("DISQUALIFICATION_REASON_{word}") });
    let other = json!({ "reason": "DISQUALIFICATION_REASON_OTHER", "message": "Too junior." });
    vec![
        ("QualifySubmission", json!({}), vec![]),
        (
            "DisqualifySubmission",
            other,
            vec![
                json!({}),
                reason("UNSPECIFIED"),
                reason("OTHER"),
                reason("CONTEXT"),
                json!({ "reason": 99, "message": "" }),
                json!({ "reasons": [0, 99, "DISQUALIFICATION_REASON_CONTEXT"] }),
                json!({ "reasons": ["DISQUALIFICATION_REASON_CONTEXT"],
                    "reason": "DISQUALIFICATION_REASON_SCREENER" }),
                long,
            ],
        ),
    ]
}

/// Returns the verbs of a booking, with a valid message and invalid ones.
fn bookings() -> Vec<(&'static str, Value, Vec<Value>)> {
    let long = json!({ "message": "x".repeat(2_001) });
    let time = |text: &str| json!({ "scheduledAt": text });
    vec![
        ("InviteSubmission", json!({}), vec![]),
        ("CancelSubmissionInvite", json!({}), vec![]),
        (
            "InviteSubmission",
            json!({ "bookingUrl": "https://example.com/book" }),
            vec![json!({ "bookingUrl": "x".repeat(2_001) })],
        ),
        ("ScheduleSubmission", time("2024-07-01T09:00:00Z"), vec![json!({})]),
        (
            "ScheduleSubmission",
            json!({ "scheduledAt": "2024-07-02T09:00:00.123456Z", "timezone": "Europe/Berlin",
                "meetingCancelLink": "https://example.com/cancel" }),
            vec![json!({ "timezone": "Mars", "bookingUrl": "x".repeat(2_001) })],
        ),
        ("ReinviteSubmission", json!({ "message": "Again?" }), vec![long]),
        ("ScheduleSubmission", time("2024-07-03T09:00:00Z"), vec![]),
        (
            "CancelSubmissionBookingByParticipant",
            json!({ "reason": "CANCELLATION_REASON_TIME", "shortNoticeCancel": true,
                "message": "I am ill." }),
            vec![json!({ "reason": 99, "message": "x".repeat(2_001) })],
        ),
        ("InviteSubmission", json!({}), vec![]),
        ("ScheduleSubmission", time("2024-07-04T09:00:00Z"), vec![]),
        ("CancelSubmissionBooking", json!({}), vec![]),
        ("InviteSubmission", json!({}), vec![]),
        ("MarkSubmissionAttended", json!({}), vec![]),
    ]
}

/// Returns marks and final verbs, with a valid message and invalid ones.
fn marks() -> Vec<(&'static str, Value, Vec<Value>)> {
    let long = json!({ "message": "x".repeat(2_001) });
    let visibility = |word: &str| json!({ "visibility": format!("VISIBILITY_{word}") });
    vec![
        ("HideSubmission", json!({}), vec![]),
        ("UnhideSubmission", json!({}), vec![]),
        ("FavoriteSubmission", json!({ "favorite": true }), vec![json!({})]),
        ("FavoriteSubmission", json!({ "favorite": false }), vec![]),
        (
            "ReportSubmission",
            json!({ "reasons": ["REPORT_REASON_OTHER"], "message": "Rude." }),
            vec![json!({ "reasons": [0, 99], "message": "x".repeat(2_001) })],
        ),
        ("ReportSubmission", json!({}), vec![]),
        (
            "SetSubmissionVisibility",
            visibility("DISMISSED"),
            vec![json!({}), visibility("UNSPECIFIED"), json!({ "visibility": 99 })],
        ),
        ("SetSubmissionVisibility", visibility("VISIBLE"), vec![]),
        ("RejectSubmission", json!({ "message": "Bad." }), vec![json!({ "message": "" }), long]),
        ("MarkSubmissionNoShow", json!({}), vec![]),
        ("MarkSubmissionPaid", json!({}), vec![]),
    ]
}

/// Applies every verb to one submission.
async fn verbs_of(tour: &mut Tour, target: Target) {
    for (verb, needs, refused) in verbs() {
        let rpc = format!("SubmissionService/{verb}");
        for more in refused {
            tour.call(&rpc, "respondent", message(target, &more)).await;
        }
        tour.wait(60);
        tour.call(&rpc, "respondent", message(target, &needs)).await;
        tour.call(&rpc, "service", message(target, &needs)).await;
    }
}

async fn refusals(tour: &mut Tour) {
    let mut done = Vec::new();
    for (verb, needs, _) in verbs() {
        if done.contains(&verb) {
            continue;
        }
        done.push(verb);
        let rpc = format!("SubmissionService/{verb}");
        for target in [PAID, ON_HOLD, REMOVED] {
            tour.call(&rpc, "respondent", message(target, &needs)).await;
        }
        for target in [
            ("proj_surveys", "scses_790"),
            ("proj_123", "scses_791"),
            ("proj_999", "scses_999"),
            ("none", "none"),
            ("", ""),
        ] {
            tour.call(&rpc, "respondent", message(target, &needs)).await;
        }
    }
}

async fn reads(tour: &mut Tour) {
    for rpc in ["SubmissionService/GetSubmission", "SubmissionService/ExplainSubmission"] {
        for target in [
            ("proj_123", "scses_790"),
            ("proj_123", "scses_789"),
            ("proj_123", "scses_791"),
            PAID,
            ON_HOLD,
            REMOVED,
            ("proj_surveys", "scses_done_123"),
            ("proj_surveys", "scses_790"),
            ("proj_999", "scses_999"),
            ("", ""),
        ] {
            tour.call(rpc, "respondent", message(target, &json!({}))).await;
        }
    }
    for (screener, publication) in [
        ("scr_124", None),
        ("scr_124", Some("scpub_457")),
        ("scr_124", Some("scpub_456")),
        ("survey-123", None),
        ("survey-draft", None),
        ("none", None),
        ("", Some("")),
    ] {
        let mut message = json!({ "screenerId": screener });
        if let Some(publication) = publication {
            message["publicationId"] = json!(publication);
        }
        tour.call("FunnelService/GetFunnel", "service", message).await;
    }
}

async fn lists(tour: &mut Tour) {
    const LIST: &str = "SubmissionService/ListSubmissions";
    let status = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| format!("SUBMISSION_STATUS_{word}")).collect();
        json!({ "statuses": words })
    };
    let visible = |word: &str| json!({ "visibilities": [format!("VISIBILITY_{word}")] });
    let filters = [
        json!({ "projectId": { "eq": "proj_123" } }),
        json!({ "screenerId": { "eq": "survey-123" } }),
        json!({ "projectId": { "eq": "proj_123" }, "screenerId": { "eq": "survey-123" } }),
        json!({ "projectId": { "eq": "" }, "screenerId": { "eq": "" } }),
        status(&["PAID"]),
        status(&["INVITED", "PENDING"]),
        status(&["UNSPECIFIED"]),
        json!({ "statuses": [99] }),
        json!({ "qualified": true }),
        json!({ "qualified": false }),
        json!({ "hidden": true }),
        json!({ "favorite": true }),
        json!({ "hidden": false, "projectId": { "eq": "proj_surveys" } }),
        visible("VISIBLE"),
        visible("ONHOLD"),
        visible("DISMISSED"),
        visible("UNSPECIFIED"),
        json!({ "createdAt": { "from": "2024-05-02T00:00:00Z" } }),
        json!({ "createdAt": { "to": "2024-05-02T00:00:00Z" } }),
        json!({ "createdAt": { "from": "2024-05-03T00:00:00Z", "to": "2024-05-02T00:00:00Z" } }),
    ];
    for filter in filters {
        let message = json!({ "filter": filter, "pagination": { "limit": 3 } });
        tour.call(LIST, "respondent", message).await;
    }
    for page in pages() {
        tour.call(LIST, "service", json!({ "pagination": page })).await;
    }
}

async fn batches(tour: &mut Tour) {
    let ids = [
        json!(["scses_done_123", "scses_done_multi"]),
        json!(["scses_done_123", "scses_790", "none"]),
        json!(["scses_done_123", "scses_done_123"]),
        json!([""]),
        json!([]),
    ];
    for verb in ["BatchQualifySubmissions", "BatchRejectSubmissions"] {
        for ids in &ids {
            let message = json!({ "projectId": "proj_surveys", "ids": ids });
            tour.call(&format!("SubmissionService/{verb}"), "respondent", message).await;
        }
    }
    let held = json!({ "projectId": "proj_123", "ids": ["scses_792", "scses_793"] });
    tour.call("SubmissionService/BatchRejectSubmissions", "service", held).await;
}

pub(super) async fn visit(tour: &mut Tour) {
    reads(tour).await;
    lists(tour).await;
    refusals(tour).await;
    verbs_of(tour, ("proj_123", "scses_790")).await;
    let missed = ("proj_surveys", "scses_done_multi");
    let booked = json!({ "scheduledAt": "2024-07-01T09:00:00Z" });
    for (verb, more) in [
        ("InviteSubmission", &Value::Null),
        ("ScheduleSubmission", &booked),
        ("MarkSubmissionNoShow", &Value::Null),
        ("MarkSubmissionNoShow", &Value::Null),
        ("MarkSubmissionAttended", &Value::Null),
    ] {
        let rpc = format!("SubmissionService/{verb}");
        tour.call(&rpc, "respondent", message(missed, more)).await;
    }
    let paid = ("proj_surveys", "scses_done_123");
    for verb in
        ["InviteSubmission", "MarkSubmissionAttended", "MarkSubmissionPaid", "MarkSubmissionPaid"]
    {
        tour.call(&format!("SubmissionService/{verb}"), "respondent", message(paid, &Value::Null))
            .await;
    }
    batches(tour).await;
    reads(tour).await;
    lists(tour).await;
    history(tour, &[("SUBMISSION", "scses_790"), ("SUBMISSION", "scses_done_123")]).await;
}
