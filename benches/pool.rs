//! The plain way to store a submission, as the baseline: each request is a transaction of its own
//! through sqlx's pool, committed to the disk before the response.
//!
//! It writes the same rows as `screenerd` for the same call, into the same tables. Before that it
//! reads the data for the rules of a submission, one statement for each kind, but validates
//! nothing. With `--unchecked` it reads only the session. It implements the generated service on
//! tonic's own server. `benches/run` starts it. It runs until it is killed.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use screenerd::pb::screener::v1;
use screenerd::pb::screener::v1::answer_value::Value;
use screenerd::pb::screener::v1::panelist_session_service_server::{
    PanelistSessionService, PanelistSessionServiceServer,
};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, Transaction};
use tokio::net::TcpListener;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    database: PathBuf,

    /// The connections. SQLite allows one writing transaction at a time, so more would wait.
    #[arg(long, default_value_t = 1)]
    connections: u32,

    /// Reads only the session.
    #[arg(long)]
    unchecked: bool,
}

const TENANT: &str = "acct_generated";
const SCREENER: &str = "scr_generated";
const PUBLICATION: &str = "scpub_generated";
const PROJECT: &str = "proj_generated";
/// Rows between two marks of a list.
const BLOCK_ROWS: i64 = 128;

type Tx<'t> = Transaction<'t, Sqlite>;

struct Pool {
    pool: SqlitePool,
    unchecked: bool,
}

/// Queries for the data that determines whether, and how, a session may be answered: tenant,
/// person, screener, their sessions and dismissals, questions, options, and earlier answers.
const LOOKUPS: [&str; 8] = [
    "SELECT id, disabled_at FROM tenants WHERE id = $1 AND $2 <> '' AND $3 <> ''",
    "SELECT a.key_epoch, p.id_verification FROM assignments a
     JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
     WHERE a.tenant_id = $1 AND $2 <> '' AND a.id = $3",
    "SELECT project_id, status, allow_multiple_responses, active_publication_id FROM screeners
     WHERE tenant_id = $1 AND $2 <> '' AND $3 <> '' AND id = 'scr_generated'",
    "SELECT COUNT(started_at), COUNT(completed_at), MAX(last_active_at) FROM sessions
     WHERE tenant_id = $1 AND $2 <> '' AND assignment_id = $3",
    "SELECT MAX(dismissed_at) FROM dismissals
     WHERE tenant_id = $1 AND $2 <> '' AND assignment_id = $3",
    "SELECT id, page_id, kind, prompt, required, multi_line, slider, min, max, qualifies_min,
        qualifies_max, min_length, max_length, pattern, step, min_choices, max_choices
     FROM questions
     WHERE tenant_id = $1 AND $2 <> '' AND $3 <> '' AND publication_id = 'scpub_generated'
     ORDER BY position",
    "SELECT question_id, id, text, rule, write_in, go_to_question_id, go_to_end FROM options
     WHERE tenant_id = $1 AND $2 <> '' AND $3 <> '' AND publication_id = 'scpub_generated'
     ORDER BY question_id, position",
    "SELECT question_id, text, number, choices FROM responses
     WHERE tenant_id = $1 AND session_id = $2 AND $3 <> ''",
];

/// Counts rows into a scope of a list. Returns the previous number.
async fn count(
    tx: &mut Tx<'_>,
    list: &str,
    (scope, scope_id): (&str, &str),
    rows: i64,
) -> sqlx::Result<i64> {
    let sql = "UPDATE list_totals SET total = total + $1
        WHERE tenant_id = $2 AND list = $3 AND scope = $4 AND scope_id = $5 RETURNING total";
    let query = sqlx::query(sql).bind(rows).bind(TENANT).bind(list).bind(scope).bind(scope_id);
    if let Some(row) = query.fetch_optional(&mut **tx).await? {
        return Ok(row.get::<i64, _>(0) - rows);
    }
    let sql = "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
        VALUES ($1, $2, $3, $4, $5)";
    let query = sqlx::query(sql).bind(TENANT).bind(list).bind(scope).bind(scope_id).bind(rows);
    query.execute(&mut **tx).await?;
    Ok(0)
}

/// Counts rows into the tenant's list and its scopes, with marks. Returns the first row's number.
async fn append(
    tx: &mut Tx<'_>,
    list: &str,
    scopes: &[(&str, &str)],
    rows: i64,
) -> sqlx::Result<i64> {
    let seq = count(tx, list, ("tenant", ""), rows).await?;
    for scope in scopes {
        let before = count(tx, list, *scope, rows).await?;
        for ordinal in (before..before + rows).filter(|it| it % BLOCK_ROWS == 0) {
            let sql = "INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
                VALUES ($1, $2, $3, $4, $5, $6)";
            let query = sqlx::query(sql).bind(TENANT).bind(list).bind(scope.0).bind(scope.1);
            let query = query.bind(ordinal / BLOCK_ROWS).bind(seq + ordinal - before);
            query.execute(&mut **tx).await?;
        }
    }
    Ok(seq)
}

async fn change(tx: &mut Tx<'_>, action: &str, subject: &str, session: &str) -> sqlx::Result<()> {
    let seq = append(tx, "changes", &[], 1).await?;
    let sql = "INSERT INTO changes (tenant_id, seq, at, actor, action, subject, subject_id, fields)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let query = sqlx::query(sql).bind(TENANT).bind(seq).bind(NOW).bind("panelist").bind(action);
    query.bind(subject).bind(session).bind(FIELDS).execute(&mut **tx).await.map(|_| ())
}

/// The time that is stored. The cost of a write does not depend on it.
const NOW: i64 = 1_800_000_000_000_000;
/// As long as an audit log entry of a submission, approximately.
const FIELDS: &str = r#"[{"name":"started_at","after":"2026-01-05T10:00:00.000000Z"},{"name":"last_active_at","after":"2026-01-05T10:00:00.000000Z"},{"name":"state","before":"NOT_STARTED","after":"IN_PROGRESS"},{"name":"answers.scq_000"},{"name":"answers.scq_001"},{"name":"answers.scq_002"}]"#;
/// As long as the stored digest of a publication.
const HASH: &str = "6b3a55e0261b0304143f805a24924d0c1c44524821305f31d9277843b8a10f4e";

/// Stores the answers, each of which is a text, a number or choices.
async fn store_answers(
    tx: &mut Tx<'_>,
    (session, assignment): (&str, &str),
    answers: &HashMap<String, v1::AnswerValue>,
) -> sqlx::Result<()> {
    let scopes = [("screener", SCREENER), ("publication", PUBLICATION)];
    let rows = i64::try_from(answers.len()).unwrap_or(i64::MAX);
    let mut seq = append(tx, "responses", &scopes, rows).await?;
    let values = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; answers.len()].join(", ");
    let sql = format!(
        "INSERT INTO responses (tenant_id, session_id, screener_id, publication_id, assignment_id,
            question_id, seq, text, number, choices) VALUES {values}"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for (question, answer) in answers {
        let (mut text, mut number, mut choices) = (None, None, None);
        match &answer.value {
            Some(Value::Text(value)) => text = Some(value.clone()),
            Some(Value::Number(value)) => number = Some(*value),
            Some(Value::Option(chosen)) => {
                choices = Some(format!(r#"[{{"option":"{}","text":"Option"}}]"#, chosen.option_id));
            }
            Some(Value::Options(_) | Value::LeftOut(_)) | None => {}
        }
        query = query.bind(TENANT).bind(session).bind(SCREENER).bind(PUBLICATION).bind(assignment);
        query = query.bind(question.as_str()).bind(seq).bind(text).bind(number).bind(choices);
        seq += 1;
    }
    query.execute(&mut **tx).await.map(|_| ())
}

impl Pool {
    async fn store(
        &self,
        session: &str,
        answers: &HashMap<String, v1::AnswerValue>,
    ) -> sqlx::Result<()> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let sql = "SELECT assignment_id, funnel_cell FROM sessions
            WHERE tenant_id = $1 AND id = $2 AND status = 'ACTIVE' AND completed_at IS NULL";
        let row = sqlx::query(sql).bind(TENANT).bind(session).fetch_one(&mut *tx).await?;
        let (assignment, cell): (String, Option<String>) = (row.get(0), row.get(1));
        let lookups: &[&'static str] = if self.unchecked { &[] } else { &LOOKUPS };
        for sql in lookups {
            let query = sqlx::query(*sql).bind(TENANT).bind(session).bind(&assignment);
            query.fetch_all(&mut *tx).await?;
        }
        let sql = "UPDATE sessions SET started_at = $1, last_active_at = $1, funnel_cell = $2
            WHERE tenant_id = $3 AND id = $4";
        let query = sqlx::query(sql).bind(NOW).bind("ANSWERED").bind(TENANT).bind(session);
        query.execute(&mut *tx).await?;
        let scopes = [("screener", SCREENER), ("project", PROJECT)];
        let seq = append(&mut tx, "submissions", &scopes, 1).await?;
        let sql = "INSERT INTO submissions (tenant_id, session_id, status, visibility, favorite,
                hidden, is_new, seq, screener_id, project_id, created_at, qualified,
                publication_hash, percentage, questions_qualified, verdict)
            VALUES ($1, $2, 'PENDING', 'VISIBLE', 0, 0, 1, $3, $4, $5, $6, 1, $7, 100, 3, '[]')";
        let query = sqlx::query(sql).bind(TENANT).bind(session).bind(seq).bind(SCREENER);
        query.bind(PROJECT).bind(NOW).bind(HASH).execute(&mut *tx).await?;
        store_answers(&mut tx, (session, &assignment), answers).await?;
        change(&mut tx, "ANSWER", "SCREENER_SESSION", session).await?;
        change(&mut tx, "CREATE", "SUBMISSION", session).await?;
        let moved = [(cell.as_deref().unwrap_or_default(), -1), ("ANSWERED", 1)];
        for (cell, sessions) in moved {
            let sql = "INSERT INTO funnel_cells
                    (tenant_id, screener_id, publication_id, cell, sessions)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (tenant_id, screener_id, publication_id, cell)
                DO UPDATE SET sessions = funnel_cells.sessions + excluded.sessions";
            let query = sqlx::query(sql).bind(TENANT).bind(SCREENER).bind(PUBLICATION).bind(cell);
            query.bind(sessions).execute(&mut *tx).await?;
        }
        tx.commit().await
    }
}

fn failed(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

#[tonic::async_trait]
impl PanelistSessionService for Pool {
    async fn submit_answers(
        &self,
        request: Request<v1::SubmitAnswersRequest>,
    ) -> Result<Response<v1::SubmitAnswersResponse>, Status> {
        let link = request.metadata().get("authorization").ok_or_else(|| failed("no link"))?;
        let link = link.to_str().map_err(failed)?;
        let session = link.rsplit('/').next().unwrap_or_default().to_owned();
        let answers = request.into_inner().answers;
        self.store(&session, &answers).await.map_err(failed)?;
        Ok(Response::new(v1::SubmitAnswersResponse {
            screener_session_id: session,
            state: v1::ScreenerSessionState::InProgress.into(),
            count: i32::try_from(answers.len()).ok(),
            ..v1::SubmitAnswersResponse::default()
        }))
    }

    async fn get_questionnaire(
        &self,
        _: Request<v1::GetQuestionnaireRequest>,
    ) -> Result<Response<v1::GetQuestionnaireResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn dismiss(
        &self,
        _: Request<v1::DismissRequest>,
    ) -> Result<Response<v1::DismissResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { database, connections, unchecked } = Arguments::parse();
    let options = SqliteConnectOptions::new()
        .filename(database)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(connections).connect_with(options).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("gRPC on {}", listener.local_addr()?);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let service = PanelistSessionServiceServer::new(Pool { pool, unchecked });
    Server::builder().add_service(service).serve_with_incoming(incoming).await?;
    Ok(())
}
