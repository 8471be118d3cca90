//! Conversions of questionnaires, in both directions.

use super::convert::timestamp;
use super::question::question;
use crate::domain::error::Violations;
use crate::domain::publication::{Publication, Questionnaire, pages};
use crate::domain::question::Question;
use crate::domain::questionnaire::{Draft, PageDraft};
use crate::domain::tag::Tag;
use crate::domain::tag::TagDraft;
use crate::domain::wording::Wording;
use crate::pb::screener::v1;

/// Reads a valid questionnaire as its author sent it. Violations are reported below a path, which
/// is empty or ends in a dot.
pub(super) fn authored(
    path: &str,
    message: v1::Questionnaire,
    violations: &mut Violations,
) -> Option<Questionnaire> {
    draft(path, message, violations).author(path, violations)
}

/// Converts a questionnaire. Only what a draft cannot represent is validated.
fn draft(path: &str, message: v1::Questionnaire, violations: &mut Violations) -> Draft {
    let v1::Questionnaire {
        tags,
        pages,
        language,
        introduction,
        thanks_qualified,
        thanks_disqualified,
    } = message;
    let wording = Wording { language, introduction, thanks_qualified, thanks_disqualified };
    let tag = |v1::Tag { id, category, value }| TagDraft {
        id,
        category,
        value: value.unwrap_or_default(),
    };
    let pages = pages.into_iter().enumerate().map(|(position, v1::Page { id, questions })| {
        let questions = questions.into_iter().enumerate().map(|(place, message)| {
            let path = format!("{path}pages[{position}].questions[{place}]");
            question(&path, message, violations)
        });
        PageDraft { id, questions: questions.collect() }
    });
    Draft { pages: pages.collect(), wording, tags: tags.into_iter().map(tag).collect() }
}

impl From<&Publication> for v1::Publication {
    fn from(publication: &Publication) -> Self {
        let Publication { id, screener, tags, wording, questions, published } = publication;
        Self {
            id: id.to_string(),
            screener_id: screener.to_string(),
            content_hash: Some(publication.content_hash().to_string()),
            published_at: published.map(timestamp),
            questionnaire: Some(questionnaire(tags, wording, questions)),
        }
    }
}

impl From<&Questionnaire> for v1::Questionnaire {
    fn from(it: &Questionnaire) -> Self {
        let Questionnaire { tags, wording, questions } = it;
        questionnaire(tags, wording, questions)
    }
}

/// Converts a questionnaire to the contract's message.
pub(super) fn questionnaire(
    tags: &[Tag],
    wording: &Wording,
    questions: &[Question],
) -> v1::Questionnaire {
    let Wording { language, introduction, thanks_qualified, thanks_disqualified } = wording.clone();
    let pages = pages(questions).map(|(id, questions)| v1::Page {
        id: id.to_string(),
        questions: questions.iter().map(Into::into).collect(),
    });
    v1::Questionnaire {
        tags: tags.iter().map(Into::into).collect(),
        pages: pages.collect(),
        language,
        introduction,
        thanks_qualified,
        thanks_disqualified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::screener::v1::question::Form;
    use crate::pb::screener::v1::question_option::GoTo as ProtoGoTo;

    fn option(id: &str, rule: v1::OptionRule, go_to: Option<ProtoGoTo>) -> v1::QuestionOption {
        v1::QuestionOption {
            id: id.into(),
            text: Some(id.into()),
            rule: Some(rule.into()),
            write_in: Some(go_to.is_none()),
            go_to,
        }
    }

    fn asking(id: &str, form: Form) -> v1::Question {
        let (prompt, form) = (Some(format!("{id}?")), Some(form));
        v1::Question { id: id.into(), prompt, required: Some(true), form }
    }

    /// Returns a questionnaire in which every field is set.
    fn full() -> v1::Questionnaire {
        let text = Form::Text(v1::TextForm {
            multi_line: Some(true),
            min_length: Some(2),
            max_length: Some(20),
            pattern: Some("[a-z]+".into()),
            pattern_hint: Some("Lower case".into()),
        });
        let numeric = Form::Numeric(v1::NumericForm {
            slider: Some(true),
            min: Some(0.0),
            max: Some(10.0),
            step: Some(2.5),
            qualifies: Some(v1::NumericRange { min: Some(5.0), max: None }),
        });
        let later = Some(ProtoGoTo::GoToQuestionId("q4".into()));
        let single = Form::SingleSelect(v1::SingleSelectForm {
            options: vec![
                option("a", v1::OptionRule::Qualifies, later),
                option("b", v1::OptionRule::Disqualifies, Some(ProtoGoTo::GoToEnd(v1::GoToEnd {}))),
                option("c", v1::OptionRule::Neutral, None),
            ],
        });
        let multi = Form::MultiSelect(v1::MultiSelectForm {
            options: vec![
                option("a", v1::OptionRule::Required, None),
                option("b", v1::OptionRule::Neutral, None),
            ],
            min_choices: Some(1),
            max_choices: Some(2),
        });
        let page = |id: &str, questions| v1::Page { id: id.into(), questions };
        let tag = |id: &str, category: Option<&str>| v1::Tag {
            id: id.into(),
            category: category.map(Into::into),
            value: Some("Value".into()),
        };
        v1::Questionnaire {
            tags: vec![tag("t1", Some("Category")), tag("t2", None)],
            pages: vec![
                page("p1", vec![asking("q1", text), asking("q2", numeric)]),
                page("p2", vec![asking("q3", single), asking("q4", multi)]),
            ],
            language: Some("de".into()),
            introduction: Some("Hallo.".into()),
            thanks_qualified: Some("Danke.".into()),
            thanks_disqualified: Some("Trotzdem danke.".into()),
        }
    }

    #[test]
    fn a_questionnaire_is_told_as_it_was_sent() {
        let mut violations = Violations::new();
        let read = authored("", full(), &mut violations);
        assert_eq!(violations.into_listed(), []);
        assert_eq!(v1::Questionnaire::from(&read.expect("it works")), full());
    }

    #[test]
    fn what_is_left_out_is_told_with_its_default() {
        let mut sent = full();
        sent.pages.truncate(1);
        sent.tags.clear();
        let bare = v1::QuestionOption { id: "o".into(), text: Some("O".into()), ..<_>::default() };
        let form = Form::SingleSelect(v1::SingleSelectForm { options: vec![bare.clone()] });
        let one = v1::Question { required: None, ..asking("q", form) };
        sent.pages[0].questions = vec![one.clone()];
        let read = authored("", sent, &mut Violations::new()).expect("it works");
        let told = v1::Questionnaire::from(&read).pages.swap_remove(0).questions.swap_remove(0);
        let rule = Some(v1::OptionRule::Neutral.into());
        let options = vec![v1::QuestionOption { rule, write_in: Some(false), ..bare }];
        let form = Some(Form::SingleSelect(v1::SingleSelectForm { options }));
        assert_eq!(told, v1::Question { required: Some(false), form, ..one });
    }

    #[test]
    fn what_the_contract_does_not_have_is_named_with_the_rest() {
        let mut sent = full();
        if let Some(Form::SingleSelect(form)) = &mut sent.pages[1].questions[0].form {
            form.options[0].rule = Some(0);
            form.options[1].rule = Some(99);
            form.options[2].id = "a".into();
        }
        sent.pages[0].questions[1].form = None;
        let mut violations = Violations::new();
        authored("draft.", sent, &mut violations);
        let fields: Vec<_> = violations.into_listed().into_iter().map(|it| it.field).collect();
        let expected = [
            "draft.pages[1].questions[0].options[0].rule",
            "draft.pages[1].questions[0].options[1].rule",
            "draft.pages[0].questions[1]",
            "draft.pages[1].questions[0].options[2].id",
        ];
        assert_eq!(fields, expected);
    }
}
