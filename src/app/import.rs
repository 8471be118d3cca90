//! Import of rows from other systems: a file is imported as a whole or not at all.
//!
//! Records arrive in order and may refer to earlier ones, of this file or of the database. A record
//! that equals a stored row in every field is a no-op; a record with the id of a different row is
//! an error. Answers are validated only against their question's kind and options, because an
//! import preserves historical answers.

mod nouns;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use data_encoding::HEXLOWER;

use super::{App, Operator};
use crate::domain::answer::Given;
use crate::domain::change::{Action, By, Change};
use crate::domain::content_hash::ContentHash;
use crate::domain::credential::Credential;
use crate::domain::error::{Error, Kind, Result, Violation};
use crate::domain::id::{
    AssignmentId, ParticipantId, ProjectId, PublicationId, QuestionId, ScreenerId, SessionId,
    TenantId,
};
use crate::domain::import::{FileImport, ImportedNoun};
use crate::domain::participant::{Assignment, IdVerification, Participant, Person};
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::review::Review;
use crate::domain::screener::Screener;
use crate::domain::session::Session;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::store::{Locks, Tx, WriteTx};
use nouns::{
    assignment_record, credential_record, project_record, publication_record, screener_record,
    tenant_record,
};
use session::Run;

/// A session to import, with the review of its submission if it has one.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// The session; its tags are those of its publication.
    pub session: Session,
    /// The review. Defaults to the initial review if the session is started and the file has none.
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

/// The content of one line of an import file.
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

/// SHA-256 over the bytes of a file, once it has been read to its end.
pub type FileDigest = Arc<OnceLock<[u8; 32]>>;

impl Record {
    /// Returns the tenant that owns the row, and the kind of the row.
    fn noun(&self) -> (&TenantId, ImportedNoun) {
        match self {
            Self::Tenant(it) => (&it.id, ImportedNoun::Tenants),
            Self::Credential(it) => (&it.tenant, ImportedNoun::Credentials),
            Self::Project(tenant, _) => (tenant, ImportedNoun::Projects),
            Self::Screener(tenant, _) => (tenant, ImportedNoun::Screeners),
            Self::Publication(tenant, _) => (tenant, ImportedNoun::Publications),
            Self::Participant(tenant, _) => (tenant, ImportedNoun::Participants),
            Self::Assignment(tenant, _) => (tenant, ImportedNoun::ScreenerParticipants),
            Self::Session(tenant, _) => (tenant, ImportedNoun::Sessions),
            Self::Response(tenant, _) => (tenant, ImportedNoun::Responses),
            Self::Dismissal(tenant, ..) => (tenant, ImportedNoun::Dismissals),
        }
    }
}

/// The counts of a finished import.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Records that were read.
    pub read: u64,
    /// Records that were new.
    pub written: u64,
    /// Records that equal a stored row.
    pub unchanged: u64,
}

impl App {
    /// Imports all records, or none if one is refused.
    ///
    /// The digest of their file is set once all records have been read.
    pub async fn import<I>(
        &self,
        _: &Operator,
        records: I,
        digest: Option<FileDigest>,
    ) -> Result<Summary>
    where
        I: Iterator<Item = Result<Imported>> + Send + 'static,
    {
        let by = self.by_operator();
        self.store
            .write_alone(Locks::import(), async move |tx| {
                let mut import = Import::default();
                for record in records {
                    let (line, record) = record?;
                    import.take(tx, line, record).await.map_err(|error| at_line(line, &error))?;
                }
                import.finish(tx, digest.as_ref().and_then(|it| it.get()), &by).await
            })
            .await
    }
}

/// Adds the line of a refused record to its error.
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

/// Returns the error of a record whose id belongs to a row with other content.
fn differs(field: &'static str) -> Error {
    Error::new(Kind::AlreadyExists, format!("{field}: the same id exists with another value here."))
}

/// Compares a stored value with a record's, field by field: `Ok` if they are equal.
macro_rules! same {
    ($stored:expr, $new:expr, { $($member:ident => $field:literal),* $(,)? }) => {{
        $(if $stored.$member != $new.$member { return Err($crate::app::import::differs($field)); })*
        Ok(false)
    }};
}
use same;

fn missing(field: &'static str, noun: &'static str) -> impl FnOnce() -> Error {
    move || Error::invalid_field(field, format!("There is no such {noun} before this line."))
}

#[derive(Default)]
struct Import {
    /// The tenants that this import has locked.
    tenants: BTreeSet<TenantId>,
    summary: Summary,
    /// The new rows of each tenant, for the audit log.
    brought: BTreeMap<TenantId, FileImport>,
    /// Active publications of screeners that have not been imported yet.
    promised: BTreeMap<(TenantId, ScreenerId), (u64, PublicationId)>,
    cache: RowCache,
    run: Option<Run>,
    /// The publication of the last answer.
    pinned: Option<Pinned>,
}

/// A publication with the data that every submission to it needs.
struct Pinned {
    tenant: TenantId,
    publication: Publication,
    hash: ContentHash,
    project: ProjectId,
}

/// The rows that records last referred to: most records refer to the same rows as the previous one,
/// or to that record itself. An import removes no rows, so cached rows stay valid.
#[derive(Default)]
struct RowCache {
    tenant: Option<TenantId>,
    screener: Option<(TenantId, ScreenerId)>,
    participant: Option<(TenantId, ParticipantId, IdVerification)>,
    assignment: Option<(TenantId, Assignment)>,
}

impl Import {
    async fn take(&mut self, tx: &mut WriteTx, line: u64, record: Record) -> Result<()> {
        let (owner, noun) = record.noun();
        let owner = owner.clone();
        if !self.tenants.contains(&owner) {
            tx.lock_tenant_alone(&owner).await?;
            self.tenants.insert(owner.clone());
        }
        let written = match record {
            Record::Tenant(tenant) => tenant_record(tx, &tenant).await?,
            Record::Credential(credential) => credential_record(tx, &credential).await?,
            Record::Project(tenant, project) => project_record(tx, &tenant, &project).await?,
            Record::Screener(tenant, screener) => {
                let written = screener_record(tx, &tenant, &screener).await?;
                // For a stored screener, the publication was checked when it was stored.
                if let (true, Some(publication)) = (written, screener.active_publication) {
                    self.promised.insert((tenant, screener.id), (line, publication));
                }
                written
            }
            Record::Publication(tenant, it) => {
                let written = publication_record(tx, &tenant, &it).await?;
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
                let found =
                    found.ok_or_else(missing("screenerParticipantId", "screener participant"))?;
                let is_new = !tx.has_dismissal(&tenant, &assignment, at).await?;
                if is_new {
                    // An import locks whole tenants, so any name of the person will do.
                    let person = Person::Id(found.participant);
                    tx.create_dismissal(&tenant, &person, (&assignment, at)).await?;
                }
                is_new
            }
        };
        self.summary.read += 1;
        if written {
            self.summary.written += 1;
            self.brought.entry(owner).or_default().count(noun);
        } else {
            self.summary.unchanged += 1;
        }
        Ok(())
    }

    async fn finish(
        mut self,
        tx: &mut WriteTx,
        digest: Option<&[u8; 32]>,
        by: &By,
    ) -> Result<Summary> {
        self.end_run(tx).await?;
        for ((tenant, screener), (line, publication)) in &self.promised {
            let found = tx.get_publication(tenant, publication).await?;
            if found.is_none_or(|found| found.screener != *screener) {
                let field = format!("line {line}: activePublicationId");
                return Err(Error::invalid_field(field, "The screener has no such publication."));
            }
        }
        for (tenant, mut brought) in self.brought {
            brought.digest = digest.map(|it| HEXLOWER.encode(it));
            let change = Change::of(Action::Import, &tenant, None, &brought, by);
            tx.record_change(&tenant, &change).await?;
        }
        tx.analyze().await?;
        Ok(self.summary)
    }

    async fn participant_record(
        &mut self,
        tx: &mut WriteTx,
        tenant: &TenantId,
        it: &Participant,
    ) -> Result<bool> {
        self.cache.tenant(tx, tenant).await?;
        if !tx.is_participant_taken(tenant, &it.id, it.external_uid.as_ref()).await? {
            tx.create_participant(tenant, it).await?;
            self.cache.participant = Some((tenant.clone(), it.id.clone(), it.id_verification));
            return Ok(true);
        }
        match tx.get_participant(tenant, &it.id).await? {
            Some(stored) => same!(stored, it, {
                external_uid => "externalUid", name => "name", email => "email",
                id_verification => "idVerification",
            }),
            None => Err(Error::new(
                Kind::AlreadyExists,
                "externalUid: Must be unique. Another participant has it.",
            )),
        }
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

    /// Returns the state of a participant's id verification.
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
        let found = tx.get_participant(tenant, id).await?;
        let found = found.ok_or_else(missing("participantId", "participant"))?;
        self.participant = Some((tenant.clone(), found.id, found.id_verification));
        Ok(found.id_verification)
    }

    /// Returns the participant of a session's assignment, which must belong to the same screener.
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
