//! The funnel: how many sessions of a screener or a publication reached each stage.
//!
//! Every session is in exactly one [`Cell`], and a funnel is the sum of cells. Its parts therefore
//! add up to the sessions by construction.

use std::collections::BTreeMap;
use std::fmt;

use super::id::{PublicationId, QuestionId};
use super::review::ReviewStatus;
use super::session::{Session, SessionState, SessionStatus};
use super::verdict::Outcome;

/// The stage of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cell {
    /// Whether it can receive answers.
    pub status: SessionStatus,
    /// The progress of the participant.
    pub state: SessionState,
    /// The greatest position, from 1, of an answered question. 0 without answers.
    pub furthest: usize,
    /// Whether its submission was rejected for low quality.
    pub is_rejected: bool,
    /// Whether the participant qualifies, for a completed session.
    pub outcome: Option<Outcome>,
}

impl Cell {
    /// Returns the cell of a session from its answers and its submission, if it has one.
    #[must_use]
    pub fn of(
        session: &Session,
        furthest: usize,
        submission: Option<(ReviewStatus, Outcome)>,
    ) -> Self {
        let state = session.progress.state();
        let (review, outcome) = submission.unzip();
        Self {
            status: session.status,
            state,
            furthest,
            is_rejected: review == Some(ReviewStatus::RejectedQuality),
            outcome: outcome.filter(|_| state == SessionState::Completed),
        }
    }

    /// Parses the output of its `Display`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.splitn(5, ' ');
        let mut next = || words.next().ok_or_else(|| "A cell has five words.".to_owned());
        Ok(Self {
            status: SessionStatus::parse(next()?)?,
            state: SessionState::parse(next()?)?,
            furthest: next()?.parse().map_err(|_| "A position is a number.".to_owned())?,
            is_rejected: match next()? {
                "REJECTED" => true,
                "-" => false,
                _ => return Err("A session is REJECTED or -.".into()),
            },
            outcome: parse_outcome(next()?)?,
        })
    }
}

const BY_ANSWER: &str = "DISQUALIFIED_BY_ANSWER ";

fn parse_outcome(text: &str) -> Result<Option<Outcome>, String> {
    // An id is any text, so it comes last.
    if let Some(question) = text.strip_prefix(BY_ANSWER) {
        return QuestionId::parse(question).map(Outcome::DisqualifiedByAnswer).map(Some);
    }
    match text {
        "-" => Ok(None),
        "QUALIFIED" => Ok(Some(Outcome::Qualified)),
        "PENDING_ID_VERIFICATION" => Ok(Some(Outcome::PendingIdVerification)),
        "DISQUALIFIED_BY_ID_VERIFICATION" => Ok(Some(Outcome::DisqualifiedByIdVerification)),
        "DISQUALIFIED_BY_RESEARCHER" => Ok(Some(Outcome::DisqualifiedByResearcher)),
        _ => Err("A cell ends in an outcome.".into()),
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, state, furthest, is_rejected, outcome } = self;
        let rejected = if *is_rejected { "REJECTED" } else { "-" };
        write!(f, "{} {} {furthest} {rejected} ", status.as_str(), state.as_str())?;
        match outcome {
            None => f.write_str("-"),
            Some(Outcome::Qualified) => f.write_str("QUALIFIED"),
            Some(Outcome::PendingIdVerification) => f.write_str("PENDING_ID_VERIFICATION"),
            Some(Outcome::DisqualifiedByAnswer(question)) => write!(f, "{BY_ANSWER}{question}"),
            Some(Outcome::DisqualifiedByIdVerification) => {
                f.write_str("DISQUALIFIED_BY_ID_VERIFICATION")
            }
            Some(Outcome::DisqualifiedByResearcher) => f.write_str("DISQUALIFIED_BY_RESEARCHER"),
        }
    }
}

/// The sum of cells. Totals that are not stored are sums of stored ones.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Funnel {
    /// Sessions without a submission.
    pub not_started: i64,
    /// Sessions with submissions, but not the final one.
    pub in_progress: i64,
    /// Sessions with the final submission.
    pub completed: i64,
    /// Completed sessions of participants who qualify.
    pub qualified: i64,
    /// Completed sessions that wait for the verification of the participant's identity.
    pub pending_id_verification: i64,
    /// Completed sessions by the first question whose answer disqualifies.
    pub disqualified_by_question: BTreeMap<(PublicationId, QuestionId), i64>,
    /// Completed sessions whose participants' identity could not be verified.
    pub disqualified_by_id_verification: i64,
    /// Completed sessions that a researcher disqualified.
    pub disqualified_by_researcher: i64,
    /// Sessions whose submissions were rejected.
    pub rejected: i64,
    /// Sessions that are archived.
    pub archived: i64,
    /// Sessions that are removed.
    pub removed: i64,
    /// Sessions by the furthest answered position.
    pub furthest: BTreeMap<usize, i64>,
}

impl Funnel {
    /// Adds the sessions of a publication that are in a cell.
    pub fn add(&mut self, publication: &PublicationId, cell: Cell, sessions: i64) {
        let Cell { status, state, furthest, is_rejected, outcome } = cell;
        match state {
            SessionState::NotStarted => self.not_started += sessions,
            SessionState::InProgress => self.in_progress += sessions,
            SessionState::Completed => self.completed += sessions,
        }
        match status {
            SessionStatus::Active => {}
            SessionStatus::Archived => self.archived += sessions,
            SessionStatus::Removed => self.removed += sessions,
        }
        if is_rejected {
            self.rejected += sessions;
        }
        *self.furthest.entry(furthest).or_default() += sessions;
        match outcome {
            None => {}
            Some(Outcome::Qualified) => self.qualified += sessions,
            Some(Outcome::PendingIdVerification) => self.pending_id_verification += sessions,
            Some(Outcome::DisqualifiedByAnswer(question)) => {
                let place = (publication.clone(), question);
                *self.disqualified_by_question.entry(place).or_default() += sessions;
            }
            Some(Outcome::DisqualifiedByIdVerification) => {
                self.disqualified_by_id_verification += sessions;
            }
            Some(Outcome::DisqualifiedByResearcher) => self.disqualified_by_researcher += sessions,
        }
    }

    /// Returns the number of all sessions.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.not_started + self.started()
    }

    /// Returns the number of sessions with a submission.
    #[must_use]
    pub fn started(&self) -> i64 {
        self.in_progress + self.completed
    }

    /// Returns the number of completed sessions whose participants do not qualify.
    #[must_use]
    pub fn disqualified(&self) -> i64 {
        self.disqualified_by_question.values().sum::<i64>()
            + self.disqualified_by_id_verification
            + self.disqualified_by_researcher
    }

    /// Returns the number of sessions with an answer at this position, from 1, or after it.
    #[must_use]
    pub fn reached(&self, position: usize) -> i64 {
        self.furthest.range(position..).map(|(_, sessions)| sessions).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Vec<Cell> {
        let question = QuestionId::parse("a question - called \"so\"").expect("an id");
        let outcomes = [
            Outcome::Qualified,
            Outcome::PendingIdVerification,
            Outcome::DisqualifiedByAnswer(question),
            Outcome::DisqualifiedByIdVerification,
            Outcome::DisqualifiedByResearcher,
        ];
        let mut cells = Vec::new();
        for status in SessionStatus::ALL {
            for state in SessionState::ALL {
                for (furthest, outcome) in outcomes.iter().enumerate() {
                    let outcome = Some(outcome.clone());
                    let outcome = outcome.filter(|_| *state == SessionState::Completed);
                    let (status, state, is_rejected) = (*status, *state, furthest % 2 == 1);
                    cells.push(Cell { status, state, furthest, is_rejected, outcome });
                }
            }
        }
        cells
    }

    #[test]
    fn a_cell_is_read_as_it_is_printed() {
        for cell in cells() {
            assert_eq!(Cell::parse(&cell.to_string()), Ok(cell));
        }
        for bad in [
            "",
            "ACTIVE COMPLETED 1 -",
            "ACTIVE COMPLETED x - -",
            "ACTIVE COMPLETED 1 no -",
            "ACTIVE COMPLETED 1 - DISQUALIFIED_BY_ANSWER ",
            "ACTIVE COMPLETED 1 - QUALIFIED x",
        ] {
            assert!(Cell::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_parts_of_a_funnel_add_up() {
        let publication = PublicationId::parse("pub").expect("an id");
        let mut funnel = Funnel::default();
        let mut sessions = 0;
        for (number, cell) in (1..).zip(cells()) {
            funnel.add(&publication, cell, number);
            sessions += number;
        }
        assert_eq!(funnel.created(), sessions);
        assert_eq!(funnel.created(), funnel.not_started + funnel.in_progress + funnel.completed);
        let ended = funnel.qualified + funnel.pending_id_verification + funnel.disqualified();
        assert_eq!(funnel.completed, ended);
        assert_eq!(funnel.reached(0), sessions);
        assert_eq!(funnel.reached(4), funnel.furthest[&4]);
        assert_eq!(funnel.reached(3), funnel.furthest[&3] + funnel.furthest[&4]);
        assert_eq!(funnel.reached(5), 0);
    }

    #[test]
    fn archived_removed_and_rejected_sessions_are_counted_next_to_how_far_they_came() {
        let publication = PublicationId::parse("pub").expect("an id");
        let mut funnel = Funnel::default();
        for (status, is_rejected, sessions) in [
            (SessionStatus::Active, false, 1),
            (SessionStatus::Active, true, 10),
            (SessionStatus::Archived, false, 100),
            (SessionStatus::Archived, true, 1_000),
            (SessionStatus::Removed, false, 10_000),
            (SessionStatus::Removed, true, 100_000),
        ] {
            let state = SessionState::InProgress;
            let cell = Cell { status, state, furthest: 1, is_rejected, outcome: None };
            funnel.add(&publication, cell, sessions);
        }
        assert_eq!(funnel.archived, 1_100);
        assert_eq!(funnel.removed, 110_000);
        assert_eq!(funnel.rejected, 101_010);
        assert_eq!(
            (funnel.in_progress, funnel.started(), funnel.created()),
            (111_111, 111_111, 111_111)
        );
    }

    #[test]
    fn a_completed_session_has_an_outcome_and_a_rejected_one_was_rejected_for_low_quality() {
        use crate::domain::id::{AssignmentId, ScreenerId, SessionId};
        use crate::domain::session::Progress;
        use crate::domain::time::Timestamp;
        let at = Timestamp::from_micros;
        let session = |progress| Session {
            id: SessionId::parse("scses_1").expect("an id"),
            screener: ScreenerId::parse("scr_1").expect("an id"),
            assignment: AssignmentId::parse("scpar_1").expect("an id"),
            publication: PublicationId::parse("pub").expect("an id"),
            slug: "slug".into(),
            link_trusted: true,
            status: SessionStatus::Archived,
            progress,
            created: at(0),
            tags: [].into(),
        };
        let begun = session(Progress::InProgress { started: at(1), last_active: at(2) });
        let done = session(Progress::Completed { started: at(1), completed: at(2) });
        let qualified = |review| Some((review, Outcome::Qualified));
        for (session, submission, state, is_rejected, outcome) in [
            (&begun, None, SessionState::InProgress, false, None),
            (&begun, qualified(ReviewStatus::Pending), SessionState::InProgress, false, None),
            (
                &done,
                qualified(ReviewStatus::Pending),
                SessionState::Completed,
                false,
                Some(Outcome::Qualified),
            ),
            (
                &done,
                qualified(ReviewStatus::RejectedQuality),
                SessionState::Completed,
                true,
                Some(Outcome::Qualified),
            ),
        ] {
            let status = SessionStatus::Archived;
            let expected = Cell { status, state, furthest: 3, is_rejected, outcome };
            assert_eq!(Cell::of(session, 3, submission), expected);
        }
    }
}
