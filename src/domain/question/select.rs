//! Select questions, of one option or several.

use std::collections::BTreeSet;
use std::mem::size_of;

use super::number::check_order;
use crate::domain::answer::{GivenOption, Selected, check_text};
use crate::domain::content_hash::Content;
use crate::domain::error::Violations;
use crate::domain::id::{OptionId, QuestionId};
use crate::domain::unicode::is_blank;
use crate::domain::words::words;

/// The most options of one question, which bounds the size of one answer.
pub const OPTIONS_MAX: usize = 500;

words! {
    /// The effect of choosing an option on qualification.
    Rule {
        /// No effect.
        Neutral = "NEUTRAL",
        /// It qualifies.
        Qualifies = "QUALIFIES",
        /// It must be among the chosen options of a multi select.
        Required = "REQUIRED",
        /// It disqualifies.
        Disqualifies = "DISQUALIFIES",
    }
}

/// An option of a select question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// Its id, unique within the question.
    pub id: OptionId,
    /// Its text.
    pub text: String,
    /// The effect of choosing it.
    pub rule: Rule,
    /// Whether the participant adds their own text.
    pub write_in: bool,
    /// The target of choosing it, if not the next question.
    pub go_to: Option<GoTo>,
}

/// The target of a choice. Of several choices, the furthest target counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GoTo {
    /// A later question.
    Question(QuestionId),
    /// The end of the questionnaire.
    End,
}

impl GoTo {
    /// Returns the target question, unless the target is the end.
    #[must_use]
    pub fn question(&self) -> Option<&QuestionId> {
        match self {
            Self::Question(id) => Some(id),
            Self::End => None,
        }
    }
}

/// The form of a multi select question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MultiSelectForm {
    /// The options.
    pub choices: Vec<Choice>,
    /// The fewest choices that are accepted.
    pub min_choices: Option<u32>,
    /// The most choices that are accepted.
    pub max_choices: Option<u32>,
}

/// An option, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionDraft {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
    /// The effect of choosing it.
    pub rule: Rule,
    /// Whether the participant adds their own text.
    pub write_in: bool,
    /// The target of choosing it, if not the next question.
    pub go_to: Option<GoToDraft>,
}

/// The target of a choice, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub enum GoToDraft {
    /// A question.
    Question(String),
    /// The end of the questionnaire.
    End,
}

/// The form of a multi select question, unchecked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MultiSelectDraft {
    /// The options.
    pub options: Vec<OptionDraft>,
    /// The fewest choices that are accepted.
    pub min_choices: Option<u32>,
    /// The most choices that are accepted.
    pub max_choices: Option<u32>,
}

impl MultiSelectDraft {
    pub(in crate::domain) fn parse(
        self,
        path: &str,
        violations: &mut Violations,
    ) -> Option<MultiSelectForm> {
        let Self { options, min_choices, max_choices } = self;
        check_order(path, "min_choices", min_choices, max_choices, violations);
        let choices = parse_options(path, Rule::Qualifies, options, violations)?;
        if min_choices.is_some_and(|min| min as usize > choices.len()) {
            violations.add(format!("{path}.min_choices"), "Must be at most the number of options.");
        }
        Some(MultiSelectForm { choices, min_choices, max_choices })
    }
}

/// Parses the options of a question whose kind does not support the `misplaced` rule.
pub(in crate::domain) fn parse_options(
    path: &str,
    misplaced: Rule,
    drafts: Vec<OptionDraft>,
    violations: &mut Violations,
) -> Option<Vec<Choice>> {
    if !(1..=OPTIONS_MAX).contains(&drafts.len()) {
        let reason = format!("Must have 1 to {OPTIONS_MAX} options.");
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
        if rule == misplaced {
            let reason =
                "Must not be REQUIRED in a single select, nor QUALIFIES in a multi select.";
            violations.add(at("rule"), reason);
        }
        let go_to = match go_to {
            None => None,
            Some(GoToDraft::End) => Some(GoTo::End),
            Some(GoToDraft::Question(id)) => violations
                .keep(&at("go_to_question_id"), QuestionId::parse(&id))
                .map(GoTo::Question),
        };
        match id {
            Some(id) => choices.push(Choice { id, text, rule, write_in, go_to }),
            None => complete = false,
        }
    }
    complete.then_some(choices)
}

/// The reason to refuse a chosen option with a write-in but without text.
const WORDLESS: &str = "Required: this option needs the participant's own text.";

pub(super) fn find<'a>(choices: &'a [Choice], id: &OptionId) -> Option<&'a Choice> {
    choices.iter().find(|choice| choice.id == *id)
}

/// Accepts a chosen option, which must exist.
pub(super) fn accept(choices: &[Choice], given: GivenOption) -> Result<Selected, String> {
    let GivenOption { option, write_in } = given;
    let choice = find(choices, &option).ok_or("Unknown option.")?;
    let text = match (&write_in, choice.write_in) {
        (None, false) => choice.text.clone(),
        (Some(typed), true) => {
            check_text(typed)?;
            format!("{}: {typed}", choice.text)
        }
        (None, true) => return Err(WORDLESS.into()),
        (Some(_), false) => {
            return Err("This option accepts no text of the participant's own.".into());
        }
    };
    Ok(Selected { option, text, write_in })
}

/// Accepts chosen options, each at most once.
pub(super) fn accept_all(
    choices: &[Choice],
    given: Vec<GivenOption>,
) -> Result<Vec<Selected>, String> {
    check_count(choices, given.len())?;
    let mut seen = BTreeSet::new();
    if !given.iter().all(|given| seen.insert(given.option.clone())) {
        return Err("Must not choose an option more than once.".into());
    }
    given.into_iter().map(|given| accept(choices, given)).collect()
}

/// Checks that no more options are chosen than exist, before each is looked up.
fn check_count(choices: &[Choice], given: usize) -> Result<(), String> {
    let all = choices.len();
    if given > all { Err(format!("At most {all} options.")) } else { Ok(()) }
}

/// Assigns a typed text to the one chosen option that has a write-in.
pub(super) fn with_typed(
    choices: &[Choice],
    options: Vec<OptionId>,
    mut typed: Option<String>,
) -> Result<Vec<GivenOption>, String> {
    check_count(choices, options.len())?;
    let takes_text = |id: &OptionId| find(choices, id).is_some_and(|it| it.write_in);
    if typed.is_some() && options.iter().filter(|id| takes_text(id)).count() > 1 {
        return Err("Ambiguous: several of the chosen options accept a text.".into());
    }
    let given = |option: OptionId| {
        let write_in = if takes_text(&option) { typed.take() } else { None };
        GivenOption { option, write_in }
    };
    let mut options: Vec<_> = options.into_iter().map(given).collect();
    if let (Some(typed), Some(last)) = (typed, options.last_mut()) {
        // Refused later, together with the option, which has no write-in.
        last.write_in = Some(typed);
    }
    Ok(options)
}

/// Checks that no write-in is blank.
pub(super) fn check(selected: &[Selected]) -> Result<(), String> {
    if selected.iter().filter_map(|it| it.write_in.as_ref()).any(|typed| is_blank(typed)) {
        return Err(WORDLESS.into());
    }
    Ok(())
}

/// Returns whether chosen options qualify, or `None` if no option has a rule.
pub(super) fn qualifies(choices: &[Choice], selected: &[Selected]) -> Option<bool> {
    let disqualifies = |choice: &Choice| {
        let is_chosen = selected.iter().any(|selected| selected.option == choice.id);
        match choice.rule {
            Rule::Required => !is_chosen,
            Rule::Disqualifies => is_chosen,
            Rule::Neutral | Rule::Qualifies => false,
        }
    };
    let has_rule = choices.iter().any(|choice| choice.rule != Rule::Neutral);
    has_rule.then(|| !choices.iter().any(disqualifies))
}

/// Returns a description of the options' rules, if any option has one.
pub(super) fn rule(choices: &[Choice]) -> Option<String> {
    let mut parts = Vec::new();
    for (word, rule) in [
        ("qualifies", Rule::Qualifies),
        ("requires", Rule::Required),
        ("disqualifies", Rule::Disqualifies),
    ] {
        let own = choices.iter().filter(|choice| choice.rule == rule);
        let ids: Vec<_> = own.map(|choice| choice.id.as_str()).collect();
        if !ids.is_empty() {
            parts.push(format!("{word} {}", ids.join(", ")));
        }
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Checks that some option does not disqualify.
pub(super) fn check_works(choices: &[Choice], path: &str, violations: &mut Violations) {
    if choices.iter().all(|choice| choice.rule == Rule::Disqualifies) {
        violations.add(format!("{path}.options"), "Requires an option that does not disqualify.");
    }
}

pub(super) fn digest(choices: &[Choice], content: &mut Content) {
    content.all(choices, |content, Choice { id, text, rule, write_in, go_to }| {
        content.text(id.as_str());
        content.text(text);
        content.text(rule.as_str());
        content.flag(*write_in);
        content.opt(go_to.as_ref(), |content, go_to| {
            content.opt(go_to.question(), |content, id| content.text(id.as_str()));
        });
    });
}

impl MultiSelectForm {
    /// Returns the fewest choices that answer the question.
    pub(super) fn least_choices(&self, is_required: bool) -> u32 {
        self.min_choices.unwrap_or(0).max(is_required.into())
    }

    /// Checks chosen options against the limits.
    pub(super) fn check(&self, selected: &[Selected], is_required: bool) -> Result<(), String> {
        check(selected)?;
        let least = self.least_choices(is_required);
        if selected.len() < least as usize {
            return Err(format!("At least {least} of the options must be chosen."));
        }
        match self.max_choices {
            Some(most) if selected.len() > most as usize => {
                Err(format!("At most {most} of the options can be chosen."))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that some number of choices is accepted and qualifies.
    pub(super) fn check_works(&self, path: &str, is_required: bool, violations: &mut Violations) {
        let Self { choices, min_choices: _, max_choices } = self;
        if *max_choices == Some(0) {
            violations.add(format!("{path}.max_choices"), "Must be at least 1.");
        }
        let must = choices.iter().filter(|choice| choice.rule == Rule::Required).count();
        if max_choices.is_some_and(|max| (max as usize) < must) {
            let field = format!("{path}.max_choices");
            violations
                .add(field, "Must be at least the number of options that are required to qualify.");
        }
        let may = choices.iter().filter(|choice| choice.rule != Rule::Disqualifies).count();
        if self.least_choices(is_required) as usize > may {
            let field = format!("{path}.min_choices");
            violations.add(field, "Must be at most the number of options that do not disqualify.");
        }
    }

    pub(super) fn digest(&self, content: &mut Content) {
        let Self { choices, min_choices, max_choices } = self;
        digest(choices, content);
        content.limit(*min_choices);
        content.limit(*max_choices);
    }
}

impl Choice {
    /// Returns its approximate size in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        let Self { id, text, rule: _, write_in: _, go_to } = self;
        let target = go_to.as_ref().and_then(GoTo::question).map_or(0, |id| id.as_str().len());
        size_of::<Self>() + id.as_str().len() + text.len() + target
    }
}
