//! A page of questions, as the template renders it.

use super::direction;
use super::question::{Control, Entered, field};
use super::sheet::{Answers, Filled, Plan};
use super::texts::{self, Words};
use crate::domain::answering::Sheet;
use crate::domain::question::Question;

/// A page of questions.
pub(super) struct View<'a> {
    /// The page's own number, counted from 0 over all pages of the publication.
    pub(super) page: usize,
    /// Its position among the pages that the answers lead to, and their count.
    pub(super) number: usize,
    pub(super) total: usize,
    pub(super) publication: &'a str,
    /// The language of the author's words, if known.
    pub(super) language: Option<&'a str>,
    /// The author's introduction before the first question.
    pub(super) introduction: Option<&'a str>,
    /// The notice above everything.
    pub(super) notice: Option<&'static str>,
    pub(super) fields: Vec<Field<'a>>,
}

/// A question with its fields.
pub(super) struct Field<'a> {
    pub(super) position: usize,
    pub(super) name: String,
    pub(super) prompt: &'a str,
    /// The direction of its text: `ltr` or `rtl`.
    pub(super) direction: &'static str,
    pub(super) required: bool,
    pub(super) hint: Option<Words<'a>>,
    pub(super) error: Option<Words<'static>>,
    pub(super) control: Control<'a>,
}

impl Field<'_> {
    /// Returns the id of the element that describes the field: its error, or else its hint.
    pub(super) fn described_by(&self) -> Option<String> {
        let error = self.error.as_ref().map(|_| format!("e{}", self.position));
        error.or_else(|| self.hint.as_ref().map(|_| format!("h{}", self.position)))
    }

    /// Returns the id of the control that corrects an error: the choice of two numbers, if any.
    pub(super) fn target(&self) -> String {
        let asks = matches!(self.control, Control::Number { readings: Some(_), .. });
        format!("{}{}", if asks { 'r' } else { 'q' }, self.position)
    }
}

impl View<'_> {
    /// Returns the position of the page in words, or `None` if it is the only one.
    pub(super) fn progress(&self) -> Option<String> {
        texts::progress(self.number, self.total)
    }

    /// Returns the number of fields with an error.
    pub(super) fn errors(&self) -> usize {
        self.fields.iter().filter(|field| field.error.is_some()).count()
    }

    /// Returns whether it is the last page.
    pub(super) fn is_last(&self) -> bool {
        self.number == self.total
    }

    /// Returns whether any field is required.
    pub(super) fn has_required(&self) -> bool {
        self.fields.iter().any(|field| field.required)
    }
}

impl<'a> View<'a> {
    /// Returns a page with the stored answers.
    pub(super) fn of_answers(sheet: &'a Sheet, page: Option<usize>, checks: bool) -> Self {
        let answers: Answers = sheet.answers.iter().cloned().collect();
        let filled = Filled { answers, ..Filled::default() };
        let mut view = Self::new(sheet, page, &filled);
        if checks {
            for field in &mut view.fields {
                let question = sheet.publication.questions.get(field.position);
                let is_missing = |it: &&Question| {
                    it.required && !sheet.answers.iter().any(|(id, _)| *id == it.id)
                };
                field.error = question.filter(is_missing).map(texts::needed);
            }
        }
        view
    }

    /// Returns a page with the input just sent, and its errors.
    pub(super) fn of_filled(sheet: &'a Sheet, page: usize, filled: &Filled) -> Self {
        Self::new(sheet, Some(page), filled)
    }

    fn new(sheet: &'a Sheet, page: Option<usize>, filled: &Filled) -> Self {
        let publication = &sheet.publication;
        let language = publication.wording.language.as_deref();
        let plan = Plan::new(publication, &filled.answers);
        let page = plan.page(page);
        let number = plan.reached().take_while(|it| *it < page).count() + 1;
        let fields = plan.questions(page).filter_map(|position| {
            let question = publication.questions.get(position)?;
            let stored =
                || filled.answers.get(&question.id).map(|it| Entered::of_answer(question, it));
            let entered = filled.entered.get(&position).cloned().or_else(stored);
            Some(Field {
                position,
                name: field(position),
                prompt: &question.prompt,
                direction: direction::of(language, &question.prompt),
                required: question.required,
                hint: texts::hint(question),
                error: filled.errors.get(&position).cloned(),
                control: Control::new(position, question, entered.unwrap_or_default()),
            })
        });
        Self {
            page,
            number,
            total: plan.reached().count(),
            publication: publication.id.as_str(),
            language,
            introduction: publication.wording.introduction.as_deref().filter(|_| number == 1),
            notice: None,
            fields: fields.collect(),
        }
    }

    pub(super) fn with_notice(self, notice: &'static str) -> Self {
        Self { notice: Some(notice), ..self }
    }
}
