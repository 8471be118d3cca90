//! One description of a call, two drivers: REST and gRPC.
//!
//! Both return the same [`Outcome`], so that a case is written once and a difference between the
//! transports fails it.

use prost_types::Timestamp as Instant;
use screenerd::client as pb;
use screenerd::domain::time::Timestamp;
use serde_json::{Value, json};
use tonic::metadata::{AsciiMetadataKey, MetadataValue};
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use super::Server;

/// The four operators of a filter on ids, or as many of them as the field has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) eq: Option<String>,
    pub(crate) ne: Option<String>,
    pub(crate) is_in: Option<Vec<String>>,
    pub(crate) not_in: Option<Vec<String>>,
}

impl Ids {
    pub(crate) fn eq(id: &str) -> Self {
        Self { eq: Some(id.into()), ..Self::default() }
    }

    pub(crate) fn ne(id: &str) -> Self {
        Self { ne: Some(id.into()), ..Self::default() }
    }

    pub(crate) fn is_in(ids: &[&str]) -> Self {
        Self { is_in: Some(ids.iter().map(ToString::to_string).collect()), ..Self::default() }
    }

    pub(crate) fn not_in(ids: &[&str]) -> Self {
        Self { not_in: Some(ids.iter().map(ToString::to_string).collect()), ..Self::default() }
    }
}

/// A call of the documented surface.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    ListSessions {
        id: Ids,
        screener: Ids,
        limit: Option<i32>,
        offset: Option<i32>,
    },
    GetSession(String),
    RemoveSession(String),
    ListResponses {
        screener: Option<String>,
        publication: Option<String>,
        session: Ids,
        participant: Ids,
        limit: Option<i32>,
        offset: Option<i32>,
    },
    Reject {
        project: String,
        id: String,
        message: Option<String>,
    },
    Access {
        survey: String,
        panelist: String,
    },
}

impl Call {
    pub(crate) fn list_sessions(id: Ids, screener: Ids) -> Self {
        Self::ListSessions { id, screener, limit: None, offset: None }
    }

    pub(crate) fn page(limit: Option<i32>, offset: Option<i32>) -> Self {
        Self::ListSessions { id: Ids::default(), screener: Ids::default(), limit, offset }
    }

    pub(crate) fn responses_of(session: &str) -> Self {
        Self::ListResponses {
            screener: None,
            publication: None,
            session: Ids::eq(session),
            participant: Ids::default(),
            limit: None,
            offset: None,
        }
    }

    pub(crate) fn reject(project: &str, id: &str) -> Self {
        Self::Reject { project: project.into(), id: id.into(), message: None }
    }

    pub(crate) fn access(survey: &str, panelist: &str) -> Self {
        Self::Access { survey: survey.into(), panelist: panelist.into() }
    }
}

/// What a caller learns, in the words of the documents, whatever the transport.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Answer(Value),
    Refusal { code: String, fields: Vec<String> },
}

impl Outcome {
    pub(crate) fn refusal(code: &str, fields: &[&str]) -> Self {
        let fields = fields.iter().map(ToString::to_string).collect();
        Self::Refusal { code: code.into(), fields }
    }

    pub(crate) fn answer(self) -> Value {
        match self {
            Self::Answer(value) => value,
            Self::Refusal { code, fields } => panic!("refused: {code} {fields:?}"),
        }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Answer(_) => "ok",
            Self::Refusal { code, .. } => code,
        }
    }
}

/// The two transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Rest,
    Grpc,
}

impl Transport {
    pub(crate) const BOTH: [Self; 2] = [Self::Rest, Self::Grpc];
}

/// Makes a call over one transport.
pub(crate) async fn make(
    server: &Server,
    transport: Transport,
    credential: &[(&str, &str)],
    call: &Call,
) -> Outcome {
    match transport {
        Transport::Rest => over_rest(server, credential, call).await,
        Transport::Grpc => match over_grpc(server, credential, call).await {
            Ok(answer) => Outcome::Answer(answer),
            Err(status) => refusal_of(&status),
        },
    }
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn query_of(fields: &[(&str, &Ids)], limit: Option<i32>, offset: Option<i32>) -> String {
    let mut pairs = Vec::new();
    for (field, ids) in fields {
        for (operator, value) in [("eq", &ids.eq), ("ne", &ids.ne)] {
            pairs.extend(
                value.iter().map(|id| format!("filter[{field}][{operator}]={}", encode(id))),
            );
        }
        for (operator, values) in [("in", &ids.is_in), ("nin", &ids.not_in)] {
            let values = values.iter().flatten();
            pairs.extend(values.map(|id| format!("filter[{field}][{operator}][]={}", encode(id))));
        }
    }
    pairs.extend(limit.map(|limit| format!("pagination[limit]={limit}")));
    pairs.extend(offset.map(|offset| format!("pagination[offset]={offset}")));
    pairs.join("&")
}

fn one(id: Option<&String>) -> Ids {
    Ids { eq: id.cloned(), ..Ids::default() }
}

async fn over_rest(server: &Server, credential: &[(&str, &str)], call: &Call) -> Outcome {
    let (method, path, body) = match call {
        Call::ListSessions { id, screener, limit, offset } => {
            let query = query_of(&[("id", id), ("screenerId", screener)], *limit, *offset);
            ("GET", format!("/screener-sessions?{query}"), None)
        }
        Call::GetSession(id) => ("GET", format!("/screener-sessions/{}", encode(id)), None),
        Call::RemoveSession(id) => ("DELETE", format!("/screener-sessions/{}", encode(id)), None),
        Call::ListResponses { screener, publication, session, participant, limit, offset } => {
            let fields = [
                ("screenerId", &one(screener.as_ref())),
                ("screenerPublicationId", &one(publication.as_ref())),
                ("screenerSessionId", session),
                ("screenerParticipantId", participant),
            ];
            let query = query_of(&fields, *limit, *offset);
            ("GET", format!("/screener-responses?{query}"), None)
        }
        Call::Reject { project, id, message } => {
            let path = format!(
                "/v1/projects/{}/screener-responses/{}/reject",
                encode(project),
                encode(id)
            );
            ("PATCH", path, message.as_ref().map(|it| json!({ "message": it }).to_string()))
        }
        Call::Access { survey, panelist } => {
            let path = format!("/tenant/surveys/{}/panelists/{}", encode(survey), encode(panelist));
            ("GET", path, None)
        }
    };
    let reply = server.send_body(method, &path, credential, body.as_deref()).await;
    if reply.status == 200 {
        return Outcome::Answer(reply.json());
    }
    let problem = reply.json();
    let code = problem["error"].as_str().expect("a code").to_lowercase();
    let mut fields: Vec<String> = problem["violations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|violation| plain_field(violation["field"].as_str().expect("a field")))
        .collect();
    fields.sort();
    Outcome::Refusal { code, fields }
}

/// `filter[screenerId][eq]` and `filter.screener_id.eq` are the same field.
fn plain_field(field: &str) -> String {
    let mut plain = String::new();
    for character in field.replace('[', ".").replace(']', "").chars() {
        if character.is_ascii_uppercase() {
            plain.push('_');
        }
        plain.push(character.to_ascii_lowercase());
    }
    plain
}

fn refusal_of(status: &Status) -> Outcome {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "screenerd");
    let mut fields: Vec<String> = details
        .bad_request()
        .into_iter()
        .flat_map(|bad| &bad.field_violations)
        .map(|violation| plain_field(&violation.field))
        .collect();
    fields.sort();
    Outcome::Refusal { code: info.reason.to_lowercase(), fields }
}

/// A request with a credential in its metadata.
pub(crate) fn request<T>(message: T, credential: &[(&str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in credential {
        let name: AsciiMetadataKey = name.parse().expect("a metadata name");
        let value = MetadataValue::try_from(*value).expect("a metadata value");
        request.metadata_mut().append(name, value);
    }
    request
}

fn filter_of(ids: &Ids) -> pb::IdFilter {
    let list = |values: &Option<Vec<String>>| values.clone().map(|values| pb::IdList { values });
    pb::IdFilter {
        eq: ids.eq.clone(),
        ne: ids.ne.clone(),
        r#in: list(&ids.is_in),
        nin: list(&ids.not_in),
    }
}

fn eq_or_in(ids: &Ids) -> pb::IdEqInFilter {
    let pb::IdFilter { eq, r#in, .. } = filter_of(ids);
    pb::IdEqInFilter { eq, r#in }
}

async fn over_grpc(
    server: &Server,
    credential: &[(&str, &str)],
    call: &Call,
) -> Result<Value, Status> {
    use pb::panelist_service_client::PanelistServiceClient;
    use pb::screener_response_service_client::ScreenerResponseServiceClient;
    use pb::screener_session_service_client::ScreenerSessionServiceClient;
    use pb::submission_service_client::SubmissionServiceClient;

    let channel = server.channel().await;
    match call.clone() {
        Call::ListSessions { id, screener, limit, offset } => {
            let message = pb::ListScreenerSessionsRequest {
                filter: Some(pb::ScreenerSessionFilter {
                    id: Some(filter_of(&id)),
                    screener_id: Some(filter_of(&screener)),
                }),
                pagination: Some(pb::Pagination { limit, offset }),
            };
            let answer = ScreenerSessionServiceClient::new(channel)
                .list_screener_sessions(request(message, credential))
                .await?
                .into_inner();
            let items: Vec<Value> = answer.items.iter().map(session_json).collect();
            Ok(json!({ "total": answer.total(), "limit": answer.limit, "offset": answer.offset(),
                "items": items }))
        }
        Call::GetSession(id) => {
            let message = pb::GetScreenerSessionRequest { id };
            let answer = ScreenerSessionServiceClient::new(channel)
                .get_screener_session(request(message, credential))
                .await?;
            Ok(session_json(&answer.into_inner().screener_session.expect("a session")))
        }
        Call::RemoveSession(id) => {
            let message = pb::RemoveScreenerSessionRequest { id };
            let answer = ScreenerSessionServiceClient::new(channel)
                .remove_screener_session(request(message, credential))
                .await?;
            Ok(session_json(&answer.into_inner().screener_session.expect("a session")))
        }
        Call::ListResponses { screener, publication, session, participant, limit, offset } => {
            let eq = |id: Option<String>| Some(pb::IdEqFilter { eq: id });
            let message = pb::ListScreenerResponsesRequest {
                filter: Some(pb::ScreenerResponseFilter {
                    screener_id: eq(screener),
                    screener_publication_id: eq(publication),
                    screener_session_id: Some(eq_or_in(&session)),
                    screener_participant_id: Some(eq_or_in(&participant)),
                }),
                pagination: Some(pb::Pagination { limit, offset }),
            };
            let answer = ScreenerResponseServiceClient::new(channel)
                .list_screener_responses(request(message, credential))
                .await?
                .into_inner();
            let items: Vec<Value> = answer.items.iter().map(response_json).collect();
            Ok(json!({ "total": answer.total(), "limit": answer.limit, "offset": answer.offset(),
                "items": items }))
        }
        Call::Reject { project, id, message } => {
            let message = pb::RejectSubmissionRequest { project_id: project, id, message };
            let answer = SubmissionServiceClient::new(channel)
                .reject_submission(request(message, credential))
                .await?;
            Ok(submission_json(&answer.into_inner().submission.expect("a submission")))
        }
        Call::Access { survey, panelist } => {
            let message = pb::GetPanelistAccessRequest { survey_id: survey, panelist_id: panelist };
            let answer = PanelistServiceClient::new(channel)
                .get_panelist_access(request(message, credential))
                .await?;
            Ok(access_json(&answer.into_inner().panelist_access.expect("an access")))
        }
    }
}

fn instant(instant: Option<&Instant>) -> Option<Timestamp> {
    instant.map(|it| Timestamp::from_micros(it.seconds * 1_000_000 + i64::from(it.nanos / 1000)))
}

fn time_json(time: Option<&Instant>) -> Value {
    json!(instant(time).map(Timestamp::rfc3339_seconds))
}

/// A word of the contract without its enum's prefix.
fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or_else(|| panic!("{name} begins with {prefix}")).to_owned()
}

fn session_json(session: &pb::ScreenerSession) -> Value {
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

/// A number as the documents print it.
fn number_json(number: f64) -> Value {
    let whole = format!("{number}").parse::<i64>();
    whole.map_or_else(|_| json!(number), |whole| json!(whole))
}

fn response_json(response: &pb::ScreenerResponse) -> Value {
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

fn access_json(access: &pb::PanelistAccess) -> Value {
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

fn submission_json(submission: &pb::Submission) -> Value {
    let matching = submission.matching.as_ref().expect("it is always set");
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
        "matching": {
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
        },
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
    set("statusUpdatedAt", time_json(submission.status_updated_at.as_ref()));
    set("createdAt", time_json(submission.created_at.as_ref()));
    if submission.actor() != pb::Actor::Unspecified {
        let actor = word(submission.actor().as_str_name(), "ACTOR_");
        set("actor", json!(actor.to_lowercase()));
    }
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
    if let Some(it) = &submission.profile {
        set(
            "profile",
            json!({ "id": it.id, "userId": it.user_id, "firstName": it.first_name,
            "lastName": it.last_name, "picture": it.picture, "skills": [] }),
        );
    }
    json
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
