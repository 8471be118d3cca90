//! Rows that another program wrote and that are not valid values.

use std::sync::Arc;

use screenerd::domain::change::{Action, Change, FieldChange, Subject};
use screenerd::domain::credential::{Credential, CredentialKind, SecretHash};
use screenerd::domain::error::{Kind, Result};
use screenerd::domain::id::{CredentialId, TenantId};
use screenerd::domain::question::QuestionKind;
use screenerd::domain::review::Review;
use screenerd::domain::session::{Session, SessionStatus};
use screenerd::domain::tenant::Tenant;
use screenerd::store::{
    ChangeFilter, Locks, ResponseFilter, SessionFilter, SubmissionFilter, Tx, WriteTx,
};

use super::nouns::write;
use crate::support::account::{
    Account, QUESTIONS, answer_to, assignment_id, at, good, pagination, participant, project,
    publication_id, question_of, submit,
};
use crate::support::backend::Database;

/// The call that reads the row.
#[derive(Clone, Copy, Debug)]
enum Reader {
    Session,
    Sessions,
    Activity,
    Review,
    Submission,
    Submissions,
    Funnel,
    Newest,
    Answer,
    Answers,
    Responses,
    Screener,
    Publication,
    Participant,
    Participants,
    Assignment,
    Credential,
    Tenants,
    Changes,
}

impl Reader {
    async fn read(self, tx: &mut Tx, of: &Account) -> Result<()> {
        let (tenant, scr, session) = (&of.tenant, &of.screeners[0], &of.sessions[1].id);
        let person = participant(0);
        let uid = &person.external_uid.expect("the first person has one");
        let page = pagination(25, 0);
        match self {
            Self::Session => tx.get_session(tenant, session).await.map(drop),
            Self::Sessions => {
                tx.list_sessions(tenant, &SessionFilter::default(), page).await.map(drop)
            }
            Self::Activity => tx.panelist_activity(tenant, scr, uid).await.map(drop),
            Self::Review => tx.get_review(tenant, session).await.map(drop),
            Self::Submission => tx.get_submission(tenant, &project().id, session).await.map(drop),
            Self::Submissions => {
                tx.list_submissions(tenant, &SubmissionFilter::default(), page).await.map(drop)
            }
            Self::Funnel => tx.get_funnel(tenant, scr, None).await.map(drop),
            Self::Newest => tx.newest_session(tenant, &assignment_id(scr, 0)).await.map(drop),
            Self::Answer => {
                let (question, kind) = (question_of(2).id, QuestionKind::SingleSelect);
                tx.get_answer(tenant, session, &question, kind).await.map(drop)
            }
            Self::Answers => tx.session_answers(tenant, session).await.map(drop),
            Self::Responses => {
                tx.list_responses(tenant, &ResponseFilter::default(), page).await.map(drop)
            }
            Self::Screener => tx.get_screener(tenant, scr).await.map(drop),
            Self::Publication => {
                tx.get_publication(tenant, &publication_id(scr, 0)).await.map(drop)
            }
            Self::Participant => tx.get_participant(tenant, &person.id).await.map(drop),
            Self::Participants => tx.list_participants(tenant, page).await.map(drop),
            Self::Assignment => tx.get_assignment(tenant, &assignment_id(scr, 0)).await.map(drop),
            Self::Credential => {
                tx.find_credential(&good(CredentialId::parse("key_1"))).await.map(drop)
            }
            Self::Tenants => tx.list_tenants().await.map(drop),
            Self::Changes => {
                tx.list_changes(tenant, &ChangeFilter::default(), page).await.map(drop)
            }
        }
    }
}

/// The table, column and row in the error; the edit; and the call that then reads the row.
type Damage = (&'static str, &'static str, &'static str, &'static str, Reader);

/// A placeholder for the id of the session with the edited rows.
const SESSION: &str = "{session}";

const DAMAGE: &[Damage] = &[
    ("sessions", "status", SESSION, "status = 'BROKEN' WHERE seq = 1", Reader::Session),
    ("sessions", "status", SESSION, "status = '' WHERE seq = 1", Reader::Sessions),
    ("sessions", "status", SESSION, "status = 'active' WHERE seq = 1", Reader::Activity),
    ("sessions", "completed_at", SESSION, "started_at = NULL WHERE seq = 1", Reader::Session),
    ("sessions", "completed_at", SESSION, "last_active_at = 1 WHERE seq = 1", Reader::Session),
    ("sessions", "completed_at", SESSION, "started_at = NULL WHERE seq = 1", Reader::Activity),
    ("sessions", "link_trusted", SESSION, "link_trusted = 2 WHERE seq = 1", Reader::Sessions),
    ("submissions", "status", SESSION, "status = 'REJECTED'", Reader::Review),
    ("submissions", "visibility", SESSION, "visibility = 'HIDDEN'", Reader::Review),
    ("submissions", "rejected_at", SESSION, "rejection_message = 'No.'", Reader::Review),
    ("submissions", "short_notice_cancel", SESSION, "short_notice_cancel = -1", Reader::Review),
    (
        "submissions",
        "disqualification_reason",
        SESSION,
        "disqualification_reason = 'NONE'",
        Reader::Review,
    ),
    (
        "submissions",
        "disqualification_message",
        SESSION,
        "disqualification_message = 'No.'",
        Reader::Review,
    ),
    (
        "submissions",
        "status_before_invite",
        SESSION,
        "status_before_invite = 'NEW'",
        Reader::Review,
    ),
    ("submissions", "verdict", SESSION, "publication_hash = NULL", Reader::Submission),
    ("submissions", "publication_hash", SESSION, "publication_hash = 'x'", Reader::Submission),
    ("submissions", "verdict", SESSION, "percentage = 101", Reader::Submission),
    ("submissions", "verdict", SESSION, "first_disqualifying = NULL", Reader::Submissions),
    ("submissions", "verdict", SESSION, "verdict = '[{}]'", Reader::Submissions),
    ("submissions", "verdict", SESSION, "verdict = NULL", Reader::Submissions),
    ("sessions", "funnel_cell", SESSION, "funnel_cell = 'ACTIVE' WHERE seq = 1", Reader::Newest),
    (
        "funnel_cells",
        "cell",
        "pub_scr_0_0",
        "cell = '' WHERE cell LIKE '%IN_PROGRESS%' AND sessions > 0",
        Reader::Funnel,
    ),
    ("funnel_cells", "sessions", "pub_scr_0_0", "sessions = -1", Reader::Funnel),
    ("responses", "choices", SESSION, "choices = '{' WHERE question_id = 'q_2'", Reader::Responses),
    ("responses", "choices", SESSION, "number = 1.0 WHERE question_id = 'q_0'", Reader::Responses),
    ("responses", "choices", SESSION, "choices = '[]' WHERE question_id = 'q_2'", Reader::Answers),
    ("responses", "choices", SESSION, "choices = '[]' WHERE question_id = 'q_2'", Reader::Answer),
    ("tenants", "id", "", "id = '' WHERE id = 'spare'", Reader::Tenants),
    ("screeners", "status", "scr_0", "status = 'ajar'", Reader::Screener),
    (
        "screeners",
        "content_hash",
        "scr_0",
        "draft_publication_id = active_publication_id",
        Reader::Screener,
    ),
    ("publications", "tags", "pub_scr_0_0", "tags = 'null'", Reader::Publication),
    ("publications", "tags", SESSION, "tags = '[{}]'", Reader::Session),
    ("questions", "kind", "q_0", "kind = 'ESSAY' WHERE id = 'q_0'", Reader::Publication),
    ("publications", "content_hash", "pub_scr_0_0", "content_hash = ''", Reader::Publication),
    // Each value is valid on its own, but together they do not match the publication's digest.
    ("publications", "content_hash", "pub_scr_0_0", "tags = '[]'", Reader::Publication),
    ("options", "rule", "q_2", "rule = 'MAYBE' WHERE question_id = 'q_2'", Reader::Publication),
    ("participants", "id_verification", "ptp_0", "id_verification = 'x'", Reader::Participant),
    ("participants", "id_verification", "ptp_0", "id_verification = ''", Reader::Participants),
    ("assignments", "key_epoch", "scpar_scr_0_0", "key_epoch = -1", Reader::Assignment),
    ("credentials", "kind", "key_1", "kind = 'root'", Reader::Credential),
    ("credentials", "scopes", "key_1", "scopes = 'admin everything'", Reader::Credential),
    (
        "credentials",
        "secret_hash",
        "key_1",
        "secret_hash = (SELECT value FROM server_secrets)",
        Reader::Credential,
    ),
    ("changes", "action", "0", "action = 'Remove'", Reader::Changes),
    ("changes", "subject", "0", "subject = ''", Reader::Changes),
    ("changes", "fields", "0", "fields = 'status'", Reader::Changes),
    ("changes", "fields", "0", "fields = '[{}]'", Reader::Changes),
    ("changes", "fields", "0", "fields = '[{\"name\": \"a\", \"was\": 1}]'", Reader::Changes),
];

/// Creates an account whose second session has answers and a review, and one row of all else.
async fn account(db: &Database) -> Account {
    let store = db.store();
    let mut account = Account::create(store, "acct_one", 1, 1).await;
    for _ in 0..2 {
        account.open_session(0, 0, 0);
    }
    for question in 0..QUESTIONS {
        account.answer(1, question, answer_to(question, 1));
    }
    account.flush(store).await;
    let (tenant, session) = (account.tenant.clone(), account.sessions[1].clone());
    write!(store, |tx| submit(tx, &tenant, &session, &Review::default()));
    let credential = Credential {
        id: good(CredentialId::parse("key_1")),
        tenant: account.tenant.clone(),
        kind: CredentialKind::Service,
        hash: SecretHash::of(b"token"),
        scopes: Vec::new(),
        created: at(0),
        expires: None,
        revoked: None,
    };
    write!(store, |tx| tx.create_credential(&credential));
    write!(store, |tx| tx.server_secret("short", &[1, 2, 3]));
    let spare = Tenant {
        id: good(TenantId::parse("spare")),
        name: "Spare".into(),
        created: at(0),
        disabled: None,
    };
    write!(store, |tx| tx.create_tenant(&spare));
    let tenant = account.tenant.clone();
    let change = Change {
        at: at(0),
        actor: "key_1".into(),
        action: Action::Disable,
        subject: Subject::Tenant,
        subject_id: tenant.to_string(),
        fields: vec![FieldChange { name: "disabled_at".into(), before: None, after: None }],
    };
    write!(store, |tx| tx.record_change(&tenant, &change));
    account
}

pub(super) async fn a_corrupt_row_is_named_and_is_no_panic(db: &mut Database) {
    let account = Arc::new(account(db).await);
    let session = account.sessions[1].id.as_str();
    for (table, column, row, edit, reader) in DAMAGE {
        let of = account.clone();
        // The error of the reader also rolls back the damage.
        let outcome = db
            .store()
            .write(Locks::import(), async move |tx| {
                let changed = tx.exec(format!("UPDATE {table} SET {edit}"), &[]).await?;
                assert!(changed > 0, "nothing was changed by {edit}");
                reader.read(tx, &of).await
            })
            .await;
        let context = format!("{reader:?} after {edit}");
        let error = outcome.err().unwrap_or_else(|| panic!("{context}: no error"));
        assert_eq!(error.kind(), Kind::Internal, "{context}");
        let text = error.internal_text().unwrap_or_default();
        let row = row.replace(SESSION, session);
        let named = format!("corrupt row {row} of {table}, column {column}: ");
        assert!(text.starts_with(&named), "{context}: {text} instead of {named}");
        // The message for the caller does not name the table.
        assert!(!error.detail().contains(table), "{context}: {}", error.detail());
    }
    let undamaged =
        async |reader: Reader| db.store().read(async |tx| reader.read(tx, &account).await).await;
    for (_, _, _, _, reader) in DAMAGE {
        undamaged(*reader).await.expect("without the damage the same call succeeds");
    }
}

pub(super) async fn a_corrupt_row_does_not_stop_the_store(db: &mut Database) {
    let account = account(db).await;
    db.edit("UPDATE sessions SET status = 'BROKEN' WHERE seq = 0").await;
    let (tenant, rows) = (&account.tenant, &account.sessions);
    // More reads than there are connections.
    for _ in 0..20 {
        let outcome = db.store().read(async |tx| Reader::Sessions.read(tx, &account).await).await;
        let error = outcome.expect_err("the list holds a corrupt row");
        let named = format!("corrupt row {} of sessions, column status: ", rows[0].id);
        assert!(error.internal_text().is_some_and(|text| text.starts_with(&named)));
        let sound = db.store().read(async |tx| tx.get_session(tenant, &rows[1].id).await).await;
        assert_eq!(sound.expect("another row is read").as_ref(), Some(&rows[1]));
    }
    let (tenant, id) = (tenant.clone(), rows[1].id.clone());
    let work = async move |tx: &mut WriteTx| {
        let (session, standing) = tx.get_standing(&tenant, &id).await?.expect("it is there");
        let removed = Session { status: SessionStatus::Removed, ..session };
        tx.set_session_status(&tenant, &removed, &standing).await
    };
    db.store().write(Locks::import(), work).await.expect("another row is written");
}
