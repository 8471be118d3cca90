//! A page of questions: which page is shown, and the input on it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::form::Form;
use super::question::Entered;
use super::texts::{self, Words};
use crate::domain::answer::{Answer, Given, GivenAnswers};
use crate::domain::answering::{Misfits, Sheet, path};
use crate::domain::id::QuestionId;
use crate::domain::publication::Publication;
use crate::domain::question::Question;

/// Answers by question.
pub(super) type Answers = BTreeMap<QuestionId, Answer>;

/// The pages of a publication, as ranges of the positions of their questions.
#[derive(Debug)]
pub(super) struct Plan {
    pages: Vec<Range<usize>>,
    /// The positions of the questions that the answers lead to.
    path: BTreeSet<usize>,
    /// The positions among them that have an answer or were left out.
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

    /// Returns the positions of the questions of a page that the answers lead to.
    pub(super) fn questions(&self, page: usize) -> impl Iterator<Item = usize> {
        let range = self.pages.get(page).cloned().unwrap_or_default();
        self.path.range(range).copied()
    }

    /// Returns the pages that the answers lead to.
    pub(super) fn reached(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.pages.len()).filter(|page| self.questions(*page).next().is_some())
    }

    /// Returns the requested page, if the answers lead to it. Otherwise it is where the participant
    /// left off: the first page with an unanswered question, or the last.
    pub(super) fn page(&self, wanted: Option<usize>) -> usize {
        let is_open = |page: &usize| self.questions(*page).any(|it| !self.answered.contains(&it));
        let wanted = wanted.filter(|page| self.questions(*page).next().is_some());
        wanted
            .or_else(|| self.reached().find(is_open))
            .or_else(|| self.reached().next_back())
            .unwrap_or(0)
    }

    /// Returns the page of a question.
    pub(super) fn page_of(&self, position: usize) -> Option<usize> {
        self.pages.iter().position(|range| range.contains(&position))
    }

    /// Returns the first required question on the path without an answer.
    pub(super) fn missing(&self, publication: &Publication) -> Option<usize> {
        let needs = |it: &&usize| publication.questions.get(**it).is_some_and(|it| it.required);
        self.path.difference(&self.answered).find(needs).copied()
    }
}

/// The input on a page and its errors, by the positions of the questions.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) given: BTreeMap<QuestionId, Given>,
    /// All answers, including those of this page.
    pub(super) answers: Answers,
    pub(super) entered: BTreeMap<usize, Entered>,
    pub(super) errors: BTreeMap<usize, Words<'static>>,
    /// The positions whose input cannot be stored as it is, or that the answers pass over.
    pub(super) unfinished: BTreeSet<usize>,
    /// Whether the answers lead to questions of the page that were not shown.
    pub(super) has_unseen: bool,
}

/// Returns the texts on a page that must match a pattern.
pub(super) fn texts(sheet: &Sheet, page: usize, form: &Form) -> GivenAnswers {
    let questions = &sheet.publication.questions;
    let range = Plan::new(&sheet.publication, &Answers::new()).pages.get(page).cloned();
    let given = |position: usize| {
        let question = questions.get(position).filter(|it| it.pattern().is_some())?;
        let given = Entered::of_form(form, position, question, None).given(question)?;
        Some((question.id.clone(), given.ok()?))
    };
    range.unwrap_or_default().filter_map(given).collect()
}

/// Reads the input on a page, given its misfits. Ignores questions that the answers do not lead to.
/// A participant who goes ahead skips blank questions; otherwise they stay open.
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
        let stored = filled.answers.get(&question.id);
        let mut entered = Entered::of_form(form, position, question, stored);
        if !path.iter().any(|it| it.id == question.id) {
            if shown.contains(&position) && !entered.is_blank() {
                filled.unfinished.insert(position);
            }
            continue;
        }
        if !shown.contains(&position) {
            filled.has_unseen = true;
            continue;
        }
        let judged = entered.judge(question, misfits);
        if let Some(Ok((Given::Number(number), _))) = &judged {
            entered.show(*number);
        }
        filled.put(question, position, judged, goes_ahead);
        filled.entered.insert(position, entered);
    }
    filled
}

impl Filled {
    /// Adds the reason for refusing an answer. Returns whether the page shows the question.
    pub(super) fn refuse(&mut self, position: usize, words: Words<'static>) -> bool {
        let is_shown = self.entered.contains_key(&position);
        if is_shown {
            self.errors.entry(position).or_insert(words);
        }
        is_shown
    }

    fn put(
        &mut self,
        question: &Question,
        position: usize,
        judged: Option<Result<(Given, Answer), Words<'static>>>,
        goes_ahead: bool,
    ) {
        let is_answered = |answer: &Answer| *answer != Answer::Skipped;
        let id = question.id.clone();
        match judged {
            Some(Ok((given, answer))) => {
                self.given.insert(id.clone(), given);
                self.answers.insert(id, answer);
            }
            Some(Err(words)) => {
                self.errors.insert(position, words);
                self.unfinished.insert(position);
            }
            None if question.required => {
                self.errors.insert(position, texts::needed(question));
                if self.answers.remove(&id).is_some() {
                    self.given.insert(id, Given::Withdrawn);
                }
            }
            None if goes_ahead || self.answers.get(&id).is_some_and(is_answered) => {
                self.given.insert(id.clone(), Given::Skipped);
                self.answers.insert(id, Answer::Skipped);
            }
            None => {}
        }
    }
}
