//! Drafts, their publication and deletion, and the lists of screeners and publications.

use screenerd::domain::id::{PublicationId, TenantId};
use screenerd::domain::publication::{Publication, PublicationHead};
use screenerd::domain::screener::{DraftHead, Screener, ScreenerStatus};
use screenerd::store::{Locks, Store, Tx, WriteTx};

use super::nouns::write;
use crate::support::account::{
    Account, PUBLICATIONS, at, good, pagination, project, publication, publication_id, screener,
    screener_id,
};
use crate::support::backend::Database;

/// Returns another questionnaire of the first screener.
fn draft() -> Publication {
    let id = good(PublicationId::parse("pub_draft"));
    Publication { id, published: None, ..publication(&screener_id(0), 0) }
}

fn head(draft: &Publication) -> DraftHead {
    DraftHead { id: draft.id.clone(), hash: draft.content_hash() }
}

/// Creates a tenant with one screener that has a draft, and an empty tenant.
async fn drafted(store: &Store) -> [TenantId; 2] {
    let tenant = Account::create(store, "acct_one", 1, 0).await.tenant;
    let key = tenant.clone();
    write!(store, |tx| tx.create_draft(&key, &draft()));
    let after = Screener { draft: Some(head(&draft())), ..screener(&screener_id(0)) };
    let key = tenant.clone();
    write!(store, |tx| tx.update_screener(&key, &after));
    [tenant, Account::create(store, "acct_other", 0, 0).await.tenant]
}

/// Publishes the draft of a tenant. Returns whether there was one.
async fn publish(store: &Store, tenant: &TenantId) -> bool {
    let key = tenant.clone();
    let published = store
        .write(Locks::import(), async move |tx| tx.publish_draft(&key, &draft(), at(9)).await)
        .await;
    published.is_ok()
}

/// Returns the draft and the publication with the draft's id, and the ids of all publications.
async fn found(
    store: &Store,
    tenant: &TenantId,
) -> (Option<Publication>, Option<Publication>, Vec<String>) {
    let id = draft().id;
    let read = async |tx: &mut Tx| {
        let page = tx.list_publications(tenant, &screener_id(0), pagination(500, 0)).await?;
        assert_eq!(usize::try_from(page.total), Ok(page.items.len()));
        let ids = page.items.iter().map(|it| it.id.to_string()).collect();
        Ok((tx.get_draft(tenant, &id).await?, tx.get_publication(tenant, &id).await?, ids))
    };
    store.read(read).await.expect("it is read")
}

pub(super) async fn a_draft_is_no_publication_until_it_is_published(db: &mut Database) {
    let store = db.store();
    let [tenant, other] = drafted(store).await;
    let stored = store.read(async |tx| tx.get_screener(&tenant, &screener_id(0)).await).await;
    let stored = stored.expect("it is read").expect("it is there");
    assert_eq!(stored.draft, Some(head(&draft())));
    let before: Vec<_> =
        (0..PUBLICATIONS).map(|it| publication_id(&screener_id(0), it).to_string()).collect();
    assert_eq!(found(store, &tenant).await, (Some(draft()), None, before.clone()));
    assert_eq!(found(store, &other).await, (None, None, vec![]));
    assert!(!publish(store, &other).await, "it is another's");
    assert!(publish(store, &tenant).await);
    assert!(!publish(store, &tenant).await, "it is published once");
    let published = Publication { published: Some(at(9)), ..draft() };
    let after = [before, vec![draft().id.to_string()]].concat();
    assert_eq!(found(store, &tenant).await, (None, Some(published), after));
    assert!(!delete(store, &tenant).await, "a publication is not deleted");
}

/// Deletes the draft of a tenant. Returns whether there was one.
async fn delete(store: &Store, tenant: &TenantId) -> bool {
    let key = tenant.clone();
    let deleted = store
        .write(Locks::import(), async move |tx| {
            tx.delete_draft(&key, &screener_id(0), &draft().id).await
        })
        .await;
    deleted.is_ok()
}

pub(super) async fn a_draft_is_deleted_whole(db: &mut Database) {
    let store = db.store();
    let [tenant, other] = drafted(store).await;
    assert!(!delete(store, &other).await);
    assert_eq!(found(store, &tenant).await.0, Some(draft()));
    assert!(delete(store, &tenant).await);
    assert!(!delete(store, &tenant).await);
    assert_eq!(found(store, &tenant).await.0, None);
    let key = tenant.clone();
    write!(store, |tx| tx.create_draft(&key, &draft()));
    assert_eq!(found(store, &tenant).await.0, Some(draft()), "nothing of the first one is left");
}

pub(super) async fn every_member_of_a_screener_is_changed(db: &mut Database) {
    let store = db.store();
    let [tenant, other] = drafted(store).await;
    let stored = Screener { draft: Some(head(&draft())), ..screener(&screener_id(0)) };
    let full = Screener {
        title: "New".into(),
        status: ScreenerStatus::Closed,
        allow_multiple_responses: true,
        active_publication: None,
        draft: None,
        ..stored.clone()
    };
    for after in [full, stored.clone()] {
        let (key, expected) = (tenant.clone(), after.clone());
        write!(store, |tx| tx.update_screener(&key, &after));
        let read = store.read(async |tx| tx.get_screener(&tenant, &expected.id).await).await;
        assert_eq!(read.expect("it is read"), Some(expected));
    }
    let changed = store
        .write(Locks::import(), async move |tx| tx.update_screener(&other, &stored).await)
        .await;
    changed.expect_err("it is another's");
}

pub(super) async fn screeners_and_publications_are_paged_across_blocks(db: &mut Database) {
    // More than two blocks of the list's marks.
    const ROWS: usize = 300;
    let store = db.store();
    let tenant = Account::create(store, "acct_one", 1, 0).await.tenant;
    let key = tenant.clone();
    let plain = |number| Publication {
        id: good(PublicationId::parse(&format!("p{number}"))),
        questions: Vec::new(),
        ..publication(&screener_id(0), 1)
    };
    let work = async move |tx: &mut WriteTx| {
        for number in 1..=ROWS {
            tx.create_screener(&key, &screener(&screener_id(number))).await?;
            tx.create_publication(&key, &plain(number)).await?;
        }
        Ok(())
    };
    store.write(Locks::import(), work).await.expect("the rows are stored");
    let project = project().id;
    for offset in [0, 1, 126, 127, 128, 129, 255, 256, 298, 299, 300, 301, 302, 303, 400] {
        for limit in [1, 3, 129] {
            let page = pagination(limit, offset);
            let begin = usize::try_from(offset).expect("small");
            let end = begin + usize::try_from(limit).expect("small");
            let read = async |tx: &mut Tx| {
                let of_project = tx.list_screeners(&tenant, Some(&project), page).await?;
                let all = tx.list_screeners(&tenant, None, page).await?;
                let listed = tx.list_publications(&tenant, &screener_id(0), page).await?;
                Ok((of_project, all, listed))
            };
            let (of_project, all, listed) = store.read(read).await.expect("it is read");
            assert_eq!((of_project.total, listed.total), (301, 302));
            assert_eq!(of_project, all, "there is one project only");
            let expected: Vec<_> = (begin..end.min(ROWS + 1)).map(screener_id).collect();
            let ids: Vec<_> = of_project.items.iter().map(|it| it.id.clone()).collect();
            assert_eq!(ids, expected, "{limit} {offset}");
            let head = |it: Publication| PublicationHead {
                hash: Some(it.content_hash()),
                id: it.id,
                screener: it.screener,
                published: it.published,
            };
            let expected = (begin..end.min(ROWS + PUBLICATIONS)).map(|place| {
                head(match place.checked_sub(PUBLICATIONS) {
                    None => publication(&screener_id(0), place),
                    Some(number) => plain(number + 1),
                })
            });
            assert_eq!(listed.items, expected.collect::<Vec<_>>(), "{limit} {offset}");
        }
    }
}
