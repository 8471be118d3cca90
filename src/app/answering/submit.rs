//! Submitting answers: a submission is accepted as a whole or not at all.
//!
//! One write locks the screener and the person, so no concurrent call can close the screener,
//! remove the session or submit for the same person. Two tabs that submit concurrently run one
//! after the other: the first creates the session, and the second finds it. The write loads its
//! input in one or two statements before it stores anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::matched::{Matched, Unmatched};
use super::{Enrolment, Holder, by_holder, missing};
use crate::app::publication_cache::PublicationCache;
use crate::app::{ATTEMPTS_MAX, App, conflict};
use crate::domain::answering::{Receipt, Submit, Taken, answer_changes, earlier_answers, path};
use crate::domain::change::{Action, By, Change};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Kind, Result, Violations};
use crate::domain::id::{
    AssignmentId, ParticipantId, ProjectId, PublicationId, QuestionId, SessionId,
};
use crate::domain::idempotency_key::IDEMPOTENCY_KEY_KEPT_SECONDS;
use crate::domain::link::mint_slug;
use crate::domain::review::Review;
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::submission::NewSubmission;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::store::{self, Answering, Dropping, Locks, StoredAnswer, Tx, WriteTx};

/// Keys that one write deletes: few enough that other writes do not wait for it.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// A submission in progress, with the ids of the rows that may have to be created for it.
struct Submitting {
    holder: Arc<Holder>,
    submit: Arc<Submit>,
    by: By,
    minted: (ParticipantId, AssignmentId),
    session: SessionId,
    slug: String,
    publications: PublicationCache,
    matched: Option<Matched>,
}

/// The session to answer, whether it is new, and its standing.
struct Answered {
    before: Session,
    is_new: bool,
    standing: store::Standing,
    hash: Option<ContentHash>,
}

/// The result of an accepted submission.
struct Outcome {
    after: Session,
    taken: Taken,
    stored: Vec<StoredAnswer>,
    verdict: Verdict,
    furthest: usize,
    receipt: Receipt,
    dropping: Dropping,
}

impl App {
    /// Submits answers. Idempotent with an idempotency key: a retry returns the first receipt.
    pub async fn submit_answers(&self, holder: Holder, submit: Submit) -> Result<Receipt> {
        self.submit_matched(holder, submit, None).await
    }

    /// Submits answers whose texts the caller may have matched already.
    pub async fn submit_matched(
        &self,
        holder: Holder,
        submit: Submit,
        mut matched: Option<Matched>,
    ) -> Result<Receipt> {
        let by = by_holder(self.now());
        let minted =
            (ParticipantId::mint(by.at, self.entropy()), AssignmentId::mint(by.at, self.entropy()));
        let (session, slug) = (SessionId::mint(by.at, self.entropy()), mint_slug(self.entropy()));
        let (holder, submit) = (Arc::new(holder), Arc::new(submit));
        let mut publications = self.publications.clone();
        // A screener may be published again while texts are matched.
        for _ in 0..2 * ATTEMPTS_MAX {
            let submitting = Submitting {
                holder: Arc::clone(&holder),
                submit: Arc::clone(&submit),
                by: by.clone(),
                minted: minted.clone(),
                session: session.clone(),
                slug: slug.clone(),
                publications: publications.clone(),
                matched: matched.clone(),
            };
            let locks = holder.locks();
            let done = self.store.write(locks, async move |tx| submitting.run(tx).await).await;
            if let Some(unmatched) = done.as_ref().err().and_then(Unmatched::of) {
                let Unmatched { publication, hash } = unmatched;
                let found = self.match_texts(&holder.tenant, publication, *hash, &submit.answers);
                matched = Some(found.await?);
                continue;
            }
            if let Some(receipt) = self.done_or_loaded(done, &mut publications).await? {
                return Ok(receipt);
            }
        }
        Err(conflict())
    }

    /// Deletes expired idempotency keys, and returns how many.
    pub async fn forget_idempotency_keys(&self) -> Result<u64> {
        let before = self.now().as_micros() - IDEMPOTENCY_KEY_KEPT_SECONDS * 1_000_000;
        let before = Timestamp::from_micros(before);
        let mut forgotten = 0;
        loop {
            let now = self
                .store
                .write(Locks::housekeeping(), async move |tx| {
                    tx.forget_idempotency_keys(before, FORGOTTEN_AT_ONCE).await
                })
                .await?;
            forgotten += now;
            if now == 0 {
                return Ok(forgotten);
            }
        }
    }
}

impl Submitting {
    async fn run(self, tx: &mut WriteTx) -> Result<Receipt> {
        let Self { holder, submit, by, .. } = &self;
        let key = submit.idempotency_key.as_deref();
        let loaded = holder.load(tx, key).await?;
        if let Some(receipt) = self.find_repeat(&loaded)? {
            return Ok(receipt);
        }
        let publication = holder.judge(&loaded)??;
        let enrolment = Enrolment::of(holder, &loaded, self.minted.clone());
        let project = loaded.screener.project.clone();
        let answered = self.answered(&enrolment, loaded, publication)?;
        let outcome = self.take(tx, &answered).await?;
        let mut changes = Vec::new();
        enrolment.put(tx, holder, by, &mut changes).await?;
        if let Some(key) = key {
            let (digest, id) = (submit.digest(), &enrolment.assignment.id);
            let key = (key, &digest[..]);
            tx.create_idempotency_key(&holder.tenant, id, key, &outcome.receipt, by.at).await?;
        }
        self.record(&answered, &outcome, &mut changes);
        self.store(tx, &project, &answered, &outcome).await?;
        tx.record_changes(&holder.tenant, &changes).await?;
        Ok(outcome.receipt)
    }

    /// Returns the receipt of the first submission under this key.
    fn find_repeat(&self, loaded: &Answering) -> Result<Option<Receipt>> {
        let Some((digest, receipt)) = &loaded.kept else { return Ok(None) };
        if *digest != self.submit.digest() {
            let detail = "This request id belongs to another submission. Use a new one.";
            return Err(Error::new(Kind::Conflict, detail));
        }
        Ok(Some(receipt.clone()))
    }

    /// Returns the session to answer, and whether it has to be created.
    fn answered(
        &self,
        enrolment: &Enrolment,
        loaded: Answering,
        publication: PublicationId,
    ) -> Result<Answered> {
        let Answering { screener, session, publication: known, .. } = loaded;
        let (tags, hash) = known.ok_or_else(|| missing("publication"))?;
        if let Some((before, standing)) = session {
            return Ok(Answered { before, is_new: false, standing, hash });
        }
        let before = Session {
            id: self.session.clone(),
            screener: screener.id,
            assignment: enrolment.assignment.id.clone(),
            publication,
            slug: self.slug.clone(),
            link_trusted: true,
            status: SessionStatus::Active,
            progress: Progress::NotStarted,
            created: self.by.at,
            tags: tags.into(),
        };
        let standing = store::Standing::new(self.holder.person.clone(), enrolment.id_verification);
        Ok(Answered { before, is_new: true, standing, hash })
    }

    /// Validates the answers against the questionnaire, and returns the outcome.
    async fn take(&self, tx: &mut Tx, answered: &Answered) -> Result<Outcome> {
        let (tenant, before) = (&self.holder.tenant, &answered.before);
        let found = self.publications.get(tx, tenant, &before.publication, answered.hash).await?;
        let (publication, digest) = found.ok_or_else(|| missing("publication"))?;
        let seen = self.submit.publication.as_ref().filter(|_| !self.submit.is_empty());
        if seen.is_some_and(|seen| *seen != publication.id) {
            let detail = "The session has another version of the questionnaire. Load it again.";
            return Err(Error::new(Kind::Conflict, detail));
        }
        // A session starts with its first answers.
        let stored = match before.progress {
            Progress::NotStarted => Vec::new(),
            Progress::InProgress { .. } | Progress::Completed { .. } => {
                tx.stored_answers(tenant, &before.id).await?
            }
        };
        let known: Vec<_> =
            stored.iter().map(|it| (it.question.clone(), it.answer.clone())).collect();
        let mut violations = Violations::new();
        let misfits = self.matched.as_ref().and_then(|matched| matched.of(digest));
        let taken = self.submit.take(&publication, &known, misfits, &mut violations);
        let taken = taken.map_err(|_| Unmatched::error(&publication, digest))?;
        violations.finish()?;
        let mut answers: BTreeMap<_, _> = known.into_iter().collect();
        answers.retain(|question, _| !taken.dropped.contains(question));
        answers.extend(taken.added.iter().chain(&taken.replaced).cloned());
        let verdict = Verdict::with_hash(&publication, digest, &answers);
        let path = path(&publication, &answers).into_iter().map(|it| it.id.clone()).collect();
        let receipt = Receipt {
            session: before.id.clone(),
            count: self.submit.answers.len(),
            dropped: taken.dropped.clone(),
            path,
            is_final: self.submit.is_final,
        };
        let dropping = tx.find_dropping(tenant, before, &taken.dropped).await?;
        let furthest = publication.furthest(answers.keys());
        let progress = before.progress.submitted(self.by.at, self.submit.is_final);
        let after = Session { progress, ..before.clone() };
        Ok(Outcome { after, taken, stored, verdict, furthest, receipt, dropping })
    }

    /// Records the changes of the session and its submission.
    fn record(&self, answered: &Answered, outcome: &Outcome, changes: &mut Vec<Change>) {
        let Answered { before, is_new, .. } = answered;
        let (id, by) = (&before.id, &self.by);
        if *is_new {
            changes.push(Change::of(Action::Create, id, None, before, by));
        }
        let action = if self.submit.is_final { Action::Complete } else { Action::Answer };
        let mut change = Change::of(action, id, Some(before), &outcome.after, by);
        change.fields.extend(answer_changes(&outcome.taken));
        changes.push(change);
        if before.progress == Progress::NotStarted {
            changes.push(Change::of(Action::Create, id, None, &Review::default(), by));
        }
    }

    /// Stores the session, its submission and its answers.
    async fn store(
        &self,
        tx: &mut WriteTx,
        project: &ProjectId,
        Answered { before, is_new, standing, .. }: &Answered,
        outcome: &Outcome,
    ) -> Result<()> {
        let Outcome { after, taken, verdict, furthest, .. } = outcome;
        let (tenant, is_provisional) = (&self.holder.tenant, self.submit.is_provisional);
        if before.progress != Progress::NotStarted {
            let standing = standing.clone().answered(*furthest, verdict);
            let noted = standing.noted(after).ok_or_else(|| missing("submission"))?;
            tx.store_verdict(tenant, &after.id, verdict, noted).await?;
            tx.advance_session(tenant, after, &standing).await?;
            return self.replace(tx, outcome).await;
        }
        // The submission is created with the first answers.
        let (review, id_verification) = (&Review::default(), standing.id_verification());
        let new = NewSubmission { session: after, project, id_verification, review, verdict };
        let answers = (&taken.added[..], *furthest);
        if *is_new {
            let person = standing.person();
            return tx.create_answered_session(tenant, person, &new, answers, is_provisional).await;
        }
        let standing = standing.clone().begun(*furthest, &new);
        tx.advance_session(tenant, after, &standing).await?;
        tx.create_submission(tenant, &new).await?;
        tx.create_responses(tenant, after, &taken.added, is_provisional).await
    }

    /// Stores an outcome of which some answers were stored before.
    async fn replace(&self, tx: &mut WriteTx, outcome: &Outcome) -> Result<()> {
        let Outcome { after, taken, stored, dropping, .. } = outcome;
        let (tenant, is_provisional) = (&self.holder.tenant, self.submit.is_provisional);
        let is_saved = |it: &&StoredAnswer| it.is_provisional;
        let provisional: BTreeSet<_> =
            stored.iter().filter(is_saved).map(|it| it.question.clone()).collect();
        let known: Vec<_> =
            stored.iter().map(|it| (it.question.clone(), it.answer.clone())).collect();
        tx.drop_responses(tenant, after, dropping).await?;
        tx.create_responses(tenant, after, &taken.added, is_provisional).await?;
        tx.replace_responses(tenant, after, &taken.replaced, is_provisional).await?;
        let earlier = earlier_answers(taken, &known, &provisional);
        tx.create_earlier_responses(tenant, &after.id, (&earlier, self.by.at)).await?;
        if is_provisional {
            return Ok(());
        }
        // Replaced answers are confirmed by their replacement.
        let is_confirmed = |id: &&QuestionId| {
            self.submit.answers.contains_key(*id)
                && !taken.replaced.iter().any(|(replaced, _)| replaced == *id)
        };
        let confirmed: Vec<_> = provisional.iter().filter(is_confirmed).collect();
        tx.confirm_responses(tenant, &after.id, &confirmed).await
    }
}

impl Holder {
    /// Returns the receipt of the submission under an idempotency key.
    pub(in crate::app) async fn receipt(
        &self,
        tx: &mut Tx,
        idempotency_key: &str,
    ) -> Result<Option<Receipt>> {
        let Some((assignment, _)) = self.place(tx).await? else { return Ok(None) };
        let kept = tx.find_idempotency_key(&self.tenant, &assignment.id, idempotency_key).await?;
        Ok(kept.map(|(_, receipt)| receipt))
    }
}
