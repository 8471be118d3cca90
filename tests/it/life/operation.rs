//! Operations, and random ones: mostly valid, often not.

use serde_json::Value;

use super::answers::{Answer, Answers, Chosen, path};
use super::model::{Model, Person};
use super::questionnaire::{self, Form, Question, Questionnaire};
use super::review;
use crate::support::random::Random;

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Author(Authoring),
    Person(Personal),
    CreateSessions {
        requests: Vec<(String, Named)>,
        is_batch: bool,
    },
    /// Archives, restores or removes a session.
    SetSession {
        id: String,
        action: &'static str,
    },
    Load(Holder),
    Submit(Submit),
    Dismiss(Holder),
    Review {
        verb: &'static str,
        project: String,
        id: String,
        body: Value,
    },
    ReviewAll {
        verb: &'static str,
        project: String,
        ids: Vec<String>,
    },
}

/// An operation on a screener.
#[derive(Clone, Debug)]
pub(super) enum Authoring {
    Create {
        id: String,
        project: String,
        title: String,
        multiple: bool,
        draft: Option<Questionnaire>,
        /// The invalid field of the draft.
        flaw: Option<&'static str>,
    },
    Update {
        id: String,
        title: Option<String>,
        multiple: Option<bool>,
    },
    Draft {
        id: String,
        draft: Questionnaire,
        flaw: Option<&'static str>,
        expected: Option<String>,
    },
    Discard {
        id: String,
        expected: Option<String>,
    },
    Publish {
        id: String,
        expected: Option<String>,
    },
    Close(String),
    Reopen(String),
}

/// An operation on a participant.
#[derive(Clone, Debug)]
pub(super) enum Personal {
    Create(Person),
    /// An empty text clears a field.
    Update {
        id: String,
        name: Option<String>,
        email: Option<String>,
    },
    Verify {
        id: String,
        state: &'static str,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Named {
    Id(String),
    Uid(String),
}

/// The presenter of a key, by screener and external uid, or of a session's link.
#[derive(Clone, Debug)]
pub(super) enum Holder {
    Key(usize, String),
    Link(usize),
    Nobody,
}

#[derive(Clone, Debug)]
pub(super) struct Submit {
    pub(super) holder: Holder,
    pub(super) answers: Answers,
    pub(super) is_final: bool,
    pub(super) idempotency_key: Option<String>,
    /// The publication that was shown.
    pub(super) publication: Option<String>,
}

const SCREENERS: usize = 4;
const PEOPLE: usize = 14;
/// A digest that no questionnaire has.
const WRONG_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Returns a random next operation.
pub(super) fn any(random: &mut Random, model: &Model, last: Option<&Submit>) -> Operation {
    if model.screeners.len() < SCREENERS && random.chance(15) {
        return Operation::Author(create_screener(random, model));
    }
    match random.below(100) {
        0..8 => Operation::Author(author(random, model)),
        8..11 => Operation::Author(publish(random, model)),
        11..13 => Operation::Author(Authoring::Close(screener(random, model))),
        13..17 => Operation::Author(Authoring::Reopen(screener(random, model))),
        17..22 => Operation::Person(person(random, model)),
        22..34 => create_sessions(random, model),
        34..41 => {
            let action = *random.pick(&["ARCHIVE", "RESTORE", "RESTORE", "REMOVE"]);
            Operation::SetSession { id: session(random, model), action }
        }
        41..44 => Operation::Load(holder(random, model)),
        44..46 => Operation::Dismiss(holder(random, model)),
        46..50 => repeat(random, model, last),
        50..80 => Operation::Submit(submit(random, model)),
        80..98 => review(random, model),
        _ => review_all(random, model),
    }
}

fn project(random: &mut Random, model: &Model, right: Option<usize>) -> String {
    match right {
        Some(at) if random.chance(95) => model.projects[at].id.clone(),
        _ => random.pick(&["proj_0", "proj_1", "proj_none"]).to_string(),
    }
}

fn screener(random: &mut Random, model: &Model) -> String {
    if model.screeners.is_empty() || random.chance(3) {
        return "scr_none".into();
    }
    random.pick(&model.screeners).id.clone()
}

fn session(random: &mut Random, model: &Model) -> String {
    match recent(random, model) {
        Some(at) if random.chance(98) => model.sessions[at].id.clone(),
        _ => "scses_none".into(),
    }
}

/// Returns a session, more often one of the newest.
fn recent(random: &mut Random, model: &Model) -> Option<usize> {
    let count = model.sessions.len();
    let last = if random.chance(50) { count.min(12) } else { count };
    (count > 0).then(|| count - 1 - random.below(last))
}

fn participant(random: &mut Random, model: &Model) -> String {
    if model.people.is_empty() || random.chance(3) {
        return "ptp_none".into();
    }
    random.pick(&model.people).id.clone()
}

fn uid(random: &mut Random) -> String {
    format!("crm {}@x/ü", random.below(PEOPLE))
}

fn maybe<T>(random: &mut Random, percent: usize, it: impl FnOnce(&mut Random) -> T) -> Option<T> {
    if random.chance(percent) { Some(it(random)) } else { None }
}

fn title(random: &mut Random) -> String {
    format!("Title {}", random.below(5))
}

/// Returns a draft, and its invalid field if it has one.
fn draft(random: &mut Random) -> (Questionnaire, Option<&'static str>) {
    if random.chance(10) {
        let (draft, flaw) = questionnaire::broken(random);
        return (draft, Some(flaw));
    }
    (questionnaire::any(random), None)
}

fn create_screener(random: &mut Random, model: &Model) -> Authoring {
    let number =
        model.screeners.len() - usize::from(!model.screeners.is_empty() && random.chance(10));
    let drafted = maybe(random, 85, draft);
    let (draft, flaw) = drafted.map_or((None, None), |(draft, flaw)| (Some(draft), flaw));
    let right = random.below(model.projects.len());
    Authoring::Create {
        id: format!("scr_{number}"),
        project: project(random, model, Some(right)),
        title: title(random),
        multiple: random.chance(50),
        draft,
        flaw,
    }
}

/// Returns the digest that a caller expects: the current one, a wrong one, or none.
fn expected(random: &mut Random, model: &Model, id: &str) -> Option<String> {
    if random.chance(60) {
        return None;
    }
    let screener = model.screener(id).map(|at| &model.screeners[at]);
    let active = |at: usize| model.publications[at].questionnaire;
    let digest = match random.below(4) {
        0 => screener.and_then(|it| it.active).map(active),
        1 => None,
        _ => screener.and_then(|it| it.draft),
    };
    Some(digest.map_or_else(|| WRONG_DIGEST.into(), |at| model.questionnaires[at].1.clone()))
}

fn author(random: &mut Random, model: &Model) -> Authoring {
    let id = screener(random, model);
    let expected = expected(random, model, &id);
    match random.below(10) {
        0..4 => {
            let title = maybe(random, 40, title);
            let multiple = maybe(random, 70, |random| random.chance(50));
            Authoring::Update { id, title, multiple }
        }
        4 => Authoring::Discard { id, expected },
        _ => {
            let present = model.screener(&id).and_then(|at| model.screeners[at].draft);
            let (draft, flaw) = match present {
                Some(at) if random.chance(25) => (model.questionnaires[at].0.clone(), None),
                _ => draft(random),
            };
            Authoring::Draft { id, draft, flaw, expected }
        }
    }
}

fn publish(random: &mut Random, model: &Model) -> Authoring {
    let id = screener(random, model);
    let expected = expected(random, model, &id);
    Authoring::Publish { id, expected }
}

fn person(random: &mut Random, model: &Model) -> Personal {
    let text =
        |random: &mut Random| random.pick(&["Ada Lovelace", "Bo", "Kim de la Cruz"]).to_string();
    match random.below(10) {
        0..2 => Personal::Create(Person {
            id: format!("ptp_{}", random.below(PEOPLE)),
            uid: maybe(random, 60, uid),
            name: maybe(random, 60, text),
            email: maybe(random, 30, text),
            verification: "NONE",
        }),
        2..4 => {
            let text = |random: &mut Random| {
                if random.chance(30) { String::new() } else { text(random) }
            };
            let id = participant(random, model);
            Personal::Update { id, name: maybe(random, 70, text), email: maybe(random, 40, text) }
        }
        _ => {
            let state = random.pick(&["NONE", "PENDING", "PASSED", "FAILED"]);
            Personal::Verify { id: participant(random, model), state }
        }
    }
}

fn create_sessions(random: &mut Random, model: &Model) -> Operation {
    let is_batch = random.chance(25);
    let count = if is_batch { 1 + random.below(4) } else { 1 };
    let mut requests = Vec::new();
    for _ in 0..count {
        let named = if random.chance(35) {
            Named::Id(participant(random, model))
        } else {
            Named::Uid(uid(random))
        };
        requests.push((screener(random, model), named));
    }
    Operation::CreateSessions { requests, is_batch }
}

/// Returns a holder who may answer in most cases.
fn holder(random: &mut Random, model: &Model) -> Holder {
    let mut holder = any_holder(random, model);
    for _ in 0..6 {
        if model.prospect(&holder).is_some() || random.chance(15) {
            break;
        }
        holder = any_holder(random, model);
    }
    holder
}

fn any_holder(random: &mut Random, model: &Model) -> Holder {
    if model.screeners.is_empty() || random.chance(1) {
        return Holder::Nobody;
    }
    match recent(random, model) {
        Some(at) if random.chance(50) => Holder::Link(at),
        Some(at) if random.chance(60) => {
            let uid = model.people[model.person_of(at)].uid.clone();
            uid.map_or(Holder::Link(at), |uid| Holder::Key(model.screener_of(at), uid))
        }
        _ => Holder::Key(random.below(model.screeners.len()), uid(random)),
    }
}

/// Returns a retry of the last submission, sometimes with its final mark flipped.
fn repeat(random: &mut Random, model: &Model, last: Option<&Submit>) -> Operation {
    let Some(last) = last else { return Operation::Submit(submit(random, model)) };
    let mut again = last.clone();
    if random.chance(25) {
        again.is_final = !again.is_final;
    }
    Operation::Submit(again)
}

fn submit(random: &mut Random, model: &Model) -> Submit {
    let holder = holder(random, model);
    let mut answers = Answers::new();
    let mut is_final = random.chance(15);
    let mut publication = None;
    if let Some((shown, mut stored)) = model.prospect(&holder) {
        let asked = model.asked(shown);
        for _ in 0..random.below(4) {
            let path = path(asked, &stored);
            let open = path.iter().find(|at| !stored.contains_key(&asked.questions[**at].id));
            let at = if random.chance(70) { open } else { Some(random.pick(&path)) };
            let Some(question) = at.map(|at| &asked.questions[*at]) else { break };
            let mut answer = some_answer(random, question);
            while !answer.is_good(question) && random.chance(95) {
                answer = some_answer(random, question);
            }
            if !answer.is_good(question) {
                answers.insert(question.id.clone(), answer);
                break;
            }
            stored.insert(question.id.clone(), answer.clone());
            answers.insert(question.id.clone(), answer);
        }
        if random.chance(12) {
            let wrong = random.pick(&asked.questions).id.clone();
            answers.insert(wrong, any_answer(random));
        }
        let path = path(asked, &stored);
        let is_whole = path.iter().all(|at| stored.contains_key(&asked.questions[*at].id));
        is_final |= is_whole && random.chance(50);
        let seen = if random.chance(90) {
            &model.publications[shown]
        } else {
            random.pick(&model.publications)
        };
        publication = maybe(random, 30, |_| seen.id.clone());
    }
    if random.chance(3) {
        answers.insert("q_none".into(), any_answer(random));
    }
    let idempotency_key = maybe(random, 50, |random| {
        let number = if random.chance(80) { random.below(1_000_000) } else { random.below(4) };
        format!("request-{number}")
    });
    Submit { holder, answers, is_final, idempotency_key, publication }
}

/// Returns an answer of the question's kind.
fn some_answer(random: &mut Random, question: &Question) -> Answer {
    if !question.required && random.chance(15) {
        return Answer::LeftOut;
    }
    let chosen = |at: usize| {
        let choice = &question.choices()[at];
        let typed = choice.write_in.then(|| format!("My {at}"));
        Chosen { option: choice.id.clone(), typed }
    };
    match &question.form {
        Form::Text { is_code: true, .. } => {
            Answer::Text(random.pick(&["ABC", "XYZ", "abc"]).to_string())
        }
        Form::Text { .. } => {
            Answer::Text(random.pick(&["Ada", "Bob", "four", "A\nB", "7"]).to_string())
        }
        Form::Number { .. } => {
            Answer::Number(*random.pick(&[1.0, 2.0, 3.0, 4.0, 4.5, 5.0, 60.0, 1.3]))
        }
        Form::Single(choices) => Answer::One(chosen(random.below(choices.len()))),
        Form::Multi { choices, .. } => {
            let all = (0..choices.len()).filter(|_| random.chance(60));
            let mut all: Vec<_> = all.collect();
            if random.chance(30) {
                all.reverse();
            }
            Answer::Many(all.into_iter().map(chosen).collect())
        }
    }
}

/// Returns an answer of a random kind.
fn any_answer(random: &mut Random) -> Answer {
    let option = format!("o{}", random.below(5));
    let chosen = Chosen { option, typed: maybe(random, 40, |_| "Mine".to_owned()) };
    match random.below(6) {
        0 => Answer::LeftOut,
        1 => Answer::Text(
            random.pick(&["", " ", "3", "ABC", "Too long for all of them"]).to_string(),
        ),
        2 => Answer::Number(*random.pick(&[-1.0, 3.0, 0.7, 1e9])),
        3 => Answer::One(chosen),
        4 => Answer::Many(vec![chosen.clone(), chosen]),
        _ => Answer::Many(vec![chosen]),
    }
}

/// Returns a session to review, often one under review, so that verbs follow each other.
fn reviewed(random: &mut Random, model: &Model) -> Option<usize> {
    if model.submissions.is_empty() || random.chance(5) {
        return recent(random, model);
    }
    let is_under_way = |at: &&usize| {
        let session = &model.sessions[**at];
        let review = session.review.as_ref().expect("a submission");
        let status = ["INVITED", "SCHEDULED", "CANCELLED"].contains(&review.status);
        status && review.visibility == "VISIBLE" && session.status != "REMOVED"
    };
    let under_way: Vec<_> = model.submissions.iter().filter(is_under_way).copied().collect();
    let all =
        if !under_way.is_empty() && random.chance(60) { &under_way } else { &model.submissions };
    Some(*random.pick(all))
}

fn review(random: &mut Random, model: &Model) -> Operation {
    let at = reviewed(random, model);
    // More often than not a step that the status allows.
    let status = at.and_then(|at| model.sessions[at].review.as_ref()).map(|it| it.status);
    let next = match status {
        Some("PENDING" | "CANCELLED") => &["invite"][..],
        Some("INVITED") => &["schedule", "schedule", "attended", "cancel-invite", "cancel-invite"],
        Some("SCHEDULED") => &[
            "schedule",
            "attended",
            "no-show",
            "cancel-booking",
            "cancel-booking-reinvite",
            "participant-cancel-booking",
        ],
        Some("ATTENDED") => &["payouts", "reject"],
        _ => &["reject"],
    };
    let verb = if random.chance(50) { *random.pick(next) } else { *random.pick(&review::verbs()) };
    let body = review::body(random, model.now, verb);
    let right = at.map(|at| model.screeners[model.screener_of(at)].project);
    let project = project(random, model, right);
    let id = at.map_or_else(|| "scses_none".into(), |at| model.sessions[at].id.clone());
    Operation::Review { verb, project, id, body }
}

fn review_all(random: &mut Random, model: &Model) -> Operation {
    let verb = *random.pick(&["reject", "qualify"]);
    // Results are matched by id, so each id occurs once.
    let mut ids: Vec<_> = (0..3).map(|_| session(random, model)).collect();
    ids.sort();
    ids.dedup();
    let right = random.below(model.projects.len());
    Operation::ReviewAll { verb, project: project(random, model, Some(right)), ids }
}
