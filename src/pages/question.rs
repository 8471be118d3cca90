//! A question on a page: its control, and the input in it.
//!
//! Fields are named by the positions of a question and an option in the publication, which never
//! change. Ids may contain any text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::form::Form;
use super::texts::{self, Words};
use crate::domain::answer::{Answer, Given, GivenOption, Value, check_text};
use crate::domain::answering::Misfits;
use crate::domain::question::{
    Choice, MultiSelectForm, NumericForm, Question, QuestionForm, QuestionKind, Reading, TextForm,
    number_text,
};
use crate::domain::unicode::is_blank;

/// Returns the name of the field of a question.
pub(super) fn field(position: usize) -> String {
    format!("a{position}")
}

/// Returns the name of the field for the text of an option.
pub(super) fn write_in_field(position: usize, option: usize) -> String {
    format!("w{position}.{option}")
}

/// Returns the name of the field that selects one of the two readings of a number.
fn reading_field(position: usize) -> String {
    format!("r{position}")
}

/// The control by which a question is answered.
pub(super) enum Control<'a> {
    Line { value: String, max: Option<u32> },
    Area { value: String, max: Option<u32> },
    Number { value: String, slider: Option<Slider>, readings: Option<Readings> },
    Choices { is_single: bool, layout: Layout, items: Vec<Item<'a>> },
}

/// The two numbers that a text may mean, as a choice.
pub(super) struct Readings {
    pub(super) name: String,
    pub(super) words: String,
    /// The value of each and whether it is chosen, with the larger number first.
    pub(super) items: [(String, bool); 2],
}

/// A slider, which the script adds to the field of a number.
pub(super) struct Slider {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) step: Option<f64>,
}

/// The layout of the options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Layout {
    /// Each in a box of its own.
    Boxes,
    /// One below the other, close together.
    Compact,
    /// Like `Compact`, with a filter that the script adds.
    Filtered,
    /// Next to each other, for the few numbers of a scale.
    Scale,
}

impl Layout {
    fn of(options: usize) -> Self {
        match options {
            FILTERED_MIN_OPTIONS.. => Self::Filtered,
            COMPACT_MIN_OPTIONS.. => Self::Compact,
            _ => Self::Boxes,
        }
    }

    /// Returns the CSS class of the list.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Boxes => "boxes",
            Self::Compact | Self::Filtered => "compact",
            Self::Scale => "scale",
        }
    }
}

/// The least options that stand close together.
const COMPACT_MIN_OPTIONS: usize = 10;
/// The least options for which the script offers a filter.
const FILTERED_MIN_OPTIONS: usize = 30;
/// The most whole numbers for which a slider becomes buttons.
const SCALE_MAX_NUMBERS: usize = 11;

/// Returns the whole numbers of a slider, if they are few enough for buttons.
fn scale(Slider { min, max, step }: &Slider) -> Option<Vec<String>> {
    // Without a step, a slider is for whole numbers, too.
    let step = step.or((max - min >= 2.0).then_some(1.0));
    let step = step.filter(|step| step.fract() == 0.0 && min.fract() == 0.0)?;
    let numbers = (0_u32..).map(|count| min + f64::from(count) * step);
    let numbers: Vec<_> = numbers.take(SCALE_MAX_NUMBERS + 1).take_while(|it| it <= max).collect();
    (numbers.len() <= SCALE_MAX_NUMBERS).then(|| numbers.into_iter().map(number_text).collect())
}

/// An option, or a number of a scale.
pub(super) struct Item<'a> {
    /// The value that the browser sends: the option's position, or the number.
    pub(super) value: String,
    pub(super) text: Cow<'a, str>,
    pub(super) is_chosen: bool,
    /// The name and the value of the field for its text.
    pub(super) write_in: Option<(String, String)>,
}

impl<'a> Control<'a> {
    pub(super) fn new(position: usize, question: &'a Question, entered: Entered) -> Self {
        match &question.form {
            QuestionForm::Text(form) => text(form, entered),
            QuestionForm::Numeric(form) => number(position, form, entered),
            QuestionForm::SingleSelect(choices) => Control::Choices {
                is_single: true,
                layout: Layout::of(choices.len()),
                items: items(position, choices, &entered),
            },
            QuestionForm::MultiSelect(MultiSelectForm { choices, .. }) => Control::Choices {
                is_single: false,
                layout: Layout::of(choices.len()),
                items: items(position, choices, &entered),
            },
        }
    }
}

fn number<'a>(position: usize, form: &NumericForm, entered: Entered) -> Control<'a> {
    let NumericForm { slider, bounds, step, qualifies: _ } = form;
    // A slider requires two ends.
    let ends = bounds.min.zip(bounds.max).filter(|_| *slider);
    let slider = ends.map(|(min, max)| Slider { min, max, step: *step });
    let readings = entered.readings(position, form);
    let value = entered.typed;
    let numbers = slider.as_ref().and_then(scale);
    // An answer off the scale, from another program, must stay visible.
    let numbers = numbers.filter(|numbers| value.is_empty() || numbers.contains(&value));
    let Some(numbers) = numbers else { return Control::Number { value, slider, readings } };
    let item = |number: String| Item {
        is_chosen: number == value,
        text: number.clone().into(),
        value: number,
        write_in: None,
    };
    let items = numbers.into_iter().map(item).collect();
    Control::Choices { is_single: true, layout: Layout::Scale, items }
}

fn text<'a>(form: &TextForm, entered: Entered) -> Control<'a> {
    let (value, max) = (entered.typed, form.max_length);
    if form.multi_line { Control::Area { value, max } } else { Control::Line { value, max } }
}

fn items<'a>(position: usize, choices: &'a [Choice], entered: &Entered) -> Vec<Item<'a>> {
    let item = |(number, choice): (usize, &'a Choice)| {
        let typed = entered.write_ins.get(&number).cloned().unwrap_or_default();
        Item {
            value: number.to_string(),
            text: Cow::Borrowed(&choice.text),
            is_chosen: entered.chosen.contains(&number),
            write_in: choice.write_in.then(|| (write_in_field(position, number), typed)),
        }
    };
    choices.iter().enumerate().map(item).collect()
}

/// The input in the fields of one question.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entered {
    pub(super) typed: String,
    pub(super) chosen: BTreeSet<usize>,
    pub(super) write_ins: BTreeMap<usize, String>,
    /// The stored number, if its text is still as the page shows it.
    stored: Option<f64>,
    /// The selected reading of a number, as the page shows it.
    picked: Option<String>,
    /// Whether the form names an option that the question does not have.
    has_unknown: bool,
}

impl Entered {
    /// Returns the fields for a stored answer.
    pub(super) fn of_answer(question: &Question, answer: &Answer) -> Self {
        let mut entered = Self::default();
        match answer.value() {
            Value::Text(text) => text.clone_into(&mut entered.typed),
            Value::Number(number) => {
                entered.typed = number_text(number);
                entered.stored = Some(number);
            }
            Value::Options(_) | Value::Nothing => {}
        }
        for selected in answer.selected() {
            let place = question.choices().iter().position(|it| it.id == selected.option);
            entered.chosen.extend(place);
            entered.write_ins.extend(place.zip(selected.write_in.clone()));
        }
        entered
    }

    /// Reads the fields of a form. A text for an option selects the option. A field that still has
    /// the text of the stored number is that number.
    pub(super) fn of_form(
        form: &Form,
        position: usize,
        question: &Question,
        stored: Option<&Answer>,
    ) -> Self {
        let values = form.all(&field(position));
        let is_single = question.kind() == QuestionKind::SingleSelect;
        if question.choices().is_empty() {
            let typed = values.last().cloned().unwrap_or_default();
            let shown = stored.map(|it| Self::of_answer(question, it));
            let stored = shown.filter(|it| it.typed == typed).and_then(|it| it.stored);
            let picked = form.last(&reading_field(position)).map(str::to_owned);
            return Self { typed, stored, picked, ..Self::default() };
        }
        let count = question.choices().len();
        let numbers: Option<_> =
            values.iter().map(|it| it.parse().ok().filter(|it| *it < count)).collect();
        let has_unknown = numbers.is_none();
        let chosen = numbers.unwrap_or_default();
        let mut entered = Self { chosen, has_unknown, ..Self::default() };
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

    /// Returns whether nothing was entered.
    pub(super) fn is_blank(&self) -> bool {
        is_blank(&self.typed) && self.chosen.is_empty() && self.write_ins.is_empty()
    }

    /// Shows a number as it was understood, so that it is read in the same way again.
    pub(super) fn show(&mut self, number: f64) {
        self.typed = number_text(number);
        self.picked = Some(self.typed.clone());
    }

    /// Returns the two numbers to choose from, if the text is ambiguous.
    fn readings(&self, position: usize, form: &NumericForm) -> Option<Readings> {
        let Reading::Either(larger, smaller) = form.read(&self.typed) else { return None };
        let item = |number: f64| {
            let text = number_text(number);
            let is_chosen = self.picked.as_ref() == Some(&text);
            (text, is_chosen)
        };
        self.stored.is_none().then(|| Readings {
            name: reading_field(position),
            words: texts::which(larger, smaller),
            items: [larger, smaller].map(item),
        })
    }

    /// Returns the given answer, or an error text if it is invalid; `None` if nothing was entered.
    pub(super) fn given(&self, question: &Question) -> Option<Result<Given, Words<'static>>> {
        let option = |place: &usize| {
            let choice = question.choices().get(*place)?;
            let write_in = self.write_ins.get(place).filter(|_| choice.write_in).cloned();
            Some(GivenOption { option: choice.id.clone(), write_in })
        };
        if self.has_unknown {
            return Some(Err(texts::needed(question)));
        }
        let mut options: Vec<_> = self.chosen.iter().filter_map(option).collect();
        match &question.form {
            QuestionForm::Text(_) => {
                (!is_blank(&self.typed)).then(|| Ok(Given::Text(self.typed.clone())))
            }
            QuestionForm::Numeric(form) => (!is_blank(&self.typed)).then(|| self.number(form)),
            QuestionForm::SingleSelect(_) => options.pop().map(Given::Option).map(Ok),
            QuestionForm::MultiSelect(_) => {
                (!options.is_empty()).then_some(Ok(Given::Options(options)))
            }
        }
    }

    fn number(&self, form: &NumericForm) -> Result<Given, Words<'static>> {
        if let Some(number) = self.stored {
            return Ok(Given::Number(number));
        }
        match form.read(&self.typed) {
            Reading::Number(number) => Ok(Given::Number(number)),
            Reading::Either(larger, smaller) => {
                let is_picked = |it: &f64| self.picked.as_ref() == Some(&number_text(*it));
                let picked = [larger, smaller].into_iter().find(is_picked).map(Given::Number);
                picked.ok_or_else(|| texts::which(larger, smaller).into())
            }
            Reading::TooLong => Err(texts::TOO_MANY_DIGITS.into()),
            Reading::None => Err(texts::no_number(form).into()),
        }
    }

    /// Validates the input against its question, unless nothing was entered.
    pub(super) fn judge(
        &self,
        question: &Question,
        misfits: &Misfits,
    ) -> Option<Result<(Given, Answer), Words<'static>>> {
        let given = match self.given(question)? {
            Ok(given) => given,
            Err(words) => return Some(Err(words)),
        };
        let answer = question.accept(given.clone());
        let answer = answer.and_then(|answer| question.check(&answer).map(|()| answer)).ok();
        let matches = !misfits.contains(&question.id);
        let answer = answer.filter(|_| matches).map(|answer| (given, answer));
        Some(answer.ok_or_else(|| self.misfit(question, matches)))
    }

    fn misfit(&self, question: &Question, matches: bool) -> Words<'static> {
        let wordless = self.chosen.iter().find_map(|place| {
            let choice = question.choices().get(*place)?;
            (choice.write_in && !self.write_ins.contains_key(place)).then_some(&choice.text)
        });
        if let Some(option) = wordless {
            return texts::own_words_needed(option);
        }
        let chosen = self.write_ins.iter().filter(|(place, _)| self.chosen.contains(place));
        let unfit = chosen.map(|(_, typed)| typed).find(|typed| check_text(typed).is_err());
        unfit.map_or_else(
            || texts::misfit(question, &self.typed, matches),
            |typed| texts::not_storable(typed),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_a_button_for_each_step() {
        let buttons = |min, max, step| scale(&Slider { min, max, step });
        let numbers = |numbers: &[&str]| Some(numbers.iter().map(ToString::to_string).collect());
        assert_eq!(buttons(-10.0, 10.0, Some(5.0)), numbers(&["-10", "-5", "0", "5", "10"]));
        assert_eq!(buttons(1.0, 8.0, Some(3.0)), numbers(&["1", "4", "7"]));
        assert_eq!(buttons(1.0, 3.0, None), numbers(&["1", "2", "3"]));
        assert_eq!(buttons(0.0, 110.0, Some(10.0)), None, "12 buttons are too many");
        assert_eq!(buttons(0.0, 2.0, Some(0.5)), None, "the numbers are not whole");
    }
}
