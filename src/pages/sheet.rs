//! A page of questions: which one is shown, and what was entered on it.
//!
//! Fields are named by where a question and an option stand in the publication, which never changes:
//! ids may hold anything, and are nobody's business here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::form::Form;
use super::texts;
use crate::domain::answer::{Answer, Given, GivenOption};
use crate::domain::answering::{GivenAnswers, Misfits, Sheet, path};
use crate::domain::id::QuestionId;
use crate::domain::publication::Publication;
use crate::domain::question::number_text;
use crate::domain::question::{Question, QuestionForm, QuestionKind};

/// Answers by their questions.
pub(super) type Answers = BTreeMap<QuestionId, Answer>;

/// The name of the field of a question.
pub(super) fn field(position: usize) -> String {
    format!("a{position}")
}

/// The name of the field for what is typed beside an option.
pub(super) fn write_in_field(position: usize, option: usize) -> String {
    format!("w{position}.{option}")
}

/// The pages of a publication, as where their questions stand in it.
#[derive(Debug)]
pub(super) struct Plan {
    pages: Vec<Range<usize>>,
    /// Where the questions stand that the answers lead to.
    path: BTreeSet<usize>,
    /// Those among them that have an answer, if only that they were left out.
    answered: BTreeSet<usize>,
}

impl Plan {
    pub(super) fn new(publication: &Publication, answers: &Answers) -> Self {
        let mut begin = 0;
        let range = |count: usize| {
            let range = begin..begin + count;
            begin = range.end;
            range
        };
        let pages = publication.pages().map(|(_, questions)| questions.len()).map(range).collect();
        let reached: BTreeSet<_> =
            path(publication, answers).into_iter().map(|question| &question.id).collect();
        let mut plan = Self { pages, path: BTreeSet::new(), answered: BTreeSet::new() };
        for (position, question) in publication.questions.iter().enumerate() {
            if reached.contains(&question.id) {
                plan.path.insert(position);
                if answers.contains_key(&question.id) {
                    plan.answered.insert(position);
                }
            }
        }
        plan
    }

    /// Where the reached questions of a page stand.
    pub(super) fn questions(&self, page: usize) -> impl Iterator<Item = usize> {
        let range = self.pages.get(page).cloned().unwrap_or_default();
        self.path.range(range).copied()
    }

    /// The pages that the answers lead to.
    pub(super) fn reached(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.pages.len()).filter(|page| self.questions(*page).next().is_some())
    }

    /// The page that is asked for, if the answers lead to it; else where one left off: the first
    /// with a question that is not answered, or the last.
    pub(super) fn page(&self, wanted: Option<usize>) -> usize {
        let is_open = |page: &usize| self.questions(*page).any(|it| !self.answered.contains(&it));
        let wanted = wanted.filter(|page| self.questions(*page).next().is_some());
        wanted
            .or_else(|| self.reached().find(is_open))
            .or_else(|| self.reached().next_back())
            .unwrap_or(0)
    }

    /// The page of a question.
    pub(super) fn page_of(&self, position: usize) -> Option<usize> {
        self.pages.iter().position(|range| range.contains(&position))
    }

    /// The first question before the end that needs an answer and has none.
    pub(super) fn missing(&self, publication: &Publication) -> Option<usize> {
        let needs = |it: &&usize| publication.questions.get(**it).is_some_and(|it| it.required);
        self.path.difference(&self.answered).find(needs).copied()
    }
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
        match answer {
            Answer::Text(text) => entered.typed.clone_from(text),
            Answer::Numeric(number) => entered.typed = number_text(*number),
            Answer::SingleSelect(_) | Answer::MultiSelect(_) | Answer::Skipped => {}
        }
        for selected in answer.selected() {
            let place = question.choices().iter().position(|it| it.id == selected.option);
            entered.chosen.extend(place);
            entered.write_ins.extend(place.zip(selected.write_in.clone()));
        }
        entered
    }

    /// What was sent. Whoever writes something beside an option means it.
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
        for (option, choice) in question.choices().iter().enumerate().filter(|it| it.1.write_in) {
            let typed = form.last(&write_in_field(position, option)).unwrap_or_default();
            if is_blank(typed) {
                continue;
            }
            if choice.write_in && (!is_single || entered.chosen.is_empty()) {
                entered.chosen.insert(option);
            }
            entered.write_ins.insert(option, typed.to_owned());
        }
        entered
    }

    /// What that gives as an answer; nothing, if nothing was entered.
    fn given(&self, question: &Question) -> Option<Given> {
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

    /// Holds it against its question; nothing, if nothing was entered.
    fn judge(
        &self,
        question: &Question,
        misfits: &Misfits,
    ) -> Option<Result<(Given, Answer), String>> {
        let given = self.given(question)?;
        let answer = given.clone().accept(question);
        let answer = answer.and_then(|answer| answer.check(question).map(|()| answer)).ok();
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

/// What was entered on a page, and what is wrong with it; by where the questions stand.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) given: BTreeMap<QuestionId, Given>,
    /// All answers, with these among them.
    pub(super) answers: Answers,
    pub(super) entered: BTreeMap<usize, Entered>,
    pub(super) errors: BTreeMap<usize, String>,
    /// Whether the answers lead to questions of the page that were not shown.
    pub(super) has_unseen: bool,
}

/// The texts that were entered on a page and have a pattern to match.
pub(super) fn texts(sheet: &Sheet, page: usize, form: &Form) -> GivenAnswers {
    let questions = &sheet.publication.questions;
    let range = Plan::new(&sheet.publication, &Answers::new()).pages.get(page).cloned();
    let given = |position: usize| {
        let question = questions.get(position).filter(|it| it.pattern().is_some())?;
        Some((question.id.clone(), Entered::of_form(form, position, question).given(question)?))
    };
    range.unwrap_or_default().filter_map(given).collect()
}

/// Reads what was entered on a page, whose misfits are known. The answers are walked as they come, so what they do not lead to
/// is passed over. Whoever goes ahead has left out what is blank; whoever does not may still fill it
/// in.
pub(super) fn fill(
    sheet: &Sheet,
    page: usize,
    form: &Form,
    misfits: &Misfits,
    goes_ahead: bool,
) -> Filled {
    let answers: Answers = sheet.answers.iter().cloned().collect();
    let mut filled = Filled { answers, ..Filled::default() };
    let shown: BTreeSet<usize> = form.all("q").iter().filter_map(|it| it.parse().ok()).collect();
    let range = Plan::new(&sheet.publication, &filled.answers).pages.get(page).cloned();
    for position in range.unwrap_or_default() {
        let Some(question) = sheet.publication.questions.get(position) else { break };
        let path = path(&sheet.publication, &filled.answers);
        if !path.iter().any(|it| it.id == question.id) {
            continue;
        }
        if !shown.contains(&position) {
            filled.has_unseen = true;
            continue;
        }
        let entered = Entered::of_form(form, position, question);
        let judged = entered.judge(question, misfits);
        filled.put(question, position, judged, goes_ahead);
        filled.entered.insert(position, entered);
    }
    filled
}

impl Filled {
    fn put(
        &mut self,
        question: &Question,
        position: usize,
        judged: Option<Result<(Given, Answer), String>>,
        goes_ahead: bool,
    ) {
        let is_answered = |answer: &Answer| *answer != Answer::Skipped;
        let id = question.id.clone();
        match judged {
            Some(Ok((given, answer))) => {
                self.given.insert(id.clone(), given);
                self.answers.insert(id, answer);
            }
            Some(Err(wording)) => {
                self.errors.insert(position, wording);
            }
            None if question.required => {
                self.errors.insert(position, texts::needed(question));
            }
            None if goes_ahead || self.answers.get(&id).is_some_and(is_answered) => {
                self.given.insert(id.clone(), Given::Skipped);
                self.answers.insert(id, Answer::Skipped);
            }
            None => {}
        }
    }
}
