//! Matching the texts of a submission before it is accepted.
//!
//! A transaction matches only texts that are quick to match, because it occupies the one writer
//! thread. Otherwise it fails with an [`Unmatched`], the texts are matched in the tenant's turn,
//! and it runs again. A holder who may not answer is refused before that.

use std::sync::Arc;

use crate::app::App;
use crate::domain::answer::GivenAnswers;
use crate::domain::answering::Misfits;
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::domain::publication::Publication;

/// The misfits among the texts of one submission, and the digest of the publication it answers.
#[derive(Clone, Debug)]
pub struct Matched {
    hash: ContentHash,
    misfits: Arc<Misfits>,
}

impl Matched {
    /// Returns the texts that do not match.
    #[must_use]
    pub fn misfits(&self) -> &Misfits {
        &self.misfits
    }

    /// Returns the misfits if the submission answers this content.
    pub(super) fn of(&self, hash: ContentHash) -> Option<&Misfits> {
        (self.hash == hash).then_some(&*self.misfits)
    }
}

/// The error of a transaction with texts that may take long to match.
#[derive(Debug, thiserror::Error)]
#[error("texts have to be matched first")]
pub(super) struct Unmatched {
    pub(super) publication: Arc<Publication>,
    pub(super) hash: ContentHash,
}

impl Unmatched {
    pub(super) fn error(publication: &Arc<Publication>, hash: ContentHash) -> Error {
        let detail = "The server is still matching answers and patterns. Try again.";
        let publication = Arc::clone(publication);
        Error::new(Kind::Unavailable, detail).caused_by(Self { publication, hash })
    }

    pub(super) fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error).and_then(|source| source.downcast_ref())
    }
}

impl App {
    /// Matches the texts of a submission with the patterns of its publication: at once, or in the
    /// tenant's turn if it may take long.
    pub async fn match_texts(
        &self,
        tenant: &TenantId,
        publication: &Arc<Publication>,
        hash: ContentHash,
        answers: &GivenAnswers,
    ) -> Result<Matched> {
        let misfits = match Misfits::find_quickly(publication, answers) {
            Some(misfits) => misfits,
            None => Box::pin(self.match_in_turn(tenant, publication, answers)).await?,
        };
        Ok(Matched { hash, misfits: Arc::new(misfits) })
    }

    async fn match_in_turn(
        &self,
        tenant: &TenantId,
        publication: &Arc<Publication>,
        answers: &GivenAnswers,
    ) -> Result<Misfits> {
        let (publication, answers) = (Arc::clone(publication), answers.clone());
        let found = self.compute(tenant, move |abandoned| {
            Misfits::find(&publication, &answers, || !abandoned.is_set())
        });
        // If the work was abandoned, the server is closing: a caller that leaves never gets here.
        let closing = || Error::new(Kind::Unavailable, "The server is shutting down.");
        found.await?.ok_or_else(closing)
    }
}
