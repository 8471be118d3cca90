//! Exports of responses: every row of a filter, streamed from one snapshot.
//!
//! A snapshot that is held costs everybody: on SQLite the write-ahead log is not cut meanwhile, on
//! PostgreSQL nothing is cleaned up and a connection is taken. So there are only so many exports at
//! a time, and one whose client takes nothing for a while is broken off.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::{App, Caller, Operator, ReadResponses, ResponseFilter};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::export::{Fingerprint, Position, fingerprint};
use crate::domain::id::TenantId;
use crate::domain::response::ScreenerResponse;
use crate::store::{ResponseSpan, Seen, Tx};

/// Rows of a piece: enough that what a piece costs by itself does not show, few enough that it is
/// read in some milliseconds and takes little memory.
const PIECE_MAX_ROWS: usize = 1024;
/// The field that a resumed export is refused by.
const RESUME_TOKEN: &str = "resume_token";
/// Exports at the same time: half the connections to PostgreSQL.
pub(super) const EXPORTS_MAX: usize = 4;
/// How long a client may take nothing: less than PostgreSQL lets a transaction be silent.
const STALL_MAX: Duration = Duration::from_secs(20);

/// An export, somewhere between its first row and its last.
#[derive(Debug)]
pub struct Export {
    pieces: mpsc::Receiver<Piece>,
    reading: JoinHandle<Result<()>>,
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
        let of = fingerprint_of(tenant, filter);
        let resumed = token.map(|token| Position::parse(token, of)).transpose();
        let resumed = resumed.map_err(|reason| Error::invalid_field(RESUME_TOKEN, reason))?;
        let permit = Arc::clone(&self.exports).try_acquire_owned().map_err(|_| {
            let busy = format!("{EXPORTS_MAX} exports are under way, which is as many as may be.");
            Error::new(Kind::Unavailable, busy)
        })?;
        let (app, tenant, filter) = (Arc::clone(self), tenant.clone(), filter.clone());
        let (begun, beginning) = oneshot::channel();
        let (sender, pieces) = mpsc::channel(1);
        let runtime = Handle::current();
        // Reading blocks, and so does waiting for the client while the snapshot is held.
        let reading = spawn_blocking(move || {
            let _permit = permit;
            let feed = Feed { sender, stall_max: STALL_MAX };
            runtime.block_on(app.store.read(async |tx| {
                let span = tx.response_span(&tenant, &filter).await?;
                let position = resumed.unwrap_or(Position { next: 0, end: span.end, of });
                if position.end > span.end {
                    let reason = "It is a token of another database, or from before a restore.";
                    return Err(Error::invalid_field(RESUME_TOKEN, reason));
                }
                // Whoever asked may have gone away already, which the first piece finds out.
                let _ = begun.send(span.total);
                feed.all(tx, &tenant, &span, position).await
            }))
        });
        match beginning.await {
            Ok(total) => Ok(Export { pieces, reading, total }),
            Err(_) => Err(failure(reading).await),
        }
    }
}

/// Why reading ended before the end.
async fn failure(reading: JoinHandle<Result<()>>) -> Error {
    match reading.await {
        Ok(Err(error)) => error,
        // What a panic said has gone to the panic hook.
        Ok(Ok(())) | Err(_) => Error::internal("an export ended too early"),
    }
}

/// The way from the database to whoever takes the pieces.
struct Feed {
    sender: mpsc::Sender<Piece>,
    stall_max: Duration,
}

impl Feed {
    /// Sends everything from a position on, the last and empty piece included.
    async fn all(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        span: &ResponseSpan,
        mut position: Position,
    ) -> Result<()> {
        let mut seen = Seen::default();
        loop {
            let numbers = (position.next, position.end);
            let rows =
                tx.responses_from(tenant, &span.walk, &mut seen, numbers, PIECE_MAX_ROWS).await?;
            let piece: Piece =
                rows.into_iter().map(|(number, row)| (position.after(number), row)).collect();
            let after = piece.last().map(|(after, _)| *after);
            self.send(piece).await?;
            match after {
                Some(after) => position = after,
                None => return Ok(()),
            }
        }
    }

    async fn send(&self, piece: Piece) -> Result<()> {
        let sent = timeout(self.stall_max, self.sender.send(piece)).await.map_err(|_| {
            let stalled = "Nothing was taken for too long, so the export was broken off.";
            Error::new(Kind::Unavailable, stalled)
        })?;
        // Nobody is left who could be told.
        sent.map_err(|_| Error::new(Kind::Unavailable, "The client went away."))
    }
}

impl Export {
    /// How many rows matched when it began, or was resumed.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.total
    }

    /// What `make` makes of each piece, the last and empty one included, in turn.
    ///
    /// Reading and making happen on threads that may block, and reading is two pieces ahead at most:
    /// whoever is slow holds so many, and whoever goes away leaves at most these to be finished.
    pub fn pieces<T, F>(self, make: F) -> impl Stream<Item = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnMut(Piece) -> Result<T> + Send + 'static,
    {
        stream::unfold(Some((self, make)), |step| async move {
            let (mut export, mut make) = step?;
            let Some(piece) = export.pieces.recv().await else {
                return Some((Err(failure(export.reading).await), None));
            };
            let more = !piece.is_empty();
            match spawn_blocking(move || (make(piece), make)).await {
                Ok((Ok(done), make)) => Some((Ok(done), more.then_some((export, make)))),
                Ok((Err(error), _)) => Some((Err(error), None)),
                Err(_) => Some((Err(Error::internal("an export panicked")), None)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_broken_off_and_one_that_left_is_noticed() {
        let (sender, mut pieces) = mpsc::channel(1);
        let feed = Feed { sender, stall_max: Duration::ZERO };
        assert!(feed.send(Piece::new()).await.is_ok(), "there is room");
        let stalled = feed.send(Piece::new()).await.expect_err("there is none");
        assert_eq!(stalled.kind(), Kind::Unavailable);
        assert!(pieces.recv().await.is_some() && feed.send(Piece::new()).await.is_ok());
        drop(pieces);
        assert_eq!(feed.send(Piece::new()).await.map_err(|it| it.kind()), Err(Kind::Unavailable));
    }
}
