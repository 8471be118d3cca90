//! The audit log entry of an import.

use std::collections::BTreeMap;

use super::recorded::{Field, Recorded, Subject};
use super::words::words;

words! {
    /// The kind of an imported row, as the audit log names it.
    ImportedNoun {
        /// Tenants.
        Tenants = "tenants",
        /// Credentials.
        Credentials = "credentials",
        /// Projects.
        Projects = "projects",
        /// Screeners.
        Screeners = "screeners",
        /// Publications.
        Publications = "publications",
        /// Participants.
        Participants = "participants",
        /// Assignments of participants to screeners.
        ScreenerParticipants = "screener_participants",
        /// Sessions.
        Sessions = "sessions",
        /// Responses.
        Responses = "responses",
        /// Dismissals.
        Dismissals = "dismissals",
    }
}

/// The rows that a file added to one tenant.
#[derive(Clone, Debug, Default)]
pub struct FileImport {
    /// SHA-256 over the bytes of the file, in hexadecimal digits. Absent if there was no file.
    pub digest: Option<String>,
    /// The number of new rows by kind.
    pub rows: BTreeMap<&'static str, u64>,
}

impl FileImport {
    /// Counts a new row.
    pub fn count(&mut self, noun: ImportedNoun) {
        *self.rows.entry(noun.as_str()).or_default() += 1;
    }
}

impl Recorded for FileImport {
    const SUBJECT: Subject = Subject::Tenant;

    fn recorded(&self) -> Vec<Field> {
        let Self { digest, rows } = self;
        let digest = Field::told("file_sha256", digest.as_ref());
        let counts = ImportedNoun::ALL.iter().map(|noun| noun.as_str());
        let counts = counts.map(|name| Field::told(name, rows.get(name)));
        [digest].into_iter().chain(counts).collect()
    }
}
