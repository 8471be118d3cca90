//! A question on a page: how it is answered, and what was entered.
//!
//! Fields are named by the positions of a question and an option in the publication, which never
//! change. Ids may contain any text.

use std::collections::{BTreeMap, BTreeSet};

use super::form::Form;
use super::texts;
use crate::domain::answer::{ANSWER_TEXT_MAX_BYTES, Answer, Given, GivenOption, Value};
use crate::domain::answering::Misfits;
use crate::domain::question::{
    Choice, NumericForm, Question, QuestionForm, QuestionKind, TextForm, number_text,
};

/// The name of the field of a question.
pub(super) fn field(position: usize) -> String {
    format!("a{position}")
}

/// The name of the field for the text of an option.
pub(super) fn write_in_field(position: usize, option: usize) -> String {
    format!("w{position}.{option}")
}

/// How a question is answered.
pub(super) enum Control<'a> {
    Line { value: String, max: usize, is_counted: bool },
    Area { value: String, max: usize, is_counted: bool },
    Number { value: String, min: Option<f64>, max: Option<f64>, step: Option<f64>, slider: bool },
    Choices { is_single: bool, items: Vec<Item<'a>> },
}

/// An option.
pub(super) struct Item<'a> {
    pub(super) number: usize,
    pub(super) text: &'a str,
    pub(super) is_chosen: bool,
    /// The field for its text: name, value and label.
    pub(super) write_in: Option<(String, String, String)>,
}

impl<'a> Control<'a> {
    pub(super) fn new(position: usize, question: &'a Question, entered: Entered) -> Self {
        match &question.form {
            QuestionForm::Text(form) => text(form, entered),
            QuestionForm::Numeric(NumericForm { slider, bounds, step, qualifies: _ }) => {
                // A slider has two ends.
                let slider = *slider && bounds.min.is_some() && bounds.max.is_some();
                let (min, max) = (bounds.min, bounds.max);
                Control::Number { value: entered.typed, min, max, step: *step, slider }
            }
            QuestionForm::SingleSelect(choices) => {
                Control::Choices { is_single: true, items: items(position, choices, &entered) }
            }
            QuestionForm::MultiSelect(form) => {
                let items = items(position, &form.choices, &entered);
                Control::Choices { is_single: false, items }
            }
        }
    }
}

fn text<'a>(form: &TextForm, entered: Entered) -> Control<'a> {
    let max = form.max_length.and_then(|max| usize::try_from(max).ok());
    let (value, is_counted) = (entered.typed, max.is_some());
    let max = max.unwrap_or(ANSWER_TEXT_MAX_BYTES);
    if form.multi_line {
        Control::Area { value, max, is_counted }
    } else {
        Control::Line { value, max, is_counted }
    }
}

fn items<'a>(position: usize, choices: &'a [Choice], entered: &Entered) -> Vec<Item<'a>> {
    let item = |(number, choice): (usize, &'a Choice)| {
        let typed = entered.write_ins.get(&number).cloned().unwrap_or_default();
        let write_in =
            || (write_in_field(position, number), typed.clone(), texts::own_words(&choice.text));
        Item {
            number,
            text: &choice.text,
            is_chosen: entered.chosen.contains(&number),
            write_in: choice.write_in.then(write_in),
        }
    };
    choices.iter().enumerate().map(item).collect()
}

/// What stands in the fields of one question.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Entered {
    pub(super) typed: String,
    pub(super) chosen: BTreeSet<usize>,
    pub(super) write_ins: BTreeMap<usize, String>,
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

impl Entered {
    /// What was answered before.
    pub(super) fn of_answer(question: &Question, answer: &Answer) -> Self {
        let mut entered = Self::default();
        match answer.value() {
            Value::Text(text) => text.clone_into(&mut entered.typed),
            Value::Number(number) => entered.typed = number_text(number),
            Value::Options(_) | Value::Nothing => {}
        }
        for selected in answer.selected() {
            let place = question.choices().iter().position(|it| it.id == selected.option);
            entered.chosen.extend(place);
            entered.write_ins.extend(place.zip(selected.write_in.clone()));
        }
        entered
    }

    /// Reads what was sent. A text for an option chooses the option.
    pub(super) fn of_form(form: &Form, position: usize, question: &Question) -> Self {
        let values = form.all(&field(position));
        let is_single = question.kind() == QuestionKind::SingleSelect;
        if question.choices().is_empty() {
            let typed = values.last().cloned().unwrap_or_default();
            return Self { typed, ..Self::default() };
        }
        let count = question.choices().len();
        let numbers = values.iter().filter_map(|it| it.parse().ok()).filter(|it| *it < count);
        let mut entered = Self { chosen: numbers.collect(), ..Self::default() };
        for (option, _) in question.choices().iter().enumerate().filter(|it| it.1.write_in) {
            let typed = form.last(&write_in_field(position, option)).unwrap_or_default();
            if is_blank(typed) {
                continue;
            }
            if !is_single || entered.chosen.is_empty() {
                entered.chosen.insert(option);
            }
            entered.write_ins.insert(option, typed.to_owned());
        }
        entered
    }

    /// What that gives as an answer; nothing, if nothing was entered.
    pub(super) fn given(&self, question: &Question) -> Option<Given> {
        let option = |place: &usize| {
            let choice = question.choices().get(*place)?;
            let write_in = self.write_ins.get(place).filter(|_| choice.write_in).cloned();
            Some(GivenOption { option: choice.id.clone(), write_in })
        };
        let mut options: Vec<_> = self.chosen.iter().filter_map(option).collect();
        match &question.form {
            QuestionForm::Text(_) => {
                (!is_blank(&self.typed)).then(|| Given::Text(self.typed.clone()))
            }
            QuestionForm::Numeric(_) => {
                (!is_blank(&self.typed)).then(|| Given::Typed(self.typed.clone()))
            }
            QuestionForm::SingleSelect(_) => options.pop().map(Given::Option),
            QuestionForm::MultiSelect(_) => {
                (!options.is_empty()).then_some(Given::Options(options))
            }
        }
    }

    /// Validates it against its question, unless nothing was entered.
    pub(super) fn judge(
        &self,
        question: &Question,
        misfits: &Misfits,
    ) -> Option<Result<(Given, Answer), String>> {
        let given = self.given(question)?;
        let answer = question.accept(given.clone());
        let answer = answer.and_then(|answer| question.check(&answer).map(|()| answer)).ok();
        let matches = !misfits.contains(&question.id);
        let answer = answer.filter(|_| matches).map(|answer| (given, answer));
        Some(answer.ok_or_else(|| self.misfit(question, matches)))
    }

    fn misfit(&self, question: &Question, matches: bool) -> String {
        let wordless = self.chosen.iter().find_map(|place| {
            let choice = question.choices().get(*place)?;
            (choice.write_in && !self.write_ins.contains_key(place)).then_some(&choice.text)
        });
        wordless.map_or_else(
            || texts::misfit(question, &self.typed, matches),
            |option| texts::own_words_needed(option),
        )
    }
}
