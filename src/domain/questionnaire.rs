//! Unchecked questionnaires from authors and files, and their validation.
//!
//! A [`Draft`] becomes a [`Questionnaire`] if its ids are valid and unique, its limits are
//! consistent, and its choices lead forward. Only authors ([`Draft::author`]) must also provide a
//! questionnaire that works: every question is reachable, and every page has a question. Imported
//! questionnaires are stored unchanged. Violations are named by path, in the contract's spelling:
//! `pages[0].questions[2].options[1].go_to_question_id`.

mod authoring;

pub use authoring::DRAFT_OPTIONS_MAX;

use std::collections::{BTreeMap, BTreeSet};

use super::answer::check_text;
use super::error::Violations;
use super::id::{PageId, QuestionId};
use super::pattern::check_compiled;
use super::publication::{QUESTIONS_MAX, Questionnaire};
use super::question::select::parse_options;
use super::question::{
    GoTo, MultiSelectDraft, NumericForm, OptionDraft, Question, QuestionForm, Rule, TextDraft,
};
use super::tag::{TagDraft, parse_tags};
use super::wording::Wording;

/// A questionnaire, unchecked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The tags of its sessions.
    pub tags: Vec<TagDraft>,
    /// The author's texts around the questions.
    pub wording: Wording,
    /// The pages, in order.
    pub pages: Vec<PageDraft>,
}

/// A page, unchecked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageDraft {
    /// Its id.
    pub id: String,
    /// Its questions, in order.
    pub questions: Vec<QuestionDraft>,
}

/// A question, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionDraft {
    /// Its id.
    pub id: String,
    /// The text that the participant reads.
    pub prompt: String,
    /// Whether it must be answered.
    pub required: bool,
    /// Its form. Required, but may be missing in a draft.
    pub form: Option<FormDraft>,
}

/// The form of a question, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub enum FormDraft {
    /// A text.
    Text(TextDraft),
    /// A number.
    Numeric(NumericForm),
    /// One of these options.
    SingleSelect(Vec<OptionDraft>),
    /// Any number of options.
    MultiSelect(MultiSelectDraft),
}

impl FormDraft {
    /// Validates it below a path. May return a form although there are violations.
    fn parse(self, path: &str, violations: &mut Violations) -> Option<QuestionForm> {
        match self {
            Self::Text(draft) => Some(QuestionForm::Text(draft.parse(path, violations))),
            Self::Numeric(form) => {
                form.check_draft(path, violations);
                Some(QuestionForm::Numeric(form))
            }
            Self::SingleSelect(options) => {
                let choices = parse_options(path, Rule::Required, options, violations);
                choices.map(QuestionForm::SingleSelect)
            }
            Self::MultiSelect(draft) => {
                draft.parse(path, violations).map(QuestionForm::MultiSelect)
            }
        }
    }

    /// Returns its options, and the bytes of its other texts.
    fn texts(&self) -> (&[OptionDraft], usize) {
        match self {
            Self::Text(TextDraft { pattern, pattern_hint, .. }) => {
                (&[], [pattern, pattern_hint].into_iter().flatten().map(String::len).sum())
            }
            Self::Numeric(_) => (&[], 0),
            Self::SingleSelect(options) | Self::MultiSelect(MultiSelectDraft { options, .. }) => {
                (options, 0)
            }
        }
    }
}

impl Draft {
    /// Validates the draft below a path, which is empty or ends in a dot. May return a
    /// questionnaire although there are violations.
    pub fn parse(self, path: &str, violations: &mut Violations) -> Option<Questionnaire> {
        let Self { tags, wording, pages } = self;
        wording.check(path, violations);
        let tags = parse_tags(path, tags, violations);
        let questions = parse_pages(path, pages, violations);
        Some(Questionnaire { tags: tags?, wording, questions: questions? })
    }
}

fn parse_pages(
    path: &str,
    pages: Vec<PageDraft>,
    violations: &mut Violations,
) -> Option<Vec<Question>> {
    let count: usize = pages.iter().map(|page| page.questions.len()).sum();
    if count > QUESTIONS_MAX || pages.len() > QUESTIONS_MAX {
        let reason = format!("At most {QUESTIONS_MAX} questions, and as many pages.");
        violations.add(format!("{path}pages"), reason);
        return None;
    }
    let mut questions = Vec::new();
    let mut page_ids = BTreeSet::new();
    let mut complete = true;
    for (position, PageDraft { id, questions: drafts }) in pages.into_iter().enumerate() {
        let path = format!("{path}pages[{position}]");
        if !page_ids.insert(id.clone()) {
            violations.add(format!("{path}.id"), "Must be unique. Another page has this id.");
        }
        let page = violations.keep(&format!("{path}.id"), PageId::parse(&id));
        complete &= page.is_some();
        for (position, draft) in drafts.into_iter().enumerate() {
            let path = format!("{path}.questions[{position}]");
            match parse_question(&path, page.as_ref(), draft, violations) {
                Some(question) => questions.push((path, question)),
                None => complete = false,
            }
        }
    }
    check_ids(&questions, violations);
    check_patterns(&questions, violations);
    complete.then(|| questions.into_iter().map(|(_, question)| question).collect())
}

/// Returns the position of a field in a questionnaire, so that violations can be listed in the
/// order of the questionnaire: page, question, option. Fields outside of the pages come first.
#[must_use]
pub fn place(field: &str) -> [usize; 4] {
    let mut parts = field.split('.').skip_while(|part| !part.starts_with("pages"));
    let mut index = |name: &str| {
        let part = parts.next()?.strip_prefix(name)?;
        // A list as a whole comes before its elements.
        let number = part.strip_prefix('[').and_then(|part| part.strip_suffix(']'));
        Some(number.and_then(|number| number.parse::<usize>().ok()).map_or(0, |number| number + 1))
    };
    let Some(page) = index("pages") else { return [0; 4] };
    let question = index("questions").unwrap_or_default();
    [1, page, question, index("options").unwrap_or_default()]
}

/// Checks that ids are unique and that choices lead forward.
fn check_ids(questions: &[(String, Question)], violations: &mut Violations) {
    let mut positions = BTreeMap::new();
    for (position, (path, question)) in questions.iter().enumerate() {
        if positions.insert(&question.id, position).is_some() {
            violations.add(format!("{path}.id"), "Must be unique. Another question has this id.");
        }
    }
    for (position, (path, question)) in questions.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for (index, choice) in question.choices().iter().enumerate() {
            if !seen.insert(&choice.id) {
                let field = format!("{path}.options[{index}].id");
                violations
                    .add(field, "Must be unique. Another option of the question has this id.");
            }
            let target = choice.go_to.as_ref().and_then(GoTo::question);
            let target = target.map(|id| positions.get(id));
            if target.is_some_and(|target| target.is_none_or(|target| *target <= position)) {
                let field = format!("{path}.options[{index}].go_to_question_id");
                violations.add(field, "Must name a later question.");
            }
        }
    }
}

/// Checks that patterns are regular expressions, and together not too large.
fn check_patterns(questions: &[(String, Question)], violations: &mut Violations) {
    let with_pattern: Vec<_> =
        questions.iter().filter_map(|(path, question)| Some((path, question.pattern()?))).collect();
    for (place, reason) in check_compiled(with_pattern.iter().map(|(_, pattern)| *pattern)) {
        violations.add(format!("{}.pattern", with_pattern[place].0), reason);
    }
}

/// Parses a question. Returns `None` without a violation if the page was refused before.
fn parse_question(
    path: &str,
    page: Option<&PageId>,
    draft: QuestionDraft,
    violations: &mut Violations,
) -> Option<Question> {
    let QuestionDraft { id, prompt, required, form } = draft;
    let id = violations.keep(&format!("{path}.id"), QuestionId::parse(&id));
    violations.keep(&format!("{path}.prompt"), check_text(&prompt));
    let Some(form) = form else {
        violations.add(path, "Required: the kind of the question, such as text or numeric.");
        return None;
    };
    let form = form.parse(path, violations)?;
    Some(Question { id: id?, page: page?.clone(), prompt, required, form })
}
