//! Exports of responses: every row of a filter, streamed.
//!
//! The set is fixed when an export begins: what has arrived until then. It is read piece after
//! piece, each in a snapshot of its own, so that an export that takes minutes holds no reader and
//! keeps no log from being cut. An answer that is changed or dropped meanwhile is as it is when its
//! piece is read.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{App, Caller, Operator, ReadResponses, ResponseFilter};
use crate::domain::error::{Error, Result};
use crate::domain::export::{Fingerprint, Position, fingerprint};
use crate::domain::id::TenantId;
use crate::domain::response::ScreenerResponse;
use crate::store::{ResponseSpan, ResponseWalk};

/// Rows of a piece: enough that what a piece costs by itself does not show, few enough that it is
/// read in some milliseconds and takes little memory.
const PIECE_MAX_ROWS: usize = 1024;

/// An export, somewhere between its first row and its last.
#[derive(Debug)]
pub struct Export {
    app: Arc<App>,
    tenant: TenantId,
    walk: ResponseWalk,
    position: Position,
    total: i64,
}

/// Some rows of an export, each with the position after it. The last one of an export is empty, and
/// no other.
pub type Piece = Vec<(Position, ScreenerResponse)>;

/// Some bytes of a file that an export becomes.
#[derive(Debug)]
pub struct Chunk {
    /// The bytes, cut anywhere.
    pub bytes: Bytes,
    /// How many rows were read for them.
    pub rows: usize,
}

/// What the filter of an export is known by.
fn fingerprint_of(tenant: &TenantId, filter: &ResponseFilter) -> Fingerprint {
    let ResponseFilter { screeners, publications, sessions, assignments } = filter;
    fingerprint(tenant, [screeners, publications, sessions, assignments])
}

impl App {
    /// Begins an export, or goes on with the one whose token this is.
    pub async fn export_responses(
        self: &Arc<Self>,
        caller: &Caller<ReadResponses>,
        filter: &ResponseFilter,
        token: Option<&str>,
    ) -> Result<Export> {
        self.export(caller.tenant(), filter, token).await
    }

    /// Begins an export of a tenant; without a name, of the only one.
    pub async fn export_responses_of(
        self: &Arc<Self>,
        _: &Operator,
        tenant: Option<TenantId>,
        filter: &ResponseFilter,
    ) -> Result<Export> {
        let tenants = self.store.read(async |tx| tx.list_tenants().await).await?;
        let tenant = match (tenant, tenants.as_slice()) {
            (Some(id), tenants) if tenants.iter().any(|tenant| tenant.id == id) => id,
            (Some(_), _) => return Err(Error::not_found("tenant")),
            (None, [only]) => only.id.clone(),
            (None, tenants) => {
                let reason = format!("There are {} tenants; one is needed here.", tenants.len());
                return Err(Error::invalid_field("tenant_id", reason));
            }
        };
        self.export(&tenant, filter, None).await
    }

    async fn export(
        self: &Arc<Self>,
        tenant: &TenantId,
        filter: &ResponseFilter,
        token: Option<&str>,
    ) -> Result<Export> {
        const FIELD: &str = "resume_token";
        let of = fingerprint_of(tenant, filter);
        let resumed = token.map(|token| Position::parse(token, of)).transpose();
        let resumed = resumed.map_err(|reason| Error::invalid_field(FIELD, reason))?;
        let span = self.store.read(async |tx| tx.response_span(tenant, filter).await).await?;
        let ResponseSpan { walk, end, total } = span;
        let position = resumed.unwrap_or(Position { next: 0, end, of });
        if position.end > end {
            let reason = "It is a token of another database, or of one from before a restore.";
            return Err(Error::invalid_field(FIELD, reason));
        }
        Ok(Export { app: Arc::clone(self), tenant: tenant.clone(), walk, position, total })
    }
}

impl Export {
    /// How many rows matched when it began, or was resumed.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.total
    }

    async fn next(&mut self) -> Result<Piece> {
        let Self { app, tenant, walk, position, .. } = self;
        let span = (position.next, position.end);
        let rows = app
            .store
            .read(async |tx| tx.responses_from(tenant, walk, span, PIECE_MAX_ROWS).await)
            .await?;
        let piece: Piece =
            rows.into_iter().map(|(number, row)| (position.after(number), row)).collect();
        if let Some((after, _)) = piece.last() {
            *position = *after;
        }
        Ok(piece)
    }

    /// What `make` makes of each piece, the last and empty one included, in turn.
    ///
    /// Both reading and making happen on threads that may block, one piece ahead of whoever takes
    /// them: whoever is slow holds two pieces and no reader, and whoever goes away leaves at most
    /// one piece to be finished.
    pub fn pieces<T, F>(self, make: F) -> impl Stream<Item = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnMut(Piece) -> Result<T> + Send + 'static,
    {
        stream::unfold(Some(self.ahead(make)), |step| async move {
            match step?.await {
                Ok(Ok((done, rest))) => Some((Ok(done), rest.map(|(it, make)| it.ahead(make)))),
                Ok(Err(error)) => Some((Err(error), None)),
                // What it said has gone to the panic hook.
                Err(_) => Some((Err(Error::internal("an export panicked")), None)),
            }
        })
    }

    fn ahead<T, F>(mut self, mut make: F) -> Step<T, F>
    where
        T: Send + 'static,
        F: FnMut(Piece) -> Result<T> + Send + 'static,
    {
        let runtime = Handle::current();
        spawn_blocking(move || {
            let piece = runtime.block_on(self.next())?;
            let more = !piece.is_empty();
            let done = make(piece)?;
            Ok((done, more.then_some((self, make))))
        })
    }
}

/// A piece in the making, and what makes the ones after it.
type Step<T, F> = JoinHandle<Result<(T, Option<(Export, F)>)>>;
