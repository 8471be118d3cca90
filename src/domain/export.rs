//! Exports: every answer of a filter, from one position to an end that is fixed when they begin.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::id::TenantId;
use super::list::IdSet;
use super::recorded::{Field, Recorded, Subject};
use super::words::words;

words! {
    /// The form of an exported file.
    Format {
        /// One JSON object a line.
        Ndjson = "ndjson",
        /// Comma-separated values, with a header.
        Csv = "csv",
        /// Columns, for analysis.
        Parquet = "parquet",
    }
}

/// What the audit log tells of an export.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// Which answers: by screener, publication, session and screener participant.
    pub filter: [&'a IdSet; 4],
    /// The form of the file; messages of the contract, if it is none.
    pub format: Option<Format>,
    /// Whether an export that broke off goes on.
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

/// The ids that a filter names, with spaces between them; nothing if it lets everything through.
fn named(filter: &IdSet) -> Option<String> {
    let joined =
        |ids: &BTreeSet<String>| ids.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    match filter {
        IdSet::Only(ids) => Some(joined(ids)),
        IdSet::AllBut(ids) if ids.is_empty() => None,
        IdSet::AllBut(ids) => Some(format!("all but {}", joined(ids))),
    }
}

/// What an export is of, as a few bytes that another tenant or another filter does not have.
pub type Fingerprint = [u8; 8];

/// The fingerprint of what a tenant exports.
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

/// Where an export stands. The numbers are those of the list's arrival order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// The number from which rows are still to be read.
    pub next: i64,
    /// The number of the first row that came too late.
    pub end: i64,
    /// What is exported.
    pub of: Fingerprint,
}

/// The first byte of a token, so that another kind of token can follow this one.
const TOKEN_VERSION: u8 = 1;
const TOKEN_BYTES: usize = 25;

impl Position {
    /// The same export after the row of this number.
    #[must_use]
    pub fn after(self, number: i64) -> Self {
        Self { next: number + 1, ..self }
    }

    /// What a caller keeps to go on from here. It is no secret and opens nothing: only whoever may
    /// read the list can use it.
    #[must_use]
    pub fn token(self) -> String {
        let Self { next, end, of } = self;
        let mut bytes = vec![TOKEN_VERSION];
        bytes.extend(next.to_be_bytes());
        bytes.extend(end.to_be_bytes());
        bytes.extend(of);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads a token, or says why it is none of this export.
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
    use super::*;
    use std::collections::BTreeSet;

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
