//! The records of sessions and answers, which arrive in runs.

use super::{Import, NewAnswer, Pinned, SessionRecord, differs, missing, same};
use crate::domain::answer::{Answer, SESSION_ANSWERS_MAX_BYTES, SESSION_ANSWERS_TOO_LARGE};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{PublicationId, QuestionId, TenantId};
use crate::domain::participant::{IdVerification, Person};
use crate::domain::review::Review;
use crate::domain::session::{Progress, Session};
use crate::domain::submission::NewSubmission;
use crate::domain::verdict::Verdict;
use crate::store::{Tx, WriteTx};

/// A session and its new answers, which arrive in a run and are written together: at most one
/// answer for each question of a publication.
pub(super) struct Run {
    tenant: TenantId,
    session: Session,
    begun: Begun,
    answers: Vec<(QuestionId, Answer)>,
    /// The bytes of all answers of the session, once an answer was added to it.
    answer_bytes: Option<usize>,
}

/// The session at the beginning of a run.
enum Begun {
    /// A stored session, which may have answers.
    Stored,
    /// A new session of this person, without answers.
    NotStarted(Person),
    /// A new session with its review, its person and the state of the person's id verification.
    Started(Box<Review>, Person, IdVerification),
}

impl Run {
    /// Returns the bytes of the session's answers so far.
    async fn bytes_before(&self, tx: &mut Tx) -> Result<usize> {
        match (self.answer_bytes, &self.begun) {
            (Some(bytes), _) => Ok(bytes),
            (None, Begun::NotStarted(_) | Begun::Started(..)) => Ok(0),
            (None, Begun::Stored) => {
                let stored = tx.session_answers(&self.tenant, &self.session.id).await?;
                Ok(stored.iter().map(|(_, answer)| answer.content_bytes()).sum())
            }
        }
    }
}

impl Import {
    pub(super) async fn session_record(
        &mut self,
        tx: &mut WriteTx,
        tenant: TenantId,
        record: SessionRecord,
    ) -> Result<bool> {
        let SessionRecord { session, review } = record;
        let is_started = session.progress != Progress::NotStarted;
        if review.is_some() && !is_started {
            return Err(Error::invalid_field("review", "A session without answers has no review."));
        }
        let review = is_started.then(|| review.unwrap_or_default());
        // The run has to be stored before the lookups below, which may concern its session.
        self.end_run(tx).await?;
        let (id_taken, slug_taken) = tx.is_session_taken(&session.id, &session.slug).await?;
        // Ids are unique across all tenants: a free id needs no lookup in this tenant.
        let stored = if id_taken { tx.get_session(&tenant, &session.id).await? } else { None };
        if let Some(stored) = stored {
            if tx.get_review(&tenant, &session.id).await? != review {
                return Err(differs("review"));
            }
            return same!(stored, session, {
                screener => "screenerId", assignment => "screenerParticipantId",
                publication => "screenerPublicationId", slug => "linkSlug",
                link_trusted => "--trust-links", status => "status",
                progress => "startedAt, lastActiveAt, completedAt", created => "createdAt",
            });
        }
        for (field, taken) in [("id", id_taken), ("linkSlug", slug_taken)] {
            if taken {
                return Err(Error::new(
                    Kind::AlreadyExists,
                    format!("{field}: Must be unique. Another session has it."),
                ));
            }
        }
        let participant = self.cache.assignment(tx, &tenant, &session).await?;
        self.load_publication(tx, &tenant, &session.publication).await?;
        if self.pinned.as_ref().is_none_or(|it| it.publication.screener != session.screener) {
            return Err(missing("screenerPublicationId", "publication of the screener")());
        }
        // An import locks whole tenants, so any name of the person will do.
        let begun = match review {
            Some(review) => {
                let id_verification = self.cache.participant(tx, &tenant, &participant).await?;
                Begun::Started(Box::new(review), Person::Id(participant), id_verification)
            }
            None => Begun::NotStarted(Person::Id(participant)),
        };
        self.run = Some(Run { tenant, session, begun, answers: Vec::new(), answer_bytes: None });
        Ok(true)
    }

    pub(super) async fn response_record(
        &mut self,
        tx: &mut WriteTx,
        tenant: &TenantId,
        record: NewAnswer,
    ) -> Result<bool> {
        let NewAnswer { session: id, question, given } = record;
        if self.run.as_ref().is_none_or(|run| run.tenant != *tenant || run.session.id != id) {
            self.end_run(tx).await?;
            let found = tx.get_session(tenant, &id).await?;
            let session = found.ok_or_else(missing("screenerSessionId", "session"))?;
            let (tenant, begun) = (tenant.clone(), Begun::Stored);
            self.run =
                Some(Run { tenant, session, begun, answers: Vec::new(), answer_bytes: None });
        }
        let publication = self.run.as_ref().map(|run| run.session.publication.clone());
        if let Some(publication) = publication {
            self.load_publication(tx, tenant, &publication).await?;
        }
        let (Some(run), Some(Pinned { publication, .. })) = (&mut self.run, &self.pinned) else {
            return Err(Error::internal("a session without its publication"));
        };
        if run.session.progress == Progress::NotStarted {
            return Err(Error::invalid_field("screenerSessionId", "The session is not started."));
        }
        let question = publication
            .question(&question)
            .ok_or_else(|| Error::invalid_field("screenerQuestionId", "Unknown question."))?;
        let answer =
            question.accept(given).map_err(|reason| Error::invalid_field("answer", reason))?;
        let stored = match run.answers.iter().find(|(it, _)| *it == question.id) {
            Some((_, unwritten)) => Some(unwritten.clone()),
            None => match run.begun {
                Begun::Stored => tx.get_answer(tenant, &id, &question.id, question.kind()).await?,
                Begun::NotStarted(_) | Begun::Started(..) => None,
            },
        };
        match stored {
            Some(stored) if stored == answer => Ok(false),
            Some(_) => Err(differs("answer")),
            None => {
                let bytes = answer.content_bytes() + run.bytes_before(tx).await?;
                if bytes > SESSION_ANSWERS_MAX_BYTES {
                    return Err(Error::invalid_field("answer", SESSION_ANSWERS_TOO_LARGE));
                }
                run.answer_bytes = Some(bytes);
                run.answers.push((question.id.clone(), answer));
                Ok(true)
            }
        }
    }

    /// Writes the session and the answers of the run, which are all valid by now, with their
    /// verdict.
    pub(super) async fn end_run(&mut self, tx: &mut WriteTx) -> Result<()> {
        let Some(Run { tenant, session, begun, answers, .. }) = self.run.take() else {
            return Ok(());
        };
        match (begun, &self.pinned) {
            (Begun::NotStarted(person), _) => tx.create_session(&tenant, &person, &session).await,
            (Begun::Stored, _) if answers.is_empty() => Ok(()),
            (Begun::Stored, _) => {
                tx.create_responses(&tenant, &session, &answers, false).await?;
                let verdict = tx.compute_verdict(&tenant, &session).await?;
                let found = tx.get_standing(&tenant, &session.id).await?;
                let absent = || Error::internal("a session without its submission");
                let standing = found.map(|(_, standing)| standing.judged(&verdict));
                let standing = standing.ok_or_else(absent)?;
                let noted = standing.noted(&session).ok_or_else(absent)?;
                tx.store_verdict(&tenant, &session.id, &verdict, noted).await?;
                tx.shift_session(&tenant, &session, &standing).await
            }
            (Begun::Started(review, person, id_verification), Some(pinned)) => {
                let Pinned { publication, hash, project, .. } = pinned;
                let given = answers.iter().map(|(question, answer)| (question, answer));
                let verdict = Verdict::with_hash(publication, *hash, given);
                let (session, review, verdict) = (&session, &*review, &verdict);
                let new = NewSubmission { session, project, id_verification, review, verdict };
                let furthest = publication.furthest(answers.iter().map(|(question, _)| question));
                let answers = (&answers[..], furthest);
                tx.create_answered_session(&tenant, &person, &new, answers, false).await
            }
            (Begun::Started(..), None) => Err(Error::internal("a session without its publication")),
        }
    }

    async fn load_publication(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<()> {
        let known = self.pinned.as_ref();
        if known.is_some_and(|it| it.tenant == *tenant && it.publication.id == *id) {
            return Ok(());
        }
        self.pinned = None;
        let Some(publication) = tx.get_publication(tenant, id).await? else { return Ok(()) };
        let screener = tx.get_screener(tenant, &publication.screener).await?;
        let screener = screener.ok_or_else(|| Error::internal("a publication of no screener"))?;
        self.pinned = Some(Pinned {
            tenant: tenant.clone(),
            hash: publication.content_hash(),
            publication,
            project: screener.project,
        });
        Ok(())
    }
}
