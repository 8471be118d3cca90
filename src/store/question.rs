//! Questions with their options, and answers to them, as rows.

use serde::{Deserialize, Serialize};

use super::sql::args;
use super::{Row, Tx, WriteTx};
use crate::domain::answer::{Answer, Selected, Value};
use crate::domain::error::{Error, Result};
use crate::domain::id::{OptionId, PageId, PublicationId, QuestionId, TenantId};
use crate::domain::pattern::Pattern;
use crate::domain::question::{
    Choice, GoTo, MultiSelectForm, NumericForm, Question, QuestionForm, QuestionKind, Range, Rule,
    TextForm,
};

fn read_choice(row: &mut Row<'_>) -> Result<(QuestionId, Choice)> {
    row.of("options");
    let question = row.parse(QuestionId::parse)?;
    let choice = Choice {
        id: row.parse(OptionId::parse)?,
        text: row.text()?,
        rule: row.parse(Rule::parse)?,
        write_in: row.flag()?,
        go_to: match (row.opt_parse(QuestionId::parse)?, row.flag()?) {
            (Some(question), false) => Some(GoTo::Question(question)),
            (None, true) => Some(GoTo::End),
            (None, false) => None,
            (Some(_), true) => return Err(row.corrupt("a choice leads to one place")),
        },
    };
    Ok((question, choice))
}

/// Reads a limit of lengths or choices.
fn read_limit(row: &mut Row<'_>) -> Result<Option<u32>> {
    let limit = row.opt_int()?.map(u32::try_from).transpose();
    limit.map_err(|_| row.corrupt("a limit is 0 to 4294967295"))
}

/// Reads a question's columns. The caller adds its options.
fn read_question(row: &mut Row<'_>) -> Result<Question> {
    row.of("questions");
    let id = row.parse(QuestionId::parse)?;
    let page = row.parse(PageId::parse)?;
    let kind = row.parse(QuestionKind::parse)?;
    let prompt = row.text()?;
    let required = row.flag()?;
    let multi_line = row.flag()?;
    let slider = row.flag()?;
    let bounds = Range { min: row.opt_real()?, max: row.opt_real()? };
    let qualifies = Range { min: row.opt_real()?, max: row.opt_real()? };
    let qualifies = Some(qualifies).filter(Range::is_bounded);
    let (min_length, max_length) = (read_limit(row)?, read_limit(row)?);
    let pattern = row.opt_parse(Pattern::parse)?;
    let step = row.opt_real()?;
    let (min_choices, max_choices) = (read_limit(row)?, read_limit(row)?);
    let pattern_hint = row.opt_text()?;
    let choices = Vec::new();
    let form = match kind {
        QuestionKind::Text => QuestionForm::Text(TextForm {
            multi_line,
            min_length,
            max_length,
            pattern,
            pattern_hint,
        }),
        QuestionKind::Numeric => {
            QuestionForm::Numeric(NumericForm { slider, bounds, step, qualifies })
        }
        QuestionKind::SingleSelect => QuestionForm::SingleSelect(choices),
        QuestionKind::MultiSelect => {
            QuestionForm::MultiSelect(MultiSelectForm { choices, min_choices, max_choices })
        }
    };
    Ok(Question { id, page, prompt, required, form })
}

impl Tx {
    /// Returns the questions of a publication or a draft, in order.
    pub(super) async fn questions_of(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Vec<Question>> {
        let mut questions = self
            .all(
                "SELECT id, page_id, kind, prompt, required, multi_line, slider, min, max,
                        qualifies_min, qualifies_max, min_length, max_length, pattern, step,
                        min_choices, max_choices, pattern_hint
                 FROM questions WHERE tenant_id = $1 AND publication_id = $2 ORDER BY position",
                args![tenant, id],
                read_question,
            )
            .await?;
        let choices = self
            .all(
                "SELECT question_id, id, text, rule, write_in, go_to_question_id, go_to_end
                 FROM options WHERE tenant_id = $1 AND publication_id = $2
                 ORDER BY question_id, position",
                args![tenant, id],
                read_choice,
            )
            .await?;
        for (question, choice) in choices {
            let form = questions.iter_mut().find(|it| it.id == question).map(|it| &mut it.form);
            match form {
                Some(QuestionForm::SingleSelect(own)) => own.push(choice),
                Some(QuestionForm::MultiSelect(form)) => form.choices.push(choice),
                Some(QuestionForm::Text(_) | QuestionForm::Numeric(_)) | None => {}
            }
        }
        Ok(questions)
    }
}

impl WriteTx {
    /// Adds a question.
    pub(super) async fn create_question(
        &mut self,
        tenant: &TenantId,
        publication: &PublicationId,
        position: i64,
        question: &Question,
    ) -> Result<()> {
        let (mut text, mut numeric) = (TextForm::default(), NumericForm::default());
        let mut multi = MultiSelectForm::default();
        match &question.form {
            QuestionForm::Text(form) => text = form.clone(),
            QuestionForm::Numeric(form) => numeric = form.clone(),
            QuestionForm::SingleSelect(_) => {}
            QuestionForm::MultiSelect(form) => {
                multi = MultiSelectForm { choices: Vec::new(), ..*form };
            }
        }
        let TextForm { multi_line, min_length, max_length, pattern, pattern_hint } = text;
        let NumericForm { slider, bounds, step, qualifies } = numeric;
        let MultiSelectForm { choices: _, min_choices, max_choices } = multi;
        let qualifies = qualifies.unwrap_or_default();
        self.put(
            "INSERT INTO questions (tenant_id, publication_id, id, position, page_id, kind, prompt,
                required, multi_line, slider, min, max, qualifies_min, qualifies_max, min_length,
                max_length, pattern, step, min_choices, max_choices, pattern_hint)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                $18, $19, $20, $21)",
            args![
                tenant,
                publication,
                &question.id,
                position,
                &question.page,
                question.kind().as_str(),
                &question.prompt,
                question.required,
                multi_line,
                slider,
                bounds.min,
                bounds.max,
                qualifies.min,
                qualifies.max,
                min_length,
                max_length,
                pattern.as_ref(),
                step,
                min_choices,
                max_choices,
                pattern_hint.as_deref(),
            ],
        )
        .await?;
        self.create_options(tenant, publication, question).await
    }

    async fn create_options(
        &mut self,
        tenant: &TenantId,
        publication: &PublicationId,
        question: &Question,
    ) -> Result<()> {
        for (position, choice) in (0_i64..).zip(question.choices()) {
            self.put(
                "INSERT INTO options (tenant_id, publication_id, question_id, id, position, text,
                    rule, write_in, go_to_question_id, go_to_end)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                args![
                    tenant,
                    publication,
                    &question.id,
                    &choice.id,
                    position,
                    &choice.text,
                    choice.rule.as_str(),
                    choice.write_in,
                    choice.go_to.as_ref().and_then(GoTo::question),
                    choice.go_to == Some(GoTo::End),
                ],
            )
            .await?;
        }
        Ok(())
    }
}

/// The stored columns of an answer's value.
pub(super) struct Stored<'a> {
    pub(super) text: Option<&'a str>,
    pub(super) number: Option<f64>,
    pub(super) choices: Option<String>,
}

/// The stored form of a chosen option, with the text that the participant saw.
#[derive(Deserialize, Serialize)]
struct StoredChoice {
    option: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    write_in: Option<String>,
}

impl<'a> Stored<'a> {
    fn new(answer: &'a Answer) -> Result<Self> {
        let mut stored = Self { text: None, number: None, choices: None };
        match answer.value() {
            Value::Text(text) => stored.text = Some(text),
            Value::Number(number) => stored.number = Some(number),
            Value::Options(selected) => {
                let choices: Vec<_> = selected.iter().map(StoredChoice::from).collect();
                let json = serde_json::to_string(&choices).map_err(Error::internal)?;
                stored.choices = Some(json);
            }
            Value::Nothing => {}
        }
        Ok(stored)
    }
}

/// Returns the columns of answers.
pub(super) fn store(answers: &[(QuestionId, Answer)]) -> Result<Vec<(&QuestionId, Stored<'_>)>> {
    answers.iter().map(|(question, answer)| Ok((question, Stored::new(answer)?))).collect()
}

impl From<&Selected> for StoredChoice {
    fn from(selected: &Selected) -> Self {
        let Selected { option, text, write_in } = selected;
        Self { option: option.to_string(), text: text.clone(), write_in: write_in.clone() }
    }
}

pub(super) fn read_choices(text: &str) -> Result<Vec<Selected>, String> {
    let stored: Vec<StoredChoice> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    stored
        .into_iter()
        .map(|StoredChoice { option, text, write_in }| {
            Ok(Selected { option: OptionId::parse(&option)?, text, write_in })
        })
        .collect()
}

/// Returns the answer in these columns to a question of this kind, or the reason for a mismatch.
pub(super) fn answer_of(
    kind: QuestionKind,
    text: Option<String>,
    number: Option<f64>,
    choices: Option<Vec<Selected>>,
) -> Result<Answer, &'static str> {
    match (kind, text, number, choices) {
        (_, None, None, None) => Ok(Answer::Skipped),
        (QuestionKind::Text, Some(text), None, None) => Ok(Answer::Text(text)),
        (QuestionKind::Numeric, None, Some(number), None) if number.is_finite() => {
            Ok(Answer::Numeric(number))
        }
        (QuestionKind::MultiSelect, None, None, Some(choices)) => Ok(Answer::MultiSelect(choices)),
        (QuestionKind::SingleSelect, None, None, Some(choices)) => {
            let mut choices = choices.into_iter();
            match (choices.next(), choices.next()) {
                (Some(only), None) => Ok(Answer::SingleSelect(only)),
                _ => Err("a single select has exactly one choice"),
            }
        }
        _ => Err("the answer does not fit the question's kind"),
    }
}

/// Reads the columns `text, number, choices` of an answer to a question of this kind.
pub(super) fn read_answer(row: &mut Row<'_>, kind: QuestionKind) -> Result<Answer> {
    let (text, number) = (row.opt_text()?, row.opt_real()?);
    let choices = row.opt_parse(read_choices)?;
    answer_of(kind, text, number, choices).map_err(|reason| row.corrupt(reason))
}
