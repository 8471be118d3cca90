//! Tests of rules that span several files of the domain.

mod answers;
mod bounds;
mod drafts;
mod questionnaires;
mod reviews;
mod submissions;

use super::answer::Selected;
use super::id::{OptionId, PageId, PublicationId, QuestionId, ScreenerId};
use super::publication::Publication;
use super::question::{
    Choice, MultiSelectForm, NumericForm, Question, QuestionForm, Rule, TextForm,
};

fn question_id(id: &str) -> QuestionId {
    QuestionId::parse(id).expect("an id")
}

fn option_id(id: &str) -> OptionId {
    OptionId::parse(id).expect("an id")
}

/// An option with this rule, without a write-in or a target.
fn choice(id: &str, rule: Rule) -> Choice {
    Choice { id: option_id(id), text: format!("Option {id}"), rule, write_in: false, go_to: None }
}

fn with_text(id: &str) -> Choice {
    Choice { write_in: true, ..choice(id, Rule::Neutral) }
}

fn question(id: &str, form: QuestionForm) -> Question {
    Question {
        id: question_id(id),
        page: PageId::parse("p").expect("an id"),
        prompt: "?".into(),
        required: false,
        form,
    }
}

fn text(id: &str) -> Question {
    question(id, QuestionForm::Text(TextForm::default()))
}

fn numeric(id: &str) -> Question {
    question(id, QuestionForm::Numeric(NumericForm::default()))
}

fn single(id: &str, choices: Vec<Choice>) -> Question {
    question(id, QuestionForm::SingleSelect(choices))
}

fn multi(id: &str, choices: Vec<Choice>) -> Question {
    question(
        id,
        QuestionForm::MultiSelect(MultiSelectForm { choices, ..MultiSelectForm::default() }),
    )
}

fn publication(questions: Vec<Question>) -> Publication {
    Publication {
        id: PublicationId::parse("u").expect("an id"),
        screener: ScreenerId::parse("r").expect("an id"),
        tags: Vec::new(),
        questions,
        published: None,
        wording: <_>::default(),
    }
}

fn selected(id: &str, write_in: Option<&str>) -> Selected {
    let text = write_in.map_or_else(|| format!("Option {id}"), |it| format!("Option {id}: {it}"));
    Selected { option: option_id(id), text, write_in: write_in.map(str::to_owned) }
}
