//! Submitting answers: all of a submission is taken, or nothing.
//!
//! One transaction holds the screener and the participant, so that neither is closed, removed or
//! answered by somebody else meanwhile. Two tabs that submit at once are one after the other: the
//! first makes the session, the second finds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::matched::{Matched, Unmatched};
use super::{Holder, Standing, by_holder, missing};
use crate::app::publication_cache::PublicationCache;
use crate::app::{ATTEMPTS_MAX, App, conflict};
use crate::domain::answer::Answer;
use crate::domain::answering::{Receipt, Submit, Taken, answer_changes, earlier_answers, path};
use crate::domain::change::{Action, By, Change, FieldChange};
use crate::domain::error::{Error, Kind, Result, Violations};
use crate::domain::id::{AssignmentId, ParticipantId, ProjectId, QuestionId, SessionId};
use crate::domain::idempotency_key::IDEMPOTENCY_KEY_KEPT_SECONDS;
use crate::domain::link::mint_slug;
use crate::domain::participant::Assignment;
use crate::domain::review::Review;
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::submission::NewSubmission;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::store::{Ledger, Tx};

/// Keys that are forgotten in one write: few enough that nobody waits for it.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// A submission on its way, with the ids of whatever may have to be made for it.
struct Submitting {
    holder: Arc<Holder>,
    submit: Arc<Submit>,
    by: By,
    minted: (ParticipantId, AssignmentId),
    session: SessionId,
    slug: String,
    ledger: Ledger,
    changes: Vec<Change>,
    publications: PublicationCache,
    matched: Option<Matched>,
}

impl App {
    /// Takes answers. With an idempotency key, a repeat is answered as the first was and changes nothing.
    pub async fn submit_answers(&self, holder: Holder, submit: Submit) -> Result<Receipt> {
        self.submit_matched(holder, submit, None).await
    }

    /// The same for whoever has matched the texts already.
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
            let mut submitting = Submitting {
                holder: Arc::clone(&holder),
                submit: Arc::clone(&submit),
                by: by.clone(),
                minted: minted.clone(),
                session: session.clone(),
                slug: slug.clone(),
                ledger: Ledger::default(),
                changes: Vec::new(),
                publications: publications.clone(),
                matched: matched.clone(),
            };
            let done = self.store.write(async move |tx| submitting.run(tx).await).await;
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

    /// Forgets the idempotency keys that were kept long enough, and says how many those were.
    pub async fn forget_idempotency_keys(&self) -> Result<u64> {
        let before = self.now().as_micros() - IDEMPOTENCY_KEY_KEPT_SECONDS * 1_000_000;
        let before = Timestamp::from_micros(before);
        let mut forgotten = 0;
        loop {
            let now = self
                .store
                .write(async move |tx| tx.forget_idempotency_keys(before, FORGOTTEN_AT_ONCE).await)
                .await?;
            forgotten += now;
            if now == 0 {
                return Ok(forgotten);
            }
        }
    }
}

impl Submitting {
    async fn run(&mut self, tx: &mut Tx) -> Result<Receipt> {
        let tenant = self.holder.tenant.clone();
        tx.lock_screener(&tenant, &self.holder.screener).await?;
        let minted = self.minted.clone();
        let (assignment, session) =
            self.holder.enrol(tx, &mut self.ledger, minted, &self.by, &mut self.changes).await?;
        if let Some(receipt) = self.find_repeat(tx, &assignment).await? {
            return Ok(receipt);
        }
        let standing = self.holder.stand_at(tx, Some(&assignment), session).await??;
        let project = standing.screener.project.clone();
        let session = self.session(tx, &assignment, standing).await?;
        let (receipt, session) = self.take(tx, (&assignment, &project), session).await?;
        if let Some(key) = &self.submit.idempotency_key {
            let digest = self.submit.digest();
            let key = (key.as_str(), &digest[..]);
            tx.create_idempotency_key(&tenant, &assignment.id, key, &receipt, self.by.at).await?;
        }
        for change in &self.changes {
            tx.append_change(&mut self.ledger, &tenant, change).await?;
        }
        if !tx.advance_session(&mut self.ledger, &tenant, &session).await? {
            return Err(conflict());
        }
        self.ledger.flush(tx).await?;
        Ok(receipt)
    }

    /// What the first submission under this key was told.
    async fn find_repeat(&self, tx: &mut Tx, assignment: &Assignment) -> Result<Option<Receipt>> {
        let Some(key) = &self.submit.idempotency_key else { return Ok(None) };
        let tenant = &self.holder.tenant;
        let kept = tx.find_idempotency_key(tenant, &assignment.id, key).await?;
        let Some((digest, receipt)) = kept else { return Ok(None) };
        if digest != self.submit.digest() {
            let detail = "Another submission was sent under this request id; use a new one.";
            return Err(Error::new(Kind::Conflict, detail));
        }
        Ok(Some(receipt))
    }

    /// The session that is answered, and whether it has to be made.
    async fn session(
        &self,
        tx: &mut Tx,
        assignment: &Assignment,
        standing: Standing,
    ) -> Result<(Session, bool)> {
        let Standing { screener, session, publication } = standing;
        if let Some(session) = session {
            return Ok((session, false));
        }
        let tags = tx.publication_tags(&self.holder.tenant, &publication).await?;
        let session = Session {
            id: self.session.clone(),
            screener: screener.id,
            assignment: assignment.id.clone(),
            publication,
            slug: self.slug.clone(),
            link_trusted: true,
            status: SessionStatus::Active,
            progress: Progress::NotStarted,
            created: self.by.at,
            tags: tags.ok_or_else(|| missing("publication"))?.into(),
        };
        Ok((session, true))
    }

    /// Holds the answers against the questionnaire, and stores what becomes of them and of the
    /// session.
    async fn take(
        &mut self,
        tx: &mut Tx,
        (assignment, project): (&Assignment, &ProjectId),
        (before, is_new): (Session, bool),
    ) -> Result<(Receipt, Session)> {
        let tenant = self.holder.tenant.clone();
        let publication = self.publications.get(tx, &tenant, &before.publication).await?;
        let (publication, digest) = publication.ok_or_else(|| missing("publication"))?;
        let seen = self.submit.publication.as_ref().filter(|_| !self.submit.is_empty());
        if seen.is_some_and(|seen| *seen != publication.id) {
            let detail = "Another version of the questionnaire is answered here; load it again.";
            return Err(Error::new(Kind::Conflict, detail));
        }
        // The first answers are what starts a session.
        let stored = match before.progress {
            Progress::NotStarted => Vec::new(),
            Progress::InProgress { .. } | Progress::Completed { .. } => {
                tx.session_answers(&tenant, &before.id).await?
            }
        };
        let mut violations = Violations::new();
        let misfits = self.matched.as_ref().and_then(|matched| matched.of(digest));
        let taken = self.submit.take(&publication, &stored, misfits, &mut violations);
        let taken = taken.map_err(|_| Unmatched::error(&publication, digest))?;
        violations.finish()?;
        let after = self.advance(tx, &before, is_new, answer_changes(&taken)).await?;
        let mut answers: BTreeMap<_, _> = stored.iter().cloned().collect();
        answers.retain(|question, _| !taken.dropped.contains(question));
        answers.extend(taken.added.iter().chain(&taken.replaced).cloned());
        let verdict = Verdict::with_hash(&publication, digest, &answers);
        if before.progress == Progress::NotStarted {
            self.begin(tx, assignment, project, &after, &verdict).await?;
        } else {
            tx.store_verdict(&tenant, &after.id, &verdict).await?;
        }
        self.store(tx, &after, &taken, &stored).await?;
        let path = path(&publication, &answers).into_iter().map(|it| it.id.clone()).collect();
        let receipt = Receipt {
            session: after.id.clone(),
            count: self.submit.answers.len(),
            dropped: taken.dropped,
            path,
            is_final: self.submit.is_final,
        };
        Ok((receipt, after))
    }

    /// The session with its instants moved on; it is made first, if it has to be.
    async fn advance(
        &mut self,
        tx: &mut Tx,
        before: &Session,
        is_new: bool,
        answers: Vec<FieldChange>,
    ) -> Result<Session> {
        let tenant = &self.holder.tenant;
        let is_final = self.submit.is_final;
        let progress = before.progress.submitted(self.by.at, is_final);
        let after = Session { progress, ..before.clone() };
        if is_new {
            tx.create_session(&mut self.ledger, tenant, before).await?;
            let change = Change::of(Action::Create, &before.id, None, before, &self.by);
            self.changes.push(change);
        }
        let action = if is_final { Action::Complete } else { Action::Answer };
        let mut change = Change::of(action, &after.id, Some(before), &after, &self.by);
        change.fields.extend(answers);
        self.changes.push(change);
        Ok(after)
    }

    /// Adds the submission, which exists from the first answers on.
    async fn begin(
        &mut self,
        tx: &mut Tx,
        assignment: &Assignment,
        project: &ProjectId,
        session: &Session,
        verdict: &Verdict,
    ) -> Result<()> {
        let tenant = &self.holder.tenant;
        let participant = tx.get_participant(tenant, &assignment.participant).await?;
        let id_verification = participant.ok_or_else(|| missing("participant"))?.id_verification;
        let review = &Review::default();
        let new = NewSubmission { session, project, id_verification, review, verdict };
        tx.create_submission(&mut self.ledger, tenant, &new).await?;
        self.changes.push(Change::of(Action::Create, &session.id, None, review, &self.by));
        Ok(())
    }

    /// Stores what becomes of the answers, and those that are taken away.
    async fn store(
        &mut self,
        tx: &mut Tx,
        session: &Session,
        taken: &Taken,
        stored: &[(QuestionId, Answer)],
    ) -> Result<()> {
        let (tenant, ledger) = (&self.holder.tenant, &mut self.ledger);
        let Taken { added, replaced, dropped } = taken;
        let provisional = match stored {
            [] => BTreeSet::new(),
            [..] => tx.provisional_questions(tenant, &session.id).await?,
        };
        if !dropped.is_empty() {
            tx.drop_responses(ledger, tenant, session, dropped).await?;
        }
        tx.create_responses(ledger, tenant, session, added).await?;
        tx.replace_responses(tenant, session, replaced).await?;
        let earlier = earlier_answers(taken, stored, &provisional);
        tx.create_earlier_responses(ledger, tenant, &session.id, (&earlier, self.by.at)).await?;
        let Submit { answers, is_provisional, .. } = &*self.submit;
        let marked: Vec<_> = if *is_provisional {
            added.iter().chain(replaced).map(|(id, _)| id).collect()
        } else {
            provisional.iter().filter(|id| answers.contains_key(*id)).collect()
        };
        tx.mark_provisional(tenant, &session.id, (&marked, *is_provisional)).await
    }
}

impl Holder {
    /// What was answered to a submission under an idempotency key.
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
