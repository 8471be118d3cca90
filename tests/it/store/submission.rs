//! Lists of submissions against a plain search, and stored verdicts.

use std::collections::BTreeSet;

use screenerd::domain::error::Result;
use screenerd::domain::id::ProjectId;
use screenerd::domain::review::{Review, ReviewStatus, Visibility};
use screenerd::domain::submission::Submission;
use screenerd::domain::verdict::Verdict;
use screenerd::store::{Locks, Noted, Store, SubmissionFilter, Tx, WriteTx};

use super::nouns::write;
use super::session::{edges, offsets, slice};
use crate::support::account::{
    Account, QUESTIONS, answer_to, at, good, pagination, project, publication_id, submit,
};
use crate::support::backend::Database;

/// Returns the n-th review. Statuses, visibilities and marks vary with different periods.
fn review(number: usize) -> Review {
    Review {
        status: ReviewStatus::ALL[number % ReviewStatus::ALL.len()],
        visibility: Visibility::ALL[number / 2 % Visibility::ALL.len()],
        favorite: number.is_multiple_of(3),
        hidden: number.is_multiple_of(5),
        qualified_override: [None, None, Some(true), Some(false)][number % 4],
        ..Review::default()
    }
}

/// Creates an account with a submission for every started session, in the order of its sessions.
/// Returns the submissions, too.
async fn account(db: &Database, sessions: usize) -> (Account, Vec<Submission>) {
    let mut account = Account::create(db.store(), "acct_one", 3, 8).await;
    for number in 0..sessions {
        account.open_session(usize::from(number % 5 > 2), number, number);
        for question in 0..number % (QUESTIONS + 1) {
            account.answer(number, question, answer_to(question, number));
        }
    }
    account.flush(db.store()).await;
    let started = account.sessions.iter().filter(|it| it.progress.started().is_some());
    let started: Vec<_> = started.cloned().enumerate().collect();
    let tenant = account.tenant.clone();
    let ids: Vec<_> = started.iter().map(|(_, session)| session.id.clone()).collect();
    let file = async move |tx: &mut WriteTx| {
        for (number, session) in &started {
            submit(tx, &tenant, session, &review(*number)).await?;
        }
        Ok(())
    };
    db.store().write_alone(Locks::import(), file).await.expect("the submissions are stored");
    let tenant = &account.tenant;
    let submissions = db
        .store()
        .read(async |tx| {
            let mut submissions = Vec::new();
            for id in &ids {
                let found = tx.get_submission(tenant, &project().id, id).await?;
                submissions.push(found.expect("the submission is there"));
            }
            Ok(submissions)
        })
        .await
        .expect("the submissions are read");
    (account, submissions)
}

fn matches(filter: &SubmissionFilter, of: &Submission) -> bool {
    let created = of.session.submitted().expect("a submission came to be");
    filter.project.as_ref().is_none_or(|it| *it == of.project.id)
        && filter.screener.as_ref().is_none_or(|it| *it == of.session.screener)
        && filter.statuses.as_ref().is_none_or(|it| it.contains(&of.review.status))
        && filter.qualified.is_none_or(|it| it == of.qualified())
        && filter.favorite.is_none_or(|it| it == of.review.favorite)
        && filter.hidden.is_none_or(|it| it == of.review.hidden)
        && (filter.visibilities.is_empty() || filter.visibilities.contains(&of.review.visibility))
        && filter.created_from.is_none_or(|it| created >= it)
        && filter.created_to.is_none_or(|it| created < it)
}

async fn check(
    store: &Store,
    account: &Account,
    all: &[Submission],
    filter: &SubmissionFilter,
    (limit, offset): (i64, i64),
) {
    let expected: Vec<_> = all.iter().filter(|it| matches(filter, it)).cloned().collect();
    let page = pagination(limit, offset);
    let page = store.read(async |tx| tx.list_submissions(&account.tenant, filter, page).await);
    let page = page.await.expect("a page is read");
    let context = || format!("{filter:?}, limit {limit}, offset {offset}");
    assert_eq!(usize::try_from(page.total), Ok(expected.len()), "total of {}", context());
    assert_eq!(page.items, slice(&expected, limit, offset), "{}", context());
}

pub(super) async fn every_filter_of_submissions_matches_a_plain_search(db: &mut Database) {
    let (account, all) = account(db, 150).await;
    let none = SubmissionFilter::default();
    let parts = [
        none.clone(),
        SubmissionFilter { project: Some(project().id), ..none.clone() },
        SubmissionFilter { project: Some(good(ProjectId::parse("proj_2"))), ..none.clone() },
        SubmissionFilter { screener: Some(account.screeners[1].clone()), ..none.clone() },
        SubmissionFilter { screener: Some(account.screeners[2].clone()), ..none.clone() },
        SubmissionFilter {
            project: Some(project().id),
            screener: Some(account.screeners[0].clone()),
            ..none.clone()
        },
        SubmissionFilter {
            project: Some(good(ProjectId::parse("proj_2"))),
            screener: Some(account.screeners[0].clone()),
            ..none.clone()
        },
    ];
    let statuses = BTreeSet::from([ReviewStatus::Pending, ReviewStatus::RejectedQuality]);
    let visibilities = BTreeSet::from([Visibility::Dismissed, Visibility::OnHold]);
    let attributes = |part: &SubmissionFilter| {
        vec![
            part.clone(),
            SubmissionFilter { statuses: Some(statuses.clone()), ..part.clone() },
            SubmissionFilter { statuses: Some(BTreeSet::new()), ..part.clone() },
            SubmissionFilter { favorite: Some(true), ..part.clone() },
            SubmissionFilter { favorite: Some(false), ..part.clone() },
            SubmissionFilter { qualified: Some(true), ..part.clone() },
            SubmissionFilter { qualified: Some(false), ..part.clone() },
            SubmissionFilter { hidden: Some(true), ..part.clone() },
            SubmissionFilter { hidden: Some(false), ..part.clone() },
            SubmissionFilter { visibilities: visibilities.clone(), ..part.clone() },
            SubmissionFilter { created_from: Some(at(505)), ..part.clone() },
            SubmissionFilter { created_to: Some(at(505)), ..part.clone() },
            SubmissionFilter {
                statuses: Some(statuses.clone()),
                qualified: Some(true),
                hidden: Some(false),
                visibilities: visibilities.clone(),
                created_from: Some(at(100)),
                created_to: Some(at(1_405)),
                ..part.clone()
            },
        ]
    };
    for part in &parts {
        for filter in attributes(part) {
            for page in [(500, 0), (7, 0), (7, 5), (100, 1_000)] {
                check(db.store(), &account, &all, &filter, page).await;
            }
        }
    }
}

pub(super) async fn submission_pages_of_every_size_make_up_the_list(db: &mut Database) {
    let (account, all) = account(db, 420).await;
    let filters = [
        SubmissionFilter::default(),
        SubmissionFilter { project: Some(project().id), ..SubmissionFilter::default() },
        SubmissionFilter {
            screener: Some(account.screeners[0].clone()),
            ..SubmissionFilter::default()
        },
    ];
    for filter in &filters {
        for offset in offsets(all.len(), 37) {
            check(db.store(), &account, &all, filter, (37, offset)).await;
        }
        for offset in edges(all.len()) {
            check(db.store(), &account, &all, filter, (3, offset)).await;
        }
    }
}

pub(super) async fn a_verdict_comes_back_as_it_was_stored(db: &mut Database) {
    let (account, all) = account(db, 60).await;
    let lines: usize = all.iter().map(|it| it.verdict.trace.len()).sum();
    assert!(lines > 20, "there are verdicts with traces");
    for submission in &all {
        assert!(submission.is_verdict_stored);
        assert_eq!(submission.verdict, submission.recomputed_verdict());
    }
    // Another verdict replaces the stored one.
    let (tenant, id) = (account.tenant.clone(), all[1].session.id.clone());
    let other = Verdict { percentage: 17, trace: Vec::new(), ..all[1].verdict.clone() };
    let stored = other.clone();
    let noted = Noted { qualified: all[1].qualified(), created: at(1) };
    write!(db.store(), |tx| tx.store_verdict(&tenant, &id, &stored, noted));
    let read = async |tx: &mut Tx| {
        tx.get_submission(&account.tenant, &project().id, &all[1].session.id).await
    };
    let found = db.store().read(read).await.expect("a read").expect("the submission is there");
    assert_eq!(found.verdict, other);
    assert_ne!(found.verdict, found.recomputed_verdict());
}

/// Reverts the migration that added verdicts.
async fn undo(tx: &mut WriteTx) -> Result<()> {
    for sql in [
        "DROP TABLE funnel_cells",
        "DROP TABLE unsettled_sessions",
        "ALTER TABLE sessions DROP COLUMN funnel_cell",
        "DROP INDEX submissions_by_tenant",
        "DROP INDEX submissions_by_screener",
        "DROP INDEX submissions_by_project",
        "DELETE FROM list_totals WHERE list = 'submissions'",
        "DELETE FROM list_marks WHERE list = 'submissions'",
        "DELETE FROM _sqlx_migrations WHERE version = 7",
    ] {
        tx.exec(sql, &[]).await?;
    }
    for column in [
        "seq",
        "screener_id",
        "project_id",
        "created_at",
        "qualified",
        "publication_hash",
        "percentage",
        "questions_qualified",
        "first_disqualifying",
        "verdict",
    ] {
        tx.exec(format!("ALTER TABLE submissions DROP COLUMN {column}"), &[]).await?;
    }
    Ok(())
}

pub(super) async fn submissions_from_before_are_numbered_and_settled(db: &mut Database) {
    let (account, all) = account(db, 200).await;
    let tenant = &account.tenant;
    let funnels = async |store: &Store| {
        let read = store.read(async |tx| {
            let mut funnels = Vec::new();
            for screener in &account.screeners {
                funnels.push(tx.get_funnel(tenant, screener, None).await?);
                let publication = publication_id(screener, 1);
                funnels.push(tx.get_funnel(tenant, screener, Some(&publication)).await?);
            }
            Ok(funnels)
        });
        read.await.expect("the funnels are read")
    };
    // The funnel counts a session without its answers until a write settles it.
    let sessions = account.sessions.clone();
    let owner = tenant.clone();
    let settle = async move |tx: &mut WriteTx| {
        for session in &sessions {
            let (session, standing) =
                tx.get_standing(&owner, &session.id).await?.expect("it is there");
            tx.settle(&owner, &session, &standing).await?;
        }
        Ok(())
    };
    db.store().write_alone(Locks::import(), settle).await.expect("the sessions are settled");
    let before = funnels(db.store()).await;
    assert!(before.iter().any(|funnel| funnel.disqualified() > 0), "{before:?}");
    // Reverts the migration, so that it runs again.
    db.store()
        .write(Locks::import(), async |tx| undo(tx).await)
        .await
        .expect("the migration is undone");
    db.reopen().await;
    let settle = async || {
        let owner = tenant.clone();
        write!(db.store(), |tx| tx.settle_unsettled(&owner, 64))
    };
    while settle().await {}
    assert_eq!(funnels(db.store()).await, before);
    // The migration stores no verdicts, and computing them returns the same ones.
    let all: Vec<_> =
        all.into_iter().map(|it| Submission { is_verdict_stored: false, ..it }).collect();
    for filter in [
        SubmissionFilter::default(),
        SubmissionFilter { qualified: Some(true), ..SubmissionFilter::default() },
        SubmissionFilter { created_to: Some(at(505)), ..SubmissionFilter::default() },
        SubmissionFilter { project: Some(project().id), ..SubmissionFilter::default() },
    ] {
        check(db.store(), &account, &all, &filter, (50, 30)).await;
    }
}
