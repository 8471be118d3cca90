//! Screeners and their publications.

use serde::Deserialize;

use super::{Line, Type, label, opt_parse, opt_time};
use crate::app::Record;
use crate::domain::error::{Violation, Violations};
use crate::domain::id::{ProjectId, PublicationId, ScreenerId, TenantId};
use crate::domain::publication::{Publication, Questionnaire};
use crate::domain::question::{
    GoToDraft, MultiSelectDraft, NumericForm, OptionDraft, QuestionKind, Range, Rule, TextDraft,
};
use crate::domain::questionnaire::{self, Draft, FormDraft, PageDraft, QuestionDraft};
use crate::domain::screener::{Screener, ScreenerStatus};
use crate::domain::tag::TagDraft;
use crate::domain::wording::Wording;

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
            self.active_publication_id,
            PublicationId::parse,
        );
        let screener = Screener {
            id: id?,
            project: project?,
            title: title?,
            status: status?,
            allow_multiple_responses: self.allow_multiple_responses,
            active_publication,
            draft: None,
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
    published_at: Option<String>,
    #[serde(default)]
    tags: Vec<TagPart>,
    language: Option<String>,
    introduction: Option<String>,
    thanks_qualified: Option<String>,
    thanks_disqualified: Option<String>,
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
    min_length: Option<u32>,
    max_length: Option<u32>,
    pattern: Option<String>,
    pattern_hint: Option<String>,
    slider: Option<bool>,
    min: Option<f64>,
    max: Option<f64>,
    step: Option<f64>,
    qualifies: Option<RangePart>,
    options: Option<Vec<OptionPart>>,
    min_choices: Option<u32>,
    max_choices: Option<u32>,
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
    #[serde(default)]
    go_to_end: bool,
}

impl Line for PublicationLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", PublicationId::parse(&self.id));
        let screener = violations.keep("screenerId", ScreenerId::parse(&self.screener_id));
        let published = opt_time(violations, "publishedAt", self.published_at);
        let tag = |TagPart { id, category, value }| TagDraft { id, category, value };
        let pages = self.pages.into_iter().enumerate();
        let pages = pages.map(|(position, part)| page(position, part, violations)).collect();
        let wording = Wording {
            language: self.language,
            introduction: self.introduction,
            thanks_qualified: self.thanks_qualified,
            thanks_disqualified: self.thanks_disqualified,
        };
        let draft = Draft { tags: self.tags.into_iter().map(tag).collect(), wording, pages };
        let mut wrong = Violations::new().placed(questionnaire::place);
        let questionnaire = draft.parse("", &mut wrong);
        for Violation { field, reason } in wrong.into_inner() {
            violations.add(spelled(&field), reason);
        }
        let Questionnaire { tags, wording, questions } = questionnaire?;
        let (id, screener) = (id?, screener?);
        let publication = Publication { id, screener, tags, wording, questions, published };
        Some(Record::Publication(tenant?, publication))
    }
}

/// Returns the path of a field in the spelling of this format, which renames one field.
fn spelled(path: &str) -> String {
    let path = path.strip_suffix("_question_id").unwrap_or(path);
    let mut camel = String::with_capacity(path.len());
    let mut is_start = false;
    for character in path.chars() {
        if character == '_' {
            is_start = true;
        } else if std::mem::take(&mut is_start) {
            camel.push(character.to_ascii_uppercase());
        } else {
            camel.push(character);
        }
    }
    camel
}

fn page(position: usize, part: PagePart, violations: &mut Violations) -> PageDraft {
    let PagePart { id, questions } = part;
    let questions = questions.into_iter().enumerate().map(|(place, part)| {
        question(&format!("pages[{position}].questions[{place}]"), part, violations)
    });
    PageDraft { id, questions: questions.collect() }
}

/// Converts a question to the form of its kind. Refuses members that its kind lacks.
fn question(path: &str, part: QuestionPart, violations: &mut Violations) -> QuestionDraft {
    let kind = violations.keep(&format!("{path}.kind"), QuestionKind::parse(&part.kind));
    if let Some(kind) = kind {
        check_members(path, kind, &part, violations);
    }
    let path = format!("{path}.options");
    let options = part.options.unwrap_or_default().into_iter().enumerate();
    let options =
        options.map(|(position, part)| option(&format!("{path}[{position}]"), part, violations));
    let options = options.collect();
    let form = kind.map(|kind| match kind {
        QuestionKind::Text => FormDraft::Text(TextDraft {
            multi_line: part.multi_line.unwrap_or_default(),
            min_length: part.min_length,
            max_length: part.max_length,
            pattern: part.pattern,
            pattern_hint: part.pattern_hint,
        }),
        QuestionKind::Numeric => FormDraft::Numeric(NumericForm {
            slider: part.slider.unwrap_or_default(),
            bounds: Range { min: part.min, max: part.max },
            step: part.step,
            qualifies: part.qualifies.map(|RangePart { min, max }| Range { min, max }),
        }),
        QuestionKind::SingleSelect => FormDraft::SingleSelect(options),
        QuestionKind::MultiSelect => FormDraft::MultiSelect(MultiSelectDraft {
            options,
            min_choices: part.min_choices,
            max_choices: part.max_choices,
        }),
    });
    QuestionDraft { id: part.id, prompt: part.prompt, required: part.required, form }
}

fn check_members(path: &str, kind: QuestionKind, part: &QuestionPart, violations: &mut Violations) {
    use QuestionKind::{MultiSelect, Numeric, SingleSelect, Text};
    let members = [
        ("multiLine", part.multi_line.is_some(), &[Text][..]),
        ("minLength", part.min_length.is_some(), &[Text]),
        ("maxLength", part.max_length.is_some(), &[Text]),
        ("pattern", part.pattern.is_some(), &[Text]),
        ("patternHint", part.pattern_hint.is_some(), &[Text]),
        ("slider", part.slider.is_some(), &[Numeric]),
        ("min", part.min.is_some(), &[Numeric]),
        ("max", part.max.is_some(), &[Numeric]),
        ("step", part.step.is_some(), &[Numeric]),
        ("qualifies", part.qualifies.is_some(), &[Numeric]),
        ("options", part.options.is_some(), &[SingleSelect, MultiSelect]),
        ("minChoices", part.min_choices.is_some(), &[MultiSelect]),
        ("maxChoices", part.max_choices.is_some(), &[MultiSelect]),
    ];
    for (member, is_given, kinds) in members {
        if is_given && !kinds.contains(&kind) {
            let reason = format!("A {} question has none.", kind.as_str());
            violations.add(format!("{path}.{member}"), reason);
        }
    }
}

fn option(path: &str, part: OptionPart, violations: &mut Violations) -> OptionDraft {
    let OptionPart { id, text, rule, write_in, go_to, go_to_end } = part;
    let rule = opt_parse(violations, &format!("{path}.rule"), rule, Rule::parse);
    let go_to = match (go_to, go_to_end) {
        (Some(_), true) => {
            violations.add(format!("{path}.goToEnd"), "A choice leads to one place.");
            None
        }
        (Some(question), false) => Some(GoToDraft::Question(question)),
        (None, true) => Some(GoToDraft::End),
        (None, false) => None,
    };
    OptionDraft { id, text, rule: rule.unwrap_or(Rule::Neutral), write_in, go_to }
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn a_path_is_spelled_as_the_file_spells_it() {
        for (path, expected) in [
            (
                "pages[0].questions[1].options[2].go_to_question_id",
                "pages[0].questions[1].options[2].goTo",
            ),
            ("pages[0].questions[1].min_length", "pages[0].questions[1].minLength"),
            ("thanks_qualified", "thanksQualified"),
        ] {
            assert_eq!(spelled(path), expected);
        }
    }
}
