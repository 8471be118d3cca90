//! Drafts, what becomes of them, and the lists of screeners and publications.

use screenerd::domain::content_hash::ContentHash;
use screenerd::domain::error::Result;
use screenerd::domain::id::{PublicationId, TenantId};
use screenerd::domain::publication::{Publication, PublicationHead};
use screenerd::domain::screener::{DraftHead, Screener, ScreenerStatus};
use screenerd::store::{Ledger, Store, Tx};

use super::nouns::write;
use crate::support::account::{
    Account, PUBLICATIONS, at, good, pagination, project, publication, publication_id, screener,
    screener_id,
};
use crate::support::backend::Database;

/// Another questionnaire of the first screener.
fn draft() -> Publication {
    let id = good(PublicationId::parse("pub_draft"));
    Publication { id, published: None, ..publication(&screener_id(0), 0) }
}

fn head(draft: &Publication) -> DraftHead {
    DraftHead { id: draft.id.clone(), hash: draft.content_hash() }
}

/// A tenant with one screener that has a draft, and one that has nothing.
async fn drafted(store: &Store) -> [TenantId; 2] {
    let tenant = Account::create(store, "acct_one", 1, 0).await.tenant;
    let key = tenant.clone();
    write!(store, |tx| tx.create_draft(&key, &draft()));
    let before = screener(&screener_id(0));
    let after = Screener { draft: Some(head(&draft())), ..before.clone() };
    let key = tenant.clone();
    assert!(write!(store, |tx| tx.update_screener(&key, &before, &after)));
    [tenant, Account::create(store, "acct_other", 0, 0).await.tenant]
}

async fn publish(tx: &mut Tx, tenant: &TenantId, draft: &Publication) -> Result<bool> {
    let mut ledger = Ledger::default();
    let done = tx.publish_draft(&mut ledger, tenant, draft, at(9)).await?;
    if done {
        ledger.flush(tx).await?;
    }
    Ok(done)
}

/// The draft and the publication of the draft's id, and the ids of all publications.
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
    let changed = Publication { tags: Vec::new(), ..draft() };
    for (key, what) in [(&other, draft()), (&tenant, changed)] {
        let key = key.clone();
        assert!(!write!(store, |tx| publish(tx, &key, &what)), "it is another's, or another");
    }
    for expected in [true, false] {
        let key = tenant.clone();
        assert_eq!(write!(store, |tx| publish(tx, &key, &draft())), expected);
    }
    let published = Publication { published: Some(at(9)), ..draft() };
    let after = [before, vec![draft().id.to_string()]].concat();
    assert_eq!(found(store, &tenant).await, (None, Some(published), after));
    let key = tenant.clone();
    let gone = write!(store, |tx| tx.delete_draft(&key, &draft().id, draft().content_hash()));
    assert!(!gone, "a publication is not deleted");
}

pub(super) async fn a_draft_is_deleted_whole_by_who_knows_its_digest(db: &mut Database) {
    let store = db.store();
    let [tenant, other] = drafted(store).await;
    let stale = Publication { tags: Vec::new(), ..draft() }.content_hash();
    let delete = async |key: &TenantId, hash: ContentHash| {
        let key = key.clone();
        write!(store, |tx| tx.delete_draft(&key, &draft().id, hash))
    };
    assert!(!delete(&other, draft().content_hash()).await);
    assert!(!delete(&tenant, stale).await);
    assert_eq!(found(store, &tenant).await.0, Some(draft()));
    assert!(delete(&tenant, draft().content_hash()).await);
    assert!(!delete(&tenant, draft().content_hash()).await);
    assert_eq!(found(store, &tenant).await.0, None);
    let key = tenant.clone();
    write!(store, |tx| tx.create_draft(&key, &draft()));
    assert_eq!(found(store, &tenant).await.0, Some(draft()), "nothing of the first one is left");
}

pub(super) async fn a_screener_yields_to_a_change_of_any_member(db: &mut Database) {
    let store = db.store();
    let [tenant, other] = drafted(store).await;
    let plain = screener(&screener_id(0));
    let stored = Screener { draft: Some(head(&draft())), ..plain.clone() };
    let active = Some(publication_id(&stored.id, 0));
    let another = DraftHead { id: good(PublicationId::parse("x")), ..head(&draft()) };
    for stale in [
        Screener { title: "Old".into(), ..stored.clone() },
        Screener { status: ScreenerStatus::Closed, ..stored.clone() },
        Screener { allow_multiple_responses: true, ..stored.clone() },
        Screener { active_publication: active, ..stored.clone() },
        Screener { active_publication: None, ..stored.clone() },
        Screener { draft: Some(another), ..stored.clone() },
        plain.clone(),
    ] {
        let (key, after) = (tenant.clone(), plain.clone());
        let context = format!("{stale:?}");
        assert!(!write!(store, |tx| tx.update_screener(&key, &stale, &after)), "{context}");
    }
    let (before, after) = (stored.clone(), plain.clone());
    assert!(!write!(store, |tx| tx.update_screener(&other, &before, &after)), "it is another's");
    let full = Screener {
        title: "New".into(),
        status: ScreenerStatus::Closed,
        allow_multiple_responses: true,
        active_publication: None,
        draft: None,
        ..stored.clone()
    };
    for (before, after) in [(stored.clone(), full.clone()), (full, stored)] {
        let (key, expected) = (tenant.clone(), after.clone());
        assert!(write!(store, |tx| tx.update_screener(&key, &before, &after)));
        let read = store.read(async |tx| tx.get_screener(&tenant, &expected.id).await).await;
        assert_eq!(read.expect("it is read"), Some(expected));
    }
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
    let work = async move |tx: &mut Tx| {
        let mut ledger = Ledger::default();
        for number in 1..=ROWS {
            tx.create_screener(&mut ledger, &key, &screener(&screener_id(number))).await?;
            tx.create_publication(&mut ledger, &key, &plain(number)).await?;
        }
        ledger.flush(tx).await
    };
    store.write(work).await.expect("the rows are stored");
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
