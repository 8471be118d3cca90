//! Questionnaires of the model, and random ones.

use screenerd::client as pb;
use screenerd::client::question::Form as Asked;
use screenerd::client::question_option::GoTo as Leads;

use crate::support::random::Random;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Questionnaire {
    /// Id, category and value.
    pub(super) tags: Vec<(String, Option<String>, String)>,
    pub(super) questions: Vec<Question>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) id: String,
    pub(super) page: String,
    pub(super) prompt: String,
    pub(super) required: bool,
    pub(super) form: Form,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Text {
        multi_line: bool,
        min: Option<u32>,
        max: Option<u32>,
        /// Whether the text must be three capital letters.
        is_code: bool,
    },
    Number {
        slider: bool,
        min: Option<f64>,
        max: Option<f64>,
        step: Option<f64>,
        qualifies: Option<(Option<f64>, Option<f64>)>,
    },
    Single(Vec<Choice>),
    Multi {
        choices: Vec<Choice>,
        min: Option<u32>,
        max: Option<u32>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) rule: Rule,
    pub(super) write_in: bool,
    pub(super) go_to: Option<GoTo>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    Neutral,
    Qualifies,
    Requires,
    Disqualifies,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum GoTo {
    Question(String),
    End,
}

impl Question {
    pub(super) fn choices(&self) -> &[Choice] {
        match &self.form {
            Form::Text { .. } | Form::Number { .. } => &[],
            Form::Single(choices) | Form::Multi { choices, .. } => choices,
        }
    }

    pub(super) fn choice(&self, id: &str) -> Option<&Choice> {
        self.choices().iter().find(|choice| choice.id == id)
    }
}

impl Questionnaire {
    pub(super) fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Returns the questionnaire as participants see it: without rules and tags.
    pub(super) fn without_rules(mut self) -> Self {
        self.tags.clear();
        for question in &mut self.questions {
            match &mut question.form {
                Form::Text { .. } => {}
                Form::Number { qualifies, .. } => *qualifies = None,
                Form::Single(choices) | Form::Multi { choices, .. } => {
                    for choice in choices {
                        choice.rule = Rule::Neutral;
                    }
                }
            }
        }
        self
    }

    /// Returns the message of the contract.
    pub(super) fn message(&self) -> pb::Questionnaire {
        let tag = |(id, category, value): &(String, Option<String>, String)| pb::Tag {
            id: id.clone(),
            category: category.clone(),
            value: Some(value.clone()),
        };
        let mut pages: Vec<pb::Page> = Vec::new();
        for question in &self.questions {
            if pages.last().is_none_or(|page| page.id != question.page) {
                pages.push(pb::Page { id: question.page.clone(), questions: Vec::new() });
            }
            let page = pages.last_mut().expect("it was added");
            page.questions.push(question_message(question));
        }
        pb::Questionnaire { tags: self.tags.iter().map(tag).collect(), pages, ..<_>::default() }
    }
}

fn question_message(question: &Question) -> pb::Question {
    let form = match question.form.clone() {
        Form::Text { multi_line, min, max, is_code } => Asked::Text(pb::TextForm {
            multi_line: Some(multi_line),
            min_length: min,
            max_length: max,
            pattern: is_code.then(|| "[A-Z]{3}".to_owned()),
            ..<_>::default()
        }),
        Form::Number { slider, min, max, step, qualifies } => Asked::Numeric(pb::NumericForm {
            slider: Some(slider),
            min,
            max,
            step,
            qualifies: qualifies.map(|(min, max)| pb::NumericRange { min, max }),
        }),
        Form::Single(choices) => {
            let options = choices.iter().map(option_message).collect();
            Asked::SingleSelect(pb::SingleSelectForm { options })
        }
        Form::Multi { choices, min, max } => Asked::MultiSelect(pb::MultiSelectForm {
            options: choices.iter().map(option_message).collect(),
            min_choices: min,
            max_choices: max,
        }),
    };
    pb::Question {
        id: question.id.clone(),
        prompt: Some(question.prompt.clone()),
        required: Some(question.required),
        form: Some(form),
    }
}

fn option_message(choice: &Choice) -> pb::QuestionOption {
    let rule = match choice.rule {
        Rule::Neutral => pb::OptionRule::Neutral,
        Rule::Qualifies => pb::OptionRule::Qualifies,
        Rule::Requires => pb::OptionRule::Required,
        Rule::Disqualifies => pb::OptionRule::Disqualifies,
    };
    pb::QuestionOption {
        id: choice.id.clone(),
        text: Some(choice.text.clone()),
        rule: Some(rule.into()),
        write_in: Some(choice.write_in),
        go_to: choice.go_to.clone().map(|go_to| match go_to {
            GoTo::Question(id) => Leads::GoToQuestionId(id),
            GoTo::End => Leads::GoToEnd(pb::GoToEnd {}),
        }),
    }
}

/// Returns a small valid questionnaire.
pub(super) fn any(random: &mut Random) -> Questionnaire {
    let count = 3 + random.below(5);
    let mut page = 0;
    let mut questions = Vec::new();
    for position in 0..count {
        if position > 0 && random.chance(40) {
            page += 1;
        }
        questions.push(Question {
            id: format!("q{position}"),
            page: format!("p{page}"),
            prompt: format!("Prompt {}?", random.below(4)),
            required: random.chance(50),
            form: form(random, position, count),
        });
    }
    let mut tag = |number| {
        let category = random.chance(50).then(|| "Group".to_owned());
        (format!("t{number}"), category, format!("Value {}", random.below(3)))
    };
    let tags = (0..2).map(&mut tag).collect::<Vec<_>>();
    Questionnaire { tags: tags[..random.below(3)].to_vec(), questions }
}

fn form(random: &mut Random, position: usize, count: usize) -> Form {
    let text = |multi_line, min, max, is_code| Form::Text { multi_line, min, max, is_code };
    let number =
        |slider, min, max, step, qualifies| Form::Number { slider, min, max, step, qualifies };
    match random.below(15) {
        0 => text(false, None, None, false),
        1 => text(true, None, Some(12), false),
        2 => text(false, Some(2), Some(5), false),
        3 => text(false, None, None, true),
        4 => number(false, None, None, None, None),
        5 => number(false, Some(0.0), Some(50.0), Some(0.5), Some((Some(2.0), None))),
        6 => number(true, Some(1.0), Some(5.0), Some(1.0), Some((Some(3.0), Some(5.0)))),
        7 => number(false, None, Some(9.0), Some(0.25), Some((None, Some(4.0)))),
        8..=11 => Form::Single(choices(random, position, count, Rule::Qualifies)),
        _ => {
            let mut choices = choices(random, position, count, Rule::Requires);
            let min = random.chance(30).then_some(1 + u32::from(random.chance(50)));
            // Enough choices lead to the next question, so that it can be reached.
            choices[1].rule = Rule::Neutral;
            choices[1].go_to = None;
            let max = random.chance(40).then_some(3);
            Form::Multi { choices, min, max }
        }
    }
}

/// Returns options, of which the first is neutral and leads to the next question.
fn choices(random: &mut Random, position: usize, count: usize, good: Rule) -> Vec<Choice> {
    let number = 2 + random.below(3);
    let write_in = random.chance(40);
    let mut choice = |index: usize| {
        let is_first = index == 0;
        let go_to = match random.below(5) {
            0 => Some(GoTo::End),
            1 | 2 if position + 1 < count => {
                let target = position + 1 + random.below(count - position - 1);
                Some(GoTo::Question(format!("q{target}")))
            }
            _ => None,
        };
        Choice {
            id: format!("o{index}"),
            text: format!("Option {index}"),
            rule: match random.below(4) {
                _ if is_first => Rule::Neutral,
                0 => Rule::Disqualifies,
                1 | 2 => good,
                _ => Rule::Neutral,
            },
            write_in: write_in && index + 1 == number,
            go_to: go_to.filter(|_| !is_first),
        }
    };
    (0..number).map(&mut choice).collect()
}

/// Returns an invalid questionnaire and the field that the error names.
pub(super) fn broken(random: &mut Random) -> (Questionnaire, &'static str) {
    let mut questionnaire = any(random);
    let first = &mut questionnaire.questions[0];
    let choice = |id: &str, rule, go_to| {
        let (id, text) = (id.to_owned(), "Option".to_owned());
        Choice { id, text, rule, write_in: false, go_to }
    };
    let field = match random.below(4) {
        0 => {
            first.prompt = String::new();
            "draft.pages[0].questions[0].prompt"
        }
        1 => {
            let (min, max) = (Some(5), Some(4));
            first.form = Form::Text { multi_line: false, min, max, is_code: false };
            "draft.pages[0].questions[0].min_length"
        }
        2 => {
            let back = choice("o0", Rule::Neutral, Some(GoTo::Question("q0".into())));
            first.form = Form::Single(vec![back, choice("o1", Rule::Neutral, None)]);
            "draft.pages[0].questions[0].options[0].go_to_question_id"
        }
        _ => {
            first.form = Form::Single(vec![choice("o0", Rule::Disqualifies, None)]);
            "draft.pages[0].questions[0].options"
        }
    };
    (questionnaire, field)
}
