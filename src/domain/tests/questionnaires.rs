//! Tests of questionnaires: digests, pages and rules.

use super::{choice, multi, numeric, publication, question, question_id, single, text, with_text};
use crate::domain::content_hash::ContentHash;
use crate::domain::id::{PageId, TagId};
use crate::domain::pattern::Pattern;
use crate::domain::publication::{Publication, Questionnaire, pages};
use crate::domain::question::{
    Choice, GoTo, MultiSelectForm, NumericForm, Question, QuestionForm, Range, Rule, TextForm,
};
use crate::domain::tag::Tag;

fn range(min: Option<f64>, max: Option<f64>) -> Range {
    Range { min, max }
}

#[test]
fn a_range_holds_its_bounds_and_everything_between() {
    for (range, text, inside, outside) in [
        (range(Some(5.0), Some(10.0)), "5 to 10", vec![5.0, 7.5, 10.0], vec![4.9, 10.1]),
        (range(Some(5.0), None), "at least 5", vec![5.0, 1e9], vec![4.9]),
        (range(None, Some(-0.5)), "at most -0.5", vec![-0.5, -1e9], vec![0.0]),
        (range(None, None), "any number", vec![-1e9, 0.0, 1e9], vec![]),
    ] {
        assert_eq!(range.to_string(), text);
        assert_eq!(range.is_bounded(), text != "any number");
        assert!(inside.iter().all(|number| range.contains(*number)), "{text}");
        assert!(!outside.iter().any(|number| range.contains(*number)), "{text}");
    }
}

#[test]
fn two_ranges_meet_if_they_have_a_number_in_common() {
    let closed = |min, max| range(Some(min), Some(max));
    for (one, two, meet) in [
        (closed(0.0, 5.0), closed(5.0, 9.0), true),
        (closed(0.0, 5.0), closed(5.1, 9.0), false),
        (closed(0.0, 9.0), closed(3.0, 4.0), true),
        (range(None, Some(5.0)), range(Some(5.0), None), true),
        (range(None, Some(5.0)), range(Some(6.0), None), false),
        (range(None, Some(5.0)), range(None, Some(-5.0)), true),
        (range(None, None), closed(1.0, 2.0), true),
    ] {
        assert_eq!((one.meets(two), two.meets(one)), (meet, meet), "{one} and {two}");
    }
}

#[test]
fn the_review_dialect_has_a_word_for_every_form() {
    let multi_line = TextForm { multi_line: true, ..TextForm::default() };
    let slider = NumericForm { slider: true, ..NumericForm::default() };
    for (question, word) in [
        (text("q"), "singleLineTextbox"),
        (question("q", QuestionForm::Text(multi_line)), "multiLineTextbox"),
        (numeric("q"), "numericBox"),
        (question("q", QuestionForm::Numeric(slider)), "sliderScale"),
        (single("q", vec![]), "radio"),
        (multi("q", vec![]), "checkbox"),
    ] {
        assert_eq!(question.review_type(), word);
    }
}

#[test]
fn questions_of_one_page_stand_together_and_are_found_by_their_ids() {
    let on =
        |page: &str, id: &str| Question { page: PageId::parse(page).expect("an id"), ..text(id) };
    let asked = publication(vec![on("p1", "a"), on("p1", "b"), on("p2", "c"), on("p3", "d")]);
    let found: Vec<_> = asked
        .pages()
        .map(|(page, questions)| {
            let ids: Vec<_> = questions.iter().map(|question| question.id.as_str()).collect();
            format!("{page}: {}", ids.join(" "))
        })
        .collect();
    assert_eq!(found, ["p1: a b", "p2: c", "p3: d"]);
    assert_eq!(pages(&[]).count(), 0);
    assert_eq!(asked.question(&question_id("c")), Some(&on("p2", "c")));
    assert_eq!(asked.question(&question_id("e")), None);
    let furthest = |ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|id| question_id(id)).collect();
        asked.furthest(ids.iter())
    };
    for (ids, place) in [(&[][..], 0), (&["a"], 1), (&["c", "a"], 3), (&["d"], 4), (&["e"], 0)] {
        assert_eq!(furthest(ids), place, "{ids:?}");
    }
}

#[test]
fn a_question_knows_its_options_and_its_pattern() {
    let asked = single("q", vec![choice("a", Rule::Neutral), with_text("b")]);
    assert_eq!(asked.choice(&super::option_id("b")), Some(&with_text("b")));
    assert_eq!(asked.choice(&super::option_id("c")), None);
    assert_eq!((asked.choices().len(), text("q").choices().len()), (2, 0));
    assert_eq!(GoTo::Question(question_id("q")).question(), Some(&question_id("q")));
    assert_eq!(GoTo::End.question(), None);
    let pattern = Pattern::parse("[a-z]+").expect("a pattern");
    let form = TextForm { pattern: Some(pattern.clone()), ..TextForm::default() };
    let matched = question("q", QuestionForm::Text(form));
    assert_eq!((matched.pattern(), asked.pattern()), (Some(&pattern), None));
    let (with, without) = (publication(vec![text("t"), matched]), publication(vec![text("t")]));
    assert!(with.keep_patterns().expect("it compiles") > 1_000);
    assert_eq!(without.keep_patterns(), Ok(0));
}

#[test]
fn whoever_answers_sees_neither_tags_nor_what_qualifies() {
    let form = NumericForm {
        qualifies: Some(range(Some(1.0), None)),
        bounds: range(Some(0.0), None),
        ..NumericForm::default()
    };
    let ruled = || vec![choice("a", Rule::Qualifies), choice("b", Rule::Disqualifies)];
    let plain = || vec![choice("a", Rule::Neutral), choice("b", Rule::Neutral)];
    let tag = Tag { id: TagId::parse("t").expect("an id"), category: None, value: "v".into() };
    let number = |form| question("n", QuestionForm::Numeric(form));
    let asked = Publication {
        tags: vec![tag],
        ..publication(vec![
            text("t"),
            number(form.clone()),
            single("s", ruled()),
            multi("m", ruled()),
        ])
    };
    let open = NumericForm { qualifies: None, ..form };
    let shown =
        publication(vec![text("t"), number(open), single("s", plain()), multi("m", plain())]);
    assert_eq!(asked.without_rules(), shown);
}

/// A questionnaire with every member set.
fn full() -> Questionnaire {
    let tag = Tag {
        id: TagId::parse("t").expect("an id"),
        category: Some("c".into()),
        value: "v".into(),
    };
    let pattern = Some(Pattern::parse("[a-z]+").expect("a pattern"));
    let words = TextForm {
        multi_line: true,
        min_length: Some(1),
        max_length: Some(9),
        pattern,
        pattern_hint: None,
    };
    let number = NumericForm {
        slider: true,
        bounds: range(Some(0.0), Some(10.0)),
        step: Some(2.5),
        qualifies: Some(range(Some(5.0), None)),
    };
    let far =
        Choice { go_to: Some(GoTo::Question(question_id("m"))), ..choice("a", Rule::Qualifies) };
    let end = Choice { go_to: Some(GoTo::End), ..with_text("b") };
    let any = MultiSelectForm {
        choices: vec![choice("x", Rule::Required), choice("y", Rule::Neutral)],
        min_choices: Some(1),
        max_choices: Some(2),
    };
    let mut questions = vec![
        question("t", QuestionForm::Text(words)),
        question("n", QuestionForm::Numeric(number)),
        single("s", vec![far, end]),
        question("m", QuestionForm::MultiSelect(any)),
    ];
    questions[0].required = true;
    Questionnaire { tags: vec![tag], questions, wording: <_>::default() }
}

#[test]
fn a_digest_that_was_stored_stays_the_same() {
    let hash = full().content_hash();
    let expected = "130d08675dfc95b4ac9d799f6e7aeead39ccbfcb2f29f8271b3c8a340846f862";
    assert_eq!(hash.to_string(), expected);
    assert_eq!(ContentHash::parse(&hash.to_string()), Ok(hash));
    let published = Publication { tags: full().tags, ..publication(full().questions) };
    assert_eq!(published.content_hash(), hash, "published or not");
    for bad in ["", "abc", &hash.to_string()[1..], &"g".repeat(64), &"A".repeat(64)] {
        assert!(ContentHash::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_negative_zero_is_the_same_number() {
    let with = |min| {
        let bounds = range(Some(min), None);
        let form = NumericForm { bounds, ..NumericForm::default() };
        publication(vec![question("n", QuestionForm::Numeric(form))]).content_hash()
    };
    assert_eq!(with(-0.0), with(0.0));
    assert_ne!(with(-1.0), with(1.0));
}
