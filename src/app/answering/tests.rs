use std::pin::Pin;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::{Holder, Holds};
use crate::app::{App, Operator, Record};
use crate::domain::answer::{ANSWER_TEXT_MAX_BYTES, Given};
use crate::domain::answering::Submit;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{PageId, ProjectId, PublicationId, QuestionId, ScreenerId, TenantId};
use crate::domain::participant::{ExternalUid, Person};
use crate::domain::pattern::Pattern;
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::question::{Question, QuestionForm, TextForm};
use crate::domain::screener::{Screener, ScreenerStatus};
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::store::Tx;

/// A pattern that is slow on long texts.
const SLOW: &str = "[ab]*a[ab]{50}[ab]*c|ok";

fn good<T>(parsed: Result<T, String>) -> T {
    parsed.expect("it is one")
}

fn tenant() -> TenantId {
    good(TenantId::parse("acct"))
}

fn screener() -> ScreenerId {
    good(ScreenerId::parse("scr"))
}

fn question() -> QuestionId {
    good(QuestionId::parse("q"))
}

fn records() -> Vec<Record> {
    let at = Timestamp::from_micros(0);
    let project = good(ProjectId::parse("proj"));
    let publication = good(PublicationId::parse("scpub"));
    let form = TextForm { pattern: Some(good(Pattern::parse(SLOW))), ..TextForm::default() };
    let question = Question {
        id: question(),
        page: good(PageId::parse("p")),
        prompt: "?".into(),
        required: true,
        form: QuestionForm::Text(form),
    };
    vec![
        Record::Tenant(Tenant { id: tenant(), name: "A".into(), created: at, disabled: None }),
        Record::Project(
            tenant(),
            Project {
                id: project.clone(),
                name: "P".into(),
                incentive: 0.0,
                organization: "o".into(),
                team: "t".into(),
            },
        ),
        Record::Screener(
            tenant(),
            Screener {
                id: screener(),
                project,
                title: "S".into(),
                status: ScreenerStatus::Open,
                allow_multiple_responses: true,
                active_publication: Some(publication.clone()),
                draft: None,
            },
        ),
        Record::Publication(
            tenant(),
            Publication {
                id: publication,
                screener: screener(),
                tags: Vec::new(),
                questions: vec![question],
                published: None,
                wording: <_>::default(),
            },
        ),
    ]
}

struct Setting {
    app: App,
    _folder: tempfile::TempDir,
}

async fn setting() -> Setting {
    let (folder, app) = crate::app::tests::new_app().await;
    let records: Vec<_> = (1..).zip(records()).map(Ok).collect();
    app.import(&Operator::trusted(), records.into_iter(), None).await.expect("an import");
    Setting { app, _folder: folder }
}

fn holder() -> Holder {
    let external_uid = ExternalUid::parse("somebody").expect("an external uid");
    let person = Person::Uid(external_uid.clone());
    let holds = Holds::Key { external_uid, epoch: 0 };
    Holder { tenant: tenant(), screener: screener(), person, is_enabled: true, holds }
}

fn submit(text: impl Into<String>) -> Submit {
    let answers = [(question(), Given::Text(text.into()))].into();
    Submit {
        answers,
        is_final: false,
        is_provisional: false,
        publication: None,
        idempotency_key: None,
        field: "answers",
    }
}

fn kind<T>(done: Result<T>) -> Option<Kind> {
    done.err().map(|error| error.kind())
}

type Queued<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Queues work until the queue is full. The work waits until the sender is dropped.
fn crowd<'a>(mut queue: impl FnMut() -> Queued<'a>) -> Vec<Queued<'a>> {
    let mut queued = Vec::new();
    loop {
        let mut work = queue();
        match work.as_mut().now_or_never() {
            Some(refused) => {
                assert_eq!(kind(refused), Some(Kind::Unavailable));
                return queued;
            }
            None => queued.push(work),
        }
    }
}

fn wait(held: &Mutex<Receiver<()>>) {
    // Returns an error once the sender is dropped.
    let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv();
}

#[tokio::test]
async fn only_texts_that_may_take_long_wait_for_the_threads_of_long_work() {
    let Setting { app, _folder } = setting().await;
    let long = || "a".repeat(ANSWER_TEXT_MAX_BYTES);
    let taken = async |text: String| app.submit_answers(holder(), submit(text)).await;
    assert_eq!(kind(taken(long()).await), Some(Kind::InvalidArgument));
    taken(format!("{}c", &long()[1..])).await.expect("it matches");
    // The lane is closed, so texts can be matched only in the transaction.
    app.lane.close();
    assert_eq!(kind(taken(long()).await), Some(Kind::Unavailable));
    assert_eq!(kind(taken(long() + "a").await), Some(Kind::InvalidArgument));
    assert_eq!(kind(taken("no".into()).await), Some(Kind::InvalidArgument));
    taken("ok".into()).await.expect("it matches");
    // A page matches its texts before it submits them.
    let sheet = app.load_questionnaire(&holder()).await.expect("a questionnaire");
    let matched = async |text: String| {
        let answers = submit(text).answers;
        app.match_texts(&tenant(), &sheet.publication, sheet.hash, &answers).await
    };
    assert_eq!(kind(matched(long()).await), Some(Kind::Unavailable));
    let no = matched("no".into()).await.expect("it is quick");
    assert!(no.misfits().contains(&question()));
}

#[tokio::test]
async fn texts_that_were_matched_are_not_matched_again() {
    let Setting { app, _folder } = setting().await;
    let sheet = app.load_questionnaire(&holder()).await.expect("a questionnaire");
    let submit = submit("a".repeat(ANSWER_TEXT_MAX_BYTES - 1) + "c");
    let matched = app.match_texts(&tenant(), &sheet.publication, sheet.hash, &submit.answers).await;
    let matched = Some(matched.expect("they are matched"));
    app.lane.close();
    app.submit_matched(holder(), submit, matched).await.expect("nothing is left to match");
}

#[tokio::test]
async fn neither_long_reads_nor_long_work_stand_before_a_questionnaire() {
    let Setting { app, _folder } = setting().await;
    let (release, held) = mpsc::channel();
    let held = Arc::new(Mutex::new(held));
    let share = tenant();
    let reads = crowd(|| {
        let held = Arc::clone(&held);
        Box::pin(app.store.scan(share.as_str(), async move |_: &mut Tx| {
            wait(&held);
            Ok(())
        }))
    });
    let work = crowd(|| {
        let held = Arc::clone(&held);
        Box::pin(app.compute(&share, move |_| wait(&held)))
    });
    app.load_questionnaire(&holder()).await.expect("a questionnaire");
    app.submit_answers(holder(), submit("ok")).await.expect("it is taken");
    drop(release);
    for done in reads.into_iter().chain(work) {
        done.await.expect("it ends");
    }
}

#[tokio::test]
async fn callers_who_need_the_same_questionnaire_wait_for_one_load() {
    let Setting { app, _folder } = setting().await;
    let (release, held) = mpsc::channel();
    let held = Arc::new(Mutex::new(held));
    let share = tenant();
    // A share may run at most this many pieces of work.
    let running = thread::available_parallelism().map_or(1, usize::from);
    let block = |_| {
        let held = Arc::clone(&held);
        let mut blocked = Box::pin(app.loads.run(share.as_str(), move |_| wait(&held)));
        assert!(blocked.as_mut().now_or_never().is_none());
        blocked
    };
    let blocked: Vec<_> = (0..running).map(block).collect();
    let holder = holder();
    let load = |_| {
        let mut load = Box::pin(app.load_questionnaire(&holder));
        assert!(load.as_mut().now_or_never().is_none(), "it waits");
        load
    };
    let mut loads: Vec<_> = (0..2 * crate::lane::WAITING_MAX_PER_SHARE).map(load).collect();
    // If the caller that loads leaves, another one loads.
    drop(loads.swap_remove(0));
    drop(release);
    let loaded: Result<Vec<_>, Error> = join_all(loads).await.into_iter().collect();
    loaded.expect("all find it");
    for done in join_all(blocked).await {
        assert_eq!(done, Ok(()));
    }
}
