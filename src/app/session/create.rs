//! Creating sessions: one or many, all of them or none.
//!
//! What can be refused is looked up for every request before anything is refused, so that the caller
//! learns of all of it. The lists are held in one order, participants before sessions before the
//! audit log, so that two calls cannot wait for each other; and a list is held before what must be
//! unique in it is looked up, so that nobody else adds the same meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SessionView;
use crate::app::{App, Caller, WriteSessions};
use crate::domain::access::{Denial, check_exhausted, check_screener};
use crate::domain::change::{Action, By, Change};
use crate::domain::error::{Error, Kind, Result, Violation};
use crate::domain::id::{
    AssignmentId, ParticipantId, PublicationId, ScreenerId, SessionId, TenantId,
};
use crate::domain::link::mint_slug;
use crate::domain::participant::{
    Assignment, ExternalUid, IdVerification, Participant, ParticipantName,
};
use crate::domain::session::{NewSession, Progress, Session, SessionStatus};
use crate::domain::tag::Tag;
use crate::store::{Ledger, List, Tx};

/// A session to be created, with the ids of whatever may have to be made for it.
struct Plan {
    new: NewSession,
    session: SessionId,
    slug: String,
    participant: ParticipantId,
    assignment: AssignmentId,
}

/// What a screener gives to its sessions.
#[derive(Clone)]
struct Pinned {
    publication: PublicationId,
    tags: Arc<[Tag]>,
    /// Whether somebody who has completed a session gets another.
    after_completion: Result<(), Denial>,
}

/// Why one request is refused: the kind, the field and the sentence.
type Refusal = (Kind, &'static str, &'static str);

const NO_SCREENER: Refusal = (Kind::NotFound, "screener_id", "No such screener.");
const NO_PARTICIPANT: Refusal = (Kind::NotFound, "participant_id", "No such participant.");

/// Why answering is denied, as the refusal of a request to create a session for it.
fn denied(field: &'static str, denial: Denial) -> Refusal {
    let (kind, sentence) = denial.reason();
    (kind, field, sentence)
}

/// One call that creates sessions.
struct Creation {
    tenant: TenantId,
    by: By,
    ledger: Ledger,
    screeners: BTreeMap<ScreenerId, Result<Pinned, Refusal>>,
    /// Who has an external uid that is named.
    people: BTreeMap<ExternalUid, ParticipantId>,
    /// The position of the request, and why it is refused.
    refused: Vec<(usize, Refusal)>,
    changes: Vec<Change>,
}

impl App {
    /// Creates a session, pinned to the active publication. A repeat creates another.
    pub async fn create_session(
        &self,
        caller: &Caller<WriteSessions>,
        new: NewSession,
    ) -> Result<SessionView> {
        let mut views = self.create_all(caller, vec![new], |_, field| field.to_owned()).await?;
        views.pop().ok_or_else(|| Error::internal("a session was created and is not there"))
    }

    /// Creates sessions in this order, all of them or none.
    pub async fn create_sessions(
        &self,
        caller: &Caller<WriteSessions>,
        new: Vec<NewSession>,
    ) -> Result<Vec<SessionView>> {
        self.create_all(caller, new, |position, field| format!("requests[{position}].{field}"))
            .await
    }

    async fn create_all(
        &self,
        caller: &Caller<WriteSessions>,
        new: Vec<NewSession>,
        path: fn(usize, &str) -> String,
    ) -> Result<Vec<SessionView>> {
        let by = self.by(caller);
        let plan = |new| Plan {
            new,
            session: SessionId::mint(by.at, self.entropy()),
            slug: mint_slug(self.entropy()),
            participant: ParticipantId::mint(by.at, self.entropy()),
            assignment: AssignmentId::mint(by.at, self.entropy()),
        };
        let plans: Vec<Plan> = new.into_iter().map(plan).collect();
        let creation = Creation {
            tenant: caller.tenant().clone(),
            by,
            ledger: Ledger::default(),
            screeners: BTreeMap::new(),
            people: BTreeMap::new(),
            refused: Vec::new(),
            changes: Vec::new(),
        };
        let sessions =
            self.store.write(async move |tx| creation.run(tx, plans, path).await).await?;
        Ok(sessions.into_iter().map(|session| self.session_view(session)).collect())
    }
}

/// What a screener gives to its sessions, or why it has none.
async fn pin(tx: &mut Tx, tenant: &TenantId, id: &ScreenerId) -> Result<Result<Pinned, Refusal>> {
    // Nobody closes it until the session is there.
    tx.lock_screener(tenant, id).await?;
    let Some(screener) = tx.get_screener(tenant, id).await? else { return Ok(Err(NO_SCREENER)) };
    let publication = match check_screener(&screener) {
        Ok(publication) => publication.clone(),
        Err(denial) => return Ok(Err(denied("screener_id", denial))),
    };
    let tags = tx.publication_tags(tenant, &publication).await?;
    let tags = tags.ok_or_else(|| Error::internal("a screener without its publication"))?;
    let after_completion = check_exhausted(&screener, true);
    Ok(Ok(Pinned { publication, tags: tags.into(), after_completion }))
}

impl Creation {
    async fn run(
        mut self,
        tx: &mut Tx,
        plans: Vec<Plan>,
        path: fn(usize, &str) -> String,
    ) -> Result<Vec<Session>> {
        self.look_up(tx, &plans).await?;
        // Whoever is to be made is made only if that can come to something.
        if self.refused.is_empty() {
            self.make_people(tx, &plans).await?;
        }
        self.ledger.lock(tx, &self.tenant, List::Sessions).await?;
        let mut sessions = Vec::with_capacity(plans.len());
        for (position, plan) in plans.into_iter().enumerate() {
            sessions.extend(self.assign(tx, position, plan).await?);
        }
        self.check(path)?;
        for session in &sessions {
            tx.create_session(&mut self.ledger, &self.tenant, session).await?;
            self.changes.push(Change::of(Action::Create, &session.id, None, session, &self.by));
        }
        tx.record_changes(self.ledger, &self.tenant, &self.changes).await?;
        Ok(sessions)
    }

    /// Finds the screeners and participants that are there.
    async fn look_up(&mut self, tx: &mut Tx, plans: &[Plan]) -> Result<()> {
        for (position, plan) in plans.iter().enumerate() {
            let NewSession { screener, participant } = &plan.new;
            if !self.screeners.contains_key(screener) {
                let pinned = pin(tx, &self.tenant, screener).await?;
                self.screeners.insert(screener.clone(), pinned);
            }
            if let Some(Err(refusal)) = self.screeners.get(screener) {
                self.refused.push((position, *refusal));
            }
            match participant {
                ParticipantName::Id(id) => {
                    if tx.get_participant(&self.tenant, id).await?.is_none() {
                        self.refused.push((position, NO_PARTICIPANT));
                    }
                }
                ParticipantName::ExternalUid(uid) => {
                    if !self.people.contains_key(uid)
                        && let Some(id) = tx.find_participant(&self.tenant, uid).await?
                    {
                        self.people.insert(uid.clone(), id);
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes the participants whose external uids nobody has.
    async fn make_people(&mut self, tx: &mut Tx, plans: &[Plan]) -> Result<()> {
        for plan in plans {
            let ParticipantName::ExternalUid(uid) = &plan.new.participant else { continue };
            if self.people.contains_key(uid) {
                continue;
            }
            self.ledger.lock(tx, &self.tenant, List::Participants).await?;
            if let Some(id) = tx.find_participant(&self.tenant, uid).await? {
                // Another call made it a moment ago.
                self.people.insert(uid.clone(), id);
                continue;
            }
            let participant = Participant {
                id: plan.participant.clone(),
                external_uid: Some(uid.clone()),
                name: None,
                email: None,
                id_verification: IdVerification::None,
            };
            tx.create_participant(&mut self.ledger, &self.tenant, &participant).await?;
            let (id, by) = (&participant.id, &self.by);
            self.changes.push(Change::of(Action::Create, id, None, &participant, by));
            self.people.insert(uid.clone(), participant.id);
        }
        Ok(())
    }

    /// The session to be created, with its assignment made, unless it is refused.
    async fn assign(
        &mut self,
        tx: &mut Tx,
        position: usize,
        plan: Plan,
    ) -> Result<Option<Session>> {
        let Plan { new: NewSession { screener, participant }, session, slug, assignment, .. } =
            plan;
        let (field, participant) = match participant {
            ParticipantName::Id(id) => ("participant_id", Some(id)),
            ParticipantName::ExternalUid(uid) => ("external_uid", self.people.get(&uid).cloned()),
        };
        let (Some(Ok(pinned)), Some(participant)) = (self.screeners.get(&screener), participant)
        else {
            return Ok(None);
        };
        let Pinned { publication, tags, after_completion } = pinned.clone();
        let found = tx.find_assignment(&self.tenant, &participant, &screener).await?;
        if let (Some(found), Err(denial)) = (&found, after_completion)
            && tx.has_completed_session(&self.tenant, &found.id).await?
        {
            self.refused.push((position, denied(field, denial)));
            return Ok(None);
        }
        if !self.refused.is_empty() {
            return Ok(None);
        }
        let assignment = if let Some(found) = found {
            found
        } else {
            let missing = Assignment {
                id: assignment,
                screener: screener.clone(),
                participant,
                key_epoch: 0,
            };
            tx.ensure_assignment(&self.tenant, missing).await?
        };
        Ok(Some(Session {
            id: session,
            screener,
            assignment: assignment.id,
            publication,
            slug,
            link_trusted: true,
            status: SessionStatus::Active,
            progress: Progress::NotStarted,
            created: self.by.at,
            tags,
        }))
    }

    /// Refuses if any request is refused: as the first of them, naming all.
    fn check(&mut self, path: fn(usize, &str) -> String) -> Result<()> {
        // By request, and within one the screener before the participant.
        self.refused.sort_by_key(|(position, _)| *position);
        let Some((_, (kind, ..))) = self.refused.first() else { return Ok(()) };
        let named = self.refused.iter();
        let named = named.map(|(at, (_, field, reason))| Violation::new(path(*at, field), *reason));
        Err(Error::about(*kind, named.collect()))
    }
}
