//! Creating one or many sessions: all of them or none.
//!
//! All requests are checked before anything is refused or written, so that the caller learns of
//! every reason. The screeners and persons are locked, including persons that do not exist yet, so
//! no concurrent call can create those.

use std::collections::{BTreeMap, BTreeSet};
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
    Assignment, ExternalUid, IdVerification, Participant, ParticipantName, Person,
};
use crate::domain::screener::Screener;
use crate::domain::session::{NewSession, Progress, Session, SessionStatus};
use crate::domain::tag::Tag;
use crate::store::{Locks, Tx, WriteTx};

/// A session to create, with the ids of the rows that may have to be created for it.
struct Plan {
    new: NewSession,
    session: SessionId,
    slug: String,
    participant: ParticipantId,
    assignment: AssignmentId,
}

/// The properties that a screener's sessions share.
#[derive(Clone)]
struct Pinned {
    publication: PublicationId,
    tags: Arc<[Tag]>,
    /// Whether a participant with a completed session gets another.
    after_completion: Result<(), Denial>,
}

/// The reason why one request is refused: kind, field and sentence.
type Refusal = (Kind, &'static str, &'static str);

const NO_SCREENER: Refusal = (Kind::NotFound, "screener_id", "No such screener.");
const NO_PARTICIPANT: Refusal = (Kind::NotFound, "participant_id", "No such participant.");

/// Converts a denial to the refusal of a request to create a session.
fn denied(field: &'static str, denial: Denial) -> Refusal {
    let (kind, sentence) = denial.reason();
    (kind, field, sentence)
}

/// One call that creates sessions.
struct Creation {
    tenant: TenantId,
    by: By,
    /// The existing persons among those named by id.
    named: BTreeMap<ParticipantId, Person>,
    screeners: BTreeMap<ScreenerId, Result<Pinned, Refusal>>,
    /// The participants of the external uids that are named.
    people: BTreeMap<ExternalUid, ParticipantId>,
    /// The assignments, and whether their participants have completed a session.
    assigned: BTreeMap<(ParticipantId, ScreenerId), (Assignment, bool)>,
    new_people: Vec<Participant>,
    new_assignments: Vec<(Person, Assignment)>,
    /// The positions of refused requests, and the reasons.
    refused: Vec<(usize, Refusal)>,
}

impl App {
    /// Creates a session, pinned to the active publication. Not idempotent.
    pub async fn create_session(
        &self,
        caller: &Caller<WriteSessions>,
        new: NewSession,
    ) -> Result<SessionView> {
        let mut views = self.create_all(caller, vec![new], |_, field| field.to_owned()).await?;
        views.pop().ok_or_else(|| Error::internal("a created session is missing"))
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
        let tenant = caller.tenant().clone();
        let ids: BTreeSet<_> = plans.iter().filter_map(Plan::participant_id).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let named = match ids[..] {
            [] => BTreeMap::new(),
            [..] => self.store.look_up(async |tx| tx.find_persons(&tenant, &ids).await).await?,
        };
        let locks = plans.iter().fold(Locks::of(&tenant), |locks, Plan { new, .. }| {
            let locks = locks.screener(&new.screener);
            match &new.participant {
                ParticipantName::ExternalUid(uid) => locks.person(&Person::Uid(uid.clone())),
                ParticipantName::Id(id) => match named.get(id) {
                    Some(person) => locks.person(person),
                    None => locks,
                },
            }
        });
        let creation = Creation {
            tenant,
            by,
            named,
            screeners: BTreeMap::new(),
            people: BTreeMap::new(),
            assigned: BTreeMap::new(),
            new_people: Vec::new(),
            new_assignments: Vec::new(),
            refused: Vec::new(),
        };
        let create = async move |tx: &mut WriteTx| creation.run(tx, plans, path).await;
        let sessions = self.store.write(locks, create).await?;
        Ok(sessions.into_iter().map(|session| self.session_view(session)).collect())
    }
}

/// Returns the properties of a screener's sessions, or the reason why it can have none.
fn pin(screener: &Screener, tags: Option<Arc<[Tag]>>) -> Result<Result<Pinned, Refusal>> {
    let publication = match check_screener(screener) {
        Ok(publication) => publication.clone(),
        Err(denial) => return Ok(Err(denied("screener_id", denial))),
    };
    let tags = tags.ok_or_else(|| Error::internal("a screener without its publication"))?;
    let after_completion = check_exhausted(screener, true);
    Ok(Ok(Pinned { publication, tags, after_completion }))
}

impl Plan {
    fn participant_id(&self) -> Option<&ParticipantId> {
        match &self.new.participant {
            ParticipantName::Id(id) => Some(id),
            ParticipantName::ExternalUid(_) => None,
        }
    }
}

impl Creation {
    async fn run(
        mut self,
        tx: &mut WriteTx,
        plans: Vec<Plan>,
        path: fn(usize, &str) -> String,
    ) -> Result<Vec<Session>> {
        self.look_up(tx, &plans).await?;
        // Participants are created only if no request has been refused.
        if self.refused.is_empty() {
            self.make_people(&plans);
        }
        let mut sessions = Vec::with_capacity(plans.len());
        for (position, plan) in plans.into_iter().enumerate() {
            sessions.extend(self.assign(position, plan));
        }
        self.check(path)?;
        let Self { tenant, by, new_people, new_assignments, .. } = &self;
        let mut changes = Vec::new();
        for person in new_people {
            tx.create_participant(tenant, person).await?;
            changes.push(Change::of(Action::Create, &person.id, None, person, by));
        }
        for (person, assignment) in new_assignments {
            tx.create_assignment(tenant, person, assignment).await?;
        }
        for (person, session) in &sessions {
            tx.create_session(tenant, person, session).await?;
            changes.push(Change::of(Action::Create, &session.id, None, session, by));
        }
        tx.record_changes(tenant, &changes).await?;
        Ok(sessions.into_iter().map(|(_, session)| session).collect())
    }

    /// Finds the existing screeners, participants and assignments.
    async fn look_up(&mut self, tx: &mut Tx, plans: &[Plan]) -> Result<()> {
        let screeners: BTreeSet<_> = plans.iter().map(|plan| &plan.new.screener).collect();
        let screeners: Vec<_> = screeners.into_iter().collect();
        for (screener, tags) in tx.find_screeners(&self.tenant, &screeners).await? {
            let pinned = pin(&screener, tags)?;
            self.screeners.insert(screener.id, pinned);
        }
        let mut uids = BTreeSet::new();
        for (position, plan) in plans.iter().enumerate() {
            let NewSession { screener, participant } = &plan.new;
            match self.screeners.get(screener) {
                Some(Ok(_)) => {}
                Some(Err(refusal)) => self.refused.push((position, *refusal)),
                None => self.refused.push((position, NO_SCREENER)),
            }
            match participant {
                ParticipantName::Id(id) if self.named.contains_key(id) => {}
                ParticipantName::Id(_) => self.refused.push((position, NO_PARTICIPANT)),
                ParticipantName::ExternalUid(uid) => {
                    uids.insert(uid);
                }
            }
        }
        let uids: Vec<_> = uids.into_iter().collect();
        self.people = tx.find_participants(&self.tenant, &uids).await?;
        let people: BTreeSet<_> = self.named.keys().chain(self.people.values()).collect();
        let people: Vec<_> = people.into_iter().collect();
        for (assignment, has_completed) in tx.assignments_of(&self.tenant, &people).await? {
            let key = (assignment.participant.clone(), assignment.screener.clone());
            self.assigned.insert(key, (assignment, has_completed));
        }
        Ok(())
    }

    /// Plans participants for the unknown external uids.
    fn make_people(&mut self, plans: &[Plan]) {
        for plan in plans {
            let ParticipantName::ExternalUid(uid) = &plan.new.participant else { continue };
            if self.people.contains_key(uid) {
                continue;
            }
            self.people.insert(uid.clone(), plan.participant.clone());
            self.new_people.push(Participant {
                id: plan.participant.clone(),
                external_uid: Some(uid.clone()),
                name: None,
                email: None,
                id_verification: IdVerification::None,
            });
        }
    }

    /// Returns the session to create and its person, and plans a missing assignment.
    fn assign(&mut self, position: usize, plan: Plan) -> Option<(Person, Session)> {
        let Plan { new: NewSession { screener, participant }, session, slug, assignment, .. } =
            plan;
        let (field, person, participant) = match participant {
            ParticipantName::Id(id) => ("participant_id", self.named.get(&id)?.clone(), id),
            ParticipantName::ExternalUid(uid) => {
                let id = self.people.get(&uid)?.clone();
                ("external_uid", Person::Uid(uid), id)
            }
        };
        let Some(Ok(pinned)) = self.screeners.get(&screener) else { return None };
        let Pinned { publication, tags, after_completion } = pinned.clone();
        let key = (participant, screener.clone());
        let found = self.assigned.get(&key);
        if let (Some((_, true)), Err(denial)) = (found, after_completion) {
            self.refused.push((position, denied(field, denial)));
            return None;
        }
        if !self.refused.is_empty() {
            return None;
        }
        let id = if let Some((found, _)) = found {
            found.id.clone()
        } else {
            let participant = key.0.clone();
            let (id, screener, key_epoch) = (assignment.clone(), screener.clone(), 0);
            let new = Assignment { id, screener, participant, key_epoch };
            self.new_assignments.push((person.clone(), new.clone()));
            self.assigned.insert(key, (new, false));
            assignment
        };
        let session = Session {
            id: session,
            screener,
            assignment: id,
            publication,
            slug,
            link_trusted: true,
            status: SessionStatus::Active,
            progress: Progress::NotStarted,
            created: self.by.at,
            tags,
        };
        Some((person, session))
    }

    /// Fails if any request is refused, with the kind of the first and the violations of all.
    fn check(&mut self, path: fn(usize, &str) -> String) -> Result<()> {
        // Ordered by request, and within a request the screener before the participant.
        self.refused.sort_by_key(|(position, _)| *position);
        let Some((_, (kind, ..))) = self.refused.first() else { return Ok(()) };
        let named = self.refused.iter();
        let named = named.map(|(at, (_, field, reason))| Violation::new(path(*at, field), *reason));
        Err(Error::about(*kind, named.collect()))
    }
}
