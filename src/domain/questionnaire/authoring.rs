//! Additional requirements for authors, which imported files need not meet: the questionnaire is
//! bounded, and every part of it can have an effect.

use super::{Draft, FormDraft};
use crate::domain::error::Violations;
use crate::domain::publication::Questionnaire;
use crate::domain::question::{GoTo, Question};
use crate::domain::unicode::is_blank;

/// The longest prompt or option text of a draft, in characters, because it is read on a phone.
const PROMPT_MAX_CHARS: usize = 2_000;
/// The most options of a draft, because every participant loads all of them.
pub const DRAFT_OPTIONS_MAX: usize = 5_000;
/// The most bytes of text in a draft's questions, so that it fits into one message with ids of any
/// length.
const DRAFT_TEXT_MAX_BYTES: usize = 1 << 20;

impl Draft {
    /// Validates the draft of an author, and checks that it works.
    pub fn author(self, path: &str, violations: &mut Violations) -> Option<Questionnaire> {
        let questionnaire = self.clone().parse(path, violations);
        check_works(path, &self, questionnaire.as_ref(), violations);
        questionnaire
    }
}

/// Reports the parts of a draft that cannot work, below a path that is empty or ends in a dot. The
/// questionnaire is the parsed draft, if it could be parsed.
fn check_works(
    path: &str,
    draft: &Draft,
    questionnaire: Option<&Questionnaire>,
    violations: &mut Violations,
) {
    if draft.pages.is_empty() {
        violations.add(format!("{path}pages"), "Must have at least one page.");
    }
    for (position, page) in draft.pages.iter().enumerate() {
        if page.questions.is_empty() {
            let field = format!("{path}pages[{position}].questions");
            violations.add(field, "Must have at least one question.");
        }
    }
    let Some(Questionnaire { tags: _, wording: _, questions }) = questionnaire else { return };
    if let Err(reason) = check_size(draft) {
        violations.add(format!("{path}pages"), reason);
        return;
    }
    let places = draft.pages.iter().enumerate().flat_map(|(page, draft)| {
        (0..draft.questions.len())
            .map(move |question| format!("{path}pages[{page}].questions[{question}]"))
    });
    let reached = reached(questions);
    for ((place, question), is_reached) in places.zip(questions).zip(reached) {
        if !is_reached {
            violations.add(&*place, "Must be reachable: no answers lead to this question.");
        }
        check_question(&place, question, violations);
    }
}

/// Checks that a draft is not too large.
fn check_size(draft: &Draft) -> Result<(), String> {
    let (mut options, mut bytes) = (0, draft.wording.text_bytes());
    for question in draft.pages.iter().flat_map(|page| &page.questions) {
        let (own, others) = question.form.as_ref().map_or((&[][..], 0), FormDraft::texts);
        options += own.len();
        bytes += question.prompt.len() + others;
        bytes += own.iter().map(|option| option.text.len()).sum::<usize>();
    }
    if options > DRAFT_OPTIONS_MAX {
        return Err(format!("At most {DRAFT_OPTIONS_MAX} options in all."));
    }
    if bytes > DRAFT_TEXT_MAX_BYTES {
        return Err(format!("At most {DRAFT_TEXT_MAX_BYTES} bytes of text in all."));
    }
    Ok(())
}

fn check_prompt(field: String, text: &str, violations: &mut Violations) {
    if is_blank(text) || text.chars().count() > PROMPT_MAX_CHARS {
        violations
            .add(field, format!("Must have 1 to {PROMPT_MAX_CHARS} characters, not all blank."));
    }
}

fn check_question(place: &str, question: &Question, violations: &mut Violations) {
    check_prompt(format!("{place}.prompt"), &question.prompt, violations);
    for (position, choice) in question.choices().iter().enumerate() {
        let field = format!("{place}.options[{position}].text");
        check_prompt(field, &choice.text, violations);
    }
    question.check_works(place, violations);
}

/// Returns which questions are reachable.
fn reached(questions: &[Question]) -> Vec<bool> {
    let mut reached = vec![false; questions.len()];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for (position, question) in questions.iter().enumerate() {
        if !reached[position] {
            continue;
        }
        let place = |go_to: &GoTo| match go_to {
            GoTo::Question(id) => questions.iter().position(|it| it.id == *id),
            GoTo::End => Some(questions.len()),
        };
        let targets: Vec<_> = question
            .choices()
            .iter()
            .map(|choice| choice.go_to.as_ref().and_then(place).unwrap_or(position + 1))
            .collect();
        for target in targets_of(question, position, &targets) {
            if let Some(reached) = reached.get_mut(target) {
                *reached = true;
            }
        }
    }
    reached
}

/// Returns the possible targets of a question. Of several choices, the furthest target counts.
fn targets_of(question: &Question, position: usize, targets: &[usize]) -> Vec<usize> {
    let next = position + 1;
    let least = question.least_choices() as usize;
    let mut possible: Vec<_> = targets
        .iter()
        .copied()
        .filter(|target| targets.iter().filter(|other| *other <= target).count() >= least)
        .collect();
    if !question.required || least == 0 {
        possible.push(next);
    }
    possible
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::question::{
        GoToDraft, MultiSelectDraft, NumericForm, OptionDraft, Range, Rule, TextDraft,
    };
    use crate::domain::questionnaire::{FormDraft, PageDraft, QuestionDraft};

    fn option(id: &str, go_to: Option<&str>) -> OptionDraft {
        let go_to = go_to.map(|id| match id {
            "end" => GoToDraft::End,
            id => GoToDraft::Question(id.into()),
        });
        let (id, text) = (id.into(), id.into());
        OptionDraft { id, text, rule: Rule::Neutral, write_in: false, go_to }
    }

    fn question(id: &str, required: bool, form: FormDraft) -> QuestionDraft {
        QuestionDraft { id: id.into(), prompt: "?".into(), required, form: Some(form) }
    }

    fn text(id: &str) -> QuestionDraft {
        let form = FormDraft::Text(TextDraft::default());
        question(id, false, form)
    }

    /// Returns the fields with violations on a page of questions.
    fn wrong(questions: Vec<QuestionDraft>) -> Vec<String> {
        let draft = Draft {
            tags: vec![],
            pages: vec![PageDraft { id: "p".into(), questions }],
            wording: <_>::default(),
        };
        let mut violations = Violations::new();
        draft.author("", &mut violations);
        violations.into_inner().into_iter().map(|it| it.field).collect()
    }

    #[test]
    fn a_question_that_every_way_leads_past_is_named() {
        let either = |required, first, second| {
            let options = vec![option("a", first), option("b", second)];
            question("q1", required, FormDraft::SingleSelect(options))
        };
        for (first, expected) in [
            (either(true, Some("q3"), Some("end")), &["pages[0].questions[1]"][..]),
            (either(true, Some("q3"), None), &[]),
            (either(false, Some("q3"), Some("end")), &[]),
            (
                either(true, Some("end"), Some("end")),
                &["pages[0].questions[1]", "pages[0].questions[2]"],
            ),
        ] {
            assert_eq!(wrong(vec![first, text("q2"), text("q3")]), expected);
        }
    }

    #[test]
    fn several_choices_lead_to_the_furthest_of_theirs() {
        let any = |min_choices| {
            let options = vec![option("a", Some("q3")), option("b", Some("q4")), option("c", None)];
            question(
                "q1",
                true,
                FormDraft::MultiSelect(MultiSelectDraft {
                    options,
                    min_choices,
                    max_choices: None,
                }),
            )
        };
        let ask = |first| wrong(vec![first, text("q2"), text("q3"), text("q4")]);
        assert_eq!(ask(any(None)), [""; 0]);
        // With two choices, at least one of them leads to the third question or beyond.
        assert_eq!(ask(any(Some(2))), ["pages[0].questions[1]"]);
        assert_eq!(ask(any(Some(3))), ["pages[0].questions[1]", "pages[0].questions[2]"]);
    }

    #[test]
    fn limits_that_nothing_meets_are_named() {
        let range = |min, max| Range { min: Some(min), max: Some(max) };
        let numeric = |form| vec![question("q", false, FormDraft::Numeric(form))];
        let bounds = range(0.0, 10.0);
        let slider = NumericForm { slider: true, bounds, step: Some(3.0), qualifies: None };
        assert_eq!(wrong(numeric(slider.clone())), ["pages[0].questions[0].step"]);
        assert_eq!(wrong(numeric(NumericForm { step: Some(2.5), ..slider.clone() })), [""; 0]);
        let open = NumericForm { bounds: Range::default(), ..slider };
        assert_eq!(wrong(numeric(open)), ["pages[0].questions[0].slider"]);
        let never =
            NumericForm { bounds, qualifies: Some(range(11.0, 12.0)), ..NumericForm::default() };
        assert_eq!(wrong(numeric(never)), ["pages[0].questions[0].qualifies"]);
        let must = OptionDraft { rule: Rule::Required, ..option("a", None) };
        let options = vec![must.clone(), OptionDraft { id: "b".into(), ..must }];
        let multi = FormDraft::MultiSelect(MultiSelectDraft {
            options,
            min_choices: None,
            max_choices: Some(1),
        });
        assert_eq!(wrong(vec![question("q", false, multi)]), ["pages[0].questions[0].max_choices"]);
        assert_eq!(wrong(vec![]), ["pages[0].questions"]);
        let mut violations = Violations::new();
        Draft::default().author("draft.", &mut violations);
        assert_eq!(violations.into_inner()[0].field, "draft.pages");
    }

    #[test]
    fn a_draft_is_too_large_by_its_options_or_its_texts() {
        let many = |count: usize, text: &str| {
            let options = (0..count)
                .map(|id| OptionDraft { text: text.into(), ..option(&id.to_string(), None) });
            FormDraft::SingleSelect(options.collect())
        };
        let ask = |questions: usize, count, text| {
            let of = |id: usize| question(&id.to_string(), false, many(count, text));
            wrong((0..questions).map(of).collect())
        };
        assert_eq!(ask(10, 500, "a"), [""; 0]);
        assert_eq!(ask(11, 455, "a"), ["pages"]);
        let kilobyte = "a".repeat(1024);
        // Each prompt has a byte, too.
        assert_eq!(ask(2, 500, &kilobyte), [""; 0]);
        assert_eq!(ask(4, 256, &kilobyte), ["pages"]);
    }

    #[test]
    fn every_structural_violation_has_its_path() {
        let broken = FormDraft::Text(TextDraft {
            multi_line: false,
            min_length: Some(2),
            max_length: Some(1),
            pattern: Some("(".into()),
            pattern_hint: None,
        });
        let back = vec![option("a", Some("q1")), option("a", Some("q9"))];
        let questions = vec![
            question("q1", false, broken),
            question("q1", false, FormDraft::SingleSelect(back)),
        ];
        let expected = [
            "pages[0].questions[0].min_length",
            "pages[0].questions[1].id",
            "pages[0].questions[1].options[0].go_to_question_id",
            "pages[0].questions[1].options[1].id",
            "pages[0].questions[1].options[1].go_to_question_id",
            // Patterns are checked together, after everything else.
            "pages[0].questions[0].pattern",
        ];
        assert_eq!(wrong(questions), expected);
    }
}
