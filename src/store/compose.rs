//! A single statement composed of many.
//!
//! It is a `WITH` whose parts change different rows. They see the database as it was before, and
//! references between their rows are checked at the end. The statement counts the rows that each
//! part changes. Writes of the same shape have the same text, so it is prepared once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Sql;
use super::sql::{Arg, OwnedArg, Seq};
use crate::domain::error::{Error, Result};

/// The most arguments of a PostgreSQL statement.
const ARGS_MAX: usize = 65_535;
/// The most arguments of a statement that stays prepared: larger shapes are rare.
const PREPARED_MAX_ARGS: usize = 1_000;

/// A buffered statement, and the number of rows that it must change, if known.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) sql: Sql,
    pub(super) args: Vec<OwnedArg>,
    pub(super) rows: Option<u64>,
}

impl Put {
    /// Returns how many arguments it adds to a statement. Each mention of an argument is one.
    pub(super) fn bound(&self) -> usize {
        self.sql.matches('$').count()
    }

    /// Returns whether it adds a row whose number is only known after counting.
    pub(super) fn is_numbered(&self) -> bool {
        self.args.iter().any(|arg| matches!(arg, OwnedArg::Seq(Seq::Kept { .. })))
    }
}

/// A statement under construction.
#[derive(Debug, Default)]
pub(super) struct Statement<'a> {
    sql: String,
    args: Vec<Arg<'a>>,
    /// Whether it has a part.
    is_begun: bool,
    /// The counts of rows that parts change, and their expected values.
    expected: Vec<(String, u64)>,
    /// The number of rows that the write adds to each list.
    counted: BTreeMap<&'static str, i64>,
}

impl<'a> Statement<'a> {
    /// Sets the number of rows that are added to a list.
    pub(super) fn count(&mut self, list: &'static str, rows: i64) {
        self.counted.insert(list, rows);
    }

    /// Adds a part.
    pub(super) fn part(
        &mut self,
        name: impl Into<String>,
        rows: Option<u64>,
        write: impl FnOnce(&mut Self),
    ) {
        let name = name.into();
        self.push(if self.is_begun { ", " } else { "WITH " });
        self.is_begun = true;
        self.push(&name);
        self.push(" AS (");
        write(self);
        self.push(")");
        self.expected.extend(rows.map(|rows| (counted(&name), rows)));
    }

    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Adds an argument in place.
    pub(super) fn bind(&mut self, arg: Arg<'a>) {
        let (before, arg, after) = match arg {
            // The rows after this one in its list are subtracted from the total.
            Arg::Seq(Seq::Kept { list, index }) => {
                let rows = self.counted.get(list).copied().unwrap_or_default();
                let before = match list {
                    "changes" => "((SELECT total FROM gate) - ".to_owned(),
                    _ => format!(
                        "((SELECT total FROM totals WHERE list = '{list}' AND scope = 'tenant') - "
                    ),
                };
                (before, Arg::Int(Some(rows - index)), ")")
            }
            Arg::Seq(Seq::Known(seq)) => (String::new(), Arg::Int(Some(seq)), ""),
            Arg::Text(_) | Arg::Int(_) | Arg::Real(_) | Arg::Blob(_) => (String::new(), arg, ""),
        };
        self.args.push(arg);
        // Writing to a String cannot fail.
        let _ = write!(self.sql, "{before}${}{after}", self.args.len());
    }

    /// Adds rows under the name `v`.
    pub(super) fn values<const N: usize>(&mut self, rows: Vec<[Arg<'a>; N]>) {
        let mut separator = "(VALUES (";
        for row in rows {
            for arg in row {
                self.push(separator);
                self.bind(arg);
                separator = ", ";
            }
            separator = "), (";
        }
        self.push(")) AS v");
    }

    /// Adds statements. Combines those that add rows of the same kind.
    pub(super) fn puts(&mut self, puts: &'a [Put]) -> Result<()> {
        let mut groups: Vec<Vec<&'a Put>> = Vec::new();
        for put in puts {
            let same =
                groups.iter_mut().find(|group| group[0].sql == put.sql && rows_of(put).is_some());
            match same {
                Some(group) => group.push(put),
                None => groups.push(vec![put]),
            }
        }
        // One count for each text, because a result has at most 1 664 columns.
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, group) in groups.iter().enumerate() {
            let rows: Option<u64> = group.iter().map(|put| put.rows).sum();
            let name = format!("put{number}");
            if let Some(rows) = rows {
                let place = *counts.entry(&group[0].sql).or_insert(self.expected.len());
                if let Some((counts, expected)) = self.expected.get_mut(place) {
                    let _ = write!(counts, " + {}", counted(&name));
                    *expected += rows;
                } else {
                    self.expected.push((counted(&name), rows));
                }
            }
            self.part(name, None, |part| {
                for (place, put) in group.iter().enumerate() {
                    let from = if place == 0 { 0 } else { rows_of(put).unwrap_or_default() };
                    part.push(if place == 0 { "" } else { "," });
                    part.put(&put.sql[from..], &put.args);
                }
                part.push(if rows.is_some() { " RETURNING 1" } else { "" });
            });
        }
        if self.args.len() > ARGS_MAX {
            return Err(Error::internal("a write changes more than one statement can"));
        }
        Ok(())
    }

    /// Adds a statement with its own numbering of arguments.
    fn put(&mut self, sql: &'a str, args: &'a [OwnedArg]) {
        let mut pieces = sql.split('$');
        self.push(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.find(|it: char| !it.is_ascii_digit()).unwrap_or(piece.len());
            let arg = piece[..digits].parse().ok().and_then(|number: usize| args.get(number - 1));
            self.bind(arg.map_or(Arg::Text(None), Arg::from));
            self.push(&piece[digits..]);
        }
    }

    /// Returns whether the statement is worth keeping prepared.
    pub(super) fn is_prepared(&self) -> bool {
        self.args.len() <= PREPARED_MAX_ARGS
    }

    /// Returns the expected number of rows of each counted part.
    pub(super) fn expected(&self) -> Vec<u64> {
        self.expected.iter().map(|(_, rows)| *rows).collect()
    }

    /// Returns the whole statement. Its row contains the number of rows of each counted part.
    pub(super) fn finish(mut self) -> (String, Vec<Arg<'a>>) {
        self.sql.push_str(" SELECT 1");
        for (count, _) in &self.expected {
            self.sql.push_str(", ");
            self.sql.push_str(count);
        }
        (self.sql, self.args)
    }
}

/// Returns the count of the rows that a part changes.
fn counted(name: &str) -> String {
    format!("(SELECT COUNT(*) FROM {name})")
}

/// Returns the position of the rows in a statement that only adds rows.
fn rows_of(put: &Put) -> Option<usize> {
    let values = put.sql.find("VALUES ")? + "VALUES".len();
    (put.sql.starts_with("INSERT") && put.sql.ends_with(')') && !put.sql.contains("ON CONFLICT"))
        .then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::args;

    fn put(sql: &'static str, args: &[Arg<'_>], rows: Option<u64>) -> Put {
        Put { sql: sql.into(), args: args.iter().map(|arg| (*arg).into()).collect(), rows }
    }

    #[test]
    fn statements_become_parts_of_one_with_arguments_in_order() {
        let insert = "INSERT INTO t (a, b) VALUES ($1, $2)";
        let puts = [
            put(insert, args![1, "x"], None),
            put("UPDATE u SET a = $2 WHERE b = $1 AND c = $1", args!["k", 7], Some(1)),
            put(insert, args![2, "y"], None),
        ];
        let mut statement = Statement::default();
        statement.puts(&puts).expect("they fit");
        assert_eq!(statement.expected(), [1]);
        let (sql, args) = statement.finish();
        assert_eq!(
            sql,
            "WITH put0 AS (INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)), \
             put1 AS (UPDATE u SET a = $5 WHERE b = $6 AND c = $7 RETURNING 1) \
             SELECT 1, (SELECT COUNT(*) FROM put1)"
        );
        assert_eq!(args.len(), 7);
    }

    #[test]
    fn rows_that_one_text_changes_are_counted_together() {
        let update = "UPDATE u SET a = $1 WHERE b = $2";
        let puts: Vec<_> = (0..3).map(|row| put(update, args![row, "k"], Some(1))).collect();
        let mut statement = Statement::default();
        statement.part("gate", Some(1), |part| part.push("UPDATE g SET a = 1 RETURNING a"));
        statement.puts(&puts).expect("they fit");
        assert_eq!(statement.expected(), [1, 3]);
        let (sql, _) = statement.finish();
        let counts = "(SELECT COUNT(*) FROM put0) + (SELECT COUNT(*) FROM put1) + (SELECT COUNT(*) FROM put2)";
        assert!(
            sql.ends_with(&format!(" SELECT 1, (SELECT COUNT(*) FROM gate), {counts}")),
            "{sql}"
        );
    }

    #[test]
    fn the_number_of_a_row_is_counted_from_the_end_of_its_list() {
        let seq = Seq::Kept { list: "changes", index: 1 };
        let puts = [put("INSERT INTO changes (seq) VALUES ($1)", args![seq], None)];
        let mut statement = Statement::default();
        statement.count("changes", 3);
        statement.puts(&puts).expect("it fits");
        let (sql, args) = statement.finish();
        assert!(sql.contains("VALUES (((SELECT total FROM gate) - $1))"), "{sql}");
        assert!(matches!(args[..], [Arg::Int(Some(2))]));
    }
}
