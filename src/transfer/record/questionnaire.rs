//! Screeners and their publications.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Line, Type, label, opt_label, opt_parse};
use crate::app::Record;
use crate::domain::error::Violations;
use crate::domain::id::{
    OptionId, PageId, ProjectId, PublicationId, QuestionId, ScreenerId, TagId, TenantId,
};
use crate::domain::publication::{
    Choice, OPTIONS_MAX, Publication, QUESTIONS_MAX, Question, QuestionForm, QuestionKind, Range,
    Rule,
};
use crate::domain::response::check_text;
use crate::domain::screener::{Screener, ScreenerStatus};
use crate::domain::tag::Tag;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScreenerLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    project_id: String,
    title: String,
    status: String,
    #[serde(default)]
    allow_multiple_responses: bool,
    active_publication_id: Option<String>,
}

impl Line for ScreenerLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", ScreenerId::parse(&self.id));
        let project = violations.keep("projectId", ProjectId::parse(&self.project_id));
        let title = label(violations, "title", self.title);
        let status = violations.keep("status", ScreenerStatus::parse(&self.status));
        let active_publication = opt_parse(
            violations,
            "activePublicationId",
            self.active_publication_id.as_ref(),
            PublicationId::parse,
        );
        let screener = Screener {
            id: id?,
            project: project?,
            title: title?,
            status: status?,
            allow_multiple_responses: self.allow_multiple_responses,
            active_publication,
        };
        Some(Record::Screener(tenant?, screener))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PublicationLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    screener_id: String,
    #[serde(default)]
    tags: Vec<TagPart>,
    pages: Vec<PagePart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TagPart {
    id: String,
    category: Option<String>,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PagePart {
    id: String,
    questions: Vec<QuestionPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QuestionPart {
    id: String,
    kind: String,
    prompt: String,
    #[serde(default)]
    required: bool,
    multi_line: Option<bool>,
    slider: Option<bool>,
    min: Option<f64>,
    max: Option<f64>,
    qualifies: Option<RangePart>,
    options: Option<Vec<OptionPart>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RangePart {
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OptionPart {
    id: String,
    text: String,
    rule: Option<String>,
    #[serde(default)]
    write_in: bool,
    go_to: Option<String>,
}

impl Line for PublicationLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", PublicationId::parse(&self.id));
        let screener = violations.keep("screenerId", ScreenerId::parse(&self.screener_id));
        let tags = tags(self.tags, violations);
        let questions = questions(self.pages, violations);
        let publication =
            Publication { id: id?, screener: screener?, tags: tags?, questions: questions? };
        Some(Record::Publication(tenant?, publication))
    }
}

fn tags(parts: Vec<TagPart>, violations: &mut Violations) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    for (position, TagPart { id, category, value }) in parts.into_iter().enumerate() {
        let id = violations.keep(&format!("tags[{position}].id"), TagId::parse(&id));
        let category = opt_label(violations, &format!("tags[{position}].category"), category);
        let value = label(violations, &format!("tags[{position}].value"), value);
        tags.push(Tag { id: id?, category, value: value? });
    }
    Some(tags)
}

fn questions(pages: Vec<PagePart>, violations: &mut Violations) -> Option<Vec<Question>> {
    let mut questions = Vec::new();
    let mut page_ids = BTreeSet::new();
    let mut complete = true;
    for (position, PagePart { id, questions: parts }) in pages.into_iter().enumerate() {
        let path = format!("pages[{position}]");
        if !page_ids.insert(id.clone()) {
            violations.add(format!("{path}.id"), "Another page has this id.");
        }
        let page = violations.keep(&format!("{path}.id"), PageId::parse(&id));
        for (position, part) in parts.into_iter().enumerate() {
            let path = format!("{path}.questions[{position}]");
            match (&page, question(&path, part, violations)) {
                (Some(page), Some(question)) => {
                    questions.push((path, Question { page: page.clone(), ..question }));
                }
                _ => complete = false,
            }
        }
    }
    if questions.len() > QUESTIONS_MAX {
        violations.add("pages", format!("There are at most {QUESTIONS_MAX} questions."));
    }
    check_ids(&questions, violations);
    complete.then(|| questions.into_iter().map(|(_, question)| question).collect())
}

/// Ids are unique, and an option leads forward.
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
            let target = choice.go_to.as_ref().map(|id| positions.get(id));
            if target.is_some_and(|target| target.is_none_or(|target| *target <= position)) {
                let field = format!("{path}.options[{index}].goTo");
                violations.add(field, "It names a later question.");
            }
        }
    }
}

/// A question, on a page that the caller puts in.
fn question(path: &str, part: QuestionPart, violations: &mut Violations) -> Option<Question> {
    let at = |field: &str| format!("{path}.{field}");
    let id = violations.keep(&at("id"), QuestionId::parse(&part.id));
    let kind = violations.keep(&at("kind"), QuestionKind::parse(&part.kind))?;
    violations.keep(&at("prompt"), check_text(&part.prompt));
    let mut refuse = |is_given: bool, field: &str| {
        if is_given {
            violations.add(at(field), format!("A {} question has none.", kind.as_str()));
        }
    };
    let is_numeric = kind == QuestionKind::Numeric;
    let is_select = matches!(kind, QuestionKind::SingleSelect | QuestionKind::MultiSelect);
    refuse(part.multi_line.is_some() && kind != QuestionKind::Text, "multiLine");
    refuse(part.slider.is_some() && !is_numeric, "slider");
    refuse(part.min.is_some() && !is_numeric, "min");
    refuse(part.max.is_some() && !is_numeric, "max");
    refuse(part.qualifies.is_some() && !is_numeric, "qualifies");
    refuse(part.options.is_some() && !is_select, "options");
    let bounds = Range { min: part.min, max: part.max };
    let qualifies = part.qualifies.map(|RangePart { min, max }| Range { min, max });
    for (field, range) in [("min", Some(bounds)), ("qualifies", qualifies)] {
        let Some(Range { min: Some(min), max: Some(max) }) = range else { continue };
        if min > max {
            violations.add(at(field), "A range begins before it ends.");
        }
    }
    if qualifies.is_some_and(|range| !range.is_bounded()) {
        violations.add(at("qualifies"), "A qualifying range has a min or a max.");
    }
    let choices = choices(&at("options"), kind, part.options.unwrap_or_default(), violations);
    let form = match kind {
        QuestionKind::Text => {
            QuestionForm::Text { multi_line: part.multi_line.unwrap_or_default() }
        }
        QuestionKind::Numeric => {
            QuestionForm::Numeric { slider: part.slider.unwrap_or_default(), bounds, qualifies }
        }
        QuestionKind::SingleSelect => QuestionForm::SingleSelect(choices?),
        QuestionKind::MultiSelect => QuestionForm::MultiSelect(choices?),
    };
    // The page is put in by the caller, who knows it.
    let page = PageId::parse("-").ok()?;
    Some(Question { id: id?, page, prompt: part.prompt, required: part.required, form })
}

fn choices(
    path: &str,
    kind: QuestionKind,
    parts: Vec<OptionPart>,
    violations: &mut Violations,
) -> Option<Vec<Choice>> {
    let is_select = matches!(kind, QuestionKind::SingleSelect | QuestionKind::MultiSelect);
    if is_select && !(1..=OPTIONS_MAX).contains(&parts.len()) {
        violations.add(path, format!("A select question has 1 to {OPTIONS_MAX} options."));
        return None;
    }
    let mut choices = Vec::new();
    for (position, OptionPart { id, text, rule, write_in, go_to }) in parts.into_iter().enumerate()
    {
        let at = |field: &str| format!("{path}[{position}].{field}");
        let id = violations.keep(&at("id"), OptionId::parse(&id));
        violations.keep(&at("text"), check_text(&text));
        let rule = opt_parse(violations, &at("rule"), rule.as_ref(), Rule::parse);
        let misplaced = match rule {
            Some(Rule::Qualifies) => kind == QuestionKind::MultiSelect,
            Some(Rule::Required) => kind == QuestionKind::SingleSelect,
            Some(Rule::Neutral | Rule::Disqualifies) | None => false,
        };
        if misplaced {
            let reason = "A single select option qualifies; a multi select option is required.";
            violations.add(at("rule"), reason);
        }
        let go_to = opt_parse(violations, &at("goTo"), go_to.as_ref(), QuestionId::parse);
        choices.push(Choice {
            id: id?,
            text,
            rule: rule.unwrap_or(Rule::Neutral),
            write_in,
            go_to,
        });
    }
    Some(choices)
}
