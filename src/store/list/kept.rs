//! The buffer of a write until it ends: its statements, and its additions to lists.
//!
//! All of it becomes one statement, which first updates the gate of the tenant: the total of its
//! audit log, to which nearly every write adds. A write that has locked the gate assigns its
//! numbers alone until it commits. So lists have no gaps, no number is assigned twice, and no round
//! trip of another write comes between the numbers and the commit.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::holes::Holes;
use super::{Key, List, Scope, TENANT_SCOPE};
use crate::domain::error::{Error, Result};
use crate::domain::id::TenantId;
use crate::store::compose::{Put, Statement};
use crate::store::sql::{Arg, Seq, args};

/// Rows that one scope of a list has received.
#[derive(Debug, Default)]
struct Arrived {
    rows: i64,
    /// Runs of consecutive rows in the list: the index of the first one among the scope's new rows
    /// and among the list's, and the length.
    runs: Vec<[i64; 3]>,
}

/// The buffer of a write.
#[derive(Debug, Default)]
pub(in crate::store) struct Kept {
    /// The tenant of the lists.
    tenant: Option<TenantId>,
    puts: Vec<Put>,
    /// The number of their arguments.
    put_args: usize,
    arrived: BTreeMap<(List, &'static str, String), Arrived>,
    holes: BTreeMap<(List, &'static str, String), Holes>,
    /// The number of rows that have left a scope.
    left: BTreeMap<(List, &'static str, String), i64>,
    cells: Cells,
}

/// The most arguments of statements that are sent together, about those of a large questionnaire.
/// Statements that use counted numbers may exceed it: a batch of sessions has 42 000, and its
/// counts 16 000.
const PUT_ARGS_MAX: usize = 20_000;

/// The list whose total is the gate.
const GATE: List = List::Changes;

impl Kept {
    /// Buffers a statement. Returns the full buffer, if it must be sent first. Its counts are sent
    /// with it, because the rows that they number are put right after they are counted.
    pub(in crate::store) fn put(&mut self, put: Put) -> Option<Self> {
        let is_full = self.put_args + put.bound() > PUT_ARGS_MAX && !put.is_numbered();
        let sent = is_full.then(|| std::mem::take(self));
        self.put_args += put.bound();
        self.puts.push(put);
        sent
    }

    /// Returns whether the buffer is empty.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.puts.is_empty() && !self.is_counted()
    }

    fn is_counted(&self) -> bool {
        !self.arrived.is_empty() || !self.left.is_empty() || self.cells.changes().next().is_some()
    }

    fn enter(&mut self, tenant: &TenantId) -> Result<()> {
        if self.tenant.get_or_insert_with(|| tenant.clone()) == tenant {
            return Ok(());
        }
        Err(Error::internal("a write adds to the lists of two tenants"))
    }

    /// Returns the cells of a tenant.
    pub(super) fn cells(&mut self, tenant: &TenantId) -> Result<&mut Cells> {
        self.enter(tenant)?;
        Ok(&mut self.cells)
    }

    /// Counts rows into a list, and returns the number of the first.
    pub(super) fn append(
        &mut self,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
        rows: i64,
    ) -> Result<Seq> {
        self.enter(tenant)?;
        let (tenant_scope, tenant_id) = TENANT_SCOPE;
        let whole = self.arrived.entry((list, tenant_scope, tenant_id.to_owned())).or_default();
        let index = whole.rows;
        whole.rows += rows;
        for scope in scopes {
            let (scope, scope_id) = scope.parts();
            let Arrived { rows: before, runs } =
                self.arrived.entry((list, scope, scope_id.to_owned())).or_default();
            match runs.last_mut() {
                Some([_, first, length]) if *first + *length == index => *length += rows,
                Some(_) | None => runs.push([*before, index, rows]),
            }
            *before += rows;
        }
        Ok(Seq::Kept { list: list.as_str(), index })
    }

    /// Counts rows of a scope out of these blocks.
    pub(super) fn leave(&mut self, key: Key, blocks: &[i64]) -> Result<()> {
        let (tenant, list, scope, scope_id) = key;
        self.enter(&tenant)?;
        let key = (list, scope, scope_id);
        let holes = self.holes.entry(key.clone()).or_default();
        for block in blocks {
            holes.add(*block);
        }
        *self.left.entry(key).or_default() +=
            i64::try_from(blocks.len()).map_err(Error::internal)?;
        Ok(())
    }

    /// Composes one statement of the whole buffer.
    pub(in crate::store) fn compose(&self) -> Result<Statement<'_>> {
        let mut statement = Statement::default();
        if let (true, Some(tenant)) = (self.is_counted(), &self.tenant) {
            for ((list, scope, _), Arrived { rows, .. }) in &self.arrived {
                if *scope == TENANT_SCOPE.0 {
                    statement.count(list.as_str(), *rows);
                }
            }
            self.compose_totals(&mut statement, tenant);
            self.compose_marks(&mut statement, tenant);
            self.compose_holes(&mut statement, tenant);
            self.compose_cells(&mut statement, tenant);
        }
        statement.puts(&self.puts)?;
        Ok(statement)
    }

    fn compose_totals<'a>(&'a self, statement: &mut Statement<'a>, tenant: &'a TenantId) {
        let is_gate = |(list, ..): &(List, &str, String)| *list == GATE;
        let gate = self.arrived.iter().find(|(key, _)| is_gate(key));
        statement.part("gate", Some(1), |part| {
            part.push("UPDATE list_totals SET total = total + ");
            part.bind(gate.map_or(0, |(_, arrived)| arrived.rows).into());
            part.push(" WHERE tenant_id = ");
            part.bind(tenant.into());
            part.push(
                " AND list = 'changes' AND scope = 'tenant' AND scope_id = '' RETURNING total",
            );
        });
        let keys = self
            .arrived
            .keys()
            .chain(self.left.keys().filter(|it| !self.arrived.contains_key(*it)));
        let rows = keys.filter(|key| !is_gate(key)).map(|key| {
            let (list, scope, scope_id) = key;
            let arrived = self.arrived.get(key).map_or(0, |it| it.rows);
            let left = self.left.get(key).copied().unwrap_or_default();
            *args![tenant, list.as_str(), *scope, scope_id, arrived, left]
        });
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() {
            return;
        }
        statement.part("totals", None, |part| {
            part.push(
                "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total, holes)
                 SELECT v.* FROM gate, ",
            );
            part.values(rows);
            part.push(
                " ON CONFLICT (tenant_id, list, scope, scope_id)
                 DO UPDATE SET total = list_totals.total + excluded.total,
                    holes = list_totals.holes + excluded.holes
                 RETURNING list, scope, scope_id, total",
            );
        });
    }

    /// Adds a mark for each block of 128 ordinals that begins with a new row.
    fn compose_marks<'a>(&'a self, statement: &mut Statement<'a>, tenant: &'a TenantId) {
        let scopes = self.arrived.iter().filter(|((_, scope, _), _)| *scope != TENANT_SCOPE.0);
        let rows = scopes.flat_map(|((list, scope, scope_id), arrived)| {
            let whole = self.arrived.get(&(*list, TENANT_SCOPE.0, TENANT_SCOPE.1.to_owned()));
            let total = whole.map_or(0, |whole| whole.rows);
            arrived.runs.iter().map(move |[place, index, length]| {
                let place = place - arrived.rows;
                *args![list.as_str(), *scope, scope_id, place, index - total, *length]
            })
        });
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() {
            return;
        }
        statement.part("marks", None, |part| {
            part.push("INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq) SELECT ");
            part.bind(tenant.into());
            part.push(
                ", t.list, t.scope, t.scope_id, block,
                    w.total + v.column5 + block * 128 - (t.total + v.column4)
                 FROM ",
            );
            part.values(rows);
            part.push(
                " JOIN totals t ON t.list = v.column1 AND t.scope = v.column2
                    AND t.scope_id = v.column3
                 JOIN totals w ON w.list = v.column1 AND w.scope = 'tenant'
                 CROSS JOIN generate_series((t.total + v.column4 + 127) / 128,
                    (t.total + v.column4 + v.column6 - 1) / 128) AS block",
            );
        });
    }

    fn compose_holes<'a>(&'a self, statement: &mut Statement<'a>, tenant: &'a TenantId) {
        let rows = self.holes.iter().flat_map(|((list, scope, scope_id), holes)| {
            holes.rows().map(move |[level, block, holes]| {
                *args![tenant, list.as_str(), *scope, scope_id, level, block, holes]
            })
        });
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() {
            return;
        }
        statement.part("holes", None, |part| {
            part.push(
                "INSERT INTO list_holes (tenant_id, list, scope, scope_id, level, block, holes)
                 SELECT v.* FROM gate, ",
            );
            part.values(rows);
            part.push(
                " ON CONFLICT (tenant_id, list, scope, scope_id, level, block)
                 DO UPDATE SET holes = list_holes.holes + excluded.holes",
            );
        });
    }

    fn compose_cells<'a>(&'a self, statement: &mut Statement<'a>, tenant: &'a TenantId) {
        let rows: Vec<[Arg<'a>; 4]> = self.cells.changes().collect();
        if rows.is_empty() {
            return;
        }
        statement.part("cells", None, |part| {
            part.push("INSERT INTO funnel_cells (tenant_id, screener_id, publication_id, cell, sessions) SELECT ");
            part.bind(tenant.into());
            part.push(", v.* FROM gate, ");
            part.values(rows);
            part.push(
                " ON CONFLICT (tenant_id, screener_id, publication_id, cell)
                 DO UPDATE SET sessions = funnel_cells.sessions + excluded.sessions",
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_of_any_size_is_sent_in_statements_that_postgresql_takes() {
        let tenant = TenantId::parse("t").expect("an id");
        let mut kept = Kept::default();
        let put = |args: &[Arg<'_>]| Put {
            sql: "INSERT INTO t VALUES ($1, $2)".into(),
            args: args.iter().map(|arg| (*arg).into()).collect(),
            rows: None,
        };
        let screener = kept.append(&tenant, List::Screeners, &[Scope::Project("p")], 1);
        assert!(kept.put(put(args![screener.expect("a place"), 0])).is_none());
        let mut sent: Vec<_> =
            (0..100_000).filter_map(|row| kept.put(put(args![row, 1]))).collect();
        let change = kept.append(&tenant, List::Changes, &[], 1).expect("a place");
        assert!(kept.put(put(args![change, 0])).is_none(), "it is numbered by what it comes with");
        sent.push(kept);
        let rows: usize = sent.iter().map(|kept| kept.puts.len()).sum();
        assert_eq!(rows, 100_002);
        for (number, kept) in sent.iter().enumerate() {
            kept.compose().expect("it fits");
            assert_eq!(kept.is_counted(), number == 0 || number == sent.len() - 1, "{number}");
        }
    }

    #[test]
    fn rows_of_a_scope_are_one_run_only_if_they_are_consecutive_in_the_list() {
        let tenant = TenantId::parse("t").expect("an id");
        let mut kept = Kept::default();
        for (screener, rows) in [("a", 2), ("b", 3), ("a", 1), ("b", 1), ("b", 4)] {
            let place = kept.append(&tenant, List::Sessions, &[Scope::Screener(screener)], rows);
            place.expect("it is counted");
        }
        let scope = (List::Sessions, Scope::Screener("b").parts().0, "b".to_owned());
        assert_eq!(kept.arrived[&scope].runs, [[0, 2, 3], [3, 6, 5]]);
    }

    #[test]
    fn rows_that_leave_are_sent_even_if_none_arrives() {
        let tenant = TenantId::parse("t").expect("an id");
        let mut kept = Kept::default();
        assert!(kept.is_empty());
        let key = (tenant, List::Responses, TENANT_SCOPE.0, TENANT_SCOPE.1.to_owned());
        kept.leave(key, &[0]).expect("it is counted");
        assert!(!kept.is_empty());
    }
}
