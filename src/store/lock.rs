//! Locks: what a write excludes others from, from before its first read until it ends.
//!
//! A write says what it locks before it begins, so that all locks are taken at once and in one order:
//! the tenant, then projects, screeners and persons, each kind by its keys. After them come the gate of
//! the tenant and its other counts (`list/kept`). There is no other order, so that no two writes can
//! wait for each other.
//!
//! Every write shares the lock of its tenant; an import, and whatever concerns the tenant itself, has
//! it alone. A write that creates a session of a screener or answers one shares a lock of the screener;
//! one that changes the screener, its draft included, has it alone. One person stands for everything
//! that hangs on them: a write that answers as that person, reviews what they submitted, archives or
//! removes their sessions, or verifies who they are has the person alone.
//!
//! A lock is a number and needs no row, so that what does not exist yet can be locked, too. On
//! PostgreSQL it is an advisory lock of the transaction, and those who wait are served in their order.
//! SQLite has one writer and needs none; a write that touches what it did not declare is refused there
//! in tests, too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::WriteTx;
use crate::domain::error::{Error, Result};
use crate::domain::id::{ProjectId, ScreenerId, TenantId};
use crate::domain::participant::Person;

/// Locks that one write takes. One that would take more has the whole tenant alone: the table of locks
/// of PostgreSQL has room for 64 of each connection.
const LOCKS_MAX: usize = 48;

/// What is locked, in the order in which locks are taken. The numbers are part of each lock, and stay:
/// two versions that run side by side must mean the same one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    Import = 0,
    Housekeeping = 1,
    Tenant = 2,
    Project = 3,
    Screener = 4,
    Person = 5,
}

/// Whether others may have a lock at the same time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Mode {
    Shared,
    Alone,
}

/// A lock among those of its tenant.
pub(super) type Key = (Kind, String);

/// What a write locks.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    tenant: Option<TenantId>,
    keys: BTreeMap<Key, Mode>,
}

impl Locks {
    /// Nothing: for what belongs to the server itself.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Housekeeping of the whole database, which one server does at a time.
    #[must_use]
    pub fn housekeeping() -> Self {
        Self::none().with(Kind::Housekeeping, String::new(), Mode::Alone)
    }

    /// An import, of which there is one at a time. It locks tenants as it meets them.
    #[must_use]
    pub fn import() -> Self {
        Self::none().with(Kind::Import, String::new(), Mode::Alone)
    }

    /// A tenant, shared with other writes.
    #[must_use]
    pub fn of(tenant: &TenantId) -> Self {
        Self::in_tenant(tenant, Mode::Shared)
    }

    /// A tenant, with everything that it has.
    #[must_use]
    pub fn alone(tenant: &TenantId) -> Self {
        Self::in_tenant(tenant, Mode::Alone)
    }

    fn in_tenant(tenant: &TenantId, mode: Mode) -> Self {
        let none = Self { tenant: Some(tenant.clone()), ..Self::default() };
        none.with(Kind::Tenant, String::new(), mode)
    }

    /// And a project.
    #[must_use]
    pub fn project(self, id: &ProjectId) -> Self {
        self.with(Kind::Project, id.to_string(), Mode::Alone)
    }

    /// And a screener, shared with other writes that rely on it.
    #[must_use]
    pub fn screener(self, id: &ScreenerId) -> Self {
        self.with(Kind::Screener, id.to_string(), Mode::Shared)
    }

    /// And a screener, which no other write changes or relies on.
    #[must_use]
    pub fn screener_alone(self, id: &ScreenerId) -> Self {
        self.with(Kind::Screener, id.to_string(), Mode::Alone)
    }

    /// And a person.
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

    /// Whether the tenant is locked alone, and so everything that it has.
    fn is_alone(&self) -> bool {
        self.keys.get(&(Kind::Tenant, String::new())) == Some(&Mode::Alone)
    }

    /// Whose writes these are, if they are a tenant's.
    #[must_use]
    pub(super) fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The locks, in the order in which they are taken.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&Key, Mode)> {
        self.keys.iter().map(|(key, mode)| (key, *mode))
    }

    /// Whether a write excludes others from more than a person.
    pub(super) fn is_exclusive(&self) -> bool {
        self.keys().any(|((kind, _), mode)| mode == Mode::Alone && *kind != Kind::Person)
    }

    /// Whether two writes of a tenant exclude each other.
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

    /// The statement that takes the locks one after the other, if there are any.
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

/// The number of a lock: 64 bits of a digest. Two that had the same would wait for each other
/// needlessly, and nothing else.
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

/// Refuses in tests, and in a build for them, what a write did not declare.
fn declared(is_declared: impl FnOnce() -> bool, what: &str) -> Result<()> {
    if !cfg!(debug_assertions) || is_declared() {
        return Ok(());
    }
    Err(Error::internal(format!("a write touches a {what} that it has not locked")))
}

impl WriteTx {
    /// Checks that the write has locked this tenant, shared at least.
    pub(super) fn expect_tenant(&self, tenant: &TenantId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Tenant, "", Mode::Shared), "tenant")
    }

    /// Checks that the write has locked this tenant alone.
    pub(super) fn expect_tenant_alone(&self, tenant: &TenantId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Tenant, "", Mode::Alone), "tenant")
    }

    /// Checks that the write has locked this project.
    pub(super) fn expect_project(&self, tenant: &TenantId, id: &ProjectId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Project, id.as_str(), Mode::Alone), "project")
    }

    /// Checks that the write has locked this screener, shared at least.
    pub(super) fn expect_screener(&self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Screener, id.as_str(), Mode::Shared), "screener")
    }

    /// Checks that the write has locked this screener alone.
    pub(super) fn expect_screener_alone(&self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Screener, id.as_str(), Mode::Alone), "screener")
    }

    /// Checks that the write has locked this person.
    pub(super) fn expect_person(&self, tenant: &TenantId, person: &Person) -> Result<()> {
        declared(|| self.locks.has(tenant, Kind::Person, &person.name(), Mode::Alone), "person")
    }

    /// Locks a tenant alone, for an import that meets it.
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
