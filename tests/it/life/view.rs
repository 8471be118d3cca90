//! The views of callers: from the server's messages, and from the model.

use screenerd::client as pb;
use screenerd::client::answer_value::Value as Answered;
use serde_json::{Map, Value, json};

use super::answers::{Answer, Answers, Chosen, chosen_text, path};
use super::model::{Model, Outcome};
use super::questionnaire::{Choice, Form, GoTo, Question, Questionnaire, Rule};
use super::time::{seconds, whole};
use crate::support::PUBLIC_URL;
use crate::support::calls::Transport;

/// Formats a value of the contract that has no documented format.
fn text(it: impl std::fmt::Debug) -> String {
    format!("{it:?}")
}

pub(super) fn screener_json(it: &pb::Screener) -> Value {
    json!({
        "id": it.id,
        "project": it.project_id,
        "title": it.title,
        "status": it.status().as_str_name().replace("SURVEY_STATUS_", ""),
        "multiple": it.allow_multiple_responses,
        "active": it.active_publication_id,
        "digest": it.draft_hash,
        "draft": it.draft.as_ref().map(text),
    })
}

pub(super) fn participant_json(it: &pb::Participant) -> Value {
    json!({
        "id": it.id,
        "uid": it.external_uid,
        "name": it.name,
        "email": it.email,
        "verification": it.id_verification().as_str_name().replace("ID_VERIFICATION_", ""),
    })
}

/// Returns the questionnaire that a participant loads over gRPC.
pub(super) fn sheet_json(it: &pb::GetQuestionnaireResponse) -> Value {
    let publication = it.publication.as_ref().expect("a publication");
    let at = |it: &prost_types::Timestamp| it.seconds * 1_000_000 + i64::from(it.nanos / 1000);
    let session = it.session.as_ref().map(|it| {
        let state = it.state().as_str_name().replace("SCREENER_SESSION_STATE_", "");
        let (started, active) =
            (it.started_at.as_ref().map(at), it.last_active_at.as_ref().map(at));
        json!({ "id": it.id, "state": state, "started": started, "active": active })
    });
    let chosen =
        |it: &pb::ChosenOption| Chosen { option: it.option_id.clone(), typed: it.write_in.clone() };
    let answer = |it: &pb::AnswerValue| match it.value.as_ref().expect("an answer") {
        Answered::Text(text) => Answer::Text(text.clone()),
        Answered::Number(number) => Answer::Number(*number),
        Answered::Option(option) => Answer::One(chosen(option)),
        Answered::Options(pb::ChosenOptions { options }) => {
            Answer::Many(options.iter().map(chosen).collect())
        }
        Answered::LeftOut(pb::LeftOut {}) => Answer::LeftOut,
    };
    let answers: Answers = it.answers.iter().map(|(id, it)| (id.clone(), answer(it))).collect();
    json!({
        "title": it.title,
        "status": it.survey_status().as_str_name().replace("SURVEY_STATUS_", ""),
        "session": session,
        "publication": publication.id,
        "digest": publication.content_hash,
        "questionnaire": publication.questionnaire.as_ref().map(text),
        "answers": text(answers),
        "path": it.path,
    })
}

impl Model {
    pub(super) fn screener_json(&self, at: usize) -> Value {
        let it = &self.screeners[at];
        let draft = it.draft.map(|at| &self.questionnaires[at]);
        json!({
            "id": it.id,
            "project": self.projects[it.project].id,
            "title": it.title,
            "status": it.status,
            "multiple": it.multiple,
            "active": it.active.map(|at| &self.publications[at].id),
            "digest": draft.map(|it| &it.1),
            "draft": draft.map(|it| text(it.0.message())),
        })
    }

    pub(super) fn participant_json(&self, at: usize) -> Value {
        let it = &self.people[at];
        json!({
            "id": it.id,
            "uid": it.uid,
            "name": it.name,
            "email": it.email,
            "verification": it.verification,
        })
    }

    pub(super) fn session_json(&self, at: usize) -> Value {
        let it = &self.sessions[at];
        let screener = &self.screeners[self.screener_of(at)].id;
        let tags = self.asked(it.publication).tags.iter().map(|(id, category, value)| {
            json!({ "_type": "Tag", "id": id, "category": category, "value": value })
        });
        json!({
            "_type": "ScreenerSession",
            "id": it.id,
            "screenerId": screener,
            "screenerParticipantId": self.assignments[it.assignment].id,
            "screenerPublicationId": self.publications[it.publication].id,
            "screenerSessionLink": format!("{PUBLIC_URL}/screeners/{screener}/{}", it.id),
            "linkSlug": it.slug,
            "status": it.status,
            "state": it.state(),
            "startedAt": it.started.map(whole),
            "lastActiveAt": it.last_active.map(whole),
            "completedAt": it.completed.map(whole),
            "assignedTags": tags.collect::<Vec<_>>(),
        })
    }

    /// Returns the questionnaire that a participant loads.
    pub(super) fn sheet_json(
        &self,
        transport: Transport,
        screener: usize,
        session: Option<usize>,
    ) -> Value {
        let publication = self.shown_publication(screener, session);
        let asked = self.asked(publication);
        let shown = asked.clone().without_rules();
        let session = session.map(|at| &self.sessions[at]);
        let answers = session.map_or_else(Answers::new, |it| it.answers.clone());
        let path = path(asked, &answers);
        let path: Vec<_> = path.into_iter().map(|at| &asked.questions[at].id).collect();
        let (screener, publication) = (&self.screeners[screener], &self.publications[publication]);
        if transport == Transport::Grpc {
            let session = session.map(|it| {
                json!({ "id": it.id, "state": it.state(), "started": it.started,
                    "active": it.last_active })
            });
            return json!({
                "title": screener.title,
                "status": screener.status,
                "session": session,
                "publication": publication.id,
                "digest": self.questionnaires[publication.questionnaire].1,
                "questionnaire": Some(text(shown.message())),
                "answers": text(answers),
                "path": path,
            });
        }
        let session = session.map(|it| {
            json!({ "id": it.id, "state": it.state(),
                "activityStartedUnixTs": it.started.map(seconds),
                "activityMostRecentUnixTs": it.last_active.map(seconds) })
        });
        let responses: Map<_, _> =
            answers.iter().map(|(id, it)| (id.clone(), response_json(it))).collect();
        json!({
            "survey": { "id": screener.id, "status": screener.status, "title": screener.title },
            "session": session,
            "publicationId": publication.id,
            "language": null,
            "introduction": null,
            "pages": pages_json(&shown),
            "responses": responses,
            "path": path,
        })
    }

    /// Returns one of the answers across sessions.
    pub(super) fn response_json(&self, at: usize, question: &str) -> Value {
        let session = &self.sessions[at];
        let (screener, person) = (self.screener_of(at), &self.people[self.person_of(at)]);
        let asked = self.asked(session.publication).question(question).expect("it is asked");
        let option = |it: &Chosen| json!({ "text": chosen_text(asked, it), "isWriteIn": it.typed.is_some() });
        let answer = match &session.answers[question] {
            Answer::Text(text) => json!(text),
            Answer::Number(number) => number_json(*number),
            Answer::One(chosen) => option(chosen),
            Answer::Many(chosen) => chosen.iter().map(option).collect(),
            Answer::LeftOut => Value::Null,
        };
        let kind = match asked.form {
            Form::Text { .. } => "Text",
            Form::Number { .. } => "Numeric",
            Form::Single(_) => "SingleSelect",
            Form::Multi { .. } => "MultiSelect",
        };
        json!({
            "_type": format!("Screener{kind}Response"),
            "questionType": format!("Screener{kind}Question"),
            "screenerSessionId": session.id,
            "screenerPageId": asked.page,
            "screenerQuestionId": question,
            "screenerId": self.screeners[screener].id,
            "screenerPublicationId": self.publications[session.publication].id,
            "participantId": person.id,
            "externalParticipantUid": person.uid,
            "screenerParticipantId": self.assignments[session.assignment].id,
            "screenerQuestionPrompt": asked.prompt,
            "answer": answer,
        })
    }

    pub(super) fn access_json(&self, screener: usize, uid: &str, key: &str) -> Value {
        let person = self.person_of_uid(uid);
        let assignment = person.and_then(|person| self.assignment(screener, person));
        let sessions = assignment.map_or_else(Vec::new, |it| self.sessions_of(it));
        let sessions: Vec<_> = sessions.into_iter().map(|at| &self.sessions[at]).collect();
        let dismissed = assignment.and_then(|it| self.assignments[it].dismissals.last().copied());
        json!({
            "panelist": {
                "canRespond": self.may_not_respond(screener, person).is_none(),
                "sessionCount": sessions.iter().filter(|it| it.started.is_some()).count(),
                "activityStartedUnixTs":
                    sessions.iter().filter_map(|it| it.started).min().map(seconds),
                "activityMostRecentUnixTs":
                    sessions.iter().filter_map(|it| it.last_active).max().map(seconds),
                "dismissedMostRecentUnixTs": dismissed.map(seconds),
                "publicKey": key,
                "hostedResponseUrl": format!("{PUBLIC_URL}/app/panelist/vote/?key={key}"),
            },
            "survey": {
                "status": self.screeners[screener].status,
                "title": self.screeners[screener].title,
            },
        })
    }

    pub(super) fn submission_json(&self, at: usize, tenant: &str) -> Value {
        let session = &self.sessions[at];
        let review = session.review.as_ref().expect("a submission");
        let project = &self.projects[self.screeners[self.screener_of(at)].project];
        let person = &self.people[self.person_of(at)];
        let (verdict, outcome) = (self.verdict(at), self.outcome(at));
        let started = session.started.expect("it is started");
        let total = session.last_active.map(|it| (it - started) / 1_000_000);
        let mut json = json!({
            "id": session.id,
            "projectId": project.id,
            "userId": person.id,
            "qualified": outcome == Some(Outcome::Qualified),
            "qualifiedPendingIdVerification": outcome == Some(Outcome::Pending),
            "percentage": verdict.percentage,
            "status": review.status,
            "favorite": review.favorite,
            "hidden": review.hidden,
            "isNew": review.is_new,
            "totalTime": total,
            "responses": self.lines_json(at),
            "matching": matching_json(verdict.first.is_none()),
            "visibility": { "status": review.visibility },
            "createdAt": whole(session.completed.unwrap_or(started)),
            "project": { "name": project.name, "incentive": 0, "id": project.id,
                "organizationId": tenant, "teamId": tenant },
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                json[name] = value;
            }
        };
        set("inviteSentAt", review.invited.map(|at| json!(whole(at))));
        set("scheduledAt", review.scheduled.map(|at| json!(whole(at))));
        set("statusUpdatedAt", review.updated.map(|at| json!(whole(at))));
        set("actor", review.updated.map(|_| json!(review.actor)));
        set("reason", review.reason.as_ref().map(|it| json!(it)));
        set("shortNoticeCancel", review.short_notice.map(|it| json!(it)));
        set("message", review.message.as_ref().map(|it| json!(it)));
        let mut booking = json!({ "researcherId": tenant });
        for (name, value) in ["timezone", "bookingUrl", "meetingCancelLink"]
            .into_iter()
            .zip(review.meeting.iter().cloned())
            .chain([("bookedDate", review.scheduled.map(whole))])
        {
            if let Some(value) = value {
                booking[name] = json!(value);
            }
        }
        let is_booked = booking.as_object().is_some_and(|it| it.len() > 1);
        set("externalProject", is_booked.then_some(booking));
        let rejection = review.rejection.as_ref();
        set("rejection", rejection.map(|it| json!({ "message": it.0, "rejectedAt": whole(it.1) })));
        set(
            "profile",
            person.name.as_ref().map(|name| {
                let (first, last) = name.split_once(' ').unwrap_or((name, ""));
                json!({ "id": self.assignments[session.assignment].id, "userId": person.id,
                "firstName": first, "lastName": last, "skills": [] })
            }),
        );
        json
    }

    /// Returns the answers as researchers see them.
    fn lines_json(&self, at: usize) -> Value {
        let session = &self.sessions[at];
        let questions = self.asked(session.publication).questions.iter();
        let lines = (1..).zip(questions).filter_map(|(order, question)| {
            let answer = session.answers.get(&question.id)?;
            let control = match question.form {
                Form::Text { multi_line: false, .. } => "singleLineTextbox",
                Form::Text { multi_line: true, .. } => "multiLineTextbox",
                Form::Number { slider: false, .. } => "numericBox",
                Form::Number { slider: true, .. } => "sliderScale",
                Form::Single(_) => "radio",
                Form::Multi { .. } => "checkbox",
            };
            Some(json!({ "questionId": question.id, "questionText": question.prompt,
                "order": order, "type": control, "questionType": control,
                "answers": answers_json(question, answer),
                "qualify": answer.qualifies(question) != Some(false) }))
        });
        lines.collect()
    }
}

pub(super) fn number_json(number: f64) -> Value {
    serde_json::from_str(&number.to_string()).expect("a number")
}

fn matching_json(is_qualified: bool) -> Value {
    let names = [
        "Gender",
        "Age",
        "Ethnicity",
        "Education",
        "Location",
        "Industry",
        "JobTitle",
        "HouseholdIncome",
        "CompanySize",
        "Topics",
    ];
    let mut matching: Map<_, _> =
        names.iter().map(|name| (format!("is{name}Match"), json!(true))).collect();
    matching.insert("questionsQualified".into(), json!(is_qualified));
    Value::Object(matching)
}

fn answers_json(question: &Question, answer: &Answer) -> Value {
    let typed = |text: String| {
        let value = if answer.qualifies(question) == Some(false) { 2 } else { 1 };
        json!([{ "id": question.id, "uid": question.id, "text": text, "answerValue": value,
            "goToQuestionUid": null, "isOther": false }])
    };
    match answer {
        Answer::Text(text) => typed(text.clone()),
        Answer::Number(number) => typed(number.to_string()),
        Answer::LeftOut => json!([]),
        Answer::One(_) | Answer::Many(_) => {
            answer.chosen().iter().map(|it| chosen_json(question, it)).collect()
        }
    }
}

fn chosen_json(question: &Question, chosen: &Chosen) -> Value {
    let choice = question.choice(&chosen.option).expect("it was chosen");
    let value = match (choice.rule, &question.form) {
        (Rule::Disqualifies, Form::Multi { .. }) => 3,
        (Rule::Disqualifies | Rule::Requires, _) => 2,
        (Rule::Neutral | Rule::Qualifies, _) => 1,
    };
    let mut json = json!({ "id": choice.id, "uid": choice.id, "text": choice.text,
        "answerValue": value, "goToQuestionUid": target(choice),
        "isOther": chosen.typed.is_some() });
    if let Some(typed) = &chosen.typed {
        json["other"] = json!(typed);
    }
    json
}

fn target(choice: &Choice) -> Option<&String> {
    match &choice.go_to {
        Some(GoTo::Question(id)) => Some(id),
        Some(GoTo::End) | None => None,
    }
}

/// Returns an answer in the format of the panel dialect.
fn response_json(answer: &Answer) -> Value {
    let typed = answer.chosen().iter().find_map(|it| it.typed.as_ref());
    let ids: Vec<_> = answer.chosen().iter().map(|it| &it.option).collect();
    let mut json = match answer {
        Answer::Text(text) => return json!({ "explanation": text }),
        Answer::Number(number) => return json!({ "explanation": number.to_string() }),
        Answer::LeftOut => return Value::Null,
        Answer::One(_) => json!({ "optionId": ids[0] }),
        Answer::Many(_) => json!({ "optionIds": ids }),
    };
    if let Some(typed) = typed {
        json["explanation"] = json!(typed);
    }
    json
}

fn pages_json(questionnaire: &Questionnaire) -> Value {
    let mut pages: Vec<Value> = Vec::new();
    for question in &questionnaire.questions {
        if pages.last().is_none_or(|page| page["id"] != question.page) {
            pages.push(json!({ "id": question.page, "questions": [] }));
        }
        let page = pages.last_mut().expect("it was added");
        page["questions"].as_array_mut().expect("a list").push(question_json(question));
    }
    Value::Array(pages)
}

fn question_json(question: &Question) -> Value {
    let number = |number: Option<f64>| number.map(number_json);
    let options = || -> Value {
        let option = |it: &Choice| {
            json!({ "id": it.id, "text": it.text, "isWriteIn": it.write_in,
                "goToQuestionId": target(it), "goToEnd": it.go_to == Some(GoTo::End) })
        };
        question.choices().iter().map(option).collect()
    };
    let (kind, form) = match &question.form {
        Form::Text { multi_line, min, max, is_code } => {
            let pattern = is_code.then_some("[A-Z]{3}");
            let form = json!({ "multiLine": multi_line, "minLength": min, "maxLength": max,
                "pattern": pattern, "patternHint": null });
            ("TEXT", form)
        }
        Form::Number { slider, min, max, step, .. } => {
            let form = json!({ "slider": slider, "min": number(*min), "max": number(*max),
                "step": number(*step) });
            ("NUMERIC", form)
        }
        Form::Single(_) => ("SINGLE_SELECT", json!({ "options": options() })),
        Form::Multi { min, max, .. } => {
            let form = json!({ "options": options(), "minChoices": min, "maxChoices": max });
            ("MULTI_SELECT", form)
        }
    };
    let mut json = json!({ "id": question.id, "kind": kind, "prompt": question.prompt,
        "required": question.required });
    json.as_object_mut().expect("an object").extend(form.as_object().cloned().unwrap_or_default());
    json
}
