//! Loading the questionnaire and the stored answers.

use std::collections::BTreeMap;

use super::{Holder, Standing, missing};
use crate::app::App;
use crate::app::publication_cache::PublicationCache;
use crate::domain::answering::{Sheet, path};
use crate::domain::error::Result;
use crate::domain::id::QuestionId;
use crate::store::Tx;

impl App {
    /// Returns the questionnaire and the stored answers. Writes nothing.
    pub async fn load_questionnaire(&self, holder: &Holder) -> Result<Sheet> {
        let mut publications = self.publications.clone();
        loop {
            let read = self.store.read(async |tx| {
                let standing = holder.stand(tx).await??;
                holder.sheet(tx, &publications, standing).await
            });
            let done = read.await;
            if let Some(sheet) = self.done_or_loaded(done, &mut publications).await? {
                return Ok(sheet);
            }
        }
    }
}

impl Holder {
    /// Builds the sheet of a standing: its questionnaire and the stored answers.
    pub(in crate::app) async fn sheet(
        &self,
        tx: &mut Tx,
        publications: &PublicationCache,
        standing: Standing,
    ) -> Result<Sheet> {
        let tenant = &self.tenant;
        let Standing { screener, session, publication, hash } = standing;
        let publication = publications.get(tx, tenant, &publication, hash).await?;
        let (publication, hash) = publication.ok_or_else(|| missing("publication"))?;
        let mut answers = match &session {
            Some(session) => tx.session_answers(tenant, &session.id).await?,
            None => Vec::new(),
        };
        let place = |id: &QuestionId| publication.questions.iter().position(|it| it.id == *id);
        answers.sort_by_key(|(question, _)| place(question));
        let map: BTreeMap<_, _> = answers.iter().cloned().collect();
        let path = path(&publication, &map).into_iter().map(|it| it.id.clone()).collect();
        Ok(Sheet { screener, session, publication, hash, answers, path })
    }
}
