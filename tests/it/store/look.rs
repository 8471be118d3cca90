//! Looks and their logos.

use futures_util::future::join_all;
use screenerd::domain::error::Kind;
use screenerd::domain::id::TenantId;
use screenerd::domain::look::{Accent, Logo, Look};
use screenerd::store::{Locks, Store};

use super::nouns::write;
use crate::support::account::{Account, good};
use crate::support::backend::Database;

pub(super) fn logo(last: u8) -> Logo {
    good(Logo::parse([b"\x89PNG\r\n\x1a\n".as_slice(), &[0, last]].concat()))
}

pub(super) fn look(name: &str, logo: Option<&Logo>) -> Look {
    Look {
        display_name: Some(name.into()),
        logo: logo.map(Logo::hash),
        accent: Some(good(Accent::parse("#0b6157"))),
        privacy_text: None,
        privacy_url: Some("https://example.com".into()),
    }
}

pub(super) async fn whoever_holds_a_tenant_changes_its_looks_alone(db: &mut Database) {
    const CALLERS: usize = 64;
    let store = db.store();
    let tenant = Account::create(store, "acct_one", 0, 1).await.tenant;
    let named = Look::default();
    let owner = tenant.clone();
    write!(store, |tx| tx.set_look(&owner, None, &named));
    // Each caller sets a logo of its own and drops the unused ones, like the use case.
    let changes = (0..CALLERS).map(|number| {
        let owner = tenant.clone();
        let logo = logo(u8::try_from(number).expect("it is small"));
        store.write(Locks::alone(&tenant), async move |tx| {
            let before = tx.get_look(&owner, None).await?.expect("it is there");
            let name = before.display_name.unwrap_or_default() + "x";
            tx.create_logo(&owner, &logo).await?;
            tx.set_look(&owner, None, &look(&name, Some(&logo))).await?;
            tx.drop_unused_logos(&owner).await
        })
    });
    for outcome in join_all(changes).await {
        outcome.expect("each is changed");
    }
    let stored = store.read(async |tx| tx.get_look(&tenant, None).await).await;
    let stored = stored.expect("the look is read").expect("it is there");
    assert_eq!(stored.display_name.as_deref(), Some("x".repeat(CALLERS).as_str()));
    let mut shown = Vec::new();
    for number in 0..CALLERS {
        let logo = logo(u8::try_from(number).expect("it is small"));
        let [own, _] = found(store, &tenant, &logo).await;
        shown.extend(own.map(|logo| logo.hash()));
    }
    assert_eq!(Some(shown), stored.logo.map(|logo| vec![logo]), "one logo is left, the last one's");
}

async fn found(store: &Store, tenant: &TenantId, logo: &Logo) -> [Option<Logo>; 2] {
    let hash = logo.hash();
    store
        .read(async |tx| Ok([tx.get_logo(tenant, hash).await?, tx.find_logo(hash).await?]))
        .await
        .expect("the logo is read")
}

pub(super) async fn a_look_is_its_tenants_and_its_logo_stays_as_long_as_it_is_shown(
    db: &mut Database,
) {
    let store = db.store();
    let one = Account::create(store, "acct_one", 1, 1).await;
    let two = Account::create(store, "acct_two", 1, 1).await.tenant;
    let (screener, one) = (one.screeners[0].clone(), one.tenant);
    let (first, second) = (logo(1), logo(2));
    let looks = [
        (None, look("One", Some(&first))),
        (Some(screener.clone()), look("Its own", Some(&second))),
    ];
    for (screener, look) in looks.clone() {
        let (tenant, first, second) = (one.clone(), first.clone(), second.clone());
        store
            .write(Locks::import(), async move |tx| {
                tx.create_logo(&tenant, &first).await?;
                tx.create_logo(&tenant, &second).await?;
                tx.set_look(&tenant, screener.as_ref(), &look).await
            })
            .await
            .expect("a look is set");
    }
    for (screener, look) in &looks {
        let (own, others) = store
            .read(async |tx| {
                let own = tx.get_look(&one, screener.as_ref()).await?;
                Ok((own, tx.get_look(&two, screener.as_ref()).await?))
            })
            .await
            .expect("looks are read");
        assert_eq!((own.as_ref(), others), (Some(look), None));
    }
    assert_eq!(found(store, &two, &first).await, [None, Some(first.clone())]);
    // The screener uses the tenant's logo from now on, so its own is unused.
    let (tenant, shared) = (one.clone(), look("Its own", Some(&first)));
    write!(store, |tx| tx.set_look(&tenant, Some(&screener), &shared));
    let tenant = one.clone();
    write!(store, |tx| tx.drop_unused_logos(&tenant));
    assert_eq!(found(store, &one, &second).await, [None, None]);
    assert_eq!(found(store, &one, &first).await, [Some(first.clone()), Some(first)]);
}

pub(super) async fn a_look_that_cannot_be_one_is_corrupt(db: &mut Database) {
    let tenant = Account::create(db.store(), "acct_one", 1, 1).await.tenant;
    let (owner, logo) = (tenant.clone(), logo(1));
    let look = look("One", Some(&logo));
    let hash = logo.hash();
    db.store()
        .write(Locks::import(), async move |tx| {
            tx.create_logo(&owner, &logo).await?;
            tx.set_look(&owner, None, &look).await
        })
        .await
        .expect("a look is set");
    db.edit("UPDATE looks SET accent_color = 'red'").await;
    let read = db.store().read(async |tx| tx.get_look(&tenant, None).await).await;
    let error = read.expect_err("red is no colour here");
    assert_eq!(error.kind(), Kind::Internal);
    let text = error.internal_text().expect("a reason");
    assert!(text.starts_with("corrupt row acct_one of looks, column accent_color"), "{text}");
    db.edit("UPDATE logos SET bytes = substr(bytes, 2)").await;
    let read = db.store().read(async |tx| tx.find_logo(hash).await).await;
    assert_eq!(read.expect_err("it is no picture").kind(), Kind::Internal);
}
