//! Tests of answers: their validation and their score.

use crate::domain::answer::{
    ANSWER_TEXT_MAX_BYTES, Answer, Given, GivenAnswers, GivenOption, SESSION_ANSWERS_MAX_BYTES,
    Score, check_text,
};
use crate::domain::question::{
    GoTo, MultiSelectForm, NumericForm, Question, QuestionForm, Range, Rule, TextForm, on_step,
};
use std::collections::BTreeMap;

use super::{choice, multi, numeric, option_id, publication, question, question_id, selected};
use super::{single, text, with_text};
use crate::domain::answering::{Misfits, Submit, Taken, given_answers};
use crate::domain::error::Violations;
use crate::domain::id::QuestionId;
use crate::domain::pattern::Pattern;
use crate::domain::publication::{Publication, QUESTIONS_MAX};

fn typed(text: &str) -> Given {
    Given::Typed(text.into())
}

fn chosen(ids: &[&str], typed: Option<&str>) -> Given {
    Given::Chosen(ids.iter().map(|id| option_id(id)).collect(), typed.map(str::to_owned))
}

fn option(id: &str, write_in: Option<&str>) -> GivenOption {
    GivenOption { option: option_id(id), write_in: write_in.map(str::to_owned) }
}

fn select() -> [Question; 2] {
    let choices = || vec![choice("a", Rule::Neutral), choice("b", Rule::Neutral), with_text("c")];
    [single("q", choices()), multi("q", choices())]
}

#[test]
fn an_answer_is_of_the_kind_that_its_question_asks_for() {
    let [one, any] = select();
    let (words, number) = (text("q"), numeric("q"));
    let all = [&words, &number, &one, &any];
    for (given, fits) in [
        (Given::Text("5".into()), [true, false, false, false]),
        (typed("5"), [true, true, false, false]),
        (typed("five"), [true, false, false, false]),
        (Given::Number(5.0), [false, true, false, false]),
        (Given::Number(f64::NAN), [false; 4]),
        (Given::Number(f64::INFINITY), [false; 4]),
        (Given::Option(option("a", None)), [false, false, true, false]),
        (Given::Options(vec![option("a", None)]), [false, false, false, true]),
        (chosen(&["a"], None), [false, false, true, true]),
        (chosen(&["a", "b"], None), [false, false, false, true]),
        (chosen(&[], None), [false, false, false, true]),
        (Given::Skipped, [true; 4]),
    ] {
        for (question, fits) in all.iter().zip(fits) {
            let accepted = question.accept(given.clone());
            assert_eq!(accepted.is_ok(), fits, "{given:?} to {:?}", question.kind());
        }
    }
    assert_eq!(number.accept(typed(" 5 ")), Ok(Answer::Numeric(5.0)));
    assert_eq!(words.accept(typed(" 5 ")), Ok(Answer::Text(" 5 ".into())), "as it was typed");
}

#[test]
fn a_text_of_ones_own_belongs_to_the_one_option_that_takes_it() {
    let [one, any] = select();
    let single = |given: Given| one.accept(given);
    let several = |given: Given| any.accept(given);
    assert_eq!(single(chosen(&["a"], None)), Ok(Answer::SingleSelect(selected("a", None))));
    let own = Ok(Answer::SingleSelect(selected("c", Some("mine"))));
    assert_eq!(single(chosen(&["c"], Some("mine"))), own);
    assert_eq!(single(Given::Option(option("c", Some("mine")))), own);
    let both = Ok(Answer::MultiSelect(vec![selected("a", None), selected("c", Some("mine"))]));
    assert_eq!(several(chosen(&["a", "c"], Some("mine"))), both);
    for refused in [
        chosen(&["c"], None),
        chosen(&["a"], Some("mine")),
        chosen(&["a", "a"], None),
        chosen(&["nothing"], None),
    ] {
        assert!(
            single(refused.clone()).is_err() && several(refused.clone()).is_err(),
            "{refused:?}"
        );
    }
    // A text that could belong to either of two options is refused.
    let two = multi("q", vec![with_text("c"), with_text("d")]);
    let reason = two.accept(chosen(&["c", "d"], Some("mine"))).expect_err("whose is it?");
    assert!(reason.contains("several of the chosen options"), "{reason}");
    let reason = any.accept(chosen(&["a", "b"], Some("mine"))).expect_err("none takes it");
    assert!(reason.contains("accepts no text"), "{reason}");
    let reason = two.accept(chosen(&["c", "d"], None)).expect_err("both need a text");
    assert!(reason.contains("needs the participant's own text"), "{reason}");
    let each = Given::Options(vec![option("c", Some("one")), option("d", Some("two"))]);
    assert!(two.accept(each).is_ok());
}

#[test]
fn a_text_has_at_most_16_kib_and_no_nul() {
    assert_eq!(ANSWER_TEXT_MAX_BYTES, 16_384);
    for good in ["", "ü\n", &"a".repeat(16_384)] {
        assert!(check_text(good).is_ok());
    }
    for bad in ["a\0", &"a".repeat(16_385), &"ü".repeat(8_193), &"a".repeat(40_000)] {
        assert!(check_text(bad).is_err());
    }
}

#[test]
fn an_answer_scores_by_the_rules_of_its_question() {
    let ranged = |min, max| {
        let qualifies = Some(Range { min, max });
        let form = NumericForm { qualifies, ..NumericForm::default() };
        question("q", QuestionForm::Numeric(form))
    };
    let mut choices = vec![choice("yes", Rule::Qualifies), choice("no", Rule::Disqualifies)];
    choices.push(choice("may", Rule::Neutral));
    let one = single("q", choices);
    let any = multi(
        "q",
        vec![
            choice("must", Rule::Required),
            choice("no", Rule::Disqualifies),
            choice("may", Rule::Neutral),
        ],
    );
    let neutral = vec![choice("a", Rule::Neutral), choice("b", Rule::Neutral)];
    let single_of = |id| Answer::SingleSelect(selected(id, None));
    let multi_of =
        |ids: &[&str]| Answer::MultiSelect(ids.iter().map(|id| selected(id, None)).collect());
    for (question, answer, score) in [
        (text("q"), Answer::Text("a".into()), Score::None),
        (numeric("q"), Answer::Numeric(5.0), Score::None),
        (ranged(Some(2.0), None), Answer::Numeric(2.0), Score::Qualifies),
        (ranged(Some(2.0), None), Answer::Numeric(1.9), Score::Disqualifies),
        (ranged(None, Some(2.0)), Answer::Numeric(2.1), Score::Disqualifies),
        (ranged(None, Some(2.0)), Answer::Skipped, Score::None),
        (one.clone(), single_of("yes"), Score::Qualifies),
        (one.clone(), single_of("may"), Score::Qualifies),
        (one.clone(), single_of("no"), Score::Disqualifies),
        (one, Answer::Skipped, Score::None),
        (single("q", neutral.clone()), single_of("a"), Score::None),
        (any.clone(), multi_of(&["must"]), Score::Qualifies),
        (any.clone(), multi_of(&["must", "may"]), Score::Qualifies),
        (any.clone(), multi_of(&["may"]), Score::Disqualifies),
        (any.clone(), multi_of(&[]), Score::Disqualifies),
        (any, multi_of(&["must", "no"]), Score::Disqualifies),
        (multi("q", neutral), multi_of(&["a"]), Score::None),
    ] {
        assert_eq!(question.score(&answer), score, "{answer:?} to {question:?}");
    }
}

#[test]
fn a_step_is_counted_from_the_least_number() {
    for (number, step, min) in [
        (0.0, 0.5, None),
        (1.5, 0.5, None),
        (-1.5, 0.5, None),
        (0.3, 0.1, None),
        (4.0, 3.0, Some(1.0)),
        (1.0, 3.0, Some(1.0)),
        (5.5, 2.0, Some(-0.5)),
    ] {
        assert!(on_step(number, step, min), "{number} {step} {min:?}");
    }
    for (number, step, min) in
        [(1.25, 0.5, None), (3.0, 3.0, Some(1.0)), (0.300_01, 0.1, None), (0.299_99, 0.1, None)]
    {
        assert!(!on_step(number, step, min), "{number} {step} {min:?}");
    }
}

#[test]
fn an_answer_takes_the_bytes_of_what_was_typed_and_chosen() {
    for (answer, bytes) in [
        (Answer::Text("añb".into()), 4),
        (Answer::Numeric(5.5), 8),
        (Answer::SingleSelect(selected("a", None)), 8),
        (Answer::SingleSelect(selected("a", Some("xyz"))), 13 + 3),
        (Answer::MultiSelect(vec![selected("a", None), selected("b", Some("z"))]), 8 + 11 + 1),
        (Answer::MultiSelect(vec![]), 0),
        (Answer::Skipped, 0),
    ] {
        assert_eq!(answer.content_bytes(), bytes, "{answer:?}");
    }
}

#[test]
fn every_limit_of_a_question_lets_in_what_lies_on_it() {
    let range = Range { min: Some(0.0), max: Some(10.0) };
    let number = |step| {
        let form = NumericForm { bounds: range, step, ..NumericForm::default() };
        question("q", QuestionForm::Numeric(form))
    };
    for (question, number, fits) in [
        (numeric("q"), -1e9, true),
        (number(None), 0.0, true),
        (number(None), 9.9, true),
        (number(None), 10.0, true),
        (number(None), -0.1, false),
        (number(None), 10.1, false),
        (number(Some(2.5)), 7.5, true),
        (number(Some(2.5)), 7.0, false),
    ] {
        assert_eq!(question.check(&Answer::Numeric(number)).is_ok(), fits, "{number}");
    }
    let words = |required, multi_line| {
        let (min_length, max_length) = (Some(2), Some(4));
        let form =
            TextForm { multi_line, min_length, max_length, pattern: None, pattern_hint: None };
        Question { required, ..question("q", QuestionForm::Text(form)) }
    };
    for (required, multi_line, typed, fits) in [
        (false, false, "ab", true),
        (false, false, "abcd", true),
        (false, false, "äöüß", true),
        (false, false, "a", false),
        (false, false, "", false),
        (false, false, "abcde", false),
        (false, false, "abcdefgh", false),
        (false, false, "a\nb", false),
        (false, false, "a\rb", false),
        (false, true, "a\nb", true),
        (false, false, "  ", true),
        (true, false, "  ", false),
        (true, false, "abc", true),
    ] {
        let question = words(required, multi_line);
        assert_eq!(question.check(&Answer::Text(typed.into())).is_ok(), fits, "{typed:?}");
    }
    let options = |count: usize| {
        let ids = ["a", "b", "c", "d"];
        Answer::MultiSelect(ids[..count].iter().map(|id| selected(id, None)).collect())
    };
    let any = |required, min_choices, max_choices| {
        let choices = ["a", "b", "c", "d"].map(|id| choice(id, Rule::Neutral)).to_vec();
        let form = MultiSelectForm { choices, min_choices, max_choices };
        Question { required, ..question("q", QuestionForm::MultiSelect(form)) }
    };
    for (question, fits) in [
        (any(false, None, None), [true, true, true, true, true]),
        (any(true, None, None), [false, true, true, true, true]),
        (any(false, Some(2), Some(3)), [false, false, true, true, false]),
        (any(true, Some(2), Some(2)), [false, false, true, false, false]),
    ] {
        let found = [0, 1, 2, 3, 4].map(|count| question.check(&options(count)).is_ok());
        assert_eq!(found, fits, "{question:?}");
    }
    for required in [false, true] {
        let question = Question { required, ..text("q") };
        assert_eq!(question.check(&Answer::Skipped).is_ok(), !required);
        let [one, _] = select();
        let one = Question { required, ..one };
        let own = |typed| one.check(&Answer::SingleSelect(selected("c", Some(typed))));
        assert!(own("mine").is_ok() && own(" \n").is_err());
    }
}

/// Questions `a`, with a pattern, `b`, which may lead to `d`, then `c` and `d`.
fn asked() -> Publication {
    let pattern = Some(Pattern::parse("[A-Z]+").expect("a pattern"));
    let form = TextForm { pattern, ..TextForm::default() };
    let mut far = choice("far", Rule::Neutral);
    far.go_to = Some(GoTo::Question(question_id("d")));
    let b = single("b", vec![choice("near", Rule::Neutral), far]);
    let asked = publication(vec![question("a", QuestionForm::Text(form)), b, text("c"), text("d")]);
    asked.keep_patterns().expect("they compile");
    asked
}

fn submit(answers: &[(&str, Given)], is_final: bool) -> Submit {
    let answers: GivenAnswers =
        answers.iter().map(|(id, given)| (question_id(id), given.clone())).collect();
    Submit {
        answers,
        is_final,
        is_provisional: false,
        publication: None,
        idempotency_key: None,
        field: "answers",
    }
}

/// Returns the accepted changes of a submission, and the refused fields.
fn take(submit: &Submit, stored: &[(QuestionId, Answer)]) -> (Taken, Vec<String>) {
    let mut found = Violations::new();
    let taken = submit.take(&asked(), stored, None, &mut found).expect("it is quick");
    (taken, found.into_inner().into_iter().map(|it| it.field).collect())
}

#[test]
fn a_submission_says_something_and_only_what_its_answers_lead_to() {
    assert_eq!(take(&submit(&[], false), &[]).1, ["answers"]);
    assert_eq!(take(&submit(&[], true), &[]).1, [""; 0]);
    let near = [("b", chosen(&["near"], None)), ("c", typed("x"))];
    assert_eq!(take(&submit(&near, false), &[]).1, [""; 0]);
    let far = [("b", chosen(&["far"], None)), ("c", typed("x")), ("d", typed("y"))];
    assert_eq!(take(&submit(&far, false), &[]).1, ["answers.c"]);
    assert_eq!(take(&submit(&[("nothing", typed("x"))], false), &[]).1, ["answers.nothing"]);
    let badly = [("b", typed("near")), ("c", chosen(&["near"], None))];
    assert_eq!(take(&submit(&badly, false), &[]).1, ["answers.b", "answers.c"]);
}

#[test]
fn a_text_that_does_not_match_hides_no_other_fault() {
    let far = [("a", typed("ab")), ("b", chosen(&["far"], None)), ("c", typed("x"))];
    assert_eq!(take(&submit(&far, false), &[]).1, ["answers.a", "answers.c"]);
}

/// Parses `count` valid answers and some others. Returns how many are kept, and the refused fields.
fn given(count: usize, wrong: &[(&str, u8)]) -> (usize, Vec<String>) {
    let right = (0..count).map(|number| (format!("q{number}"), 0));
    let wrong = wrong.iter().map(|(id, value)| ((*id).to_owned(), *value));
    let values: Vec<_> = right.chain(wrong).collect();
    let read = |value| if value == 0 { Ok(Given::Skipped) } else { Err("Not an answer.".into()) };
    let mut found = Violations::new();
    let answers = given_answers("answers", values, read, &mut found);
    (answers.len(), found.into_inner().into_iter().map(|it| it.field).collect())
}

#[test]
fn answers_are_read_by_question_as_many_as_a_publication_can_ask() {
    assert_eq!(given(QUESTIONS_MAX, &[]), (QUESTIONS_MAX, vec![]));
    assert_eq!(given(QUESTIONS_MAX + 1, &[]), (0, vec!["answers".to_owned()]));
    let refused = ["answers.", "answers.bad"].map(str::to_owned).to_vec();
    assert_eq!(given(2, &[("", 0), ("bad", 1)]), (2, refused));
}

#[test]
fn a_text_that_does_not_match_leaves_the_stored_answer_as_it_is() {
    let answers = [("a", typed("AB")), ("c", typed("x"))];
    let (first, refused) = take(&submit(&answers, false), &[]);
    assert_eq!(refused, [""; 0]);
    let stored = first.added;
    let (taken, refused) = take(&submit(&[("a", typed("ab"))], false), &stored);
    assert_eq!((taken, &refused[..]), (Taken::default(), &["answers.a".to_owned()][..]));
    // Equal answers have no effect, and a new one affects only its question.
    assert_eq!(take(&submit(&answers, false), &stored).0, Taken::default());
    let (taken, _) = take(&submit(&[("c", typed("y"))], false), &stored);
    let replaced = vec![(question_id("c"), Answer::Text("y".into()))];
    assert_eq!(taken, Taken { replaced, ..Taken::default() });
    let misfits = Misfits::find(&asked(), &submit(&[("a", typed("ab"))], false).answers, || true);
    let misfits = misfits.expect("it is wanted");
    assert!(misfits.contains(&question_id("a")) && !misfits.contains(&question_id("c")));
}

#[test]
fn the_answers_of_a_session_have_1_mib_at_most_together() {
    assert_eq!(SESSION_ANSWERS_MAX_BYTES, 1_048_576);
    let ids: Vec<_> = (0..65).map(|number| format!("q{number:02}")).collect();
    let asked = publication(ids.iter().map(|id| text(id)).collect());
    let refused = |last: usize| {
        let bytes = |number: usize| if number == 64 { last } else { ANSWER_TEXT_MAX_BYTES };
        let answers: Vec<_> = ids.iter().enumerate().collect();
        let answers: Vec<_> = answers
            .into_iter()
            .map(|(number, id)| (id.as_str(), typed(&"a".repeat(bytes(number)))))
            .collect();
        let mut found = Violations::new();
        let taken = submit(&answers, false).take(&asked, &[], None, &mut found);
        taken.expect("there is nothing to match");
        found.into_inner().into_iter().map(|it| it.field).collect::<Vec<_>>()
    };
    assert_eq!(refused(0), [""; 0]);
    assert_eq!(refused(1), ["answers.q64"]);
}

#[test]
fn a_choice_leads_forward_and_without_one_the_next_question_follows() {
    let asked = asked();
    let path = |answers: &[(&str, Answer)]| {
        let answers: BTreeMap<_, _> =
            answers.iter().map(|(id, answer)| (question_id(id), answer.clone())).collect();
        let path = crate::domain::answering::path(&asked, &answers);
        path.iter().map(|it| it.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(path(&[]), "a b c d");
    assert_eq!(path(&[("b", Answer::SingleSelect(selected("near", None)))]), "a b c d");
    assert_eq!(path(&[("b", Answer::SingleSelect(selected("far", None)))]), "a b d");
}
