//! Tests of sessions.

use super::*;
use crate::domain::id::TagId;

#[test]
fn only_active_and_archived_go_back_and_forth_and_what_is_removed_stays() {
    use SessionStatus::{Active, Archived, Removed};
    let archive: fn(SessionStatus) -> _ = SessionStatus::archived;
    let restore: fn(SessionStatus) -> _ = SessionStatus::restored;
    let remove: fn(SessionStatus) -> _ = SessionStatus::removed;
    for (before, step, after) in [
        (Active, archive, Some(Some(Archived))),
        (Archived, archive, Some(None)),
        (Removed, archive, None),
        (Active, restore, Some(None)),
        (Archived, restore, Some(Some(Active))),
        (Removed, restore, None),
        (Active, remove, Some(Some(Removed))),
        (Archived, remove, Some(Some(Removed))),
        (Removed, remove, Some(None)),
    ] {
        let outcome = step(before).map_err(|error: Error| error.kind());
        assert_eq!(outcome, after.ok_or(Kind::InvalidStatusTransition), "{before:?}");
    }
}

#[test]
fn submissions_start_keep_active_and_complete() {
    let at = Timestamp::from_micros;
    let begun = Progress::NotStarted.submitted(at(5), false);
    assert_eq!(begun, Progress::InProgress { started: at(5), last_active: at(5) });
    let later = begun.submitted(at(7), false);
    assert_eq!(later, Progress::InProgress { started: at(5), last_active: at(7) });
    let earlier = later.submitted(at(6), false);
    assert_eq!(earlier, later);
    let done = later.submitted(at(9), true);
    assert_eq!(done, Progress::Completed { started: at(5), completed: at(9) });
    assert_eq!(done.submitted(at(10), true), done);
    let at_once = Progress::NotStarted.submitted(at(5), true);
    assert_eq!(at_once, Progress::Completed { started: at(5), completed: at(5) });
}

#[test]
fn instants_that_contradict_each_other_are_refused() {
    let at = |micros| Some(Timestamp::from_micros(micros));
    assert_eq!(
        Progress::from_instants(at(1), at(2), None).map(Progress::state),
        Ok(SessionState::InProgress)
    );
    assert_eq!(
        Progress::from_instants(at(1), at(2), at(2)).map(Progress::state),
        Ok(SessionState::Completed)
    );
    for (started, active, completed) in [
        (at(2), at(1), None),
        (at(1), at(2), at(3)),
        (None, at(1), None),
        (at(1), None, None),
        (None, None, at(1)),
        (at(3), at(2), at(2)),
    ] {
        assert!(Progress::from_instants(started, active, completed).is_err());
    }
}

fn session(id: &str, progress: Progress) -> Session {
    Session {
        id: SessionId::parse(id).expect("an id"),
        screener: ScreenerId::parse("r").expect("an id"),
        assignment: AssignmentId::parse("a").expect("an id"),
        publication: PublicationId::parse("p").expect("an id"),
        slug: "s".into(),
        link_trusted: true,
        status: SessionStatus::Active,
        progress,
        created: Timestamp::from_micros(0),
        tags: [].into(),
    }
}

#[test]
fn each_state_has_its_instants_and_reads_back_from_them() {
    let at = Timestamp::from_micros;
    for (progress, instants, submitted) in [
        (Progress::NotStarted, (None, None, None), None),
        (
            Progress::InProgress { started: at(1), last_active: at(2) },
            (Some(at(1)), Some(at(2)), None),
            Some(at(1)),
        ),
        (
            Progress::Completed { started: at(1), completed: at(3) },
            (Some(at(1)), Some(at(3)), Some(at(3))),
            Some(at(3)),
        ),
    ] {
        let (started, last_active, completed) = instants;
        assert_eq!(progress.started(), started);
        assert_eq!(progress.last_active(), last_active);
        assert_eq!(progress.completed(), completed);
        assert_eq!(Progress::from_instants(started, last_active, completed), Ok(progress));
        assert_eq!(session("s", progress).submitted(), submitted);
    }
}

#[test]
fn the_operator_reads_which_instants_contradict_each_other() {
    let at = |micros| Some(Timestamp::from_micros(micros));
    for (started, active, completed, words) in [
        (at(2), at(1), None, "not active before it is started"),
        (at(1), at(2), at(3), "last active when it was completed"),
        (at(1), None, at(1), "no instant, or the first two, or all three"),
    ] {
        let reason = Progress::from_instants(started, active, completed).expect_err(words);
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn the_history_does_not_tell_the_slug_that_opens_a_session() {
    let progress = Progress::Completed {
        started: Timestamp::from_micros(0),
        completed: Timestamp::from_micros(1_500_000),
    };
    let expected = [
        Field::told("screener_id", Some("r")),
        Field::told("screener_participant_id", Some("a")),
        Field::told("screener_publication_id", Some("p")),
        Field::redacted("link_slug", Some("s")),
        Field::told("status", Some("ACTIVE")),
        Field::told("started_at", Some("1970-01-01T00:00:00Z")),
        Field::told("last_active_at", Some("1970-01-01T00:00:01.5Z")),
        Field::told("completed_at", Some("1970-01-01T00:00:01.5Z")),
    ];
    assert_eq!(session("s", progress).recorded(), expected);
}

#[test]
fn the_bound_of_a_session_holds_its_texts_its_link_and_its_tags() {
    let bound = |session: &Session| session.encoded_max_bytes();
    let small = session("s", Progress::NotStarted);
    // Five texts of one byte, each with its field number and its length; a link below the longest
    // address, whose ids are escaped; two words and three instants.
    let texts = 5 * (2 + 1 + 1);
    let link = 2 + 2 + PUBLIC_URL_MAX_BYTES + 2 * 3;
    assert_eq!(bound(&small), texts + link + 2 * SMALL_MAX_BYTES + 3 * INSTANT_MAX_BYTES);
    // A byte of the session's or the screener's id counts in its own field and three times in the
    // link. A byte of another text counts only once.
    let longer = session(&"s".repeat(11), Progress::NotStarted);
    assert_eq!(bound(&longer), bound(&small) + 10 + 30);
    let longer = Session { slug: "s".repeat(11), ..small.clone() };
    assert_eq!(bound(&longer), bound(&small) + 10);
    let tag = |value: &str| {
        let id = TagId::parse("t").expect("an id");
        Tag { id, category: None, value: value.into() }
    };
    let tagged = Session { tags: [tag("one"), tag("two")].into(), ..small.clone() };
    let tags = row_max_bytes(&tag("one")) + row_max_bytes(&tag("two"));
    assert_eq!(bound(&tagged), bound(&small) + tags);
}
