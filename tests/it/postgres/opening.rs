//! Opening a PostgreSQL database from the command line, and the errors if that fails.

use std::path::Path;
use std::process::{Command, Output};

use screenerd::app::Operator;
use screenerd::store::{Location, Store, TableDigest, compare};
use screenerd::{serve, transfer};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use crate::support::backend::{Backend, run, say};
use crate::support::process::{Workplace, stderr};

/// Runs a case with the options of a migrated database.
fn on_postgres(case: impl AsyncFnOnce(&PgConnectOptions)) {
    let Some(backend) = Backend::postgres("how commands open a database") else { return };
    run(&backend, async |db| {
        let Location::Postgres(url) = &db.location else { unreachable!("it is PostgreSQL") };
        let options = url.parse().expect("a URL");
        db.close().await;
        case(&options).await;
    });
}

/// Lists the tenants and returns the standard error output.
fn told(options: &PgConnectOptions, is_good: bool) -> String {
    told_at(options.to_url_lossy().as_str(), is_good)
}

fn told_at(url: &str, is_good: bool) -> String {
    let output = Workplace::new().run(&["tenants", "list", "--database", url]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(i32::from(!is_good)), "{told}");
    told
}

fn place(options: &PgConnectOptions) -> String {
    format!("{}:{}", options.get_host(), options.get_port())
}

#[test]
fn a_database_that_does_not_exist_and_a_refused_login_are_named() {
    on_postgres(async |options| {
        let place = place(options);
        let missing = told(&options.clone().database("nodb"), false);
        let line =
            format!("screenerd: cannot open the database \"nodb\" at {place}: it does not exist\n");
        assert_eq!(missing, line);
        let refused = told(&options.clone().username("nobody").password("wrong"), false);
        let line = format!("screenerd: PostgreSQL at {place} refused the login of \"nobody\": ");
        assert!(refused.starts_with(&line) && !refused.contains("wrong"), "{refused}");
    });
}

/// Runs a tool of PostgreSQL.
fn tool(name: &str, arguments: &[&str], url: &str, options: Option<&str>) -> Output {
    let folder = std::env::var("SCREENERD_PG_BIN");
    let folder = folder.unwrap_or_else(|_| "/usr/lib/postgresql/15/bin".to_owned());
    let mut command = Command::new(Path::new(&folder).join(name));
    command.args(arguments).arg(format!("--dbname={url}"));
    command.envs(options.map(|options| ("PGOPTIONS", options)));
    command.output().expect("PostgreSQL is there, and so are its tools")
}

async fn digests(url: &str) -> Vec<TableDigest> {
    let store = Store::open(&Location::Postgres(url.to_owned())).await.expect("it opens");
    let digests = store.digests(&mut |_, _| {}).await.expect("it is read");
    store.close().await;
    digests
}

/// Follows the documented procedure.
#[test]
fn rows_alone_are_restored_into_tables_that_are_there_where_locks_are_declared() {
    on_postgres(async |options| {
        let name = format!("{}_restored", options.get_database().expect("a name"));
        let mut raw = options.connect().await.expect("it connects");
        let make = format!("CREATE DATABASE {name} TEMPLATE template0");
        raw.execute(sqlx::raw_sql(AssertSqlSafe(make))).await.expect("it is made");
        let [old, new] = [options.clone(), options.clone().database(&name)].map(|options| {
            let mut url = options.to_url_lossy();
            // These tools reject the other parameters.
            url.set_query(None);
            url.to_string()
        });
        let app = serve::open_store(&Location::Postgres(old.clone())).await.expect("it opens");
        transfer::demo::load(&app, &Operator::trusted()).await.expect("it loads");
        app.close().await;
        let place = Workplace::new();
        let file = place.path("rows.sql").display().to_string();
        let (to, from) = (format!("--file={file}"), format!("--file={file}"));
        let succeeds = |output: Output| assert!(output.status.success(), "{}", stderr(&output));
        let rows = ["--data-only", "--exclude-table=_sqlx_migrations", &to];
        succeeds(tool("pg_dump", &rows, &old, None));
        assert_eq!(told_at(&new, true), "");
        succeeds(tool("psql", &["--command=DELETE FROM server_secrets"], &new, None));
        let restore = ["--single-transaction", "--set=ON_ERROR_STOP=1", &from];
        let refused = tool("psql", &restore, &new, None);
        assert!(!refused.status.success());
        assert!(stderr(&refused).contains("a newer version of screenerd"), "{}", stderr(&refused));
        succeeds(tool("psql", &restore, &new, Some("-c screenerd.locks=declared")));
        compare(&digests(&old).await, &digests(&new).await).expect("every row is there");
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        raw.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await.expect("it is dropped");
        raw.close().await.expect("the connection closes");
    });
}

#[test]
fn a_command_on_a_database_that_is_migrated_logs_nothing() {
    on_postgres(async |options| assert_eq!(told(options, true), ""));
}

#[test]
fn a_schema_with_tables_of_our_names_is_refused_and_one_with_others_is_shared() {
    on_postgres(async |options| {
        let mut raw = options.connect().await.expect("it connects");
        let name = options.get_database().expect("a name").to_owned();
        for (schema, tables, is_good) in [
            ("shared", "CREATE TABLE shared.notes (id BIGINT)", true),
            ("taken", "CREATE TABLE taken.sessions (id BIGINT)", false),
            (
                "foreign_migrations",
                "CREATE TABLE foreign_migrations._sqlx_migrations (version BIGINT PRIMARY KEY,
                     description TEXT, installed_on TIMESTAMPTZ, success BOOLEAN, checksum BYTEA,
                     execution_time BIGINT);
                 INSERT INTO foreign_migrations._sqlx_migrations
                     VALUES (1, 'init', now(), TRUE, '\\x00', 0)",
                false,
            ),
        ] {
            let made = format!("CREATE SCHEMA {schema}; {tables}");
            raw.execute(sqlx::raw_sql(AssertSqlSafe(made))).await.expect("it is made");
            let mut url = options.to_url_lossy();
            url.query_pairs_mut().append_pair("options[search_path]", schema);
            let told = told_at(url.as_str(), is_good);
            let why = "it is the database of another program";
            let line = format!(
                "screenerd: cannot open the database \"{name}\" at {}: {why}\n",
                place(options)
            );
            assert_eq!(told, if is_good { String::new() } else { line }, "{schema}");
        }
        raw.close().await.expect("the connection closes");
    });
}

/// Returns how many connections of the program to a database are encrypted, and how many are not.
async fn encrypted(options: &PgConnectOptions) -> (i64, i64) {
    let mut connection = options.connect().await.expect("it accepts connections");
    let counts = "SELECT COUNT(*) FILTER (WHERE ssl), COUNT(*) FILTER (WHERE NOT ssl)
        FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'screenerd' AND datname = current_database()";
    sqlx::query_as(counts).fetch_one(&mut connection).await.expect("a row")
}

#[test]
fn connections_are_encrypted_and_the_server_is_verified_as_the_url_demands() {
    on_postgres(async |options| {
        let Ok(ca) = std::env::var("SCREENERD_TEST_POSTGRES_CA") else {
            return say("TLS left out: SCREENERD_TEST_POSTGRES_CA names no authority");
        };
        let plain = options.to_url_lossy().to_string();
        let (plain, _) = plain.split_once('?').unwrap_or((&plain, ""));
        let verified = format!("{plain}?sslmode=verify-full&sslrootcert={ca}");
        for (url, expected) in [
            (format!("{plain}?sslmode=disable"), (0, 1)),
            (format!("{plain}?sslmode=prefer"), (1, 0)),
            (format!("{plain}?sslmode=require"), (1, 0)),
            (verified.clone(), (1, 0)),
        ] {
            let store = Store::open(&Location::Postgres(url.clone())).await.expect("it opens");
            assert_eq!(encrypted(options).await, expected, "{url}");
            store.close().await;
        }
        // The certificate is for 127.0.0.1, and its authority is not one that browsers know.
        let unknown = told_at(&format!("{plain}?sslmode=verify-full"), false);
        assert!(unknown.contains("cannot reach PostgreSQL at 127.0.0.1"), "{unknown}");
        assert!(unknown.contains("invalid peer certificate"), "{unknown}");
        for mode in ["allow", "verify-ca"] {
            let refused = told_at(&format!("{plain}?sslmode={mode}"), false);
            let words = "sslmode must be disable, prefer, require or verify-full";
            assert!(refused.contains(words), "{refused}");
        }
        let missing = told_at(&format!("{plain}?sslmode=verify-full&sslrootcert=/none.pem"), false);
        assert!(
            missing.contains("the authority /none.pem of sslrootcert cannot be read"),
            "{missing}"
        );
        let other_name = verified.replace("@127.0.0.1:", "@localhost:");
        let wrong = told_at(&other_name, false);
        assert!(wrong.contains("not valid for name"), "{wrong}");
    });
}
