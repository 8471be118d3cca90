//! Matching the texts of a submission before it is taken.
//!
//! A transaction matches only what is quick: it occupies the one thread that writes. It fails with an
//! [`Unmatched`] otherwise, the texts are matched in the tenant's turn, and it runs again. Whatever
//! cannot be answered is refused without that.

use std::sync::Arc;

use crate::app::App;
use crate::domain::answer::GivenAnswers;
use crate::domain::answering::Misfits;
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::domain::publication::Publication;

/// The misfits among the texts of one submission, with the digest of what it answers.
#[derive(Clone, Debug)]
pub struct Matched {
    hash: ContentHash,
    misfits: Arc<Misfits>,
}

impl Matched {
    /// The texts that do not match.
    #[must_use]
    pub fn misfits(&self) -> &Misfits {
        &self.misfits
    }

    /// The same, if the submission answers this content.
    pub(super) fn of(&self, hash: ContentHash) -> Option<&Misfits> {
        (self.hash == hash).then_some(&*self.misfits)
    }
}

/// That a transaction needs texts matched which may take long.
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
    /// Matches the texts of a submission with the patterns of what it answers: at once, or in the
    /// tenant's turn if that may take long.
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
        // Of the two who abandon work, only a server that closes leaves somebody who reads this.
        let closing = || Error::new(Kind::Unavailable, "The server is shutting down.");
        found.await?.ok_or_else(closing)
    }
}
