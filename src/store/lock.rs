//! Locks: the data that a write locks, from before its first read until it ends.
//!
//! A write declares its locks before it begins, so that all are acquired at once and in one order:
//! the tenant, then projects, screeners and persons, each kind by its keys. After them come the
//! gate of the tenant and its other counts (`list/kept`). Because there is no other order, writes
//! cannot deadlock. Only an import, which runs alone, locks further tenants later, each exclusively
//! and before it touches any data of it.
//!
//! Every write shares the lock of its tenant. An import, or a change to the tenant itself, locks it
//! exclusively. A write that creates or answers a session of a screener shares the screener's lock.
//! A change to the screener, its draft included, locks it exclusively. The lock of a person covers
//! all their data. A write that answers as the person, reviews their submissions, archives or
//! removes their sessions, or verifies their identity locks the person exclusively.
//!
//! A lock is a number and needs no row, so data that does not exist yet can be locked, too. On
//! PostgreSQL it is an advisory lock of the transaction, and waiting writes are served in their
//! order. SQLite has one writer and needs no locks. In tests, undeclared access is refused on both
//! engines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::WriteTx;
use crate::domain::error::{Error, Result};
use crate::domain::id::{ProjectId, ScreenerId, TenantId};
use crate::domain::participant::Person;

/// The most locks of one write. A write that would exceed it locks the whole tenant exclusively:
/// PostgreSQL's lock table has room for 64 of each connection.
const LOCKS_MAX: usize = 48;

/// The kind of a lock, in the order of acquisition. The numbers are part of each lock and must not
/// change: versions that run side by side must mean the same lock.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    Import = 0,
    Housekeeping = 1,
    Tenant = 2,
    Project = 3,
    Screener = 4,
    Person = 5,
}

/// Whether a lock admits others at the same time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Mode {
    Shared,
    Alone,
}

/// A lock within its tenant.
pub(super) type Key = (Kind, String);

/// The locks of a write.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    tenant: Option<TenantId>,
    keys: BTreeMap<Key, Mode>,
}

impl Locks {
    /// Locks nothing, for the server's own data.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Locks housekeeping of the whole database, which one server does at a time.
    #[must_use]
    pub fn housekeeping() -> Self {
        Self::none().with(Kind::Housekeeping, String::new(), Mode::Alone)
    }

    /// Locks imports, so that only one runs at a time. It locks each tenant as it reaches it.
    #[must_use]
    pub fn import() -> Self {
        Self::none().with(Kind::Import, String::new(), Mode::Alone)
    }

    /// Locks a tenant, shared with other writes.
    #[must_use]
    pub fn of(tenant: &TenantId) -> Self {
        Self::in_tenant(tenant, Mode::Shared)
    }

    /// Locks a tenant with all its data.
    #[must_use]
    pub fn alone(tenant: &TenantId) -> Self {
        Self::in_tenant(tenant, Mode::Alone)
    }

    fn in_tenant(tenant: &TenantId, mode: Mode) -> Self {
        let none = Self { tenant: Some(tenant.clone()), ..Self::default() };
        none.with(Kind::Tenant, String::new(), mode)
    }

    /// Adds a project.
    #[must_use]
    pub fn project(self, id: &ProjectId) -> Self {
        self.with(Kind::Project, id.to_string(), Mode::Alone)
    }

    /// Adds a screener, shared with other writes that rely on it.
    #[must_use]
    pub fn screener(self, id: &ScreenerId) -> Self {
        self.with(Kind::Screener, id.to_string(), Mode::Shared)
    }

    /// Adds a screener that no other write changes or relies on.
    #[must_use]
    pub fn screener_alone(self, id: &ScreenerId) -> Self {
        self.with(Kind::Screener, id.to_string(), Mode::Alone)
    }

    /// Adds a person.
    #[must_use]
    pub fn person(self, person: &Person) -> Self {
        self.with(Kind::Person, person.name(), Mode::Alone)
    }

    fn with(mut self, kind: Kind, id: String, mode: Mode) -> Self {
        if !self.is_alone() {
            let held = self.keys.entry((kind, id)).or_insert(mode);
            *held = mode.max(*held);
        }
        match &self.tenant {
            Some(tenant) if self.keys.len() > LOCKS_MAX => Self::alone(tenant),
            Some(_) | None => self,
        }
    }

    /// Returns whether the tenant is locked exclusively, and thus all its data.
    fn is_alone(&self) -> bool {
        self.keys.get(&(Kind::Tenant, String::new())) == Some(&Mode::Alone)
    }

    /// Returns the tenant of the locks, if any.
    #[must_use]
    pub(super) fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// Returns the locks, in the order of acquisition.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&Key, Mode)> {
        self.keys.iter().map(|(key, mode)| (key, *mode))
    }

    /// Returns whether a write excludes others from more than one person.
    pub(super) fn is_exclusive(&self) -> bool {
        let mut persons = 0;
        self.keys().filter(|(_, mode)| *mode == Mode::Alone).any(|((kind, _), _)| {
            persons += usize::from(*kind == Kind::Person);
            *kind != Kind::Person || persons > 1
        })
    }

    /// Returns whether two writes of a tenant exclude each other.
    pub(super) fn exclude(&self, other: &Self) -> bool {
        self.keys().any(|(key, mode)| match other.keys.get(key) {
            Some(theirs) => mode.max(*theirs) == Mode::Alone,
            None => false,
        })
    }

    fn has(&self, tenant: &TenantId, kind: Kind, id: &str, mode: Mode) -> bool {
        let is_import = self.keys.contains_key(&(Kind::Import, String::new()));
        let held = self.keys.get(&(kind, id.to_owned()));
        let is_held = self.is_alone() || held.is_some_and(|held| *held >= mode);
        is_import || self.tenant.as_ref() == Some(tenant) && is_held
    }

    /// Returns the statement that acquires the locks one after the other, if any.
    pub(super) fn statement(&self) -> Option<String> {
        let mut sql = String::new();
        for ((kind, id), mode) in &self.keys {
            let function = match mode {
                Mode::Shared => "pg_advisory_xact_lock_shared",
                Mode::Alone => "pg_advisory_xact_lock",
            };
            let before = if sql.is_empty() { "SELECT " } else { ", " };
            let tenant = self.tenant.as_ref().map_or("", TenantId::as_str);
            // Writing to a String cannot fail.
            let _ = write!(sql, "{before}{function}({})", number(*kind, tenant, id));
        }
        (!sql.is_empty()).then_some(sql)
    }
}

/// Returns the number of a lock: 64 bits of a digest. A collision only makes two writes wait for
/// each other needlessly.
fn number(kind: Kind, tenant: &str, id: &str) -> i64 {
    let mut digest = Sha256::new();
    digest.update([kind as u8]);
    for text in [tenant, id] {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest.finalize()[..8]);
    i64::from_be_bytes(bytes)
}

/// Refuses undeclared access in debug builds.
fn declared(is_declared: impl FnOnce() -> bool, what: &str) -> Result<()> {
    if !cfg!(debug_assertions) || is_declared() {
        return Ok(());
    }
    Err(Error::internal(format!("a write touches a {what} that it has not locked")))
}

impl WriteTx {
    /// Checks that the write has locked this tenant, at least shared.
    pub(super) fn expect_tenant(&self, tenant: &TenantId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Tenant, "", Mode::Shared), "tenant")
    }

    /// Checks that the write has locked this tenant exclusively.
    pub(super) fn expect_tenant_alone(&self, tenant: &TenantId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Tenant, "", Mode::Alone), "tenant")
    }

    /// Checks that the write has locked this project.
    pub(super) fn expect_project(&self, tenant: &TenantId, id: &ProjectId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Project, id.as_str(), Mode::Alone), "project")
    }

    /// Checks that the write has locked this screener, at least shared.
    pub(super) fn expect_screener(&self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Screener, id.as_str(), Mode::Shared), "screener")
    }

    /// Checks that the write has locked this screener exclusively.
    pub(super) fn expect_screener_alone(&self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Screener, id.as_str(), Mode::Alone), "screener")
    }

    /// Checks that the write has locked this person.
    pub(super) fn expect_person(&self, tenant: &TenantId, person: &Person) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Person, &person.name(), Mode::Alone), "person")
    }

    /// Locks a tenant exclusively, for an import that reaches it.
    pub async fn lock_tenant_alone(&mut self, tenant: &TenantId) -> Result<()> {
        if let (false, Some(sql)) =
            (self.connection.is_only_writer(), Locks::alone(tenant).statement())
        {
            self.all(sql, &[], |_| Ok(())).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::participant::ExternalUid;

    fn tenant() -> TenantId {
        TenantId::parse("t").expect("an id")
    }

    fn screener() -> ScreenerId {
        ScreenerId::parse("s").expect("an id")
    }

    fn person(uid: &str) -> Person {
        Person::Uid(ExternalUid::parse(uid).expect("a uid"))
    }

    #[test]
    fn locks_are_taken_in_one_order_whatever_the_order_in_which_they_are_named() {
        let (a, b) = (person("a"), person("b"));
        let one = Locks::of(&tenant()).person(&b).screener(&screener()).person(&a);
        let other = Locks::of(&tenant()).person(&a).person(&b).screener(&screener());
        assert_eq!(one.statement(), other.statement());
        let sql = one.statement().expect("there are some");
        assert_eq!(sql.matches("_shared(").count(), 2, "{sql}");
        assert_eq!(sql.matches("xact_lock(").count(), 2, "{sql}");
        assert_eq!(Locks::none().statement(), None);
    }

    #[test]
    fn who_has_a_tenant_alone_has_all_that_it_has() {
        let locks = Locks::alone(&tenant()).person(&person("a"));
        assert_eq!(locks.statement().expect("one").matches("xact_lock(").count(), 1);
        assert!(locks.has(&tenant(), Kind::Screener, "s", Mode::Alone));
        assert!(!locks.has(&TenantId::parse("u").expect("an id"), Kind::Tenant, "", Mode::Shared));
        let shared = Locks::of(&tenant()).screener(&screener());
        assert!(!shared.has(&tenant(), Kind::Screener, "s", Mode::Alone));
        let raised = shared.screener_alone(&screener()).screener(&screener());
        assert!(raised.has(&tenant(), Kind::Screener, "s", Mode::Alone));
    }

    #[test]
    fn a_crowd_is_locked_as_a_tenant() {
        let people = (0..LOCKS_MAX).map(|number| person(&number.to_string()));
        let locks = people.fold(Locks::of(&tenant()), |locks, person| locks.person(&person));
        assert!(locks.is_alone());
        let screener = |number| ScreenerId::parse(&format!("s{number}")).expect("an id");
        let locks = |count| {
            (0..count).fold(Locks::of(&tenant()), |locks, it| locks.screener(&screener(it)))
        };
        assert!(!locks(LOCKS_MAX - 1).is_alone() && locks(LOCKS_MAX).is_alone());
    }

    #[test]
    fn a_lock_keeps_its_number() {
        let kinds = [
            Kind::Import,
            Kind::Housekeeping,
            Kind::Tenant,
            Kind::Project,
            Kind::Screener,
            Kind::Person,
        ];
        let numbers = kinds.map(|kind| number(kind, "t", "id"));
        assert_eq!(
            numbers,
            [
                8_828_154_093_149_267_648,
                7_246_666_652_472_988_700,
                6_601_839_145_994_394_773,
                171_025_938_107_575_758,
                -5_373_065_226_695_841_829,
                -4_044_954_452_410_577_782
            ]
        );
    }
}
