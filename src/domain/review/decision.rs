//! The effect of a decision on a review.

use super::{Actor, Decision, Review, ReviewStatus, Step, Visibility};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::session::SessionStatus;
use crate::domain::time::Timestamp;

impl Review {
    /// Returns the review after a decision, or `None` if the decision has no effect.
    pub fn decide(
        &self,
        decision: &Decision,
        session: SessionStatus,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let row = decision.verb().row();
        let is_visible =
            self.visibility == Visibility::Visible && session != SessionStatus::Removed;
        if row.needs_visible && !is_visible {
            return Err(Error::new(
                Kind::NotVisible,
                "The screener response is not visible, so it cannot be acted on.",
            ));
        }
        let mut after = self.clone();
        match (row.step)(self.status) {
            Step::To(status) => after.move_to(status, now),
            Step::Back => {
                // An imported invitation has no previous status.
                let before = self.status_before_invite.unwrap_or(ReviewStatus::Pending);
                after.move_to(before, now);
            }
            Step::Keep => {}
            Step::Done if !decision.is_of_other_side(self.actor) => return Ok(None),
            // A cancellation by the other side is a different fact, so this one is no repeat of it.
            Step::Done | Step::Refused => {
                let (status, cannot) = (self.status.as_str(), row.cannot);
                return Err(Error::new(
                    Kind::InvalidStatusTransition,
                    format!("A screener response that is {status} cannot {cannot}."),
                ));
            }
        }
        decision.set(&mut after, self.status, now);
        if row.decides {
            after.is_new = false;
        }
        Ok((after != *self).then_some(after))
    }

    fn move_to(&mut self, status: ReviewStatus, now: Timestamp) {
        self.status = status;
        self.status_updated = Some(now);
        self.actor = Some(Actor::Researcher);
        self.status_before_invite = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::review::{
        Booking, Cancellation, Disqualification, DisqualificationReason, Meeting, RejectionMessage,
        Verb,
    };

    fn now() -> Timestamp {
        Timestamp::from_micros(5)
    }

    /// Returns one decision for each verb.
    fn decisions() -> Vec<Decision> {
        let message = RejectionMessage::parse(None).expect("a message");
        let reasons = [DisqualificationReason::Context].into();
        let meeting = Meeting { timezone: Some("UTC".into()), ..Meeting::default() };
        let decisions = vec![
            Decision::Reject(message),
            Decision::Qualify,
            Decision::Disqualify(Disqualification { reasons, message: None }),
            Decision::Invite(Some("https://book".into())),
            Decision::CancelInvite,
            Decision::Schedule(Booking { at: now(), meeting }),
            Decision::CancelBooking,
            Decision::CancelBookingReinvite(Some("Another day.".into())),
            Decision::ParticipantCancelBooking(Cancellation::default()),
            Decision::MarkAttended,
            Decision::MarkNoShow,
            Decision::MarkPaid,
            Decision::Hide,
            Decision::Unhide,
            Decision::Favorite(true),
            Decision::Report(None),
            Decision::SetVisibility(Visibility::OnHold),
        ];
        let verbs: Vec<Verb> = decisions.iter().map(Decision::verb).collect();
        assert_eq!(verbs, Verb::ALL);
        decisions
    }

    #[test]
    fn the_same_decision_twice_changes_nothing_the_second_time() {
        for decision in decisions() {
            for status in ReviewStatus::ALL {
                let review = Review { status: *status, ..Review::default() };
                let Ok(Some(after)) = review.decide(&decision, SessionStatus::Active, now()) else {
                    continue;
                };
                if decision.verb().row().needs_visible || after.visibility == Visibility::Visible {
                    let again = after.decide(&decision, SessionStatus::Active, now());
                    assert_eq!(again.expect("it is allowed"), None, "{decision:?} {status:?}");
                }
            }
        }
    }

    #[test]
    fn a_cancellation_of_the_other_side_is_no_repeat() {
        let theirs = Decision::ParticipantCancelBooking(Cancellation::default());
        for (first, second) in
            [(Decision::CancelBooking, theirs.clone()), (theirs, Decision::CancelBooking)]
        {
            let booked = Review { status: ReviewStatus::Scheduled, ..Review::default() };
            let decide = |review: &Review, decision: &Decision| {
                review.decide(decision, SessionStatus::Active, now())
            };
            let cancelled = decide(&booked, &first).expect("it is booked").expect("it changes");
            assert_eq!(decide(&cancelled, &first).expect("a repeat"), None);
            let refused = decide(&cancelled, &second).expect_err("it is another fact");
            assert_eq!(refused.kind(), Kind::InvalidStatusTransition);
        }
    }

    #[test]
    fn visibility_is_checked_before_the_status() {
        for decision in decisions() {
            let row = decision.verb().row();
            for status in ReviewStatus::ALL {
                let plain = Review { status: *status, ..Review::default() };
                let held = |visibility| Review { visibility, ..plain.clone() };
                for (review, session) in [
                    (held(Visibility::Dismissed), SessionStatus::Active),
                    (held(Visibility::OnHold), SessionStatus::Archived),
                    (plain.clone(), SessionStatus::Removed),
                ] {
                    let kind =
                        review.decide(&decision, session, now()).map_err(|it| it.kind()).err();
                    let expected = row.needs_visible.then_some(Kind::NotVisible);
                    assert_eq!(kind, expected, "{decision:?} {status:?}");
                }
            }
        }
    }

    #[test]
    fn a_cancelled_invitation_leads_back_to_where_it_came_from() {
        for (from, stored, expected) in [
            (ReviewStatus::Pending, true, ReviewStatus::Pending),
            (ReviewStatus::Cancelled, true, ReviewStatus::Cancelled),
            (ReviewStatus::Cancelled, false, ReviewStatus::Pending),
        ] {
            let review = Review { status: from, ..Review::default() };
            let decide = |review: &Review, decision: &Decision| {
                let after = review.decide(decision, SessionStatus::Active, now());
                after.expect("it is allowed").expect("it changes something")
            };
            let mut invited = decide(&review, &Decision::Invite(None));
            assert_eq!(invited.status_before_invite, Some(from));
            if !stored {
                invited.status_before_invite = None;
            }
            let back = decide(&invited, &Decision::CancelInvite);
            assert_eq!((back.status, back.status_before_invite), (expected, None));
            assert_eq!(back.invite_sent, Some(now()), "that it was sent stays true");
        }
    }

    #[test]
    fn actor_and_time_are_those_of_the_last_change_of_the_status() {
        for decision in decisions() {
            for status in ReviewStatus::ALL {
                let review = Review { status: *status, ..Review::default() };
                let after = review.decide(&decision, SessionStatus::Active, now()).ok().flatten();
                let Some(after) = after else { continue };
                let moved = after.status != *status;
                assert_eq!(after.status_updated, moved.then_some(now()), "{decision:?} {status:?}");
                let is_theirs = decision.verb() == Verb::ParticipantCancelBooking;
                let actor = if is_theirs { Actor::Respondent } else { Actor::Researcher };
                assert_eq!(after.actor, moved.then_some(actor));
                assert_eq!(after.is_new, !decision.verb().row().decides);
            }
        }
    }
}
