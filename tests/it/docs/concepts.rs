//! The states of `docs/concepts.md`, drawn by asking the rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use screenerd::domain::content_hash::ContentHash;
use screenerd::domain::error::Result;
use screenerd::domain::id::{ProjectId, PublicationId, ScreenerId};
use screenerd::domain::review::{ReviewStatus, Step, Verb};
use screenerd::domain::screener::{DraftHead, Screener, ScreenerStatus};
use screenerd::domain::session::{Progress, SessionStatus};
use screenerd::domain::time::Timestamp;

use super::compare_part;

/// A diagram of states: by from and to, what leads there.
#[derive(Default)]
struct Diagram(BTreeMap<(usize, usize), Vec<&'static str>>);

impl Diagram {
    fn add(&mut self, from: usize, to: usize, name: &'static str) {
        if from != to {
            self.0.entry((from, to)).or_default().push(name);
        }
    }

    fn print(&self, title: &str, text: &str, first: &str, names: &[&str]) -> String {
        let mut printed = format!("### {title}\n\n{text}\n\n```mermaid\nstateDiagram-v2\n");
        let _ = writeln!(printed, "    [*] --> {first}");
        for ((from, to), verbs) in &self.0 {
            let (from, to) = (names[*from], names[*to]);
            let _ = writeln!(printed, "    {from} --> {to}: {}", verbs.join(", "));
        }
        printed + "```\n"
    }
}

fn position<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|it| it == one).expect("it is one of all")
}

fn screener(status: ScreenerStatus) -> Screener {
    let hash = ContentHash::parse(&"0".repeat(64)).expect("a digest");
    let id = |text| PublicationId::parse(text).expect("an id");
    Screener {
        id: ScreenerId::parse("scr").expect("an id"),
        project: ProjectId::parse("proj").expect("an id"),
        title: "A title".into(),
        status,
        allow_multiple_responses: false,
        active_publication: (status != ScreenerStatus::Draft).then(|| id("active")),
        draft: Some(DraftHead { id: id("draft"), hash }),
    }
}

fn screeners() -> String {
    let mut diagram = Diagram::default();
    for status in ScreenerStatus::ALL {
        let verbs: [(&str, Result<Screener>); 3] = [
            ("PublishScreener", screener(*status).published(None, None)),
            ("CloseScreener", screener(*status).closed()),
            ("ReopenScreener", screener(*status).reopened()),
        ];
        for (name, moved) in verbs {
            if let Ok(moved) = moved {
                let all = ScreenerStatus::ALL;
                diagram.add(position(all, status), position(all, &moved.status), name);
            }
        }
    }
    let names: Vec<_> = ScreenerStatus::ALL.iter().map(|it| it.as_str()).collect();
    let text =
        "A screener takes answers while it is OPEN. Publishing a CLOSED screener leaves it closed.";
    diagram.print("The status of a screener", text, names[0], &names)
}

fn statuses() -> String {
    let mut diagram = Diagram::default();
    let all = SessionStatus::ALL;
    for status in all {
        let verbs = [
            ("ArchiveScreenerSession", status.archived()),
            ("RestoreScreenerSession", status.restored()),
            ("RemoveScreenerSession", status.removed()),
        ];
        for (name, moved) in verbs {
            if let Ok(Some(moved)) = moved {
                diagram.add(position(all, status), position(all, &moved), name);
            }
        }
    }
    let names: Vec<_> = all.iter().map(|it| it.as_str()).collect();
    let text = "The status decides whether a session can receive answers. A REMOVED session stays readable.";
    diagram.print("The status of a session", text, names[0], &names)
}

fn states() -> String {
    let mut diagram = Diagram::default();
    let now = Timestamp::from_micros(0);
    let begun = [
        Progress::NotStarted,
        Progress::InProgress { started: now, last_active: now },
        Progress::Completed { started: now, completed: now },
    ];
    let names = begun.map(|it| it.state().as_str());
    for (from, progress) in begun.iter().enumerate() {
        for (is_final, name) in [(false, "a submission"), (true, "the final submission")] {
            let to = progress.submitted(now, is_final).state().as_str();
            diagram.add(from, position(&names, &to), name);
        }
    }
    let text =
        "The state shows how far the participant has come. It follows from three timestamps.";
    diagram.print("The state of a session", text, names[0], &names)
}

fn reviews() -> String {
    let mut diagram = Diagram::default();
    let all = ReviewStatus::ALL;
    for verb in Verb::ALL {
        let row = verb.row();
        for from in all {
            match (row.step)(*from) {
                Step::To(to) => diagram.add(position(all, from), position(all, &to), row.name),
                Step::Back => {
                    // Where an invitation came from.
                    let origins =
                        all.iter().filter(|it| (Verb::Invite.row().step)(**it) == Step::To(*from));
                    for to in origins {
                        diagram.add(position(all, from), position(all, to), row.name);
                    }
                }
                Step::Keep | Step::Done | Step::Refused => {}
            }
        }
    }
    let names: Vec<_> = all.iter().map(|it| it.as_str()).collect();
    let text = "The review status is the step that a submission has reached. Only an import sets \
                INVALIDRESPONSE. [review.md](review.md) has what each verb sets and when it is refused.";
    diagram.print("The review status of a submission", text, names[0], &names)
}

#[test]
fn the_states_are_those_of_the_rules() {
    let printed = [screeners(), statuses(), states(), reviews()].join("\n");
    compare_part("docs/concepts.md", "states", &printed);
}
