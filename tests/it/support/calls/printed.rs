//! gRPC responses in the format of the documents.

use prost_types::Timestamp as Instant;
use screenerd::client as pb;
use screenerd::domain::time::Timestamp;
use serde_json::{Value, json};

fn instant(instant: Option<&Instant>) -> Option<Timestamp> {
    instant.map(|it| Timestamp::from_micros(it.seconds * 1_000_000 + i64::from(it.nanos / 1000)))
}

fn time_json(time: Option<&Instant>) -> Value {
    json!(instant(time).map(Timestamp::rfc3339_seconds))
}

/// Returns a word of the contract without its enum's prefix.
fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or_else(|| panic!("{name} begins with {prefix}")).to_owned()
}

pub(crate) fn session_json(session: &pb::ScreenerSession) -> Value {
    let tags: Vec<Value> = session
        .assigned_tags
        .iter()
        .map(|tag| {
            json!({ "_type": "Tag", "id": tag.id, "category": tag.category, "value": tag.value })
        })
        .collect();
    json!({
        "_type": "ScreenerSession",
        "id": session.id,
        "screenerId": session.screener_id,
        "screenerParticipantId": session.screener_participant_id,
        "screenerPublicationId": session.screener_publication_id,
        "screenerSessionLink": session.screener_session_link,
        "linkSlug": session.link_slug,
        "status": word(session.status().as_str_name(), "SCREENER_SESSION_STATUS_"),
        "state": word(session.state().as_str_name(), "SCREENER_SESSION_STATE_"),
        "startedAt": time_json(session.started_at.as_ref()),
        "lastActiveAt": time_json(session.last_active_at.as_ref()),
        "completedAt": time_json(session.completed_at.as_ref()),
        "assignedTags": tags,
    })
}

fn option_json(option: &pb::SelectedOption) -> Value {
    json!({ "text": option.text, "isWriteIn": option.is_write_in.expect("it is always set") })
}

/// Returns a number in the format of the documents.
fn number_json(number: f64) -> Value {
    let whole = format!("{number}").parse::<i64>();
    whole.map_or_else(|_| json!(number), |whole| json!(whole))
}

pub(crate) fn response_json(response: &pb::ScreenerResponse) -> Value {
    use pb::screener_response::Answer;
    let answer = match response.answer.as_ref().expect("a kind this client knows") {
        Answer::Text(text) => json!(text),
        Answer::Number(number) => number_json(*number),
        Answer::Option(option) => option_json(option),
        Answer::Options(options) => options.options.iter().map(option_json).collect(),
        Answer::Skipped(_) => Value::Null,
    };
    let kind = match response.question_type() {
        pb::QuestionType::Text => "Text",
        pb::QuestionType::Numeric => "Numeric",
        pb::QuestionType::SingleSelect => "SingleSelect",
        pb::QuestionType::MultiSelect => "MultiSelect",
        pb::QuestionType::Unspecified => panic!("a question has a type"),
    };
    json!({
        "_type": format!("Screener{kind}Response"),
        "questionType": format!("Screener{kind}Question"),
        "screenerSessionId": response.screener_session_id,
        "screenerPageId": response.screener_page_id,
        "screenerQuestionId": response.screener_question_id,
        "screenerId": response.screener_id,
        "screenerPublicationId": response.screener_publication_id,
        "participantId": response.participant_id,
        "externalParticipantUid": response.external_participant_uid,
        "screenerParticipantId": response.screener_participant_id,
        "screenerQuestionPrompt": response.screener_question_prompt,
        "answer": answer,
    })
}

pub(super) fn access_json(access: &pb::PanelistAccess) -> Value {
    let panelist = access.panelist.as_ref().expect("a panelist");
    let survey = access.survey.as_ref().expect("a survey");
    let seconds = |time: Option<&Instant>| instant(time).map(Timestamp::unix_seconds);
    json!({
        "panelist": {
            "canRespond": panelist.can_respond.expect("it is always set"),
            "sessionCount": panelist.session_count.expect("it is always set"),
            "activityStartedUnixTs": seconds(panelist.activity_started_at.as_ref()),
            "activityMostRecentUnixTs": seconds(panelist.activity_most_recent_at.as_ref()),
            "dismissedMostRecentUnixTs": seconds(panelist.dismissed_most_recent_at.as_ref()),
            "publicKey": panelist.public_key,
            "hostedResponseUrl": panelist.hosted_response_url,
        },
        "survey": {
            "status": word(survey.status().as_str_name(), "SURVEY_STATUS_"),
            "title": survey.title,
        },
    })
}

pub(crate) fn submission_json(submission: &pb::Submission) -> Value {
    let responses: Vec<Value> = submission.responses.iter().map(line_json).collect();
    let mut json = json!({
        "id": submission.id,
        "projectId": submission.project_id,
        "userId": submission.user_id,
        "qualified": submission.qualified.expect("it is always set"),
        "qualifiedPendingIdVerification": submission.qualified_pending_id_verification,
        "percentage": number_json(submission.percentage.expect("it is always set")),
        "status": word(submission.status().as_str_name(), "SUBMISSION_STATUS_"),
        "favorite": submission.favorite,
        "hidden": submission.hidden,
        "isNew": submission.is_new,
        "totalTime": submission.total_time,
        "responses": responses,
        "matching": matching_json(submission.matching.as_ref().expect("it is always set")),
        "visibility": { "status": word(
            submission.visibility.as_ref().expect("it is always set").status().as_str_name(),
            "VISIBILITY_",
        ) },
    });
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            json[name] = value;
        }
    };
    for (name, time) in [
        ("inviteSentAt", &submission.invite_sent_at),
        ("scheduledAt", &submission.scheduled_at),
        ("statusUpdatedAt", &submission.status_updated_at),
        ("createdAt", &submission.created_at),
    ] {
        set(name, time_json(time.as_ref()));
    }
    if submission.actor() != pb::Actor::Unspecified {
        let actor = word(submission.actor().as_str_name(), "ACTOR_");
        set("actor", json!(actor.to_lowercase()));
    }
    set("reason", reason_json(submission));
    set("shortNoticeCancel", json!(submission.short_notice_cancel));
    set("message", json!(submission.message));
    if let Some(rejection) = &submission.rejection {
        let at = time_json(rejection.rejected_at.as_ref());
        set("rejection", json!({ "message": rejection.message, "rejectedAt": at }));
    }
    if let Some(it) = &submission.project {
        set(
            "project",
            json!({ "name": it.name, "incentive": number_json(it.incentive()),
            "id": it.id, "organizationId": it.organization_id, "teamId": it.team_id }),
        );
    }
    set("externalProject", submission.external_project.as_ref().map_or(Value::Null, booking_json));
    if let Some(it) = &submission.profile {
        set(
            "profile",
            json!({ "id": it.id, "userId": it.user_id, "firstName": it.first_name,
            "lastName": it.last_name, "skills": [] }),
        );
    }
    json
}

fn booking_json(booking: &pb::ExternalProject) -> Value {
    let mut json = json!({ "researcherId": booking.researcher_id });
    for (name, value) in [
        ("bookingUrl", json!(booking.booking_url)),
        ("meetingCancelLink", json!(booking.meeting_cancel_link)),
        ("bookedDate", time_json(booking.booked_date.as_ref())),
        ("timezone", json!(booking.timezone)),
    ] {
        if !value.is_null() {
            json[name] = value;
        }
    }
    json
}

fn matching_json(matching: &pb::Matching) -> Value {
    json!({
        "isGenderMatch": matching.is_gender_match,
        "isAgeMatch": matching.is_age_match,
        "isEthnicityMatch": matching.is_ethnicity_match,
        "isEducationMatch": matching.is_education_match,
        "questionsQualified": matching.questions_qualified,
        "isLocationMatch": matching.is_location_match,
        "isIndustryMatch": matching.is_industry_match,
        "isJobTitleMatch": matching.is_job_title_match,
        "isHouseholdIncomeMatch": matching.is_household_income_match,
        "isCompanySizeMatch": matching.is_company_size_match,
        "isTopicsMatch": matching.is_topics_match,
    })
}

fn reason_json(submission: &pb::Submission) -> Value {
    let reason = submission.reason();
    if reason == pb::CancellationReason::Unspecified {
        return Value::Null;
    }
    json!(word(reason.as_str_name(), "CANCELLATION_REASON_").to_lowercase())
}

fn line_json(line: &pb::SubmissionResponse) -> Value {
    let answers: Vec<Value> = line
        .answers
        .iter()
        .map(|answer| {
            let mut json = json!({ "id": answer.id, "uid": answer.uid, "text": answer.text,
                "answerValue": answer.answer_value, "goToQuestionUid": answer.go_to_question_uid,
                "isOther": answer.is_other });
            if let Some(other) = &answer.other {
                json["other"] = json!(other);
            }
            json
        })
        .collect();
    json!({ "questionId": line.question_id, "questionText": line.question_text,
        "order": line.order, "type": line.r#type, "questionType": line.question_type,
        "answers": answers, "qualify": line.qualify })
}
