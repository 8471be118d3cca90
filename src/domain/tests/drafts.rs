//! Tests of the validation of drafts, at the limits.

use super::{choice, option_id};
use crate::domain::error::Violations;
use crate::domain::publication::Questionnaire;
use crate::domain::question::{
    GoToDraft, MultiSelectDraft, NumericForm, OptionDraft, QuestionForm, Range, Rule, TextDraft,
};
use crate::domain::questionnaire::{Draft, FormDraft, PageDraft, QuestionDraft};
use crate::domain::tag::TagDraft;

fn option(id: &str) -> OptionDraft {
    let (id, text) = (id.to_owned(), "Option".to_owned());
    OptionDraft { id, text, rule: Rule::Neutral, write_in: false, go_to: None }
}

fn options(count: usize) -> Vec<OptionDraft> {
    (0..count).map(|number| option(&number.to_string())).collect()
}

fn question(id: &str, form: FormDraft) -> QuestionDraft {
    QuestionDraft { id: id.into(), prompt: "?".into(), required: false, form: Some(form) }
}

fn words(min_length: Option<u32>, max_length: Option<u32>, pattern: Option<&str>) -> FormDraft {
    let pattern = pattern.map(str::to_owned);
    FormDraft::Text(TextDraft {
        multi_line: false,
        min_length,
        max_length,
        pattern,
        pattern_hint: None,
    })
}

fn text(id: &str) -> QuestionDraft {
    question(id, words(None, None, None))
}

fn multi(options: Vec<OptionDraft>, min: Option<u32>, max: Option<u32>) -> FormDraft {
    FormDraft::MultiSelect(MultiSelectDraft { options, min_choices: min, max_choices: max })
}

fn page(id: &str, questions: Vec<QuestionDraft>) -> PageDraft {
    PageDraft { id: id.into(), questions }
}

fn draft(questions: Vec<QuestionDraft>) -> Draft {
    Draft { tags: vec![], pages: vec![page("p", questions)], wording: <_>::default() }
}

/// Returns the parsed draft, and the refused fields.
fn parse(draft: Draft) -> (Option<Questionnaire>, Vec<String>) {
    let mut found = Violations::up_to(1_000);
    let parsed = draft.parse("", &mut found);
    (parsed, found.into_inner().into_iter().map(|it| it.field).collect())
}

/// Returns the refused fields of an author's questions on one page.
fn wrong(questions: Vec<QuestionDraft>) -> Vec<String> {
    let mut found = Violations::new();
    draft(questions).author("", &mut found);
    found.into_inner().into_iter().map(|it| it.field).collect()
}

/// Returns the refused fields of an author's question, relative to it.
fn wrong_with(question: QuestionDraft) -> Vec<String> {
    let below = |field: String| field.replace("pages[0].questions[0].", "");
    wrong(vec![question]).into_iter().map(below).collect()
}

#[test]
fn a_valid_draft_becomes_what_it_says() {
    let tag = TagDraft { id: "t".into(), category: Some("c".into()), value: "v".into() };
    let end = OptionDraft { go_to: Some(GoToDraft::End), ..option("b") };
    let question = question("q", FormDraft::SingleSelect(vec![option("a"), end]));
    let draft =
        Draft { tags: vec![tag], pages: vec![page("p", vec![question])], wording: <_>::default() };
    let mut found = Violations::new();
    let authored = draft.clone().author("", &mut found);
    let (parsed, refused) = parse(draft);
    assert_eq!((found.total(), refused.len()), (0, 0));
    assert_eq!(parsed, authored);
    let Questionnaire { tags, wording: _, questions } = parsed.expect("it is valid");
    let [tag] = &tags[..] else { panic!("one tag") };
    assert_eq!((tag.id.as_str(), tag.category.as_deref(), &*tag.value), ("t", Some("c"), "v"));
    let [question] = &questions[..] else { panic!("one question") };
    assert_eq!((question.id.as_str(), question.page.as_str()), ("q", "p"));
    let QuestionForm::SingleSelect(choices) = &question.form else { panic!("a single select") };
    let mut expected = [choice("a", Rule::Neutral), choice("b", Rule::Neutral)];
    expected[1].go_to = Some(crate::domain::question::GoTo::End);
    for choice in &mut expected {
        choice.text = "Option".into();
    }
    assert_eq!(choices[..], expected);
    assert_eq!(choices[0].id, option_id("a"));
}

#[test]
fn a_part_that_is_no_part_leaves_no_questionnaire() {
    let tagged = |id: &str| {
        let tag = TagDraft { id: id.into(), category: None, value: "v".into() };
        Draft { tags: vec![tag], pages: vec![], wording: <_>::default() }
    };
    for (draft, field) in [
        (tagged(""), "tags[0].id"),
        (
            Draft { tags: vec![], pages: vec![page("", vec![])], wording: <_>::default() },
            "pages[0].id",
        ),
        (draft(vec![text("")]), "pages[0].questions[0].id"),
        (draft(vec![QuestionDraft { form: None, ..text("q") }]), "pages[0].questions[0]"),
        (
            draft(vec![question("q", FormDraft::SingleSelect(vec![option("")]))]),
            "pages[0].questions[0].options[0].id",
        ),
    ] {
        assert_eq!(parse(draft), (None, vec![field.to_owned()]));
    }
}

#[test]
fn tags_and_pages_have_ids_of_their_own_and_are_as_many_as_allowed() {
    let tags = |count: usize| {
        let tag =
            |number: usize| TagDraft { id: number.to_string(), category: None, value: "v".into() };
        Draft { tags: (0..count).map(tag).collect(), pages: vec![], wording: <_>::default() }
    };
    assert_eq!(parse(tags(100)).1, [""; 0]);
    assert_eq!(parse(tags(101)), (None, vec!["tags".to_owned()]));
    assert_eq!(parse(tags(200)), (None, vec!["tags".to_owned()]));
    let mut twice = tags(2);
    twice.tags[1].id = "0".into();
    assert_eq!(parse(twice).1, ["tags[1].id"]);
    let labels = TagDraft { id: "t".into(), category: Some(String::new()), value: "a\n".into() };
    let refused = parse(Draft { tags: vec![labels], pages: vec![], wording: <_>::default() }).1;
    assert_eq!(refused, ["tags[0].category", "tags[0].value"]);
    let pages = |count: usize, each: usize| {
        let page = |number: usize| {
            let questions = (0..each).map(|it| text(&format!("{number}_{it}"))).collect();
            page(&number.to_string(), questions)
        };
        Draft { tags: vec![], pages: (0..count).map(page).collect(), wording: <_>::default() }
    };
    for good in [pages(500, 0), pages(500, 1), pages(2, 250), pages(1, 500)] {
        assert_eq!(parse(good).1, [""; 0]);
    }
    for bad in [pages(501, 0), pages(501, 1), pages(1, 501), pages(3, 200), pages(900, 0)] {
        assert_eq!(parse(bad), (None, vec!["pages".to_owned()]));
    }
    let same = Draft {
        tags: vec![],
        pages: vec![page("p", vec![]), page("p", vec![])],
        wording: <_>::default(),
    };
    assert_eq!(parse(same).1, ["pages[1].id"]);
}

#[test]
fn lower_limits_may_meet_the_upper_ones() {
    for (form, field) in [
        (words(Some(3), Some(3), None), None),
        (words(Some(3), None, None), None),
        (words(Some(4), Some(3), None), Some("min_length")),
        (words(None, Some(16_384), None), None),
        (words(None, Some(16_385), None), Some("max_length")),
        (words(None, Some(u32::MAX), None), Some("max_length")),
        (multi(options(2), Some(1), Some(1)), None),
        (multi(options(2), Some(2), None), None),
        (multi(options(2), Some(2), Some(1)), Some("min_choices")),
        (multi(options(2), None, Some(9)), None),
    ] {
        let said = format!("{form:?}");
        assert_eq!(wrong_with(question("q", form)), field.as_slice(), "{said}");
    }
    let more = parse(draft(vec![question("q", multi(options(2), Some(3), None))])).1;
    assert_eq!(more, ["pages[0].questions[0].min_choices"]);
    let more = parse(draft(vec![question("q", multi(options(2), Some(9), None))])).1;
    assert_eq!(more, ["pages[0].questions[0].min_choices"]);
}

#[test]
fn numbers_are_finite_ranges_have_a_bound_and_steps_lead_on() {
    let range = |min, max| Range { min, max };
    let number = |bounds, step, qualifies| {
        FormDraft::Numeric(NumericForm { slider: false, bounds, step, qualifies })
    };
    let all = Range::default();
    for (form, field) in [
        (number(all, None, None), None),
        (number(range(Some(1.0), Some(1.0)), None, None), None),
        (number(range(Some(2.0), Some(1.0)), None, None), Some("min")),
        (number(all, Some(0.5), None), None),
        (number(all, Some(0.0), None), Some("step")),
        (number(all, Some(-0.5), None), Some("step")),
        (number(all, None, Some(range(Some(1.0), None))), None),
        (number(all, None, Some(range(None, Some(1.0)))), None),
        (number(all, None, Some(range(Some(1.0), Some(1.0)))), None),
        (number(all, None, Some(all)), Some("qualifies")),
        (number(all, None, Some(range(Some(2.0), Some(1.0)))), Some("qualifies.min")),
        // The qualifying range may touch the edge of the accepted range, but not lie beyond it.
        (number(range(None, Some(5.0)), None, Some(range(Some(5.0), None))), None),
        (number(range(None, Some(5.0)), None, Some(range(Some(6.0), None))), Some("qualifies")),
        (number(range(Some(5.0), None), None, Some(range(None, Some(5.0)))), None),
        (number(range(Some(5.0), None), None, Some(range(None, Some(4.0)))), Some("qualifies")),
        // Only a slider has to reach its end.
        (number(range(Some(0.0), Some(10.0)), Some(3.0), None), None),
    ] {
        let said = format!("{form:?}");
        assert_eq!(wrong_with(question("q", form)), field.as_slice(), "{said}");
    }
    let slider = |min, max, step| {
        let bounds = range(min, max);
        FormDraft::Numeric(NumericForm { slider: true, bounds, step, qualifies: None })
    };
    for (form, field) in [
        (slider(Some(0.0), Some(10.0), None), None),
        (slider(Some(0.0), Some(10.0), Some(5.0)), None),
        (slider(Some(1.0), Some(10.0), Some(3.0)), None),
        (slider(Some(0.0), Some(10.0), Some(3.0)), Some("step")),
        (slider(Some(0.0), None, Some(3.0)), Some("slider")),
        (slider(None, Some(10.0), None), Some("slider")),
    ] {
        let said = format!("{form:?}");
        assert_eq!(wrong_with(question("q", form)), field.as_slice(), "{said}");
    }
    let infinite = Some(f64::INFINITY);
    for (form, field) in [
        (number(range(Some(f64::NAN), None), None, None), "min"),
        (number(range(None, infinite), None, None), "max"),
        (number(all, infinite, None), "step"),
        (number(all, None, Some(range(Some(f64::NEG_INFINITY), None))), "qualifies.min"),
        (number(all, None, Some(range(None, infinite))), "qualifies.max"),
    ] {
        let said = format!("{form:?}");
        assert_eq!(
            parse(draft(vec![question("q", form)])).1,
            [format!("pages[0].questions[0].{field}")],
            "{said}"
        );
    }
}

#[test]
fn a_select_question_has_1_to_500_options_with_rules_of_its_kind() {
    for (count, field) in [(0, Some("options")), (1, None), (500, None), (501, Some("options"))] {
        let single = wrong_with(question("q", FormDraft::SingleSelect(options(count))));
        assert_eq!(single, field.as_slice(), "{count}");
        let several = wrong_with(question("q", multi(options(count), None, None)));
        assert_eq!(several, field.as_slice(), "{count}");
    }
    for (rule, in_single, in_multi) in [
        (Rule::Neutral, true, true),
        (Rule::Qualifies, true, false),
        (Rule::Required, false, true),
        (Rule::Disqualifies, true, true),
    ] {
        let ruled = || vec![OptionDraft { rule, ..option("a") }, option("b")];
        let refused = |is_good: bool| if is_good { None } else { Some("options[0].rule") };
        let single = wrong_with(question("q", FormDraft::SingleSelect(ruled())));
        assert_eq!(single, refused(in_single).as_slice(), "{rule:?}");
        let several = wrong_with(question("q", multi(ruled(), None, None)));
        assert_eq!(several, refused(in_multi).as_slice(), "{rule:?}");
    }
}

#[test]
fn a_choice_leads_to_a_later_question_and_to_no_other() {
    let leading = |to: &str| {
        let go_to = Some(GoToDraft::Question(to.into()));
        let there = OptionDraft { go_to, ..option("a") };
        let leads = question("q2", FormDraft::SingleSelect(vec![there, option("b")]));
        parse(draft(vec![text("q1"), leads, text("q3"), text("q4")])).1
    };
    for later in ["q3", "q4"] {
        assert_eq!(leading(later), [""; 0], "{later}");
    }
    for other in ["q1", "q2", "q9", ""] {
        assert_eq!(
            leading(other),
            ["pages[0].questions[1].options[0].go_to_question_id"],
            "{other}"
        );
    }
}

#[test]
fn a_question_that_nobody_can_answer_well_is_named() {
    let no = |id| OptionDraft { rule: Rule::Disqualifies, ..option(id) };
    let must = |id| OptionDraft { rule: Rule::Required, ..option(id) };
    let needed = |form| QuestionDraft { required: true, ..question("q", form) };
    for (asked, field) in [
        (question("q", FormDraft::SingleSelect(vec![no("a"), option("b")])), None),
        (question("q", FormDraft::SingleSelect(vec![no("a"), no("b")])), Some("options")),
        (question("q", multi(options(2), None, Some(0))), Some("max_choices")),
        (question("q", multi(options(2), None, Some(1))), None),
        (question("q", multi(vec![must("a"), option("b")], None, Some(1))), None),
        (question("q", multi(vec![must("a"), must("b")], None, Some(1))), Some("max_choices")),
        (question("q", multi(vec![must("a"), must("b")], None, Some(2))), None),
        (question("q", multi(vec![option("a"), no("b")], Some(1), None)), None),
        (question("q", multi(vec![option("a"), no("b")], Some(2), None)), Some("min_choices")),
        (question("q", multi(vec![no("a"), no("b")], None, None)), None),
        (question("q", multi(vec![no("a"), no("b")], Some(2), None)), Some("min_choices")),
        (needed(multi(vec![option("a"), no("b")], None, None)), None),
        (needed(multi(vec![no("a"), no("b")], None, None)), Some("min_choices")),
    ] {
        let said = format!("{asked:?}");
        assert_eq!(wrong_with(asked), field.as_slice(), "{said}");
    }
}

#[test]
fn what_a_participant_reads_has_1_to_2000_characters() {
    for (read, is_good) in [
        ("?", true),
        (&*"ü".repeat(2_000), true),
        ("", false),
        (" \n", false),
        (&*"a".repeat(2_001), false),
    ] {
        let refused = |field| if is_good { None } else { Some(field) };
        let prompt = QuestionDraft { prompt: read.into(), ..text("q") };
        assert_eq!(wrong_with(prompt), refused("prompt").as_slice());
        let option = OptionDraft { text: read.into(), ..option("a") };
        let single = question("q", FormDraft::SingleSelect(vec![option]));
        assert_eq!(wrong_with(single), refused("options[0].text").as_slice());
    }
}

#[test]
fn the_texts_of_a_draft_have_1_mib_at_most_with_its_patterns() {
    // Prompts and options of 1,024 bytes, a pattern of 24, and the rest up to 1 MiB.
    let asked = |rest: usize| {
        let kilobyte = || "a".repeat(1_024);
        let long = |id: usize| OptionDraft { text: kilobyte(), ..option(&id.to_string()) };
        let select = |id: &str, count: usize| {
            let form = FormDraft::SingleSelect((0..count).map(long).collect());
            QuestionDraft { prompt: kilobyte(), ..question(id, form) }
        };
        let pattern = "a".repeat(24);
        let last = QuestionDraft {
            prompt: "a".repeat(rest),
            ..question("q3", words(None, None, Some(&pattern)))
        };
        wrong(vec![select("q1", 499), select("q2", 499), text("q4"), last])
    };
    // A thousand of them, the prompt of one byte, and the pattern.
    let left = (1 << 20) - 1_000 * 1_024 - 1 - 24;
    assert_eq!(left, 24_551);
    // A prompt of that length is refused on its own, but sizes are checked first.
    assert!(asked(left).iter().all(|field| field == "pages[0].questions[3].prompt"));
    assert!(asked(left + 1).contains(&"pages".to_owned()));
}

#[test]
fn a_question_that_may_be_skipped_leads_on_to_the_next() {
    let to = |id: &str, target: &str| {
        let go_to = Some(GoToDraft::Question(target.into()));
        OptionDraft { go_to, ..option(id) }
    };
    let far = || vec![to("a", "q3"), to("b", "q3")];
    for required in [false, true] {
        for form in [FormDraft::SingleSelect(far()), multi(far(), Some(2), None)] {
            let first = QuestionDraft { required, ..question("q1", form) };
            let skipped = wrong(vec![first, text("q2"), text("q3")]);
            let expected = required.then_some("pages[0].questions[1]");
            assert_eq!(skipped, expected.as_slice(), "{required}");
        }
    }
    // A question without options leads to the next, whether it is required or not.
    for required in [false, true] {
        let first = QuestionDraft { required, ..text("q1") };
        assert_eq!(wrong(vec![first, text("q2")]), [""; 0], "{required}");
    }
    // Choosing no option of an optional multi select leads to the next question, too.
    let first = question("q1", multi(far(), None, None));
    assert_eq!(wrong(vec![first, text("q2"), text("q3")]), [""; 0]);
}
