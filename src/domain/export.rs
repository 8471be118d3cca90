//! Exports: every answer that matches a filter, up to an end that is fixed at the start.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::id::TenantId;
use super::list::IdSet;
use super::recorded::{Field, Recorded, Subject};
use super::words::words;

words! {
    /// The format of an exported file.
    Format {
        /// One JSON object a line.
        Ndjson = "ndjson",
        /// Comma-separated values, with a header.
        Csv = "csv",
        /// Columns, for analysis.
        Parquet = "parquet",
    }
}

/// The audit log entry of an export.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// The filter: by screener, publication, session and screener participant.
    pub filter: [&'a IdSet; 4],
    /// The format of the file. `None` for messages of the contract.
    pub format: Option<Format>,
    /// Whether it resumes an interrupted export.
    pub is_resumed: bool,
    /// How many answers matched.
    pub rows: i64,
}

impl Recorded for Exported<'_> {
    const SUBJECT: Subject = Subject::Tenant;

    fn recorded(&self) -> Vec<Field> {
        let Self { filter, format, is_resumed, rows } = self;
        let [screeners, publications, sessions, assignments] = filter.map(named);
        let format = format.map_or("MESSAGES".to_owned(), |it| it.as_str().to_ascii_uppercase());
        vec![
            Field::told("filter.screener_id", screeners),
            Field::told("filter.screener_publication_id", publications),
            Field::told("filter.screener_session_id", sessions),
            Field::told("filter.screener_participant_id", assignments),
            Field::told("format", Some(format)),
            Field::told("is_resumed", is_resumed.then_some(true)),
            Field::told("rows", Some(rows)),
        ]
    }
}

/// Returns the ids of a filter, separated by spaces, or `None` if it does not list ids to match.
fn named(filter: &IdSet) -> Option<String> {
    match filter {
        IdSet::Only(ids) => Some(ids.iter().map(String::as_str).collect::<Vec<_>>().join(" ")),
        IdSet::AllBut(_) => None,
    }
}

/// A short digest that identifies the tenant and the filter of an export.
pub type Fingerprint = [u8; 8];

/// Returns the fingerprint of a tenant's export.
#[must_use]
pub fn fingerprint(tenant: &TenantId, filter: [&IdSet; 4]) -> Fingerprint {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    };
    add(tenant.as_str());
    for set in filter {
        let (word, ids) = match set {
            IdSet::Only(ids) => ("only", ids),
            IdSet::AllBut(ids) => ("all but", ids),
        };
        add(word);
        add(&ids.len().to_string());
        for id in ids {
            add(id);
        }
    }
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(&digest.finalize()[..8]);
    fingerprint
}

/// The position of an export. Its numbers are those of the list's arrival order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// The number of the next row to read.
    pub next: i64,
    /// The end: the first number that is not exported.
    pub end: i64,
    /// The export that this position belongs to.
    pub of: Fingerprint,
}

/// The first byte of a token, which allows for further versions.
const TOKEN_VERSION: u8 = 1;
const TOKEN_BYTES: usize = 25;

impl Position {
    /// Returns the position after the row with this number.
    #[must_use]
    pub fn after(self, number: i64) -> Self {
        Self { next: number + 1, ..self }
    }

    /// Returns the resume token. It is not secret and grants no access: only a caller that may read
    /// the list can use it.
    #[must_use]
    pub fn token(self) -> String {
        let Self { next, end, of } = self;
        let mut bytes = vec![TOKEN_VERSION];
        bytes.extend(next.to_be_bytes());
        bytes.extend(end.to_be_bytes());
        bytes.extend(of);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Parses a resume token, or returns the reason why it does not belong to this export.
    pub fn parse(token: &str, of: Fingerprint) -> Result<Self, String> {
        let position = Self::read(token).ok_or("Must be the resume token of an export.")?;
        if position.of != of {
            return Err("Must be the resume token of an export with the same filter.".into());
        }
        Ok(position)
    }

    fn read(token: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        if bytes.len() != TOKEN_BYTES || bytes[0] != TOKEN_VERSION {
            return None;
        }
        let number = |at: usize| bytes[at..at + 8].try_into().map(i64::from_be_bytes).ok();
        let (next, end) = (number(1)?, number(9)?);
        let of = bytes[17..].try_into().ok()?;
        (0 <= next && next <= end).then_some(Self { next, end, of })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).expect("an id")
    }

    #[test]
    fn a_token_is_read_as_it_was_written_and_by_its_own_export_only() {
        let of = [7; 8];
        let position = Position { next: 3, end: 1 << 40, of };
        assert_eq!(Position::parse(&position.token(), of), Ok(position));
        assert!(Position::parse(&position.token(), [8; 8]).is_err());
        assert_eq!(position.after(9), Position { next: 10, ..position });
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let of = [0; 8];
        let whole = Position { next: 1, end: 2, of }.token();
        let backwards = Position { next: 3, end: 2, of }.token();
        let negative = Position { next: -1, end: 2, of }.token();
        let newer = whole.replacen("AQ", "Ag", 1);
        for token in ["", "a", "!", &whole[1..], &backwards, &negative, &newer] {
            assert!(Position::parse(token, of).is_err(), "{token}");
        }
    }

    #[test]
    fn every_tenant_and_every_filter_has_its_fingerprint() {
        let only = |ids: &[&str]| {
            IdSet::Only(ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>())
        };
        let all = IdSet::default();
        let cases = [
            fingerprint(&tenant("a"), [&all, &all, &all, &all]),
            fingerprint(&tenant("b"), [&all, &all, &all, &all]),
            fingerprint(&tenant("a"), [&only(&["a"]), &all, &all, &all]),
            fingerprint(&tenant("a"), [&all, &only(&["a"]), &all, &all]),
            fingerprint(&tenant("a"), [&all, &only(&[]), &all, &all]),
            fingerprint(&tenant("a"), [&all, &all, &only(&["a", "b"]), &all]),
            fingerprint(&tenant("a"), [&all, &all, &only(&["ab"]), &all]),
        ];
        let different: BTreeSet<_> = cases.iter().collect();
        assert_eq!(different.len(), cases.len());
    }
}
