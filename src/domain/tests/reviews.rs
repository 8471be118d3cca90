//! Tests of the verbs of a review, and of their entries in the audit log.

use crate::domain::error::Kind;
use crate::domain::id::ParticipantId;
use crate::domain::participant::{ExternalUid, IdVerification, Participant};
use crate::domain::recorded::{Field, Recorded as _};
use crate::domain::review::{
    Actor, Booking, Cancellation, CancellationReason, Decision, Disqualification,
    DisqualificationReason, Meeting, REJECTION_MESSAGE_DEFAULT, Rejection, RejectionMessage,
    Report, ReportReason, Review, ReviewStatus, Verb, Visibility, parse_text,
};
use crate::domain::session::SessionStatus;
use crate::domain::time::Timestamp;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn disqualification(message: Option<&str>) -> Disqualification {
    let reasons = [DisqualificationReason::Other, DisqualificationReason::Context].into();
    Disqualification { reasons, message: message.map(str::to_owned) }
}

/// A meeting with all details.
fn meeting() -> Meeting {
    let [timezone, booking_url, cancel_url] =
        ["Europe/Berlin", "https://book", "https://cancel"].map(|it| Some(it.to_owned()));
    Meeting { timezone, booking_url, cancel_url }
}

fn report(message: &str) -> Report {
    let reasons = [ReportReason::NoShow, ReportReason::Misrepresented].into();
    Report { reasons, message: Some(message.into()) }
}

/// A review of a status with every field set that a verb may change.
fn marked(status: ReviewStatus) -> Review {
    Review {
        status,
        qualified_override: Some(false),
        disqualification: Some(disqualification(None)),
        scheduled: Some(at(1)),
        meeting: meeting(),
        reason: Some(CancellationReason::Time),
        short_notice_cancel: Some(true),
        message: Some("Sorry.".into()),
        report: Some(report("Rude.")),
        ..Review::default()
    }
}

fn decide(review: &Review, decision: &Decision) -> Review {
    let decided = review.decide(decision, SessionStatus::Active, at(9));
    decided.expect("it is allowed").expect("it changes something")
}

/// Returns the review after a verb that moves it to another status.
fn moved(status: ReviewStatus, before: &Review) -> Review {
    Review {
        status,
        status_updated: Some(at(9)),
        actor: Some(Actor::Researcher),
        status_before_invite: None,
        is_new: false,
        ..before.clone()
    }
}

#[test]
fn a_verb_that_moves_a_review_sets_what_it_is_about_and_leaves_the_rest() {
    use ReviewStatus::{
        Attended, Cancelled, Invited, NoShow, Paid, Pending, RejectedQuality, Scheduled,
    };
    let message = RejectionMessage::parse(Some("No.".into())).expect("a message");
    let rejection = Some(Rejection { message: "No.".into(), at: at(9) });
    let (pending, invited, booked) = (marked(Pending), marked(Invited), marked(Scheduled));
    let link = || Some("https://other".to_owned());
    let sent = Review {
        invite_sent: Some(at(9)),
        status_before_invite: Some(Pending),
        scheduled: None,
        meeting: Meeting { booking_url: link(), ..Meeting::default() },
        ..moved(Invited, &pending)
    };
    let back = Review { meeting: Meeting::default(), ..moved(Pending, &invited) };
    let cancelled = Review {
        scheduled: None,
        meeting: Meeting::default(),
        reason: None,
        short_notice_cancel: None,
        message: None,
        ..moved(Cancelled, &booked)
    };
    let again = Review {
        invite_sent: Some(at(9)),
        message: Some("Again?".into()),
        ..Review { status: Invited, ..cancelled.clone() }
    };
    let theirs = Review {
        actor: Some(Actor::Respondent),
        reason: Some(CancellationReason::Final),
        message: Some("Ill.".into()),
        ..cancelled.clone()
    };
    let said = Cancellation {
        reason: Some(CancellationReason::Final),
        short_notice: None,
        message: Some("Ill.".into()),
    };
    let rejected = Review { rejection, ..moved(RejectedQuality, &pending) };
    let new = Meeting { booking_url: link(), ..Meeting::default() };
    let scheduled = Review {
        scheduled: Some(at(7)),
        meeting: Meeting { timezone: None, booking_url: link(), ..meeting() },
        ..moved(Scheduled, &invited)
    };
    let attended = marked(Attended);
    for (before, decision, after) in [
        (&pending, Decision::Reject(message), rejected),
        (&pending, Decision::Invite(link()), sent),
        (&invited, Decision::CancelInvite, back),
        (&invited, Decision::Schedule(Booking { at: at(7), meeting: new }), scheduled),
        (&booked, Decision::CancelBooking, cancelled),
        (&booked, Decision::CancelBookingReinvite(Some("Again?".into())), again),
        (&booked, Decision::ParticipantCancelBooking(said), theirs),
        (&attended, Decision::MarkPaid, moved(Paid, &attended)),
        (&booked, Decision::MarkAttended, moved(Attended, &booked)),
        (&booked, Decision::MarkNoShow, moved(NoShow, &booked)),
    ] {
        assert_eq!(decide(before, &decision), after, "{decision:?}");
    }
}

#[test]
fn a_verb_that_moves_nothing_sets_what_it_is_about_and_leaves_the_rest() {
    let pending = marked(ReviewStatus::Pending);
    let decided = Review { is_new: false, ..pending.clone() };
    let why = disqualification(Some("Why."));
    let dismissed = Review { visibility: Visibility::Dismissed, ..decided.clone() };
    let reported = Review { report: Some(report("Late.")), ..dismissed.clone() };
    let disqualified = Review { disqualification: Some(why.clone()), ..decided.clone() };
    let qualified =
        Review { qualified_override: Some(true), disqualification: None, ..decided.clone() };
    let held = Review { visibility: Visibility::OnHold, ..pending.clone() };
    let (hidden, favorite) =
        (Review { hidden: true, ..pending.clone() }, Review { favorite: true, ..pending.clone() });
    for (before, decision, after) in [
        (&pending, Decision::Qualify, &qualified),
        (&pending, Decision::Disqualify(why), &disqualified),
        (&pending, Decision::Hide, &hidden),
        (&hidden, Decision::Unhide, &pending),
        (&pending, Decision::Favorite(true), &favorite),
        (&favorite, Decision::Favorite(false), &pending),
        (&pending, Decision::Report(None), &dismissed),
        (&pending, Decision::Report(Some(report("Late."))), &reported),
        (&pending, Decision::SetVisibility(Visibility::OnHold), &held),
    ] {
        assert_eq!(decide(before, &decision), *after, "{decision:?}");
    }
}

#[test]
fn a_refused_verb_says_which_status_does_not_allow_it() {
    let message = RejectionMessage::parse(None).expect("a message");
    let decisions = [
        (Decision::Reject(message), "A screener response that is PAID cannot be rejected."),
        (Decision::Invite(None), "A screener response that is PAID cannot be invited."),
        (
            Decision::CancelInvite,
            "A screener response that is PAID cannot have an invitation cancelled.",
        ),
        (
            Decision::Schedule(Booking { at: at(7), meeting: meeting() }),
            "A screener response that is PAID cannot be scheduled.",
        ),
        (
            Decision::CancelBookingReinvite(None),
            "A screener response that is PAID cannot be invited again.",
        ),
    ];
    for (decision, detail) in decisions {
        let paid = Review { status: ReviewStatus::Paid, ..Review::default() };
        let refused = paid.decide(&decision, SessionStatus::Active, at(9)).expect_err("it is paid");
        assert_eq!((refused.kind(), refused.detail()), (Kind::InvalidStatusTransition, detail));
    }
}

#[test]
fn a_researchers_marks_need_no_visible_submission_and_leave_it_new() {
    let marks = ["HIDE", "UNHIDE", "FAVORITE", "SET_VISIBILITY"];
    let held = Review { visibility: Visibility::OnHold, ..marked(ReviewStatus::Pending) };
    let hide = held.decide(&Decision::Hide, SessionStatus::Removed, at(9)).expect("it is a mark");
    assert!(hide.is_some_and(|after| after.hidden && after.is_new));
    let report =
        held.decide(&Decision::Report(None), SessionStatus::Removed, at(9)).expect("allowed");
    assert!(report.is_some_and(|after| !after.is_new), "it tells of the participant");
    for verb in Verb::ALL {
        let (row, is_mark) = (verb.row(), marks.contains(&verb.as_str()));
        assert_eq!(row.needs_visible, !is_mark && *verb != Verb::Report, "{}", row.name);
        assert_eq!(row.decides, !is_mark, "{}", row.name);
    }
}

#[test]
fn a_message_is_kept_as_it_was_written_and_an_empty_one_is_none() {
    let parse = parse_text;
    assert_eq!(parse(Some("Why.".into())), Ok(Some("Why.".into())));
    assert_eq!((parse(Some(String::new())), parse(None)), (Ok(None), Ok(None)));
    let text = |message: Option<&str>| {
        let parsed = RejectionMessage::parse(message.map(str::to_owned));
        parsed.expect("a message").into_text()
    };
    assert_eq!(text(Some("No.")), "No.");
    assert_eq!([text(None), text(Some(""))], [REJECTION_MESSAGE_DEFAULT; 2]);
}

/// Returns whether a field is redacted.
fn hides(fields: &[Field], name: &'static str, value: &str) -> bool {
    fields.contains(&Field::redacted(name, Some(value)))
        && !fields.contains(&Field::told(name, Some(value)))
}

#[test]
fn the_history_of_a_review_tells_decisions_and_hides_what_was_written_to_people() {
    let review = Review {
        disqualification: Some(disqualification(Some("Why."))),
        rejection: Some(Rejection { message: "No.".into(), at: at(0) }),
        status_updated: Some(at(0)),
        ..marked(ReviewStatus::Scheduled)
    };
    let fields = review.recorded();
    assert_eq!(fields.len(), 22);
    for (name, value) in [
        ("disqualification.message", "Why."),
        ("message", "Sorry."),
        ("rejection.message", "No."),
        ("report.message", "Rude."),
        ("external_project.timezone", "Europe/Berlin"),
        ("external_project.booking_url", "https://book"),
        ("external_project.meeting_cancel_link", "https://cancel"),
    ] {
        assert!(hides(&fields, name, value), "{name}");
    }
    for (name, value) in [
        ("status", "SCHEDULED"),
        ("visibility", "VISIBLE"),
        ("qualified_override", "false"),
        ("disqualification.reasons", "CONTEXT,OTHER"),
        ("report.reasons", "MISREPRESENTED,NOSHOW"),
        ("status_updated_at", "1970-01-01T00:00:00Z"),
        ("rejection.rejected_at", "1970-01-01T00:00:00Z"),
        ("reason", "time"),
        ("is_new", "true"),
    ] {
        assert!(fields.contains(&Field::told(name, Some(value))), "{name}");
    }
}

#[test]
fn the_history_of_a_participant_hides_who_it_is() {
    let participant = Participant {
        id: ParticipantId::parse("ptp_1").expect("an id"),
        external_uid: ExternalUid::parse("crm-1").ok(),
        name: Some("Alex Doe".into()),
        email: Some("a@example.com".into()),
        id_verification: IdVerification::Passed,
    };
    let fields = participant.recorded();
    assert_eq!(fields.len(), 4);
    for (name, value) in
        [("external_uid", "crm-1"), ("name", "Alex Doe"), ("email", "a@example.com")]
    {
        assert!(hides(&fields, name, value), "{name}");
    }
    assert!(fields.contains(&Field::told("id_verification", Some("PASSED"))));
}

#[test]
fn a_name_is_split_at_its_first_space() {
    let split = |name: Option<&str>| {
        let participant = Participant {
            id: ParticipantId::parse("ptp_1").expect("an id"),
            external_uid: None,
            name: name.map(str::to_owned),
            email: None,
            id_verification: IdVerification::None,
        };
        participant.split_name().map(|(first, last)| (first.to_owned(), last.to_owned()))
    };
    let names = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
    assert_eq!(split(None), None);
    assert_eq!(split(Some("Alex")), names("Alex", ""));
    assert_eq!(split(Some("Alex de Souza")), names("Alex", "de Souza"));
}

#[test]
fn an_external_uid_has_1_to_256_bytes_and_nothing_that_controls() {
    for good in ["c", "crm 1/ü", &"a".repeat(256)] {
        assert!(ExternalUid::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "a\n", "a\0", &"a".repeat(257), &"ü".repeat(129), &"a".repeat(400)] {
        assert!(ExternalUid::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_verb_conflicts_with_what_is_not_visible_and_with_statuses_that_refuse_it() {
    let conflicts = |verb: Verb| verb.row().conflicts().collect::<Vec<_>>();
    assert_eq!(conflicts(Verb::Reject), [Kind::NotVisible, Kind::InvalidStatusTransition]);
    assert_eq!(conflicts(Verb::Qualify), [Kind::NotVisible]);
    assert_eq!(conflicts(Verb::Favorite), []);
    assert_eq!(conflicts(Verb::MarkPaid), [Kind::NotVisible, Kind::InvalidStatusTransition]);
}
