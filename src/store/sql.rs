//! Statements and their arguments.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::domain::time::Timestamp;

/// A statement. Owned only if a list of placeholders was inserted.
pub type Sql = Cow<'static, str>;

/// An argument of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// A text.
    Text(Option<&'a str>),
    /// An integer, a timestamp or a boolean.
    Int(Option<i64>),
    /// A floating-point number.
    Real(Option<f64>),
    /// Bytes.
    Blob(&'a [u8]),
    /// The number of a row that this write adds to a list.
    Seq(Seq),
}

/// The `seq` of a row that a write adds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seq {
    /// A known number.
    Known(i64),
    /// A number that is known once the write's additions to a list are counted.
    Kept {
        /// The list.
        list: &'static str,
        /// The number of rows that the write has added to it before.
        index: i64,
    },
}

impl Seq {
    /// Returns the `seq` of the row that comes `rows` later.
    pub(super) fn plus(self, rows: i64) -> Self {
        match self {
            Self::Known(seq) => Self::Known(seq + rows),
            Self::Kept { list, index } => Self::Kept { list, index: index + rows },
        }
    }
}

impl From<Seq> for Arg<'_> {
    fn from(seq: Seq) -> Self {
        match seq {
            Seq::Known(seq) => Self::Int(Some(seq)),
            Seq::Kept { .. } => Self::Seq(seq),
        }
    }
}

/// An argument of a buffered statement.
#[derive(Clone, Debug)]
pub(super) enum OwnedArg {
    Text(Option<String>),
    Int(Option<i64>),
    Real(Option<f64>),
    Blob(Vec<u8>),
    Seq(Seq),
}

impl From<Arg<'_>> for OwnedArg {
    fn from(arg: Arg<'_>) -> Self {
        match arg {
            Arg::Text(text) => Self::Text(text.map(str::to_owned)),
            Arg::Int(number) => Self::Int(number),
            Arg::Real(number) => Self::Real(number),
            Arg::Blob(bytes) => Self::Blob(bytes.to_owned()),
            Arg::Seq(seq) => Self::Seq(seq),
        }
    }
}

impl<'a> From<&'a OwnedArg> for Arg<'a> {
    fn from(arg: &'a OwnedArg) -> Self {
        match arg {
            OwnedArg::Text(text) => Self::Text(text.as_deref()),
            OwnedArg::Int(number) => Self::Int(*number),
            OwnedArg::Real(number) => Self::Real(*number),
            OwnedArg::Blob(bytes) => Self::Blob(bytes),
            OwnedArg::Seq(seq) => Self::Seq(*seq),
        }
    }
}

impl<'a, T: AsRef<str> + ?Sized> From<&'a T> for Arg<'a> {
    fn from(text: &'a T) -> Self {
        Self::Text(Some(text.as_ref()))
    }
}

impl<'a, T: AsRef<str> + ?Sized> From<Option<&'a T>> for Arg<'a> {
    fn from(text: Option<&'a T>) -> Self {
        Self::Text(text.map(AsRef::as_ref))
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<u32>> for Arg<'_> {
    fn from(number: Option<u32>) -> Self {
        Self::Int(number.map(Into::into))
    }
}

impl From<bool> for Arg<'_> {
    fn from(truth: bool) -> Self {
        Self::Int(Some(truth.into()))
    }
}

impl From<Option<bool>> for Arg<'_> {
    fn from(truth: Option<bool>) -> Self {
        Self::Int(truth.map(Into::into))
    }
}

impl From<Timestamp> for Arg<'_> {
    fn from(instant: Timestamp) -> Self {
        Self::Int(Some(instant.as_micros()))
    }
}

impl From<Option<Timestamp>> for Arg<'_> {
    fn from(instant: Option<Timestamp>) -> Self {
        Self::Int(instant.map(Timestamp::as_micros))
    }
}

impl From<f64> for Arg<'_> {
    fn from(number: f64) -> Self {
        Self::Real(Some(number))
    }
}

impl From<Option<f64>> for Arg<'_> {
    fn from(number: Option<f64>) -> Self {
        Self::Real(number)
    }
}

/// The arguments of a statement, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Arg::from($value)),*] };
}
pub(super) use args;

/// The arguments of a statement that ends in a list of values.
///
/// The list is padded to a power of two by repeating its last value, so that only a handful of
/// different statements are prepared.
pub(super) struct ListArgs<'a> {
    pub(super) args: Vec<Arg<'a>>,
    pub(super) placeholders: String,
}

impl<'a> ListArgs<'a> {
    /// Combines the fixed arguments with the values, of which there must be at least one.
    pub(super) fn new<T: Copy>(fixed: &[Arg<'a>], values: &[T]) -> Self
    where
        Arg<'a>: From<T>,
    {
        let mut args = fixed.to_vec();
        let mut placeholders = String::new();
        for index in 0..values.len().next_power_of_two() {
            let value = values[index.min(values.len() - 1)];
            args.push(Arg::from(value));
            let separator = if index == 0 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(placeholders, "{separator}${}", args.len());
        }
        Self { args, placeholders }
    }
}

/// The arguments of a statement with a list of rows that begin with the same values.
pub(super) struct RowArgs<'a> {
    pub(super) args: Vec<Arg<'a>>,
    /// The rows, each in parentheses.
    pub(super) placeholders: String,
    shared: usize,
}

impl<'a> RowArgs<'a> {
    /// Creates an empty list of rows that begin with these values.
    pub(super) fn new(shared: &[Arg<'a>]) -> Self {
        Self { args: shared.to_vec(), placeholders: String::new(), shared: shared.len() }
    }

    /// Adds a row with its own values.
    pub(super) fn push(&mut self, own: &[Arg<'a>]) {
        let first = self.args.len() + 1;
        self.args.extend_from_slice(own);
        let mut separator = if self.placeholders.is_empty() { "(" } else { ", (" };
        for position in (1..=self.shared).chain(first..=self.args.len()) {
            // Writing to a String cannot fail.
            let _ = write!(self.placeholders, "{separator}${position}");
            separator = ", ";
        }
        self.placeholders.push(')');
    }
}
