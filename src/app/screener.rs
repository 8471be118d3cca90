//! Screeners, their drafts and their publications.
//!
//! A change of a screener locks it alone, so the state that was checked, its draft included, is
//! still current when the change is written.

use super::{App, Caller, ReadScreeners, WriteScreeners};
use crate::budget::Held;
use crate::domain::change::{Action, By, Change};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Kind, Result, Violation};
use crate::domain::id::{ProjectId, PublicationId, ScreenerId, TenantId};
use crate::domain::list::{Page, Pagination};
use crate::domain::publication::{Publication, PublicationHead, Questionnaire};
use crate::domain::screener::{DraftHead, Screener, ScreenerStatus, ScreenerUpdate};
use crate::store::{Length, Locks, Tx, WriteTx};

/// The properties of a new screener.
#[derive(Clone, Debug, PartialEq)]
pub struct NewScreener {
    /// Its id. Minted if absent.
    pub id: Option<ScreenerId>,
    /// The project that owns it.
    pub project: ProjectId,
    /// Its title.
    pub title: String,
    /// Whether a panelist may answer again after completing a session.
    pub allow_multiple_responses: bool,
    /// The questionnaire of its first draft, if there is one.
    pub draft: Option<Questionnaire>,
}

/// A screener with the questionnaire of its draft.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenerView {
    /// The screener.
    pub screener: Screener,
    /// The questionnaire of its draft, if it has one.
    pub draft: Option<Questionnaire>,
}

fn absent() -> Error {
    Error::not_found("screener")
}

/// Returns a screener with the questionnaire of its draft.
async fn view(tx: &mut Tx, tenant: &TenantId, screener: Screener) -> Result<ScreenerView> {
    let mut draft = None;
    if let Some(head) = &screener.draft {
        let Publication { tags, wording, questions, .. } = get_draft(tx, tenant, head).await?;
        draft = Some(Questionnaire { tags, wording, questions });
    }
    Ok(ScreenerView { screener, draft })
}

async fn get_draft(tx: &mut Tx, tenant: &TenantId, head: &DraftHead) -> Result<Publication> {
    let draft = tx.get_draft(tenant, &head.id).await?;
    draft.ok_or_else(|| Error::internal("a screener without its draft"))
}

/// A call that changes a screener.
struct Work {
    tenant: TenantId,
    by: By,
}

impl Work {
    /// Returns the locks of a change: no other call may change the screener or rely on it.
    fn locks(&self, id: &ScreenerId) -> Locks {
        Locks::of(&self.tenant).screener_alone(id)
    }

    /// Returns the current screener.
    async fn get(&self, tx: &mut Tx, id: &ScreenerId) -> Result<Screener> {
        tx.get_screener(&self.tenant, id).await?.ok_or_else(absent)
    }

    /// Stores a changed screener and its drafts, and records the change. Without a change, it is a
    /// no-op.
    async fn store(
        &self,
        tx: &mut WriteTx,
        (before, after): (&Screener, &Screener),
        draft: Option<Questionnaire>,
        action: Action,
    ) -> Result<()> {
        if before == after {
            return Ok(());
        }
        // The old draft is published if it becomes the active publication, and deleted otherwise.
        let old = before.draft.as_ref().filter(|_| before.draft != after.draft);
        let published = old.filter(|old| after.active_publication.as_ref() == Some(&old.id));
        if let Some(head) = published {
            let draft = get_draft(tx, &self.tenant, head).await?;
            tx.publish_draft(&self.tenant, &draft, self.by.at).await?;
        } else if let Some(old) = old {
            tx.delete_draft(&self.tenant, &before.id, &old.id).await?;
        }
        tx.update_screener(&self.tenant, after).await?;
        if before.draft != after.draft {
            self.write_draft(tx, after, draft).await?;
        }
        let change = Change::of(action, &after.id, Some(before), after, &self.by);
        tx.record_change(&self.tenant, &change).await
    }

    /// Writes the questionnaire of a screener's draft.
    async fn write_draft(
        &self,
        tx: &mut WriteTx,
        screener: &Screener,
        draft: Option<Questionnaire>,
    ) -> Result<()> {
        let Some((head, Questionnaire { tags, wording, questions })) =
            screener.draft.clone().zip(draft)
        else {
            return Ok(());
        };
        let (id, screener) = (head.id, screener.id.clone());
        let draft = Publication { id, screener, tags, wording, questions, published: None };
        tx.create_draft(&self.tenant, &draft).await
    }
}

impl App {
    fn work(&self, caller: &Caller<WriteScreeners>) -> Work {
        Work { tenant: caller.tenant().clone(), by: self.by(caller) }
    }

    fn head(&self, draft: &Questionnaire) -> DraftHead {
        let id = PublicationId::mint(self.now(), self.entropy());
        DraftHead { id, hash: draft.content_hash() }
    }

    /// Creates a screener, which is not open yet.
    pub async fn create_screener(
        &self,
        caller: &Caller<WriteScreeners>,
        new: NewScreener,
    ) -> Result<ScreenerView> {
        let work = self.work(caller);
        let NewScreener { id, project, title, allow_multiple_responses, draft } = new;
        let screener = Screener {
            id: id.unwrap_or_else(|| ScreenerId::mint(work.by.at, self.entropy())),
            project,
            title,
            status: ScreenerStatus::Draft,
            allow_multiple_responses,
            active_publication: None,
            draft: draft.as_ref().map(|draft| self.head(draft)),
        };
        self.store
            .write(work.locks(&screener.id), async move |tx| {
                if tx.get_project(&work.tenant, &screener.project).await?.is_none() {
                    let named = Violation::new("project_id", "No such project.");
                    return Err(Error::about(Kind::NotFound, vec![named]));
                }
                if tx.get_screener(&work.tenant, &screener.id).await?.is_some() {
                    return Err(Error::taken("id", "Must be unique. A screener has this id."));
                }
                tx.create_screener(&work.tenant, &screener).await?;
                work.write_draft(tx, &screener, draft.clone()).await?;
                let change = Change::of(Action::Create, &screener.id, None, &screener, &work.by);
                tx.record_change(&work.tenant, &change).await?;
                Ok(ScreenerView { screener, draft })
            })
            .await
    }

    /// Returns a screener.
    pub async fn get_screener(
        &self,
        caller: &Caller<ReadScreeners>,
        id: &ScreenerId,
    ) -> Result<ScreenerView> {
        let tenant = caller.tenant();
        self.store
            .read(async |tx| {
                let screener = tx.get_screener(tenant, id).await?.ok_or_else(absent)?;
                view(tx, tenant, screener).await
            })
            .await
    }

    /// Returns a page of the screeners of the tenant, or of one project.
    pub async fn list_screeners(
        &self,
        caller: &Caller<ReadScreeners>,
        project: Option<&ProjectId>,
        pagination: Pagination,
    ) -> Result<Held<Page<Screener>>> {
        let project = project.cloned();
        self.page(caller, pagination, Length::of(pagination), async move |tx, tenant, paging| {
            tx.list_screeners(tenant, project.as_ref(), paging).await
        })
        .await
    }

    /// Changes the fields that the update names.
    pub async fn update_screener(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ScreenerId,
        update: ScreenerUpdate,
    ) -> Result<ScreenerView> {
        let next = move |before: &Screener| Ok(before.updated(&update));
        self.change_screener(caller, id, Action::Update, next).await
    }

    /// Closes a screener, which then accepts no answers.
    pub async fn close_screener(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ScreenerId,
    ) -> Result<ScreenerView> {
        self.change_screener(caller, id, Action::Close, Screener::closed).await
    }

    /// Reopens a closed screener.
    pub async fn reopen_screener(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ScreenerId,
    ) -> Result<ScreenerView> {
        self.change_screener(caller, id, Action::Reopen, Screener::reopened).await
    }

    /// Discards the draft, if it is the expected one.
    pub async fn discard_draft(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ScreenerId,
        expected: Option<ContentHash>,
    ) -> Result<ScreenerView> {
        let next = move |before: &Screener| before.discarded(expected);
        self.change_screener(caller, id, Action::Update, next).await
    }

    async fn change_screener(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ScreenerId,
        action: Action,
        next: impl Fn(&Screener) -> Result<Screener> + Send + 'static,
    ) -> Result<ScreenerView> {
        let work = self.work(caller);
        self.store
            .write(work.locks(&id), async move |tx| {
                let before = work.get(tx, &id).await?;
                let after = next(&before)?;
                let view = view(tx, &work.tenant, after.clone()).await?;
                work.store(tx, (&before, &after), None, action).await?;
                Ok(view)
            })
            .await
    }

    /// Replaces the draft, if it is the expected one. An equal draft is a no-op.
    pub async fn update_draft(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ScreenerId,
        draft: Questionnaire,
        expected: Option<ContentHash>,
    ) -> Result<ScreenerView> {
        let work = self.work(caller);
        let head = self.head(&draft);
        self.store
            .write(work.locks(&id), async move |tx| {
                let before = work.get(tx, &id).await?;
                let after = before.drafted(head, expected)?;
                work.store(tx, (&before, &after), Some(draft.clone()), Action::Update).await?;
                Ok(ScreenerView { screener: after, draft: Some(draft) })
            })
            .await
    }

    /// Publishes the draft, and returns the screener with its active publication.
    pub async fn publish_screener(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ScreenerId,
        expected: Option<ContentHash>,
    ) -> Result<(Screener, PublicationHead)> {
        let work = self.work(caller);
        self.store
            .write(work.locks(&id), async move |tx| {
                let before = work.get(tx, &id).await?;
                let active = active_of(tx, &work.tenant, &before).await?;
                let known = active.as_ref().and_then(|head| head.hash);
                let after = before.published(expected, known)?;
                work.store(tx, (&before, &after), None, Action::Publish).await?;
                let published = before.draft.filter(|_| after.draft.is_none());
                let published = published.map(|DraftHead { id, hash }| PublicationHead {
                    id,
                    screener: after.id.clone(),
                    hash: Some(hash),
                    published: Some(work.by.at),
                });
                let active = published.or(active);
                let active = active.ok_or_else(|| Error::internal("nothing was published"))?;
                Ok((after, active))
            })
            .await
    }

    /// Returns a publication.
    pub async fn get_publication(
        &self,
        caller: &Caller<ReadScreeners>,
        id: &PublicationId,
    ) -> Result<Publication> {
        let tenant = caller.tenant();
        let publication = self.store.read(async |tx| tx.get_publication(tenant, id).await).await?;
        publication.ok_or_else(|| Error::not_found("publication"))
    }

    /// Returns a page of a screener's publications.
    pub async fn list_publications(
        &self,
        caller: &Caller<ReadScreeners>,
        screener: &ScreenerId,
        pagination: Pagination,
    ) -> Result<Held<Page<PublicationHead>>> {
        let screener = screener.clone();
        self.page(caller, pagination, Length::of(pagination), async move |tx, tenant, paging| {
            tx.get_screener(tenant, &screener).await?.ok_or_else(absent)?;
            tx.list_publications(tenant, &screener, paging).await
        })
        .await
    }
}

/// Returns the publication that new sessions of a screener are pinned to.
async fn active_of(
    tx: &mut Tx,
    tenant: &TenantId,
    screener: &Screener,
) -> Result<Option<PublicationHead>> {
    match &screener.active_publication {
        Some(id) => tx.publication_head(tenant, id).await,
        None => Ok(None),
    }
}
