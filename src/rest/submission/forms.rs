//! The body of each verb: every documented member, and the decision that results.
//!
//! A documented member that the model does not store is accepted and ignored: `docs/review.md`
//! lists those. An undocumented member is refused by name, because it would be lost silently.

use super::form::{Form, Members, Shape};
use crate::domain::error::Violations;
use crate::domain::review::{
    Booking, Cancellation, CancellationReason, Decision, Disqualification, DisqualificationReason,
    Meeting, RejectionMessage, Report, ReportReason, Verb,
};
use crate::domain::time::Timestamp;
use crate::rest::schema;

/// Returns the form of a verb; `None` if the verb is not documented.
pub(super) fn of(verb: Verb) -> Option<Form> {
    let with_members = WITH_MEMBERS.into_iter().find(|form| form.verb == verb);
    with_members.or_else(|| {
        verb.alone()?;
        let summary = verb.row().summary;
        Some(Form { verb, summary, members: &[], required: &[], example: "", read: None })
    })
}

/// The forms with members. Every other verb without an argument has an empty form.
const WITH_MEMBERS: [Form; 11] = [
    REJECT,
    QUALIFY,
    DISQUALIFY,
    INVITE,
    SCHEDULE,
    CANCEL_BOOKING_REINVITE,
    PARTICIPANT_CANCEL_BOOKING,
    PAYOUTS,
    HIDE,
    FAVORITE,
    REPORT,
];

const REJECT: Form = Form {
    verb: Verb::Reject,
    summary: Verb::Reject.row().summary,
    members: &[("message", Shape::Text)],
    required: &[],
    example: r#"{"message": "The answers contradict each other."}"#,
    read: Some(|members, violations| {
        let message = RejectionMessage::parse(members.text("message"));
        violations.keep("message", message).map(Decision::Reject)
    }),
};
const QUALIFY: Form = Form {
    verb: Verb::Qualify,
    summary: "Qualifies or disqualifies a participant, regardless of the answers.",
    members: &[
        ("qualifyStatus", Shape::Flag),
        // Ignored: a decision by this route always overrides.
        ("qualifiedOverriden", Shape::Flag),
        ("disqualifyReasons", Shape::Words(schema::disqualification_reason)),
        ("message", Shape::Text),
    ],
    required: &[],
    example: r#"{"qualifyStatus": false, "disqualifyReasons": ["CONTEXT"], "message": "Too junior."}"#,
    read: Some(read_qualification),
};
const DISQUALIFY: Form = Form {
    verb: Verb::Disqualify,
    summary: Verb::Disqualify.row().summary,
    members: &[("reason", Shape::Word(schema::disqualification_reason)), ("message", Shape::Text)],
    required: &["reason"],
    example: r#"{"reason": "MISREPRESENTED", "message": "Another role than was claimed."}"#,
    read: Some(read_disqualification),
};
const INVITE: Form = Form {
    verb: Verb::Invite,
    summary: Verb::Invite.row().summary,
    members: &[
        ("bookingLink", Shape::Text),
        ("meetingLink", Shape::Text),
        ("remoteCommunicationDetails", Shape::Text),
        // Ignored: the server sends no messages.
        ("message", Shape::Text),
    ],
    required: &[],
    example: r#"{"bookingLink": "https://example.com/book"}"#,
    read: Some(|members, violations| {
        members.checked("message", violations);
        let links = ["bookingLink", "meetingLink", "remoteCommunicationDetails"];
        Some(Decision::Invite(members.link(&links, violations)))
    }),
};
const SCHEDULE: Form = Form {
    verb: Verb::Schedule,
    summary: "Books a meeting, or moves it. Either `scheduledAt` or `bookedDate` sets \
              the time; `bookedDate` without an offset is the local time of `timezone`.",
    members: &[
        ("scheduledAt", Shape::Time),
        ("bookedDate", Shape::Time),
        ("timezone", Shape::Text),
        ("bookingLink", Shape::Text),
        ("bookingUrl", Shape::Text),
        ("meetingLink", Shape::Text),
        ("meetingCancelLink", Shape::Text),
    ],
    required: &[],
    example: r#"{"bookedDate": "2024-07-01T09:00:00Z", "timezone": "Europe/Berlin"}"#,
    read: Some(read_schedule),
};
const CANCEL_BOOKING_REINVITE: Form = Form {
    verb: Verb::CancelBookingReinvite,
    summary: Verb::CancelBookingReinvite.row().summary,
    members: &[("message", Shape::Text)],
    required: &[],
    example: r#"{"message": "Could you make it on another day?"}"#,
    read: Some(|members, violations| {
        Some(Decision::CancelBookingReinvite(members.checked("message", violations)))
    }),
};
const PARTICIPANT_CANCEL_BOOKING: Form = Form {
    verb: Verb::ParticipantCancelBooking,
    summary: Verb::ParticipantCancelBooking.row().summary,
    members: &[
        ("reason", Shape::Word(schema::cancellation_reason)),
        ("shortNoticeCancel", Shape::Flag),
        ("message", Shape::Text),
    ],
    required: &[],
    example: r#"{"reason": "time", "shortNoticeCancel": true}"#,
    read: Some(|members, violations| {
        let reason = members.text("reason").map(|word| CancellationReason::parse(&word));
        let reason = violations.keep("reason", reason.transpose());
        let short_notice = members.flag("shortNoticeCancel");
        let message = members.checked("message", violations);
        let reason = reason.flatten();
        Some(Decision::ParticipantCancelBooking(Cancellation { reason, short_notice, message }))
    }),
};
const PAYOUTS: Form = Form {
    verb: Verb::MarkPaid,
    summary: Verb::MarkPaid.row().summary,
    // Ignored: the server makes no payments.
    members: &[("payoutCount", Shape::Whole(1, Some(5))), ("tip", Shape::Whole(0, None))],
    required: &[],
    example: r#"{"payoutCount": 1}"#,
    read: Some(|_, _| Some(Decision::MarkPaid)),
};
const HIDE: Form = Form {
    verb: Verb::Hide,
    summary: "Hides a submission, or shows it again.",
    members: &[("hidden", Shape::Flag)],
    required: &[],
    example: r#"{"hidden": true}"#,
    read: Some(|members, _| {
        let is_hidden = members.flag("hidden").unwrap_or(true);
        Some(if is_hidden { Decision::Hide } else { Decision::Unhide })
    }),
};
const FAVORITE: Form = Form {
    verb: Verb::Favorite,
    summary: Verb::Favorite.row().summary,
    members: &[("favorite", Shape::Flag)],
    required: &[],
    example: r#"{"favorite": true}"#,
    read: Some(|members, _| Some(Decision::Favorite(members.flag("favorite").unwrap_or(true)))),
};
const REPORT: Form = Form {
    verb: Verb::Report,
    summary: Verb::Report.row().summary,
    members: &[
        ("reasons", Shape::Words(schema::report_reason)),
        ("flaggedMessage", Shape::Text),
        // Ignored: the server makes no payments.
        ("payParticipant", Shape::Flag),
    ],
    required: &[],
    example: r#"{"reasons": ["NOSHOW"], "flaggedMessage": "The participant did not come."}"#,
    read: Some(|members, violations| {
        let reasons = members.words("reasons", ReportReason::parse, violations);
        let message = members.checked("flaggedMessage", violations);
        let report = Report { reasons: reasons?, message };
        Some(Decision::Report(Some(report).filter(|it| *it != Report::default())))
    }),
};

fn read_qualification(members: &mut Members, violations: &mut Violations) -> Option<Decision> {
    let is_qualified = members.flag("qualifyStatus").unwrap_or(true);
    let message = members.checked("message", violations);
    let reasons = members.words("disqualifyReasons", DisqualificationReason::parse, violations);
    let reasons = reasons?;
    if is_qualified {
        return Some(Decision::Qualify);
    }
    if reasons.is_empty() {
        violations.add("disqualifyReasons", "Required: at least one reason.");
        return None;
    }
    Some(Decision::Disqualify(Disqualification { reasons, message }))
}

fn read_disqualification(members: &mut Members, violations: &mut Violations) -> Option<Decision> {
    if !members.has("reason") {
        violations.add("reason", "Required.");
    }
    let reason = members.text("reason");
    let reason = reason.map(|reason| DisqualificationReason::parse(&reason));
    let reason = reason.and_then(|reason| violations.keep("reason", reason));
    let message = members.checked("message", violations);
    Some(Decision::Disqualify(Disqualification { reasons: [reason?].into(), message }))
}

/// Reads a booking. Its time is `scheduledAt`, as in responses, or the documented `bookedDate`.
fn read_schedule(members: &mut Members, violations: &mut Violations) -> Option<Decision> {
    let timezone = members.text("timezone").map(Booking::parse_timezone).transpose();
    let timezone = violations.keep("timezone", timezone).flatten();
    let at = read_time(members, timezone.as_deref(), violations);
    let booking_url = members.link(&["bookingLink", "bookingUrl", "meetingLink"], violations);
    let cancel_url = members.checked("meetingCancelLink", violations);
    let meeting = Meeting { timezone, booking_url, cancel_url };
    Some(Decision::Schedule(Booking { at: at?, meeting }))
}

fn read_time(
    members: &mut Members,
    timezone: Option<&str>,
    violations: &mut Violations,
) -> Option<Timestamp> {
    let is_booked_date = members.has("bookedDate");
    if is_booked_date && members.has("scheduledAt") {
        violations.add("bookedDate", "Must not be given together with scheduledAt.");
        return None;
    }
    if is_booked_date {
        let text = members.text("bookedDate")?;
        return violations.keep("bookedDate", Booking::parse_time(&text, timezone));
    }
    if !members.has("scheduledAt") {
        violations.add("scheduledAt", "Required.");
        return None;
    }
    let at = Timestamp::parse_rfc3339(&members.text("scheduledAt")?);
    violations.keep("scheduledAt", at)
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::domain::error::Result;

    fn plain(verb: Verb) -> Form {
        of(verb).expect("a form")
    }

    fn outcome(content_type: Option<&str>, body: &str) -> Result<Decision, Vec<String>> {
        outcome_of(&REJECT, content_type, body)
    }

    fn outcome_of(
        form: &Form,
        content_type: Option<&str>,
        body: &str,
    ) -> Result<Decision, Vec<String>> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a type"));
        }
        form.parse(&headers, body.as_bytes()).map_err(|error| {
            let code = error.kind().mapping().code.to_owned();
            let fields = error.violations().iter().map(|violation| violation.field.clone());
            std::iter::once(code).chain(fields).collect()
        })
    }

    #[test]
    fn a_body_is_optional_and_needs_no_content_type() {
        let default = RejectionMessage::parse(None).map(Decision::Reject);
        let given = RejectionMessage::parse(Some("Too short.".into())).map(Decision::Reject);
        let text = r#"{"message": "Too short."}"#;
        for (content_type, body, expected) in [
            (None, "", &default),
            (Some("application/x-www-form-urlencoded"), "", &default),
            (None, "{}", &default),
            (None, text, &given),
            (Some("application/json"), text, &given),
            (Some("Application/JSON; charset=utf-8"), text, &given),
            (Some("application/merge-patch+json"), text, &given),
        ] {
            assert_eq!(outcome(content_type, body).as_ref().ok(), expected.as_ref().ok());
        }
    }

    #[test]
    fn a_body_that_does_not_fit_is_refused_by_name() {
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(2001));
        for (content_type, body, expected) in [
            (Some("text/plain"), "{}", &["unsupported_media_type"][..]),
            (Some("application/jsonp"), "{}", &["unsupported_media_type"][..]),
            (None, "{", &["invalid_argument", "body"][..]),
            (None, " ", &["invalid_argument", "body"][..]),
            (None, "null", &["invalid_argument", "body"][..]),
            (None, r#""text""#, &["invalid_argument", "body"][..]),
            (None, r#"{"message": 5}"#, &["invalid_argument", "message"][..]),
            (None, r#"{"message": null}"#, &["invalid_argument", "message"][..]),
            (None, &long, &["invalid_argument", "message"][..]),
            (
                None,
                r#"{"a": 1, "message": [], "b": 2}"#,
                &["invalid_argument", "a", "b", "message"],
            ),
        ] {
            assert_eq!(outcome(content_type, body).expect_err(body), expected, "{body}");
        }
    }

    #[test]
    fn the_documented_members_mean_what_they_say() {
        let why = |reasons: &[DisqualificationReason], message: Option<&str>| {
            let (reasons, message) =
                (reasons.iter().copied().collect(), message.map(str::to_owned));
            Decision::Disqualify(Disqualification { reasons, message })
        };
        let (context, other) = (DisqualificationReason::Context, DisqualificationReason::Other);
        let said = Cancellation {
            reason: Some(CancellationReason::Final),
            short_notice: Some(true),
            message: Some("Ill.".into()),
        };
        for (form, body, expected) in [
            (&QUALIFY, "", Decision::Qualify),
            (&QUALIFY, r#"{"qualifyStatus": true, "disqualifyReasons": []}"#, Decision::Qualify),
            (
                &QUALIFY,
                r#"{"qualifyStatus": true, "qualifiedOverriden": false,
                    "disqualifyReasons": ["OTHER"], "message": "m"}"#,
                Decision::Qualify,
            ),
            (
                &QUALIFY,
                r#"{"qualifyStatus": false, "disqualifyReasons": ["CONTEXT"], "message": "m"}"#,
                why(&[context], Some("m")),
            ),
            (
                &QUALIFY,
                r#"{"qualifyStatus": false, "qualifiedOverriden": true,
                    "disqualifyReasons": ["OTHER", "CONTEXT", "OTHER"], "message": ""}"#,
                why(&[context, other], None),
            ),
            (&DISQUALIFY, r#"{"reason": "CONTEXT"}"#, why(&[context], None)),
            (&DISQUALIFY, r#"{"reason": "CONTEXT", "message": "m"}"#, why(&[context], Some("m"))),
            (&CANCEL_BOOKING_REINVITE, "", Decision::CancelBookingReinvite(None)),
            (
                &CANCEL_BOOKING_REINVITE,
                r#"{"message": "m"}"#,
                Decision::CancelBookingReinvite(Some("m".into())),
            ),
            (
                &PARTICIPANT_CANCEL_BOOKING,
                "",
                Decision::ParticipantCancelBooking(Cancellation::default()),
            ),
            (
                &PARTICIPANT_CANCEL_BOOKING,
                r#"{"reason": "final", "shortNoticeCancel": true, "message": "Ill."}"#,
                Decision::ParticipantCancelBooking(said),
            ),
            (&PAYOUTS, r#"{"payoutCount": 5, "tip": 0}"#, Decision::MarkPaid),
            (&PAYOUTS, "", Decision::MarkPaid),
            (&FAVORITE, "", Decision::Favorite(true)),
            (&FAVORITE, r#"{"favorite": false}"#, Decision::Favorite(false)),
            (&HIDE, "{}", Decision::Hide),
            (&HIDE, r#"{"hidden": false}"#, Decision::Unhide),
            (&plain(Verb::Unhide), "", Decision::Unhide),
        ] {
            assert_eq!(outcome_of(form, None, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn a_report_has_reasons_and_a_message_or_none() {
        let report = |reasons: &[ReportReason], message: Option<&str>| {
            let reasons = reasons.iter().copied().collect();
            Decision::Report(Some(Report { reasons, message: message.map(str::to_owned) }))
        };
        for (form, body, expected) in [
            (&REPORT, "", Decision::Report(None)),
            (
                &REPORT,
                r#"{"reasons": ["NOSHOW", "MISREPRESENTED"], "flaggedMessage": "m",
                    "payParticipant": true}"#,
                report(&[ReportReason::Misrepresented, ReportReason::NoShow], Some("m")),
            ),
            (
                &REPORT,
                r#"{"reasons": ["OTHER"], "flaggedMessage": ""}"#,
                report(&[ReportReason::Other], None),
            ),
        ] {
            assert_eq!(outcome_of(form, None, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn a_booking_has_a_time_a_zone_and_two_links() {
        let booked =
            |at: &str, timezone: Option<&str>, link: Option<&str>, cancel: Option<&str>| {
                let at = Timestamp::parse_rfc3339(at).expect("a time");
                let [timezone, booking_url, cancel_url] =
                    [timezone, link, cancel].map(|it| it.map(str::to_owned));
                Decision::Schedule(Booking {
                    at,
                    meeting: Meeting { timezone, booking_url, cancel_url },
                })
            };
        let at = "2026-02-01T10:00:00Z";
        let invite = |link: Option<&str>| Decision::Invite(link.map(str::to_owned));
        for (form, body, expected) in [
            (&INVITE, "", invite(None)),
            (&INVITE, r#"{"message": "Hello."}"#, invite(None)),
            (&INVITE, r#"{"meetingLink": "m"}"#, invite(Some("m"))),
            (&INVITE, r#"{"meetingLink": "m", "bookingLink": "b"}"#, invite(Some("b"))),
            (
                &INVITE,
                r#"{"remoteCommunicationDetails": "r", "bookingLink": ""}"#,
                invite(Some("r")),
            ),
            (&SCHEDULE, r#"{"scheduledAt": "2026-02-01T10:00:00Z"}"#, booked(at, None, None, None)),
            (
                &SCHEDULE,
                r#"{"bookedDate": "2026-02-01T11:00:00+01:00"}"#,
                booked(at, None, None, None),
            ),
            (
                &SCHEDULE,
                r#"{"bookedDate": "2026-02-01T10:00:00.000Z", "timezone": "Asia/Tokyo",
                    "meetingLink": "m", "meetingCancelLink": "c"}"#,
                booked(at, Some("Asia/Tokyo"), Some("m"), Some("c")),
            ),
            (
                &SCHEDULE,
                r#"{"bookedDate": "2026-02-01T05:00:00", "timezone": "America/New_York",
                    "bookingUrl": "u", "meetingLink": "m"}"#,
                booked(at, Some("America/New_York"), Some("u"), None),
            ),
        ] {
            assert_eq!(outcome_of(form, None, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_a_decision_needs_is_asked_for_by_name() {
        let long = format!(r#"{{"message": "{}"}}"#, "x".repeat(2001));
        for (form, body, fields) in [
            (&DISQUALIFY, "", &["reason"][..]),
            (&DISQUALIFY, r#"{"reason": "context"}"#, &["reason"]),
            (&DISQUALIFY, r#"{"reason": 1, "other": 1}"#, &["other", "reason"]),
            (&DISQUALIFY, &*long, &["reason", "message"]),
            (&SCHEDULE, "{}", &["scheduledAt"]),
            (&SCHEDULE, r#"{"scheduledAt": "tomorrow"}"#, &["scheduledAt"]),
            (
                &SCHEDULE,
                r#"{"bookedDate": "tomorrow", "timezone": "Mars", "zone": "UTC"}"#,
                &["zone", "timezone", "bookedDate"],
            ),
            (&SCHEDULE, r#"{"bookedDate": "2026-02-01T10:00:00"}"#, &["bookedDate"]),
            (
                &SCHEDULE,
                r#"{"scheduledAt": "2026-02-01T10:00:00", "timezone": "UTC"}"#,
                &["scheduledAt"],
            ),
            (
                &SCHEDULE,
                r#"{"scheduledAt": "2026-02-01T10:00:00Z", "bookedDate": "2026-02-01T10:00:00Z"}"#,
                &["bookedDate"],
            ),
            (&QUALIFY, r#"{"qualifyStatus": "yes"}"#, &["qualifyStatus"]),
            (&QUALIFY, r#"{"qualifyStatus": false}"#, &["disqualifyReasons"]),
            (&QUALIFY, r#"{"disqualifyReasons": ["NONE"]}"#, &["disqualifyReasons"]),
            (&QUALIFY, r#"{"disqualifyReasons": "OTHER"}"#, &["disqualifyReasons"]),
            (&QUALIFY, r#"{"qualifiedOverridden": true}"#, &["qualifiedOverridden"]),
            (&INVITE, r#"{"link": "l"}"#, &["link"]),
            (&INVITE, r#"{"meetingLink": 1, "message": null}"#, &["meetingLink", "message"]),
            (&CANCEL_BOOKING_REINVITE, r#"{"reason": "time"}"#, &["reason"]),
            (&PARTICIPANT_CANCEL_BOOKING, r#"{"reason": "TIME"}"#, &["reason"]),
            (&PARTICIPANT_CANCEL_BOOKING, r#"{"shortNoticeCancel": 1}"#, &["shortNoticeCancel"]),
            (&PAYOUTS, r#"{"payoutCount": 0, "tip": -1}"#, &["payoutCount", "tip"]),
            (&PAYOUTS, r#"{"payoutCount": 6, "tip": 0.5}"#, &["payoutCount", "tip"]),
            (&REPORT, r#"{"reasons": ["CONTEXT"]}"#, &["reasons"]),
            (&REPORT, r#"{"message": "m"}"#, &["message"]),
            (&FAVORITE, r#"{"favorite": 1}"#, &["favorite"]),
            (&plain(Verb::CancelInvite), r#"{"message": "m"}"#, &["message"]),
        ] {
            let refused = outcome_of(form, None, body).expect_err(body);
            assert_eq!(refused[0], "invalid_argument");
            assert_eq!(refused[1..], *fields, "{body}");
        }
    }
}
