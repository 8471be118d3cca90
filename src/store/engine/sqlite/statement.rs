//! Statements that run on the calling thread, prepared once for each connection.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, params_from_iter};

use super::sqlite_error;
use crate::domain::error::Result;
use crate::store::engine::row::RawRow;
use crate::store::{Arg, Row, Seq};

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Arg::Text(value) => value.into(),
            Arg::Int(value) => value.map_or(ValueRef::Null, ValueRef::Integer),
            Arg::Real(value) => value.map_or(ValueRef::Null, ValueRef::Real),
            Arg::Blob(value) => value.into(),
            Arg::Seq(Seq::Known(value)) => ValueRef::Integer(value),
            // Only writes on the other engine keep statements.
            Arg::Seq(Seq::Kept { .. }) => ValueRef::Null,
        }))
    }
}

fn prepare<'c>(driver: &'c rusqlite::Connection, sql: &str) -> Result<CachedStatement<'c>> {
    let statement = driver.prepare_cached(sql).map_err(sqlite_error)?;
    // `$1` is a name to SQLite, and it numbers names by their first appearance.
    debug_assert!(
        (1..=statement.parameter_count())
            .all(|place| statement.parameter_name(place) == Some(&format!("${place}"))),
        "placeholders first appear in ascending order: {sql}"
    );
    Ok(statement)
}

pub(in crate::store::engine) fn exec(
    driver: &rusqlite::Connection,
    sql: &str,
    args: &[Arg<'_>],
) -> Result<u64> {
    let mut statement = prepare(driver, sql)?;
    let changed = statement.execute(params_from_iter(args)).map_err(sqlite_error)?;
    Ok(changed as u64)
}

pub(in crate::store::engine) fn scan(
    driver: &rusqlite::Connection,
    sql: &str,
    args: &[Arg<'_>],
    mut each: impl FnMut(&mut Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = prepare(driver, sql)?;
    let mut rows = statement.query(params_from_iter(args)).map_err(sqlite_error)?;
    while let Some(row) = rows.next().map_err(sqlite_error)? {
        each(&mut Row::new(RawRow::Sqlite(row)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::store::funnel::STARTED_SESSIONS;
    use crate::store::sql::args;
    use crate::store::{Location, Row, Store};

    #[tokio::test]
    async fn the_sessions_of_a_participant_are_found_by_an_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let location = Location::Sqlite(folder.path().join("plan.db"));
        let store = Store::open(&location).await.expect("it opens");
        let plan: &'static str = format!("EXPLAIN QUERY PLAN {STARTED_SESSIONS}").leak();
        let step = |row: &mut Row<'_>| {
            for _ in 0..3 {
                row.int()?;
            }
            row.text()
        };
        let steps = store.read(async |tx| tx.all(plan, args!["t", "p"], step).await);
        let steps = steps.await.expect("it is explained").join("\n");
        assert!(steps.contains("sessions_by_assignment"), "{steps}");
        assert!(!steps.contains("sessions_by_tenant"), "{steps}");
    }
}
