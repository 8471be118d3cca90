//! The business rules, pure: no I/O, no clock, no randomness, no wire format.
//!
//! Values of these types are valid by construction. A transition takes the current state and the
//! instant, and returns the next state or a refusal. The caller stores it.

pub mod access;
pub mod answer;
pub mod answering;
pub mod change;
pub mod content_hash;
pub mod credential;
pub mod encoded;
pub mod error;
pub mod export;
pub mod funnel;
pub mod id;
pub mod idempotency_key;
pub mod import;
pub mod label;
pub mod link;
pub mod list;
pub mod look;
pub mod panelist;
pub mod panelist_key;
pub mod participant;
pub mod pattern;
pub mod project;
pub mod publication;
pub mod question;
pub mod questionnaire;
pub mod recorded;
pub mod response;
pub mod review;
pub mod screener;
pub mod screener_participant;
pub mod session;
pub mod submission;
pub mod tag;
pub mod tenant;
#[cfg(test)]
mod tests;
pub mod time;
pub mod unicode;
pub mod verdict;
pub mod version;
pub mod wording;
pub(crate) mod words;
