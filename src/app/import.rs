//! Import: rows that were born elsewhere, all of a file or nothing.
//!
//! Records arrive in order and may refer to earlier ones, of this file or of the database. A record
//! that is there already, equal in every field, changes nothing; one of the same id with another
//! content is an error. What an answer must satisfy beyond its question's kind and options is not
//! checked: an import keeps what was answered.

mod nouns;

use std::collections::BTreeMap;

use super::{App, Operator};
use crate::domain::answer::{Answer, Given, SESSION_ANSWERS_MAX_BYTES, SESSION_ANSWERS_TOO_LARGE};
use crate::domain::content_hash::ContentHash;
use crate::domain::credential::Credential;
use crate::domain::error::{Error, Kind, Result, Violation};
use crate::domain::id::{
    AssignmentId, ParticipantId, ProjectId, PublicationId, QuestionId, ScreenerId, SessionId,
    TenantId,
};
use crate::domain::participant::{Assignment, IdVerification, Participant};
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::review::Review;
use crate::domain::screener::Screener;
use crate::domain::session::{Progress, Session};
use crate::domain::submission::NewSubmission;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::store::{Ledger, List, Tx};
use nouns::{
    assignment_record, credential_record, differs, project_record, publication_record, same,
    screener_record, tenant_record,
};

/// A session to import, with the review of its submission if it has one.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// The session; its tags are those of its publication.
    pub session: Session,
    /// The review; the default one, if the session is started and the file does not say.
    pub review: Option<Review>,
}

/// An answer to import.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    /// The session.
    pub session: SessionId,
    /// The question.
    pub question: QuestionId,
    /// The answer.
    pub given: Given,
}

/// What one line of an import file says.
#[derive(Clone, Debug)]
pub enum Record {
    /// A tenant.
    Tenant(Tenant),
    /// A credential.
    Credential(Credential),
    /// A project.
    Project(TenantId, Project),
    /// A screener; its active publication may follow later in the file.
    Screener(TenantId, Screener),
    /// A publication.
    Publication(TenantId, Publication),
    /// A participant.
    Participant(TenantId, Participant),
    /// An assignment.
    Assignment(TenantId, Assignment),
    /// A session.
    Session(TenantId, Box<SessionRecord>),
    /// A response.
    Response(TenantId, NewAnswer),
    /// A dismissal.
    Dismissal(TenantId, AssignmentId, Timestamp),
}

/// A record and the number of its line.
pub type Imported = (u64, Record);

/// What an import did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Records that were read.
    pub read: u64,
    /// Records that were new.
    pub written: u64,
    /// Records that were there already.
    pub unchanged: u64,
}

impl App {
    /// Imports every record, or none of them if one is refused.
    pub async fn import<I>(&self, _: &Operator, records: I) -> Result<Summary>
    where
        I: Iterator<Item = Result<Imported>> + Send + 'static,
    {
        self.store
            .write_alone(async move |tx| {
                let mut import = Import::default();
                for record in records {
                    let (line, record) = record?;
                    import.take(tx, line, record).await.map_err(|error| at_line(line, &error))?;
                }
                import.finish(tx).await
            })
            .await
    }
}

/// Says on which line a record was refused.
fn at_line(line: u64, error: &Error) -> Error {
    match error.violations() {
        [] => {
            let numbered = Error::new(error.kind(), format!("line {line}: {error}"));
            match error.internal_text() {
                Some(source) => numbered.caused_by(source),
                None => numbered,
            }
        }
        violations => Error::invalid(
            violations
                .iter()
                .map(|it| Violation::new(format!("line {line}: {}", it.field), &*it.reason))
                .collect(),
        ),
    }
}

fn missing(field: &'static str, noun: &'static str) -> impl FnOnce() -> Error {
    move || Error::invalid_field(field, format!("There is no such {noun} before this line."))
}

#[derive(Default)]
struct Import {
    ledger: Ledger,
    summary: Summary,
    /// Publications that screeners name as active and that are still to come.
    promised: BTreeMap<(TenantId, ScreenerId), (u64, PublicationId)>,
    cache: RowCache,
    run: Option<Run>,
    /// The publication that answers were last held against.
    pinned: Option<Pinned>,
}

/// A publication with what every submission of it needs.
struct Pinned {
    tenant: TenantId,
    publication: Publication,
    hash: ContentHash,
    project: ProjectId,
}

/// The rows that records last referred to: most records refer to the same rows as the one before
/// them, or to that one. An import removes nothing, so what was there stays there.
#[derive(Default)]
struct RowCache {
    tenant: Option<TenantId>,
    screener: Option<(TenantId, ScreenerId)>,
    participant: Option<(TenantId, ParticipantId, IdVerification)>,
    assignment: Option<(TenantId, Assignment)>,
}

/// A session and answers to be added to it, which come in runs and are written together: at most
/// one for each question of a publication.
struct Run {
    tenant: TenantId,
    session: Session,
    begun: Begun,
    answers: Vec<(QuestionId, Answer)>,
    /// What all answers of the session take, once an answer was added to it.
    answer_bytes: Option<usize>,
}

/// What a run begins with.
enum Begun {
    /// A session that is stored, and may have answers.
    Stored,
    /// A new session to which nothing was submitted.
    NotStarted,
    /// A new session with its review, of somebody whose identity is verified so far.
    Started(Box<Review>, IdVerification),
}

impl Run {
    /// What the answers of the session take so far.
    async fn bytes_before(&self, tx: &mut Tx) -> Result<usize> {
        match (self.answer_bytes, &self.begun) {
            (Some(bytes), _) => Ok(bytes),
            (None, Begun::NotStarted | Begun::Started(..)) => Ok(0),
            (None, Begun::Stored) => {
                let stored = tx.session_answers(&self.tenant, &self.session.id).await?;
                Ok(stored.iter().map(|(_, answer)| answer.content_bytes()).sum())
            }
        }
    }
}

impl Import {
    async fn take(&mut self, tx: &mut Tx, line: u64, record: Record) -> Result<()> {
        let written = match record {
            Record::Tenant(tenant) => tenant_record(tx, &tenant).await?,
            Record::Credential(credential) => credential_record(tx, &credential).await?,
            Record::Project(tenant, project) => {
                project_record(tx, &mut self.ledger, &tenant, &project).await?
            }
            Record::Screener(tenant, screener) => {
                let written = screener_record(tx, &mut self.ledger, &tenant, &screener).await?;
                // What was there already was held to its promise when it came.
                if let (true, Some(publication)) = (written, screener.active_publication) {
                    self.promised.insert((tenant, screener.id), (line, publication));
                }
                written
            }
            Record::Publication(tenant, it) => {
                let written = publication_record(tx, &mut self.ledger, &tenant, &it).await?;
                let screener = (tenant, it.screener);
                if self.promised.get(&screener).is_some_and(|(_, promised)| *promised == it.id) {
                    self.promised.remove(&screener);
                }
                written
            }
            Record::Participant(tenant, it) => self.participant_record(tx, &tenant, &it).await?,
            Record::Assignment(tenant, it) => {
                assignment_record(tx, &mut self.cache, &tenant, &it).await?
            }
            Record::Session(tenant, it) => self.session_record(tx, tenant, *it).await?,
            Record::Response(tenant, it) => self.response_record(tx, &tenant, it).await?,
            Record::Dismissal(tenant, assignment, at) => {
                let found = tx.get_assignment(&tenant, &assignment).await?;
                found.ok_or_else(missing("screenerParticipantId", "screener participant"))?;
                tx.create_dismissal(&tenant, &assignment, at).await?
            }
        };
        self.summary.read += 1;
        if written {
            self.summary.written += 1;
        } else {
            self.summary.unchanged += 1;
        }
        Ok(())
    }

    async fn finish(mut self, tx: &mut Tx) -> Result<Summary> {
        self.end_run(tx).await?;
        for ((tenant, screener), (line, publication)) in &self.promised {
            let found = tx.get_publication(tenant, publication).await?;
            if found.is_none_or(|found| found.screener != *screener) {
                let field = format!("line {line}: activePublicationId");
                return Err(Error::invalid_field(field, "The screener has no such publication."));
            }
        }
        self.ledger.flush(tx).await?;
        tx.analyze().await?;
        Ok(self.summary)
    }

    async fn participant_record(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        it: &Participant,
    ) -> Result<bool> {
        self.cache.tenant(tx, tenant).await?;
        self.ledger.lock(tx, tenant, List::Participants).await?;
        if !tx.is_participant_taken(tenant, &it.id, it.external_uid.as_ref()).await? {
            tx.create_participant(&mut self.ledger, tenant, it).await?;
            self.cache.participant = Some((tenant.clone(), it.id.clone(), it.id_verification));
            return Ok(true);
        }
        match tx.get_participant(tenant, &it.id).await? {
            Some(stored) => same!(stored, it, {
                external_uid => "externalUid", name => "name", email => "email",
                id_verification => "idVerification",
            }),
            None => Err(Error::new(Kind::AlreadyExists, "externalUid: it is taken.")),
        }
    }

    async fn session_record(
        &mut self,
        tx: &mut Tx,
        tenant: TenantId,
        record: SessionRecord,
    ) -> Result<bool> {
        let SessionRecord { session, review } = record;
        let is_started = session.progress != Progress::NotStarted;
        if review.is_some() && !is_started {
            return Err(Error::invalid_field("review", "A session without answers has no review."));
        }
        let review = is_started.then(|| review.unwrap_or_default());
        // What is looked up from here on may be what the run adds.
        self.end_run(tx).await?;
        let (id_taken, slug_taken) = tx.is_session_taken(&session.id, &session.slug).await?;
        // Ids are unique among all tenants: one that is free needs no other look.
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
                return Err(Error::new(Kind::AlreadyExists, format!("{field}: it is taken.")));
            }
        }
        let participant = self.cache.assignment(tx, &tenant, &session).await?;
        self.load_publication(tx, &tenant, &session.publication).await?;
        if self.pinned.as_ref().is_none_or(|it| it.publication.screener != session.screener) {
            return Err(missing("screenerPublicationId", "publication of the screener")());
        }
        let begun = match review {
            Some(review) => {
                let id_verification = self.cache.participant(tx, &tenant, &participant).await?;
                Begun::Started(Box::new(review), id_verification)
            }
            None => Begun::NotStarted,
        };
        self.run = Some(Run { tenant, session, begun, answers: Vec::new(), answer_bytes: None });
        Ok(true)
    }

    async fn response_record(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        record: NewAnswer,
    ) -> Result<bool> {
        let NewAnswer { session: id, question, given } = record;
        if self.run.as_ref().is_none_or(|run| run.tenant != *tenant || run.session.id != id) {
            self.end_run(tx).await?;
            tx.lock_session(tenant, &id).await?;
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
        let question = publication.question(&question).ok_or_else(|| {
            Error::invalid_field("screenerQuestionId", "There is no such question.")
        })?;
        let answer =
            question.accept(given).map_err(|reason| Error::invalid_field("answer", reason))?;
        let stored = match run.answers.iter().find(|(it, _)| *it == question.id) {
            Some((_, unwritten)) => Some(unwritten.clone()),
            None => match run.begun {
                Begun::Stored => tx.get_answer(tenant, &id, &question.id, question.kind()).await?,
                Begun::NotStarted | Begun::Started(..) => None,
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

    /// Writes the session and the answers of the run, which can be refused no more, with the
    /// verdict that they come to.
    async fn end_run(&mut self, tx: &mut Tx) -> Result<()> {
        let Some(Run { tenant, session, begun, answers, .. }) = self.run.take() else {
            return Ok(());
        };
        let ledger = &mut self.ledger;
        match (begun, &self.pinned) {
            (Begun::NotStarted, _) => tx.create_session(ledger, &tenant, &session).await,
            (Begun::Stored, _) if answers.is_empty() => Ok(()),
            (Begun::Stored, _) => {
                tx.create_responses(ledger, &tenant, &session, &answers).await?;
                let verdict = tx.compute_verdict(&tenant, &session).await?;
                tx.store_verdict(&tenant, &session.id, &verdict).await?;
                tx.settle(ledger, &tenant, &session).await
            }
            (Begun::Started(review, id_verification), Some(pinned)) => {
                let Pinned { publication, hash, project, .. } = pinned;
                let given = answers.iter().map(|(question, answer)| (question, answer));
                let verdict = Verdict::with_hash(publication, *hash, given);
                let (session, review, verdict) = (&session, &*review, &verdict);
                let new = NewSubmission { session, project, id_verification, review, verdict };
                let furthest = publication.furthest(answers.iter().map(|(question, _)| question));
                tx.create_answered_session(ledger, &tenant, &new, &answers, furthest).await
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

impl RowCache {
    async fn tenant(&mut self, tx: &mut Tx, id: &TenantId) -> Result<()> {
        if self.tenant.as_ref() != Some(id) {
            tx.get_tenant(id).await?.ok_or_else(missing("tenant", "tenant"))?;
            self.tenant = Some(id.clone());
        }
        Ok(())
    }

    async fn screener(&mut self, tx: &mut Tx, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        if self.screener.as_ref().is_none_or(|(owner, it)| owner != tenant || it != id) {
            let found = tx.get_screener(tenant, id).await?;
            found.ok_or_else(missing("screenerId", "screener"))?;
            self.screener = Some((tenant.clone(), id.clone()));
        }
        Ok(())
    }

    /// How far the verification of a participant's identity has come, which nobody else changes
    /// until the import is done.
    async fn participant(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        id: &ParticipantId,
    ) -> Result<IdVerification> {
        if let Some((owner, it, id_verification)) = &self.participant
            && owner == tenant
            && it == id
        {
            return Ok(*id_verification);
        }
        tx.lock_participant(tenant, id).await?;
        let found = tx.get_participant(tenant, id).await?;
        let found = found.ok_or_else(missing("participantId", "participant"))?;
        self.participant = Some((tenant.clone(), found.id, found.id_verification));
        Ok(found.id_verification)
    }

    /// Whose the assignment of a session is, which must be one to the session's screener.
    async fn assignment(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        session: &Session,
    ) -> Result<ParticipantId> {
        let id = &session.assignment;
        if self.assignment.as_ref().is_none_or(|(owner, it)| owner != tenant || it.id != *id) {
            let found = tx.get_assignment(tenant, id).await?;
            self.assignment = found.map(|assignment| (tenant.clone(), assignment));
        }
        let assignment = self.assignment.as_ref().map(|(_, it)| it);
        let assignment = assignment.filter(|it| it.screener == session.screener);
        let assignment = assignment
            .ok_or_else(missing("screenerParticipantId", "participant of the screener"))?;
        Ok(assignment.participant.clone())
    }
}
