//! Opening, closing and reopening.

use screenerd::domain::error::{Error, Kind};
use screenerd::store::{Location, Locks, Store};

use super::{response, session};
use crate::support::account::{Account, answer_to};
use crate::support::backend::{Backend, Database, run};

/// Creates an account with rows in every list.
async fn account(db: &Database) -> Account {
    let mut account = Account::create(db.store(), "acct_one", 2, 3).await;
    for number in 0..150 {
        account.open_session(number % 2, number, number);
        account.answer(number, number % 4, answer_to(number % 4, number));
    }
    account.flush(db.store()).await;
    account
}

async fn check(db: &Database, account: &Account) {
    db.store()
        .read(async |tx| {
            session::Shape::default().check(tx, account, 500, 0).await;
            response::Shape::default().check(tx, account, 500, 0).await;
            Ok(())
        })
        .await
        .expect("the lists are read");
}

pub(super) async fn reopening_keeps_everything(db: &mut Database) {
    let mut account = account(db).await;
    check(db, &account).await;
    for number in 0..2 {
        db.reopen().await;
        check(db, &account).await;
        // The lists continue at their end.
        account.open_session(1, number, number);
        account.flush(db.store()).await;
        check(db, &account).await;
    }
}

pub(super) async fn a_closed_store_is_unavailable(db: &mut Database) {
    let account = account(db).await;
    db.store().close().await;
    let written = db.store().write(Locks::none(), async |_| Ok(())).await;
    let read = db.store().read(async |tx| tx.list_tenants().await).await.map(drop);
    for outcome in [written, read] {
        assert_eq!(outcome.map_err(|error| error.kind()), Err(Kind::Unavailable));
    }
    db.reopen().await;
    check(db, &account).await;
}

#[test]
fn an_open_sqlite_file_is_refused_by_name_until_it_is_given_free() {
    run(&Backend::Sqlite, async |db| {
        let account = account(db).await;
        let Location::Sqlite(path) = db.location.clone() else { unreachable!("it is SQLite") };
        let refused: Error = match Store::open(&db.location).await {
            Err(error) => error,
            Ok(_) => panic!("two stores have the same file open"),
        };
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert!(refused.detail().contains(&path.display().to_string()), "{}", refused.detail());
        // The refusal does not affect the open store. Once that is closed, another can open.
        check(db, &account).await;
        db.reopen().await;
        check(db, &account).await;
    });
}
