//! Projects, participants, and the rows from which sessions are created.

use futures_util::future::join_all;
use screenerd::domain::error::Result;
use screenerd::domain::id::{ParticipantId, ProjectId, ScreenerId, TenantId};
use screenerd::domain::participant::{
    ExternalUid, IdVerification, Participant, ParticipantUpdate, Person, TextChange,
};
use screenerd::domain::project::{Project, ProjectUpdate};
use screenerd::domain::session::Progress;
use screenerd::store::{Locks, Store, Tx, WriteTx};

use super::nouns::write;
use crate::support::account::{
    Account, assignment_id, good, pagination, participant, project, screener,
};
use crate::support::backend::Database;

fn named(id: &str) -> Project {
    Project { id: good(ProjectId::parse(id)), name: format!("Project {id}"), ..project() }
}

fn person(id: &str, uid: Option<&str>) -> Participant {
    Participant {
        id: good(ParticipantId::parse(id)),
        external_uid: uid.map(|uid| good(ExternalUid::parse(uid))),
        name: None,
        email: None,
        id_verification: IdVerification::None,
    }
}

async fn add(tx: &mut WriteTx, tenant: &TenantId, id: &str) -> Result<()> {
    tx.create_project(tenant, &named(id)).await?;
    tx.create_participant(tenant, &person(id, None)).await
}

/// Returns the ids of all projects and of all participants, in order, and checks both totals.
async fn listed(store: &Store, tenant: &TenantId) -> [Vec<String>; 2] {
    store
        .read(async |tx| {
            let projects = tx.list_projects(tenant, pagination(500, 0)).await?;
            let people = tx.list_participants(tenant, pagination(500, 0)).await?;
            let totals = [projects.total, people.total].map(usize::try_from);
            assert_eq!(totals, [Ok(projects.items.len()), Ok(people.items.len())]);
            Ok([
                projects.items.iter().map(|it| it.id.to_string()).collect(),
                people.items.iter().map(|it| it.id.to_string()).collect(),
            ])
        })
        .await
        .expect("the lists are read")
}

pub(super) async fn projects_and_participants_are_paged_in_arrival_order(db: &mut Database) {
    let store = db.store();
    let [one, other] = ["acct_one", "acct_other"];
    let one = Account::create(store, one, 0, 2).await.tenant;
    let other = Account::create(store, other, 0, 0).await.tenant;
    let ids = ["z", "B", "a", "_", "é", "m"];
    for id in ids {
        for tenant in [one.clone(), other.clone()] {
            write!(store, |tx| add(tx, &tenant, id));
        }
    }
    let projects: Vec<&str> = ["proj_1"].into_iter().chain(ids).collect();
    let people: Vec<&str> = ["ptp_0", "ptp_1"].into_iter().chain(ids).collect();
    assert_eq!(listed(store, &one).await, [projects.as_slice(), people.as_slice()]);
    assert_eq!(listed(store, &other).await, [projects.as_slice(), ids.as_slice()]);
    store
        .read(async |tx| {
            for (limit, offset) in [(1, 0), (3, 2), (3, 6), (500, 7), (2, 100)] {
                let begin = usize::try_from(offset).expect("small").min(projects.len());
                let end = (begin + usize::try_from(limit).expect("small")).min(projects.len());
                let page = tx.list_projects(&one, pagination(limit, offset)).await?;
                let ids: Vec<&str> = page.items.iter().map(|it| it.id.as_str()).collect();
                assert_eq!((ids.as_slice(), page.total), (&projects[begin..end], 7));
            }
            let all = tx.list_participants(&one, pagination(500, 0)).await?.items;
            assert_eq!(all[..2], [participant(0), participant(1)]);
            assert_eq!(all[2], person("z", None));
            Ok(())
        })
        .await
        .expect("the pages are read");
}

pub(super) async fn rows_from_before_are_numbered_by_the_migration(db: &mut Database) {
    let one = Account::create(db.store(), "acct_one", 1, 3).await.tenant;
    let other = Account::create(db.store(), "acct_other", 0, 0).await.tenant;
    for id in ["z", "a", "m"] {
        for tenant in [one.clone(), other.clone()] {
            write!(db.store(), |tx| add(tx, &tenant, id));
        }
    }
    let before = [listed(db.store(), &one).await, listed(db.store(), &other).await];
    // Reverts the migration, so that it runs again.
    write!(db.store(), |tx| async {
        for sql in [
            "DROP INDEX projects_by_tenant",
            "DROP INDEX participants_by_tenant",
            "ALTER TABLE projects DROP COLUMN seq",
            "ALTER TABLE participants DROP COLUMN seq",
            "DELETE FROM list_totals WHERE list IN ('projects', 'participants')",
            "DELETE FROM _sqlx_migrations WHERE version = 3",
        ] {
            tx.exec(sql, &[]).await?;
        }
        Ok(())
    });
    db.reopen().await;
    let after = [listed(db.store(), &one).await, listed(db.store(), &other).await];
    assert_eq!(after, before);
    // The lists continue at their end.
    let tenant = one.clone();
    write!(db.store(), |tx| add(tx, &tenant, "b"));
    let [projects, people] = listed(db.store(), &one).await;
    assert_eq!((projects.len(), people.len()), (5, 7));
    assert_eq!((projects.last(), people.last()), (Some(&"b".into()), Some(&"b".into())));
}

/// Finds the person of an external uid or creates one, like a use case.
async fn find_or_make(store: &Store, tenant: &TenantId, number: usize) -> ParticipantId {
    let made = person(&format!("ptp_made_{number}"), Some("shared"));
    let (tenant, locks) = (tenant.clone(), Locks::of(tenant).person(&Person::of(&made)));
    store
        .write(locks, async move |tx| {
            let uid = good(ExternalUid::parse("shared"));
            if let Some(id) = tx.find_participant(&tenant, &uid).await? {
                return Ok(id);
            }
            tx.create_participant(&tenant, &made).await?;
            Ok(made.id)
        })
        .await
        .expect("the person is found or made")
}

pub(super) async fn a_person_who_is_locked_is_made_once(db: &mut Database) {
    const CALLERS: usize = 64;
    let store = db.store();
    let tenant = Account::create(store, "acct_one", 0, 1).await.tenant;
    let found = join_all((0..CALLERS).map(|number| find_or_make(store, &tenant, number))).await;
    assert!(found.iter().all(|id| *id == found[0]), "{found:?}");
    let [_, people] = listed(store, &tenant).await;
    assert_eq!(people, ["ptp_0", found[0].as_str()]);
    let adds = (0..CALLERS).map(|number| {
        let (key, id) = (tenant.clone(), format!("own_{number}"));
        let locks = Locks::of(&tenant).project(&named(&id).id);
        let locks = locks.person(&Person::of(&person(&id, None)));
        store.write(locks, async move |tx| add(tx, &key, &id).await)
    });
    for outcome in join_all(adds).await {
        outcome.expect("each is added");
    }
    let [projects, people] = listed(store, &tenant).await;
    assert_eq!((projects.len(), people.len()), (CALLERS + 1, CALLERS + 2));
}

pub(super) async fn updates_of_different_members_both_hold(db: &mut Database) {
    let store = db.store();
    let tenant = &Account::create(store, "acct_one", 0, 1).await.tenant;
    let rename = ProjectUpdate { name: Some("New".into()), incentive: None };
    let pay = ProjectUpdate { name: None, incentive: Some(0.0) };
    for update in [rename, pay, ProjectUpdate::default()] {
        let (tenant, id) = (tenant.clone(), project().id);
        write!(store, |tx| async {
            let before = tx.get_project(&tenant, &id).await?.expect("it is there");
            tx.update_project(&tenant, &before.updated(&update)).await
        });
    }
    let text = |text: &str| TextChange::Set(text.into());
    for (name, email, expected) in [
        (text("A"), TextChange::Keep, (Some("A"), None)),
        (TextChange::Keep, text("b"), (Some("A"), Some("b"))),
        (TextChange::Clear, TextChange::Keep, (None, Some("b"))),
        (text("C"), TextChange::Clear, (Some("C"), None)),
        (TextChange::Keep, TextChange::Keep, (Some("C"), None)),
    ] {
        let (key, id) = (tenant.clone(), participant(0).id);
        let update = ParticipantUpdate { name, email };
        write!(store, |tx| async {
            let before = tx.get_participant(&key, &id).await?.expect("it is there");
            tx.update_participant(&key, &before.updated(&update)).await
        });
        let (name, email) = expected;
        let (name, email) = (name.map(str::to_owned), email.map(str::to_owned));
        let expected = Participant { name, email, ..participant(0) };
        let stored = async |tx: &mut Tx| tx.get_participant(tenant, &expected.id).await;
        assert_eq!(store.read(stored).await.expect("it is read"), Some(expected.clone()));
    }
    let stored = store.read(async |tx| tx.get_project(tenant, &project().id).await).await;
    let expected = Project { name: "New".into(), incentive: 0.0, ..project() };
    assert_eq!(stored.expect("it is read"), Some(expected));
}

pub(super) async fn what_a_session_is_created_from_is_its_tenants_own(db: &mut Database) {
    let store = db.store();
    let mut account = Account::create(store, "acct_one", 1, 3).await;
    // One session each that is not started, in progress, and completed.
    for person in 0..3 {
        account.open_session(0, 0, person);
    }
    account.flush(store).await;
    let other = Account::create(store, "acct_other", 0, 0).await.tenant;
    let (tenant, scr) = (&account.tenant, &account.screeners[0]);
    store
        .read(async |tx| {
            for person in 0..3 {
                let id = assignment_id(scr, person);
                let completed =
                    matches!(account.sessions[person].progress, Progress::Completed { .. });
                assert_eq!(tx.has_completed_session(tenant, &id).await?, completed);
                assert!(!tx.has_completed_session(&other, &id).await?);
            }
            let nowhere = good(ScreenerId::parse("nowhere"));
            let (found, tags) = tx.find_screeners(tenant, &[&nowhere, scr]).await?.remove(0);
            assert_eq!(found, screener(scr));
            assert_eq!(tags.as_ref(), Some(&account.sessions[0].tags));
            assert_eq!(tx.find_screeners(&other, &[scr]).await?, []);
            Ok(())
        })
        .await
        .expect("the rows are read");
    // Every account has a project of the usual id, so this one has another.
    let (person, nobodys) = (participant(0), named("nobodys"));
    let key = other.clone();
    let updated = store
        .write(Locks::import(), async move |tx| tx.update_participant(&key, &person).await)
        .await;
    updated.expect_err("the person is not the tenant's");
    let updated = store
        .write(Locks::import(), async move |tx| tx.update_project(&other, &nobodys).await)
        .await;
    updated.expect_err("there is no such project");
}
