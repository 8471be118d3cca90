//! Each kind of row alone: reads return the stored row, and a change happens once.

use screenerd::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use screenerd::domain::error::Result;
use screenerd::domain::id::{AssignmentId, CredentialId, SessionId, TenantId};
use screenerd::domain::link::Linked;
use screenerd::domain::panelist::Activity;
use screenerd::domain::panelist_key::SurveyRef;
use screenerd::domain::participant::{ExternalUid, Person};
use screenerd::domain::review::{
    Actor, CancellationReason, Decision, Disqualification, DisqualificationReason, Meeting,
    Rejection, RejectionMessage, Report, ReportReason, Review, ReviewStatus, Visibility,
};
use screenerd::domain::session::SessionStatus;
use screenerd::domain::tenant::Tenant;
use screenerd::store::{Locks, Noted, Store};

use crate::support::account::{
    Account, PUBLICATIONS, assignment, assignment_id, at, good, participant, person_of, project,
    publication, publication_id, screener, submit,
};
use crate::support::backend::Database;

/// Runs one method of [`WriteTx`] as a write that locks everything and must succeed.
macro_rules! write {
    ($store:expr, |$tx:ident| $call:expr) => {
        $store
            .write(
                screenerd::store::Locks::import(),
                async move |$tx: &mut screenerd::store::WriteTx| $call.await,
            )
            .await
            .expect("the write runs")
    };
}
pub(super) use write;

/// Returns reviews of every status and visibility, with and without every optional member.
fn reviews() -> Vec<Review> {
    let full = |status| Review {
        status,
        visibility: Visibility::OnHold,
        favorite: true,
        hidden: true,
        is_new: false,
        qualified_override: Some(false),
        disqualification: Some(Disqualification {
            reasons: [DisqualificationReason::Other, DisqualificationReason::Misrepresented].into(),
            message: (status != ReviewStatus::Paid).then(|| "Not a baker.".into()),
        }),
        invite_sent: Some(at(1)),
        status_before_invite: Some(ReviewStatus::Cancelled),
        scheduled: Some(at(2)),
        meeting: Meeting {
            timezone: Some("Asia/Tokyo".into()),
            booking_url: Some("https://book".into()),
            cancel_url: Some("https://cancel".into()),
        },
        status_updated: Some(at(3)),
        actor: Some(Actor::Respondent),
        reason: Some(CancellationReason::Final),
        short_notice_cancel: Some(true),
        message: Some("I am ill.".into()),
        rejection: Some(Rejection { message: "No.".into(), at: at(4) }),
        report: Some(Report {
            reasons: [ReportReason::Other, ReportReason::Inappropriate]
                .into_iter()
                .filter(|_| status != ReviewStatus::Invited)
                .collect(),
            message: (status != ReviewStatus::Paid).then(|| "Rude.".into()),
        }),
    };
    let plain = |status| Review { status, ..Review::default() };
    ReviewStatus::ALL.iter().flat_map(|status| [full(*status), plain(*status)]).collect()
}

pub(super) async fn every_noun_comes_back_as_it_was_stored(db: &mut Database) {
    let mut account = Account::create(db.store(), "acct_one", 1, 5).await;
    let reviews = reviews();
    for number in 0..reviews.len() {
        account.open_session(0, number, number);
    }
    account.flush(db.store()).await;
    let (tenant, sessions) = (account.tenant.clone(), account.sessions.clone());
    let rows: Vec<_> = sessions.iter().cloned().zip(reviews.clone()).collect();
    db.store()
        .write_alone(Locks::import(), async move |tx| {
            for (session, review) in &rows {
                submit(tx, &tenant, session, review).await?;
            }
            Ok(())
        })
        .await
        .expect("the reviews are stored");
    let (tenant, scr) = (&account.tenant, &account.screeners[0]);
    db.store()
        .read(async |tx| {
            let stored = tx.get_tenant(tenant).await?.expect("the tenant is there");
            assert_eq!((stored.created, stored.disabled), (at(0), None));
            assert_eq!(tx.get_project(tenant, &project().id).await?, Some(project()));
            assert_eq!(tx.get_screener(tenant, scr).await?, Some(screener(scr)));
            let survey = tx.find_survey(SurveyRef::new(tenant, scr)).await?;
            assert_eq!(survey, Some((tenant.clone(), scr.clone(), false)));
            for number in 0..PUBLICATIONS {
                let stored = tx.get_publication(tenant, &publication_id(scr, number)).await?;
                assert_eq!(stored, Some(publication(scr, number)));
            }
            for person in 0..5 {
                let made = participant(person);
                assert_eq!(tx.get_participant(tenant, &made.id).await?, Some(made.clone()));
                if let Some(uid) = &made.external_uid {
                    assert_eq!(tx.find_participant(tenant, uid).await?.as_ref(), Some(&made.id));
                }
                let assigned = Some(assignment(scr, person));
                let id = assignment_id(scr, person);
                assert_eq!(tx.get_assignment(tenant, &id).await?, assigned);
                assert_eq!(tx.find_assignment(tenant, &made.id, scr).await?, assigned);
            }
            for (session, review) in sessions.iter().zip(&reviews) {
                assert_eq!(tx.get_session(tenant, &session.id).await?.as_ref(), Some(session));
                assert_eq!(tx.get_review(tenant, &session.id).await?.as_ref(), Some(review));
                let linked = Some(Linked {
                    tenant: tenant.clone(),
                    screener: scr.clone(),
                    session: session.id.clone(),
                    person: Person::of(&participant(
                        (0..5)
                            .find(|it| assignment_id(scr, *it) == session.assignment)
                            .expect("one"),
                    )),
                    is_trusted: session.link_trusted,
                    is_disabled: false,
                });
                assert_eq!(tx.find_session_by_slug(&session.slug).await?, linked);
                assert_eq!(tx.find_session_by_link(scr, &session.id).await?, linked);
            }
            Ok(())
        })
        .await
        .expect("the rows are read");
}

fn tenant(id: &str) -> Tenant {
    Tenant { id: good(TenantId::parse(id)), name: id.into(), created: at(0), disabled: None }
}

pub(super) async fn tenants_are_listed_by_the_bytes_of_their_ids(db: &mut Database) {
    // A language would sort these differently: by letter first, then by accent and case.
    let ids = ["A", "B", "_", "a", "ab", "b", "z", "ä"];
    for id in ["b", "ä", "B", "_", "ab", "z", "A", "a"] {
        assert!(write!(db.store(), |tx| tx.create_tenant(&tenant(id))));
    }
    let listed = db.store().read(async |tx| tx.list_tenants().await).await.expect("a list");
    let listed: Vec<_> = listed.iter().map(|tenant| tenant.id.as_str()).collect();
    assert_eq!(listed, ids);
}

pub(super) async fn a_tenant_is_created_once_disabled_and_enabled(db: &mut Database) {
    let store = db.store();
    let stored = async || {
        let id = tenant("a").id;
        store.read(async move |tx| tx.get_tenant(&id).await).await.expect("the tenant is read")
    };
    let set = async |disabled| {
        let id = tenant("a").id;
        store
            .write(Locks::import(), async move |tx| tx.set_tenant_disabled(&id, disabled).await)
            .await
    };
    set(Some(at(1))).await.expect_err("it is not there");
    assert!(write!(store, |tx| tx.create_tenant(&tenant("a"))));
    let impostor = Tenant { name: "another".into(), ..tenant("a") };
    assert!(!write!(store, |tx| tx.create_tenant(&impostor)));
    for disabled in [None, Some(at(1)), Some(at(2)), None] {
        set(disabled).await.expect("it is there");
        assert_eq!(stored().await, Some(Tenant { disabled, ..tenant("a") }));
    }
}

fn credential(id: &str, secret: &[u8]) -> Credential {
    Credential {
        id: good(CredentialId::parse(id)),
        tenant: tenant("a").id,
        kind: CredentialKind::Respondent,
        hash: SecretHash::of(secret),
        scopes: vec![Scope::SubmissionsReview, Scope::Admin],
        created: at(3),
        expires: Some(at(9)),
        revoked: None,
    }
}

pub(super) async fn a_credential_is_created_once_and_revoked(db: &mut Database) {
    let store = db.store();
    write!(store, |tx| tx.create_tenant(&tenant("a")));
    assert!(write!(store, |tx| tx.create_credential(&credential("key_2", b"secret"))));
    assert!(!write!(store, |tx| tx.create_credential(&credential("key_2", b"other"))), "id");
    assert!(!write!(store, |tx| tx.create_credential(&credential("key_3", b"secret"))), "secret");
    let bare = Credential { scopes: vec![], expires: None, ..credential("key_1", b"third") };
    let added = bare.clone();
    assert!(write!(store, |tx| tx.create_credential(&added)));
    let id = credential("key_2", b"").id;
    let revoked = id.clone();
    write!(store, |tx| tx.revoke_credential(&tenant("a").id, &revoked, at(5)));
    write!(store, |tx| tx.set_tenant_disabled(&tenant("a").id, Some(at(7))));
    let revoked = Credential { revoked: Some(at(5)), ..credential("key_2", b"secret") };
    store
        .read(async |tx| {
            let found = Some((revoked.clone(), Some(at(7))));
            assert_eq!(tx.find_credential(&id).await?, found);
            assert_eq!(tx.find_credential_by_token(&SecretHash::of(b"secret")).await?, found);
            assert_eq!(tx.find_credential_by_token(&SecretHash::of(b"other")).await?, None);
            assert_eq!(tx.list_credentials(&tenant("a").id).await?, [bare, revoked]);
            Ok(())
        })
        .await
        .expect("the credentials are read");
}

pub(super) async fn a_server_secret_is_the_first_one_offered(db: &mut Database) {
    let store = db.store();
    assert_eq!(write!(store, |tx| tx.server_secret("one", &[0, 1, 255])), [0, 1, 255]);
    assert_eq!(write!(store, |tx| tx.server_secret("one", &[9])), [0, 1, 255]);
    assert_eq!(write!(store, |tx| tx.server_secret("two", &[9])), [9]);
}

/// Creates a tenant with one session and its review.
async fn submission(store: &Store, review: Review) -> (TenantId, SessionId) {
    let mut account = Account::create(store, "acct_one", 1, 1).await;
    account.open_session(0, 0, 0);
    account.flush(store).await;
    let (tenant, session) = (account.tenant, account.sessions.remove(0));
    let key = (tenant.clone(), session.id.clone());
    write!(store, |tx| submit(tx, &tenant, &session, &review));
    key
}

fn rejected(before: &Review, seconds: i64) -> Result<Review> {
    let message = good(RejectionMessage::parse(Some(format!("Rejected at {seconds}."))));
    let after = before.decide(&Decision::Reject(message), SessionStatus::Active, at(seconds))?;
    Ok(after.expect("the review was not rejected before"))
}

pub(super) async fn a_submission_is_rejected(db: &mut Database) {
    let before = Review { favorite: true, status: ReviewStatus::Invited, ..Review::default() };
    let (tenant, id) = submission(db.store(), before.clone()).await;
    let after = rejected(&before, 1).expect("an invited participant can be rejected");
    let (owner, session, review) = (tenant.clone(), id.clone(), after.clone());
    let noted = Noted { qualified: true, created: at(3) };
    write!(db.store(), |tx| tx.update_review(&owner, &session, &review, noted));
    let stored = db.store().read(async |tx| tx.get_review(&tenant, &id).await).await;
    assert_eq!(stored.expect("it is read"), Some(after));
}

pub(super) async fn a_dismissal_is_recorded_once(db: &mut Database) {
    let store = db.store();
    let account = Account::create(store, "acct_one", 1, 2).await;
    let scr = account.screeners[0].clone();
    for (person, seconds, is_new) in [(0, 5, true), (0, 5, false), (0, 3, true), (1, 5, true)] {
        let (tenant, id) = (account.tenant.clone(), assignment_id(&scr, person));
        let added = write!(store, |tx| async {
            let is_new = !tx.has_dismissal(&tenant, &id, at(seconds)).await?;
            if is_new {
                tx.create_dismissal(&tenant, &person_of(&id), (&id, at(seconds))).await?;
            }
            Ok(is_new)
        });
        assert_eq!(added, is_new);
    }
    let nobody = good(AssignmentId::parse("scpar_of_nobody"));
    let tenant = account.tenant.clone();
    let refused = store
        .write(Locks::import(), async move |tx| {
            let person = Person::of(&participant(0));
            tx.create_dismissal(&tenant, &person, (&nobody, at(5))).await
        })
        .await;
    refused.expect_err("a dismissal is somebody's");
}

pub(super) async fn panelist_activity_is_of_one_panelist_and_one_survey(db: &mut Database) {
    let store = db.store();
    let mut account = Account::create(store, "acct_one", 2, 3).await;
    // The progress cycles through not started, in progress and completed.
    for (screener, person) in [(0, 0), (0, 0), (0, 0), (1, 0), (1, 0), (0, 2), (0, 0), (1, 2)] {
        account.open_session(screener, 0, person);
    }
    account.flush(store).await;
    for (screener, seconds) in [(0, 900), (0, 400), (1, 950)] {
        let id = assignment_id(&account.screeners[screener], 0);
        let tenant = account.tenant.clone();
        write!(store, |tx| tx.create_dismissal(&tenant, &person_of(&id), (&id, at(seconds))));
    }
    let newest = |number: usize| {
        let session = &account.sessions[number];
        Some((session.status, session.progress.state()))
    };
    let uid = participant(0).external_uid.expect("the first person has one");
    let first = Activity {
        sessions_started: 2,
        has_completed: true,
        started: account.sessions[1].progress.started(),
        most_recent: account.sessions[2].progress.last_active(),
        dismissed: Some(at(900)),
        newest: newest(6),
        key_epoch: 0,
    };
    let second = Activity {
        sessions_started: 1,
        has_completed: false,
        started: account.sessions[4].progress.started(),
        most_recent: account.sessions[4].progress.last_active(),
        dismissed: Some(at(950)),
        newest: newest(4),
        key_epoch: 0,
    };
    let (tenant, screeners) = (&account.tenant, &account.screeners);
    store
        .read(async |tx| {
            assert_eq!(tx.panelist_activity(tenant, &screeners[0], &uid).await?, first);
            assert_eq!(tx.panelist_activity(tenant, &screeners[1], &uid).await?, second);
            let nobody = tx
                .panelist_activity(tenant, &screeners[0], &good(ExternalUid::parse("crm/nobody")))
                .await?;
            assert_eq!(nobody, Activity::default());
            Ok(())
        })
        .await
        .expect("the activity is read");
}
