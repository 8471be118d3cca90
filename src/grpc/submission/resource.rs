//! Conversion of a submission to the contract's message.

use crate::domain::project::Project;
use crate::domain::review::{
    Actor, CancellationReason, Disqualification, DisqualificationReason, Meeting, Rejection,
    Report, ReportReason, Review, ReviewStatus, Visibility,
};
use crate::domain::submission::{Line, LineAnswer, Submission};
use crate::domain::verdict::Outcome;
use crate::grpc::convert::{saturated, timestamp, wire_words};
use crate::pb::screener::v1;

impl From<Submission> for v1::Submission {
    fn from(submission: Submission) -> Self {
        let outcome = submission.outcome();
        let total_time = saturated(submission.total_seconds());
        let profile = profile(&submission);
        let external_project = booking(&submission);
        let responses = submission.lines().into_iter().map(Into::into).collect();
        let Submission {
            session,
            review,
            project,
            participant,
            publication: _,
            answers: _,
            verdict,
            is_verdict_stored: _,
        } = submission;
        Self {
            id: session.id.to_string(),
            project_id: project.id.to_string(),
            user_id: participant.id.to_string(),
            qualified: Some(outcome == Outcome::Qualified),
            qualified_pending_id_verification: Some(outcome == Outcome::PendingIdVerification),
            percentage: Some(f64::from(verdict.percentage)),
            responses,
            total_time: Some(total_time),
            project: Some(project.into()),
            profile,
            matching: Some(matching(verdict.questions_qualified)),
            external_project,
            created_at: session.submitted().map(timestamp),
            ..reviewed(review)
        }
    }
}

/// Returns a submission with the fields of its review, and all others unset.
fn reviewed(review: Review) -> v1::Submission {
    let Review {
        status,
        visibility,
        favorite,
        hidden,
        is_new,
        qualified_override,
        disqualification,
        invite_sent,
        status_before_invite: _,
        scheduled,
        meeting: _,
        status_updated,
        actor,
        reason,
        short_notice_cancel,
        message,
        rejection,
        report,
    } = review;
    v1::Submission {
        status: v1::SubmissionStatus::from(status).into(),
        favorite: Some(favorite),
        hidden: Some(hidden),
        is_new: Some(is_new),
        invite_sent_at: invite_sent.map(timestamp),
        scheduled_at: scheduled.map(timestamp),
        status_updated_at: status_updated.map(timestamp),
        actor: actor.map(v1::Actor::from).unwrap_or_default().into(),
        reason: reason.map(v1::CancellationReason::from).unwrap_or_default().into(),
        short_notice_cancel,
        message,
        rejection: rejection.map(Into::into),
        visibility: Some(visibility.into()),
        qualified_override,
        disqualification: disqualification.map(Into::into),
        report: report.map(Into::into),
        ..v1::Submission::default()
    }
}

/// Returns the booking, if any part of it is known.
fn booking(submission: &Submission) -> Option<v1::ExternalProject> {
    let scheduled = submission.review.scheduled;
    let Meeting { timezone, booking_url, cancel_url } = submission.review.meeting.clone();
    submission.review.is_booked().then(|| v1::ExternalProject {
        researcher_id: submission.project.team.clone(),
        booking_url,
        meeting_cancel_link: cancel_url,
        booked_date: scheduled.map(timestamp),
        timezone,
    })
}

/// Returns the profile of the participant, if a name is known.
fn profile(submission: &Submission) -> Option<v1::Profile> {
    let (first, last) = submission.participant.split_name()?;
    Some(v1::Profile {
        id: submission.session.assignment.to_string(),
        user_id: submission.participant.id.to_string(),
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        picture: None,
        skills: Vec::new(),
    })
}

/// Everything but the answers matches, because screeners target participants only by questions.
fn matching(questions_qualified: bool) -> v1::Matching {
    v1::Matching {
        is_gender_match: Some(true),
        is_age_match: Some(true),
        is_ethnicity_match: Some(true),
        is_education_match: Some(true),
        questions_qualified: Some(questions_qualified),
        is_location_match: Some(true),
        is_industry_match: Some(true),
        is_job_title_match: Some(true),
        is_household_income_match: Some(true),
        is_company_size_match: Some(true),
        is_topics_match: Some(true),
    }
}

impl From<Line<'_>> for v1::SubmissionResponse {
    fn from(line: Line<'_>) -> Self {
        let Line { question, order, qualify, answers } = line;
        let review_type = question.review_type();
        Self {
            question_id: question.id.to_string(),
            question_text: Some(question.prompt.clone()),
            order: i32::try_from(order).ok(),
            r#type: review_type.to_owned(),
            question_type: review_type.to_owned(),
            answers: answers.into_iter().map(Into::into).collect(),
            qualify: Some(qualify),
        }
    }
}

impl From<LineAnswer> for v1::SubmissionAnswer {
    fn from(answer: LineAnswer) -> Self {
        let LineAnswer { id, text, value, go_to, is_other, other } = answer;
        Self {
            uid: id.clone(),
            id,
            text: Some(text),
            answer_value: Some(value),
            go_to_question_uid: go_to,
            is_other: Some(is_other),
            other,
        }
    }
}

impl From<Project> for v1::SubmissionProject {
    fn from(project: Project) -> Self {
        let Project { id, name, incentive, organization, team } = project;
        Self {
            name: Some(name),
            incentive: Some(incentive),
            id: id.to_string(),
            organization_id: Some(organization),
            team_id: Some(team),
        }
    }
}

impl From<Rejection> for v1::Rejection {
    fn from(rejection: Rejection) -> Self {
        let Rejection { message, at } = rejection;
        Self { message: Some(message), rejected_at: Some(timestamp(at)) }
    }
}

impl From<Disqualification> for v1::Disqualification {
    fn from(disqualification: Disqualification) -> Self {
        let Disqualification { reasons, message } = disqualification;
        let reasons: Vec<i32> =
            reasons.into_iter().map(|it| v1::DisqualificationReason::from(it).into()).collect();
        Self { reason: reasons.first().copied().unwrap_or_default(), message, reasons }
    }
}

impl From<Report> for v1::Report {
    fn from(report: Report) -> Self {
        let Report { reasons, message } = report;
        let reasons = reasons.into_iter().map(|it| v1::ReportReason::from(it).into()).collect();
        Self { reasons, message }
    }
}

wire_words!(ReportReason => ReportReason {
    Misrepresented, Inappropriate, Other; InvalidResponse = Invalidresponse, NoShow = Noshow
});

wire_words!(DisqualificationReason => DisqualificationReason {
    Misrepresented, Context, Screener, Other
});

wire_words!(ReviewStatus => SubmissionStatus {
    Pending, Invited, Scheduled, Attended, Paid, Cancelled;
    NoShow = Noshow, InvalidResponse = Invalidresponse, RejectedQuality = Rejectedquality
});

impl From<Visibility> for v1::SubmissionVisibility {
    fn from(visibility: Visibility) -> Self {
        Self { status: v1::Visibility::from(visibility).into() }
    }
}

wire_words!(Visibility => Visibility { Visible, Dismissed; OnHold = Onhold });

wire_words!(Actor => Actor { Researcher, Respondent, Admin });

wire_words!(CancellationReason => CancellationReason { Time, Final });

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::id::{
        AssignmentId, PageId, ParticipantId, ProjectId, PublicationId, QuestionId, ScreenerId,
        SessionId,
    };
    use crate::domain::participant::{IdVerification, Participant};
    use crate::domain::publication::Publication;
    use crate::domain::question::{Question, QuestionForm, TextForm};
    use crate::domain::session::{Progress, Session, SessionStatus};
    use crate::domain::time::Timestamp;

    /// Returns a submission in which flags are false and numbers are zero, as far as possible.
    fn plain() -> Submission {
        let started = Timestamp::from_micros(1_000_000);
        let screener = ScreenerId::parse("scr_1").expect("an id");
        let publication = PublicationId::parse("scpub_1").expect("an id");
        let question = Question {
            id: QuestionId::parse("scq_1").expect("an id"),
            page: PageId::parse("scp_1").expect("an id"),
            prompt: String::new(),
            required: false,
            form: QuestionForm::Text(TextForm { multi_line: true, ..TextForm::default() }),
        };
        let skipped = (question.id.clone(), Answer::Skipped);
        let session = Session {
            id: SessionId::parse("scses_1").expect("an id"),
            screener: screener.clone(),
            assignment: AssignmentId::parse("scpar_1").expect("an id"),
            publication: publication.clone(),
            slug: "slug".into(),
            link_trusted: false,
            status: SessionStatus::Active,
            progress: Progress::Completed { started, completed: started },
            created: started,
            tags: [].into(),
        };
        let project = Project {
            id: ProjectId::parse("proj_1").expect("an id"),
            name: String::new(),
            incentive: 0.0,
            organization: String::new(),
            team: String::new(),
        };
        let participant = Participant {
            id: ParticipantId::parse("ptp_1").expect("an id"),
            external_uid: None,
            name: Some("Ada".into()),
            email: None,
            id_verification: IdVerification::Failed,
        };
        let review = Review { is_new: false, ..Review::default() };
        let questions = vec![question];
        let publication = Publication {
            id: publication,
            screener,
            tags: Vec::new(),
            wording: <_>::default(),
            questions,
            published: None,
        };
        let (publication, answers) = (Arc::new(publication), vec![skipped]);
        Submission::new(session, review, project, participant, publication, answers, None)
            .expect("a submission")
    }

    #[test]
    fn what_is_false_or_zero_is_set_all_the_same() {
        let message = v1::Submission::from(plain());
        assert_eq!(message.qualified, Some(false));
        assert_eq!(message.qualified_pending_id_verification, Some(false));
        assert_eq!(message.percentage, Some(100.0));
        assert_eq!((message.favorite, message.hidden), (Some(false), Some(false)));
        assert_eq!((message.total_time, message.is_new), (Some(0), Some(false)));
        let project = message.project.expect("a project");
        assert_eq!((project.name, project.incentive), (Some(String::new()), Some(0.0)));
        assert_eq!(project.organization_id, Some(String::new()));
        assert_eq!(project.team_id, Some(String::new()));
        assert_eq!(message.profile.expect("a profile").last_name, Some(String::new()));
        let visibility = message.visibility.expect("a visibility");
        assert_eq!(visibility.status(), v1::Visibility::Visible);
        let [line] = message.responses.as_slice() else { panic!("one line is expected") };
        assert_eq!((line.question_text.as_deref(), line.order), (Some(""), Some(1)));
        assert_eq!((line.r#type.as_str(), line.qualify), ("multiLineTextbox", Some(true)));
        assert_eq!(line.answers, []);
    }

    #[test]
    fn what_is_not_stored_is_unset() {
        let mut submission = plain();
        submission.participant.name = None;
        let message = v1::Submission::from(submission);
        assert_eq!(message.profile, None);
        assert_eq!((message.nda_url, message.nda_agree), (None, None));
        assert_eq!((message.external_project, message.invitation), (None, None));
        assert_eq!((message.short_notice_cancel, message.message), (None, None));
        assert_eq!((message.rejection, message.task, message.scheduled_at), (None, None, None));
        assert_eq!((message.actor, message.reason), (0, 0));
        assert_eq!((message.qualified_override, message.disqualification), (None, None));
    }
}
