//! Questionnaires as authors and files bring them, and what makes one valid.
//!
//! A [`Draft`] becomes a [`Questionnaire`] when its ids are ids and unique, its limits do not
//! contradict each other, and choices lead forward. Whether it also works, so that every question
//! can be reached and every page asks something, is asked of authors only ([`Draft::author`]): what
//! was answered elsewhere is kept as it was. Violations are named by path, in the contract's
//! spelling: `pages[0].questions[2].options[1].go_to`.

mod works;

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{ANSWER_TEXT_MAX_BYTES, check_text};
use super::error::Violations;
use super::id::{OptionId, PageId, QuestionId, TagId};
use super::label::check_label;
use super::pattern::{Pattern, check_compiled};
use super::publication::{QUESTIONS_MAX, Questionnaire};
use super::question::{
    Choice, GoTo, MultiSelectForm, NumericForm, OPTIONS_MAX, Question, QuestionForm, QuestionKind,
    Rule, TextForm,
};
use super::tag::Tag;

use works::check_works;

/// The most tags of one publication.
pub const TAGS_MAX: usize = 100;

/// A questionnaire, unchecked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// What sessions are tagged with.
    pub tags: Vec<TagDraft>,
    /// The pages, in order.
    pub pages: Vec<PageDraft>,
}

/// A tag, unchecked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagDraft {
    /// Its id.
    pub id: String,
    /// The group it belongs to, if any.
    pub category: Option<String>,
    /// Its text.
    pub value: String,
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
    /// What the participant reads.
    pub prompt: String,
    /// Whether it must be answered.
    pub required: bool,
    /// What it asks for; nothing, if that was not said.
    pub form: Option<FormDraft>,
}

/// What a question asks for, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub enum FormDraft {
    /// A text.
    Text {
        /// Whether it may have several lines.
        multi_line: bool,
        /// The fewest characters that are accepted.
        min_length: Option<u32>,
        /// The most characters that are accepted.
        max_length: Option<u32>,
        /// What the whole text must match.
        pattern: Option<String>,
    },
    /// A number.
    Numeric(NumericForm),
    /// One of these options.
    SingleSelect(Vec<OptionDraft>),
    /// Any of some options.
    MultiSelect {
        /// The options.
        options: Vec<OptionDraft>,
        /// The fewest choices that are accepted.
        min_choices: Option<u32>,
        /// The most choices that are accepted.
        max_choices: Option<u32>,
    },
}

/// An option, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionDraft {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
    /// What choosing it means.
    pub rule: Rule,
    /// Whether the participant adds a text of their own.
    pub write_in: bool,
    /// Where choosing it leads, if not to the next question.
    pub go_to: Option<GoToDraft>,
}

/// Where a choice leads, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub enum GoToDraft {
    /// To a question.
    Question(String),
    /// Past every question that is left.
    End,
}

impl Draft {
    /// Checks everything below a path, which is empty or ends in a dot. A questionnaire may come
    /// out that is refused nevertheless: then there are violations.
    pub fn parse(self, path: &str, violations: &mut Violations) -> Option<Questionnaire> {
        let Self { tags, pages } = self;
        let tags = parse_tags(path, tags, violations);
        let questions = parse_pages(path, pages, violations);
        Some(Questionnaire { tags: tags?, questions: questions? })
    }

    /// Checks everything that is asked of an author: that it is valid, and that it works.
    pub fn author(self, path: &str, violations: &mut Violations) -> Option<Questionnaire> {
        let questionnaire = self.clone().parse(path, violations);
        check_works(path, &self, questionnaire.as_ref(), violations);
        questionnaire
    }
}

fn parse_tags(path: &str, drafts: Vec<TagDraft>, violations: &mut Violations) -> Option<Vec<Tag>> {
    if drafts.len() > TAGS_MAX {
        violations.add(format!("{path}tags"), format!("There are at most {TAGS_MAX} tags."));
        return None;
    }
    let mut tags = Vec::new();
    let mut seen = BTreeSet::new();
    let mut complete = true;
    for (position, TagDraft { id, category, value }) in drafts.into_iter().enumerate() {
        let at = |field: &str| format!("{path}tags[{position}].{field}");
        if !seen.insert(id.clone()) {
            violations.add(at("id"), "Another tag has this id.");
        }
        let id = violations.keep(&at("id"), TagId::parse(&id));
        if let Some(category) = &category {
            violations.keep(&at("category"), check_label(category));
        }
        violations.keep(&at("value"), check_label(&value));
        match id {
            Some(id) => tags.push(Tag { id, category, value }),
            None => complete = false,
        }
    }
    complete.then_some(tags)
}

fn parse_pages(
    path: &str,
    pages: Vec<PageDraft>,
    violations: &mut Violations,
) -> Option<Vec<Question>> {
    let count: usize = pages.iter().map(|page| page.questions.len()).sum();
    if count > QUESTIONS_MAX || pages.len() > QUESTIONS_MAX {
        let reason = format!("There are at most {QUESTIONS_MAX} questions, and as many pages.");
        violations.add(format!("{path}pages"), reason);
        return None;
    }
    let mut questions = Vec::new();
    let mut page_ids = BTreeSet::new();
    let mut complete = true;
    for (position, PageDraft { id, questions: drafts }) in pages.into_iter().enumerate() {
        let path = format!("{path}pages[{position}]");
        if !page_ids.insert(id.clone()) {
            violations.add(format!("{path}.id"), "Another page has this id.");
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

/// Ids are unique, and a choice leads forward.
fn check_ids(questions: &[(String, Question)], violations: &mut Violations) {
    let mut positions = BTreeMap::new();
    for (position, (path, question)) in questions.iter().enumerate() {
        if positions.insert(&question.id, position).is_some() {
            violations.add(format!("{path}.id"), "Another question has this id.");
        }
    }
    for (position, (path, question)) in questions.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for (index, choice) in question.choices().iter().enumerate() {
            if !seen.insert(&choice.id) {
                let field = format!("{path}.options[{index}].id");
                violations.add(field, "Another option of the question has this id.");
            }
            let target = choice.go_to.as_ref().and_then(GoTo::question);
            let target = target.map(|id| positions.get(id));
            if target.is_some_and(|target| target.is_none_or(|target| *target <= position)) {
                let field = format!("{path}.options[{index}].go_to");
                violations.add(field, "It names a later question.");
            }
        }
    }
}

/// Patterns are regular expressions, and together not too large.
fn check_patterns(questions: &[(String, Question)], violations: &mut Violations) {
    let with_pattern: Vec<_> =
        questions.iter().filter_map(|(path, question)| Some((path, question.pattern()?))).collect();
    for (place, reason) in check_compiled(with_pattern.iter().map(|(_, pattern)| *pattern)) {
        violations.add(format!("{}.pattern", with_pattern[place].0), reason);
    }
}

/// A question; none if it has no page, which is refused already.
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
        violations.add(format!("{path}.form"), "It says what the question asks for.");
        return None;
    };
    let form = match form {
        FormDraft::Text { multi_line, min_length, max_length, pattern } => {
            check_order(path, "min_length", min_length, max_length, violations);
            if max_length.is_some_and(|max| max as usize > ANSWER_TEXT_MAX_BYTES) {
                let reason = format!("It is at most {ANSWER_TEXT_MAX_BYTES}.");
                violations.add(format!("{path}.max_length"), reason);
            }
            let pattern = pattern.and_then(|pattern| {
                violations.keep(&format!("{path}.pattern"), Pattern::parse(&pattern))
            });
            QuestionForm::Text(TextForm { multi_line, min_length, max_length, pattern })
        }
        FormDraft::Numeric(form) => {
            check_numeric(path, &form, violations);
            QuestionForm::Numeric(form)
        }
        FormDraft::SingleSelect(options) => {
            let choices = parse_options(path, QuestionKind::SingleSelect, options, violations);
            QuestionForm::SingleSelect(choices?)
        }
        FormDraft::MultiSelect { options, min_choices, max_choices } => {
            check_order(path, "min_choices", min_choices, max_choices, violations);
            let choices = parse_options(path, QuestionKind::MultiSelect, options, violations)?;
            if min_choices.is_some_and(|min| min as usize > choices.len()) {
                violations.add(format!("{path}.min_choices"), "There are fewer options.");
            }
            QuestionForm::MultiSelect(MultiSelectForm { choices, min_choices, max_choices })
        }
    };
    Some(Question { id: id?, page: page?.clone(), prompt, required, form })
}

/// A lower limit is not above the upper one.
fn check_order<T: PartialOrd>(
    path: &str,
    field: &str,
    min: Option<T>,
    max: Option<T>,
    violations: &mut Violations,
) {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        violations.add(format!("{path}.{field}"), "A range begins before it ends.");
    }
}

fn check_numeric(path: &str, form: &NumericForm, violations: &mut Violations) {
    let NumericForm { slider: _, bounds, step, qualifies } = form;
    let range = qualifies.unwrap_or_default();
    let numbers = [
        ("min", bounds.min),
        ("max", bounds.max),
        ("step", *step),
        ("qualifies.min", range.min),
        ("qualifies.max", range.max),
    ];
    for (field, number) in numbers {
        if number.is_some_and(|number| !number.is_finite()) {
            violations.add(format!("{path}.{field}"), "A number is finite.");
        }
    }
    check_order(path, "min", bounds.min, bounds.max, violations);
    check_order(path, "qualifies", range.min, range.max, violations);
    if qualifies.is_some_and(|range| !range.is_bounded()) {
        let reason = "A qualifying range has a min or a max.";
        violations.add(format!("{path}.qualifies"), reason);
    }
    if step.is_some_and(|step| step <= 0.0) {
        violations.add(format!("{path}.step"), "A step is more than 0.");
    }
}

fn parse_options(
    path: &str,
    kind: QuestionKind,
    drafts: Vec<OptionDraft>,
    violations: &mut Violations,
) -> Option<Vec<Choice>> {
    if !(1..=OPTIONS_MAX).contains(&drafts.len()) {
        let reason = format!("A select question has 1 to {OPTIONS_MAX} options.");
        violations.add(format!("{path}.options"), reason);
        return None;
    }
    let mut choices = Vec::new();
    let mut complete = true;
    for (position, draft) in drafts.into_iter().enumerate() {
        let OptionDraft { id, text, rule, write_in, go_to } = draft;
        let at = |field: &str| format!("{path}.options[{position}].{field}");
        let id = violations.keep(&at("id"), OptionId::parse(&id));
        violations.keep(&at("text"), check_text(&text));
        let misplaced = match rule {
            Rule::Qualifies => kind == QuestionKind::MultiSelect,
            Rule::Required => kind == QuestionKind::SingleSelect,
            Rule::Neutral | Rule::Disqualifies => false,
        };
        if misplaced {
            let reason = "A single select option qualifies; a multi select option is required.";
            violations.add(at("rule"), reason);
        }
        let go_to = match go_to {
            None => None,
            Some(GoToDraft::End) => Some(GoTo::End),
            Some(GoToDraft::Question(id)) => {
                violations.keep(&at("go_to"), QuestionId::parse(&id)).map(GoTo::Question)
            }
        };
        match id {
            Some(id) => choices.push(Choice { id, text, rule, write_in, go_to }),
            None => complete = false,
        }
    }
    complete.then_some(choices)
}
