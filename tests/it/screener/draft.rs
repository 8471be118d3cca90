//! Drafts: refusals by path, and access to a draft.

use screenerd::client as pb;
use screenerd::client::question::Form;
use screenerd::client::question_option::GoTo;
use screenerd::client::screener_service_client::ScreenerServiceClient;

use super::{asking, call, create, discard, get, history, new, publication, publish, update_draft};
use crate::support::unary::unary;
use crate::support::{SERVICE, Server};

fn option(id: &str, go_to: Option<&str>) -> pb::QuestionOption {
    pb::QuestionOption {
        id: id.into(),
        text: Some(id.into()),
        rule: Some(pb::OptionRule::Neutral.into()),
        write_in: Some(false),
        go_to: go_to.map(|id| match id {
            "end" => GoTo::GoToEnd(pb::GoToEnd {}),
            id => GoTo::GoToQuestionId(id.into()),
        }),
    }
}

fn ruled(id: &str, rule: pb::OptionRule) -> pb::QuestionOption {
    pb::QuestionOption { rule: Some(rule.into()), ..option(id, None) }
}

fn single(options: Vec<pb::QuestionOption>) -> Form {
    Form::SingleSelect(pb::SingleSelectForm { options })
}

fn text(min_length: Option<u32>, max_length: Option<u32>, pattern: Option<&str>) -> Form {
    let pattern = pattern.map(str::to_owned);
    Form::Text(pb::TextForm {
        multi_line: Some(false),
        min_length,
        max_length,
        pattern,
        ..<_>::default()
    })
}

fn question(id: &str, form: Form) -> pb::Question {
    let (prompt, form) = (Some("?".into()), Some(form));
    pb::Question { id: id.into(), prompt, required: Some(true), form }
}

fn page(id: &str, questions: Vec<pb::Question>) -> pb::Page {
    pb::Page { id: id.into(), questions }
}

/// Returns the questions of invalid pages, with the paths of their faults below the page.
fn broken() -> Vec<(Vec<pb::Question>, &'static [&'static str])> {
    let numeric = |min, max, step, qualifies| {
        Form::Numeric(pb::NumericForm { slider: Some(false), min, max, step, qualifies })
    };
    let range = |min, max| Some(pb::NumericRange { min, max });
    let multi = |options, min_choices, max_choices| {
        Form::MultiSelect(pb::MultiSelectForm { options, min_choices, max_choices })
    };
    let one = |form| vec![question("q1", form)];
    let two = || vec![option("a", None), option("b", None)];
    let plain = || question("q2", text(None, None, None));
    vec![
        (
            vec![plain(), question("q3", single(vec![option("a", Some("q2"))]))],
            &["questions[1].options[0].go_to_question_id"],
        ),
        (
            one(single(vec![option("a", Some("q1"))])),
            &["questions[0].options[0].go_to_question_id"],
        ),
        (
            one(single(vec![option("a", Some("nowhere"))])),
            &["questions[0].options[0].go_to_question_id"],
        ),
        (vec![question("q1", single(vec![option("a", Some("end"))])), plain()], &["questions[1]"]),
        (vec![plain(), plain()], &["questions[1].id"]),
        (one(single(vec![option("a", None), option("a", None)])), &["questions[0].options[1].id"]),
        (one(single(vec![])), &["questions[0].options"]),
        (one(text(Some(3), Some(2), None)), &["questions[0].min_length"]),
        (one(text(None, Some(2_000_000), None)), &["questions[0].max_length"]),
        (one(text(None, None, Some("(?=a)"))), &["questions[0].pattern"]),
        (one(numeric(Some(2.0), Some(1.0), None, None)), &["questions[0].min"]),
        (
            one(numeric(Some(f64::NAN), None, Some(0.0), None)),
            &["questions[0].min", "questions[0].step"],
        ),
        (one(numeric(None, None, None, range(None, None))), &["questions[0].qualifies"]),
        (one(numeric(None, Some(1.0), None, range(Some(2.0), None))), &["questions[0].qualifies"]),
        (
            one(multi(two(), Some(3), None)),
            &["questions[0].min_choices", "questions[0].min_choices"],
        ),
        (one(multi(two(), Some(2), Some(1))), &["questions[0].min_choices"]),
        (
            one(single(vec![ruled("a", pb::OptionRule::Required)])),
            &["questions[0].options[0].rule"],
        ),
        (
            one(multi(vec![ruled("a", pb::OptionRule::Qualifies)], None, None)),
            &["questions[0].options[0].rule"],
        ),
        (
            one(single(vec![ruled("a", pb::OptionRule::Unspecified)])),
            &["questions[0].options[0].rule"],
        ),
        (one(single(vec![ruled("a", pb::OptionRule::Disqualifies)])), &["questions[0].options"]),
        (vec![pb::Question { prompt: None, ..plain() }], &["questions[0].prompt"]),
        (vec![pb::Question { form: None, ..plain() }], &["questions[0]"]),
        (vec![pb::Question { id: String::new(), ..plain() }], &["questions[0].id"]),
        (vec![], &["questions"]),
    ]
}

#[tokio::test]
async fn whatever_keeps_a_draft_from_working_is_named_by_its_path() {
    let server = Server::demo().await;
    create(&server, new("scr_new", None)).await.expect("it is created");
    // Each page is refused alone, and then all pages together.
    for (questions, fields) in broken() {
        let draft =
            pb::Questionnaire { tags: vec![], pages: vec![page("p", questions)], ..<_>::default() };
        let told = validate(&server, draft.clone()).await;
        let expected: Vec<_> = fields.iter().map(|it| format!("draft.pages[0].{it}")).collect();
        assert_eq!((told.0, told.1), (expected.clone(), None));
        let refused = update_draft(&server, "scr_new", draft, None).await.expect_err("it is wrong");
        assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_ARGUMENT", expected));
    }
    let tag = pb::Tag { id: "t".into(), category: Some(String::new()), value: None };
    let pages = vec![page("p", vec![]), page("p", vec![])];
    let draft = pb::Questionnaire { tags: vec![tag.clone(), tag], pages, ..<_>::default() };
    let refused = create(&server, new("other", Some(draft))).await.expect_err("it is wrong");
    let mut fields = refused.fields;
    fields.sort();
    let expected = [
        "draft.pages[0].questions",
        "draft.pages[1].id",
        "draft.pages[1].questions",
        "draft.tags[0].category",
        "draft.tags[0].value",
        "draft.tags[1].category",
        "draft.tags[1].id",
        "draft.tags[1].value",
    ];
    assert_eq!(fields, expected);
    let nothing = pb::UpdateDraftRequest { screener_id: "scr_new".into(), ..<_>::default() };
    let refused = call!(&server, update_draft(nothing)).expect_err("there is no draft");
    refused.is("INVALID_ARGUMENT", &["draft.pages"]);
    assert_eq!(get(&server, "scr_new").await.expect("it is there").draft, None);
    assert_eq!(history(&server, "scr_new").await.len(), 1, "what is refused writes nothing");
    server.stop().await;
}

/// Returns the faults of a draft, and its digest.
async fn validate(server: &Server, draft: pb::Questionnaire) -> (Vec<String>, Option<String>) {
    let message = pb::ValidateDraftRequest { draft: Some(draft) };
    let told = call!(server, validate_draft(message)).expect("it is an answer");
    assert_eq!(usize::try_from(told.total()), Ok(told.violations.len()));
    let fields = told.violations.into_iter().map(|it| it.field).collect();
    (fields, told.content_hash)
}

/// The digest of [`whole`] in the first encoding, which must not change.
const DIGEST: &str = "717d8e97a412a8653b4687fc443981c97ab1fde493d8df9cd440780ffdacb42d";

/// Returns a questionnaire with every feature.
fn whole() -> pb::Questionnaire {
    let numeric = Form::Numeric(pb::NumericForm {
        slider: Some(true),
        min: Some(0.0),
        max: Some(10.0),
        step: Some(2.5),
        qualifies: Some(pb::NumericRange { min: Some(5.0), max: None }),
    });
    let select = single(vec![
        ruled("a", pb::OptionRule::Qualifies),
        ruled("b", pb::OptionRule::Disqualifies),
        option("c", Some("end")),
        option("d", Some("q4")),
    ]);
    let multi = Form::MultiSelect(pb::MultiSelectForm {
        options: vec![
            ruled("a", pb::OptionRule::Required),
            pb::QuestionOption { write_in: Some(true), ..option("b", None) },
        ],
        min_choices: Some(1),
        max_choices: Some(2),
    });
    let tag = |id: &str, category: Option<&str>| pb::Tag {
        id: id.into(),
        category: category.map(str::to_owned),
        value: Some("priority".into()),
    };
    pb::Questionnaire {
        tags: vec![tag("t1", Some("qualification")), tag("t2", None)],
        pages: vec![
            page("p1", vec![question("q1", text(Some(1), Some(9), Some("[a-z é]+")))]),
            page(
                "p2",
                vec![question("q2", numeric), question("q3", select), question("q4", multi)],
            ),
        ],
        ..<_>::default()
    }
}

#[tokio::test]
async fn the_digest_of_a_questionnaire_is_the_same_forever() {
    let server = Server::demo().await;
    assert_eq!(validate(&server, whole()).await, (vec![], Some(DIGEST.to_owned())));
    let made = create(&server, new("scr_new", Some(whole()))).await.expect("it is created");
    assert_eq!((made.draft_hash(), made.draft.as_ref()), (DIGEST, Some(&whole())));
    let done = publish(&server, "scr_new", Some(DIGEST)).await.expect("it is published");
    let id = done.publication.expect("it is there").id;
    let frozen = publication(&server, &id).await.expect("it is there");
    assert_eq!((frozen.content_hash(), frozen.questionnaire.as_ref()), (DIGEST, Some(&whole())));
    server.stop().await;
}

#[tokio::test]
async fn a_draft_is_replaced_and_discarded_only_by_who_knows_it() {
    let server = Server::demo().await;
    create(&server, new("scr_new", None)).await.expect("it is created");
    let one = update_draft(&server, "scr_new", asking("One?"), None).await.expect("a draft");
    let hash = one.draft_hash.as_deref();
    let stale = "0".repeat(64);
    let refused = update_draft(&server, "scr_new", asking("Two?"), Some(&stale)).await;
    refused.expect_err("it is another").is("CONFLICT", &[]);
    let refused = discard(&server, "scr_new", Some(&stale)).await;
    refused.expect_err("it is another").is("CONFLICT", &[]);
    let refused = publish(&server, "scr_new", Some(&stale)).await;
    refused.expect_err("it is another").is("CONFLICT", &[]);
    let two = update_draft(&server, "scr_new", asking("Two?"), hash).await.expect("a draft");
    // A retry after a lost response.
    assert_eq!(update_draft(&server, "scr_new", asking("Two?"), hash).await, Ok(two.clone()));
    assert_eq!(get(&server, "scr_new").await, Ok(two.clone()));
    for expected in [two.draft_hash.as_deref(), two.draft_hash.as_deref(), None] {
        let without = discard(&server, "scr_new", expected).await.expect("it is gone");
        assert_eq!((without.draft, without.draft_hash), (None, None));
    }
    let refused = publish(&server, "scr_new", two.draft_hash.as_deref()).await;
    refused.expect_err("there is none").is("CONFLICT", &[]);
    let [one, two] = [one, two].map(|it| it.draft_hash()[..6].to_owned());
    let log = history(&server, "scr_new").await;
    let expected = [
        format!("UPDATE draft_hash ->{one}"),
        format!("UPDATE draft_hash {one}>{two}"),
        format!("UPDATE draft_hash {two}>-"),
    ];
    assert_eq!(log[1..], expected);
    for bad in ["", "abc", &"G".repeat(64), &"A".repeat(64)] {
        let refused = publish(&server, "scr_new", Some(bad)).await.expect_err("no digest");
        refused.is("INVALID_ARGUMENT", &["expected_draft_hash"]);
    }
    server.stop().await;
}
