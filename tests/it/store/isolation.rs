//! No row of a tenant is visible or changeable through another tenant.

use screenerd::domain::error::Kind;
use screenerd::domain::id::TenantId;
use screenerd::domain::panelist::Activity;
use screenerd::domain::question::QuestionKind;
use screenerd::domain::review::Review;
use screenerd::domain::session::Session;
use screenerd::store::{Locks, Noted, Store, Tx};

use super::look::{logo, look};
use super::nouns::write;
use super::{response, session};
use crate::support::account::{
    Account, answer_to, assignment_id, at, good, participant, person_of, project, publication_id,
    question_of, submit,
};
use crate::support::backend::Database;

/// Creates an account with a review of its second session and looks, and an empty tenant.
async fn full_and_empty(store: &Store) -> (Account, TenantId) {
    let mut full = Account::create(store, "acct_full", 1, 3).await;
    for number in 0..3 {
        full.open_session(0, number, 2);
        full.answer(number, 0, answer_to(0, 1));
    }
    full.flush(store).await;
    let (tenant, session) = (full.tenant.clone(), full.sessions[1].clone());
    write!(store, |tx| submit(tx, &tenant, &session, &Review::default()));
    let (tenant, screener) = (full.tenant.clone(), full.screeners[0].clone());
    write!(store, |tx| async {
        tx.create_logo(&tenant, &logo(1)).await?;
        tx.create_logo(&tenant, &logo(2)).await?;
        tx.set_look(&tenant, None, &look("Full", Some(&logo(1)))).await?;
        tx.set_look(&tenant, Some(&screener), &look("Its own", None)).await
    });
    let empty = Account::create(store, "acct_empty", 0, 0).await;
    (full, empty.tenant)
}

/// Returns which getters find a row through a tenant, by the getter's name.
async fn found(tx: &mut Tx, tenant: &TenantId, of: &Account) -> Vec<(&'static str, bool)> {
    let (scr, session) = (&of.screeners[0], &of.sessions[1].id);
    let person = participant(2);
    let uid = person.external_uid.as_ref().expect("the person has an id of the caller's own");
    let question = question_of(0);
    let activity = tx.panelist_activity(tenant, scr, uid).await;
    macro_rules! is_there {
        ($($getter:ident($($argument:expr),*)),+ $(,)?) => {
            vec![$((
                stringify!($getter),
                tx.$getter(tenant, $($argument),*).await.expect("the getter runs").is_some(),
            )),+]
        };
    }
    let mut found = is_there![
        get_screener(scr),
        get_publication(&publication_id(scr, 0)),
        publication_head(&publication_id(scr, 0)),
        get_participant(&person.id),
        find_participant(uid),
        get_assignment(&assignment_id(scr, 2)),
        find_assignment(&person.id, scr),
        get_session(session),
        get_review(session),
        get_submission(&project().id, session),
        newest_session(&assignment_id(scr, 2)),
        get_answer(session, &question.id, QuestionKind::Text),
        get_look(None),
        get_look(Some(scr)),
        get_logo(logo(1).hash()),
    ];
    let answers = tx.session_answers(tenant, session).await.expect("the answers are read");
    found.push(("session_answers", !answers.is_empty()));
    let activity = activity.expect("the activity is read");
    found.push(("panelist_activity", activity != Activity::default()));
    let funnel = tx.get_funnel(tenant, scr, None).await.expect("the funnel is read");
    found.push(("get_funnel", funnel.created() > 0));
    found
}

pub(super) async fn no_getter_shows_another_tenants_row(db: &mut Database) {
    let (full, empty) = full_and_empty(db.store()).await;
    db.store()
        .read(async |tx| {
            for (tenant, expected) in [(&full.tenant, true), (&empty, false)] {
                for (getter, found) in found(tx, tenant, &full).await {
                    assert_eq!(found, expected, "{getter} through {tenant}");
                }
            }
            // Every account has a project of this id and sees its own.
            tx.get_project(&empty, &project().id).await?.expect("the project is there");
            Ok(())
        })
        .await
        .expect("the rows are read");
    // Only one of the tenants has this project now.
    db.edit("DELETE FROM projects WHERE tenant_id = 'acct_empty'").await;
    let own = db.store().read(async |tx| tx.get_project(&full.tenant, &project().id).await).await;
    assert!(own.expect("the project is read").is_some());
    let other = db.store().read(async |tx| tx.get_project(&empty, &project().id).await).await;
    assert_eq!(other.expect("the project is read"), None);
}

pub(super) async fn no_change_reaches_another_tenants_row(db: &mut Database) {
    let (full, empty) = full_and_empty(db.store()).await;
    let session = full.sessions[1].clone();
    let (tenant, id) = (empty.clone(), session.id.clone());
    let noted = Noted { qualified: true, created: at(1) };
    let reviewed = db.store().write(Locks::import(), async move |tx| {
        tx.update_review(&tenant, &id, &Review::default(), noted).await
    });
    reviewed.await.expect_err("the submission is not the tenant's");
    let (tenant, id) = (empty.clone(), assignment_id(&full.screeners[0], 2));
    let refused = db.store().write(Locks::import(), async move |tx| {
        tx.create_dismissal(&tenant, &person_of(&id), (&id, at(1))).await
    });
    refused.await.expect_err("the assignment is not the tenant's");
    let (tenant, row) = (empty.clone(), session.clone());
    let dropped = db.store().read(async |tx| {
        let questions = [question_of(0).id, question_of(1).id];
        assert!(tx.get_standing(&tenant, &row.id).await?.is_none());
        tx.find_dropping(&tenant, &row, &questions).await
    });
    assert_eq!(dropped.await.expect("the read runs").len(), 0);
    let (tenant, row) = (empty.clone(), session.clone());
    let answers = [(question_of(0).id, answer_to(0, 2))];
    let replaced = db.store().write(Locks::import(), async move |tx| {
        tx.replace_responses(&tenant, &row, &answers, false).await
    });
    replaced.await.expect_err("the answer is not the tenant's");
    let tenant = empty.clone();
    write!(db.store(), |tx| async {
        tx.set_look(&tenant, None, &look("Empty", None)).await?;
        tx.drop_unused_logos(&tenant).await
    });
    db.store()
        .read(async |tx| {
            response::Shape::default().check(tx, &full, 500, 0).await;
            let stored = tx.get_session(&full.tenant, &session.id).await?;
            assert_eq!(stored.as_ref(), Some(&session));
            let review = tx.get_review(&full.tenant, &session.id).await?;
            assert_eq!(review, Some(Review::default()));
            let own = tx.get_look(&full.tenant, None).await?;
            assert_eq!(own, Some(look("Full", Some(&logo(1)))));
            // The logo is unused, but the other tenant must not drop it.
            assert!(tx.get_logo(&full.tenant, logo(2).hash()).await?.is_some());
            Ok(())
        })
        .await
        .expect("the rows are read");
}

pub(super) async fn lists_hold_one_tenants_rows(db: &mut Database) {
    // The same screeners and publications in both tenants, with rows that arrive alternately.
    let mut accounts = Vec::new();
    for tenant in ["acct_a", "acct_b"] {
        accounts.push(Account::create(db.store(), tenant, 2, 2).await);
    }
    for number in 0..30 {
        for (which, account) in accounts.iter_mut().enumerate() {
            account.open_session((number + which) % 2, number, number);
            account.answer(number, which, answer_to(which, number));
            account.flush(db.store()).await;
        }
    }
    db.store()
        .read(async |tx| {
            for account in &accounts {
                let (mut by_session, mut by_response) =
                    (session::Shape::default(), response::Shape::default());
                by_session.check(tx, account, 500, 0).await;
                by_response.check(tx, account, 500, 0).await;
                by_session.screeners.eq = Some("scr_1".into());
                by_response.screeners.eq = Some("scr_1".into());
                by_session.check(tx, account, 500, 0).await;
                by_response.check(tx, account, 500, 0).await;
            }
            Ok(())
        })
        .await
        .expect("the lists are read");
}

pub(super) async fn session_ids_and_slugs_are_unique_across_tenants(db: &mut Database) {
    let (full, _) = full_and_empty(db.store()).await;
    let mut other = Account::create(db.store(), "acct_other", 1, 3).await;
    let taken = full.sessions[1].clone();
    let free = Session {
        id: good(screenerd::domain::id::SessionId::parse("scses_free")),
        slug: "free".into(),
        ..taken.clone()
    };
    for (id, slug, expected) in [
        (&taken.id, &free.slug, (true, false)),
        (&free.id, &taken.slug, (false, true)),
        (&taken.id, &full.sessions[2].slug, (true, true)),
        (&free.id, &free.slug, (false, false)),
    ] {
        let is_taken =
            db.store().read(async |tx| tx.is_session_taken(id, slug).await).await.expect("a read");
        assert_eq!(is_taken, expected, "{id} and {slug}");
        let session = Session { id: id.clone(), slug: slug.clone(), ..taken.clone() };
        let tenant = other.tenant.clone();
        let created = db
            .store()
            .write(Locks::import(), async move |tx| {
                tx.create_session(&tenant, &person_of(&session.assignment), &session).await
            })
            .await;
        // The database enforces this, so that of two concurrent writers only one can succeed.
        let refused = (expected != (false, false)).then_some(Kind::Internal);
        assert_eq!(created.err().map(|error| error.kind()), refused, "{id} and {slug}");
    }
    other.sessions.push(free);
    db.store()
        .read(async |tx| {
            session::Shape::default().check(tx, &other, 500, 0).await;
            session::Shape::default().check(tx, &full, 500, 0).await;
            Ok(())
        })
        .await
        .expect("the lists are read");
}
