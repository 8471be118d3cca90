//! Exports of responses: every row that matches a filter, streamed from one snapshot.
//!
//! A snapshot is expensive. On SQLite it prevents the write-ahead log from being truncated; on
//! PostgreSQL it blocks vacuum and occupies a connection. The number of concurrent exports is
//! therefore bounded (`shares`), and no export keeps its snapshot for a slow client: parts that the
//! client has not read wait in memory and then in files (`queue`).
//!
//! A lane whose shares are the tenants provides one thread for reading and one for encoding.

mod outlet;
mod shares;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::{Stream, stream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::{App, Caller, Operator, ReadResponses, ResponseFilter};
use crate::domain::change::{Action, By, Change};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::export::{Exported, Fingerprint, Format, Position, fingerprint};
use crate::domain::id::TenantId;
use crate::domain::response::ScreenerResponse;
use crate::domain::tenant::Tenant;
use crate::lane::Refused;
use crate::store::{Locks, QuestionCache, ResponseSpan, Room, Tx};
use outlet::{Outlet, queue};
use shares::{Share, Slot, stopping};

pub use outlet::Part;
#[cfg(test)]
pub(crate) use shares::EXPORT_MEMORY_TENANT_MAX_BYTES;
pub(super) use shares::Exports;

/// Rows of a piece: enough to hide the fixed cost of a piece, few enough to be read in some
/// milliseconds and to take little memory.
const PIECE_MAX_ROWS: usize = 1024;
/// Bytes of prompts and answers at which a piece ends early. Each row can have 16 KiB, and some
/// pieces of each export are in memory.
const PIECE_MAX_BYTES: usize = 256 * 1024;
/// The field that an invalid resume token is reported for.
const RESUME_TOKEN: &str = "resume_token";
/// How long a client may read nothing before it counts as slow: longer than pauses of the network
/// and of a busy processor, far shorter than a snapshot may be kept in vain.
const PATIENCE: Duration = Duration::from_millis(250);

/// A running export. Encoding starts with [`Export::parts`].
#[derive(Debug)]
pub struct Export {
    pieces: mpsc::Receiver<Result<Piece>>,
    exports: Arc<Exports>,
    share: Arc<Share>,
    total: i64,
}

/// Some rows of an export, each with the position after it. Only the last piece is empty.
pub type Piece = Vec<(Position, ScreenerResponse)>;

/// Some bytes of an exported file.
#[derive(Debug)]
pub struct Chunk {
    /// The bytes, split at any offset.
    pub bytes: Bytes,
    /// How many rows were read for them.
    pub rows: usize,
}

impl Part for Chunk {
    fn length(&self) -> usize {
        self.bytes.len()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size_of::<u64>() + self.bytes.len());
        bytes.extend((self.rows as u64).to_be_bytes());
        bytes.extend(&self.bytes);
        bytes
    }

    fn from_bytes(mut bytes: Bytes) -> Result<Self> {
        let rows = bytes.try_get_u64().map_err(Error::internal)?;
        Ok(Self { bytes, rows: usize::try_from(rows).map_err(Error::internal)? })
    }
}

/// How many tenants an error lists: as many as fit on a line of a terminal.
const TENANTS_NAMED_MAX: usize = 10;

/// Returns the violation of a missing tenant, where there is not exactly one.
fn choose_of(tenants: &[Tenant]) -> String {
    let mut ids: Vec<_> =
        tenants.iter().take(TENANTS_NAMED_MAX).map(|tenant| tenant.id.as_str()).collect();
    if tenants.len() > TENANTS_NAMED_MAX {
        ids.push("…");
    }
    match ids.as_slice() {
        [] => "The database has no tenant.".to_owned(),
        ids => format!("Must be one of {}.", ids.join(", ")),
    }
}

impl App {
    /// Starts an export, or resumes the export of a token.
    pub async fn export_responses(
        self: &Arc<Self>,
        caller: &Caller<ReadResponses>,
        filter: &ResponseFilter,
        token: Option<&str>,
        format: Option<Format>,
    ) -> Result<Export> {
        let export = self.export(caller.tenant(), filter, token).await?;
        self.record_export(filter, (token, format), &export, self.by(caller)).await?;
        Ok(export)
    }

    /// Starts an export of a tenant. Without an id, exports the only tenant.
    pub async fn export_responses_of(
        self: &Arc<Self>,
        _: &Operator,
        tenant: Option<TenantId>,
        filter: &ResponseFilter,
        format: Format,
    ) -> Result<Export> {
        let tenants = self.store.read(async |tx| tx.list_tenants().await).await?;
        let tenant = match (tenant, tenants.as_slice()) {
            (Some(id), tenants) if tenants.iter().any(|tenant| tenant.id == id) => id,
            (Some(_), _) => return Err(Error::not_found("tenant")),
            (None, [only]) => only.id.clone(),
            (None, tenants) => {
                let reason = choose_of(tenants);
                return Err(Error::invalid_field("tenant_id", reason));
            }
        };
        let export = self.export(&tenant, filter, None).await?;
        self.record_export(filter, (None, Some(format)), &export, self.by_operator()).await?;
        Ok(export)
    }

    /// Records the export in the audit log, before the caller gets any rows.
    async fn record_export(
        &self,
        filter: &ResponseFilter,
        (token, format): (Option<&str>, Option<Format>),
        export: &Export,
        by: By,
    ) -> Result<()> {
        let ResponseFilter { screeners, publications, sessions, assignments } = filter;
        let filter = [screeners, publications, sessions, assignments];
        let is_resumed = token.is_some();
        let exported = Exported { filter, format, is_resumed, rows: export.total };
        let tenant = export.share.tenant.clone();
        let change = Change::of(Action::Export, &tenant, None, &exported, &by);
        let locks = Locks::of(&tenant);
        self.store.write(locks, async move |tx| tx.record_change(&tenant, &change).await).await
    }

    async fn export(
        self: &Arc<Self>,
        tenant: &TenantId,
        filter: &ResponseFilter,
        token: Option<&str>,
    ) -> Result<Export> {
        let ResponseFilter { screeners, publications, sessions, assignments } = filter;
        let of = fingerprint(tenant, [screeners, publications, sessions, assignments]);
        let resumed = token.map(|token| Position::parse(token, of)).transpose();
        let resumed = resumed.map_err(|reason| Error::invalid_field(RESUME_TOKEN, reason))?;
        let slot = self.exports.slot(tenant)?;
        let share = Arc::clone(&slot.share);
        let (begun, beginning) = oneshot::channel();
        let (sender, pieces) = mpsc::channel(1);
        let (app, filter) = (Arc::clone(self), filter.clone());
        let reading = Reading { app, filter, resumed, of, slot, sender, begun };
        let runtime = Handle::current();
        let started = self.exports.lane.start(tenant.as_str(), move || reading.run(&runtime));
        started.map_err(refusal)?;
        // The sender is dropped if the thread panics, or if the server closes before its turn.
        let total = beginning.await.map_err(|_| self.exports.ended_early())??;
        Ok(Export { pieces, exports: Arc::clone(&self.exports), share, total })
    }
}

fn refusal(refused: Refused) -> Error {
    match refused {
        Refused::Full | Refused::Closed => {
            Error::new(Kind::Unavailable, "The server cannot begin an export now. Try again later.")
        }
        Refused::Panicked => Error::internal("an export panicked"),
    }
}

/// The error of an export whose client has disconnected.
fn left() -> Error {
    Error::new(Kind::Unavailable, "The client has left.")
}

/// The work of an export's reader thread, between the database and the encoder.
struct Reading {
    app: Arc<App>,
    filter: ResponseFilter,
    resumed: Option<Position>,
    of: Fingerprint,
    slot: Slot,
    sender: mpsc::Sender<Result<Piece>>,
    begun: oneshot::Sender<Result<i64>>,
}

impl Reading {
    /// Reads everything, unless the server closes or the client leaves. In that case, drops the
    /// running statement, which ends its connection. Blocks the thread.
    fn run(self, runtime: &Handle) {
        let Self { app, filter, resumed, of, slot, sender, begun } = self;
        let mut begun = Some(begun);
        let closing = &app.exports.closing;
        let tenant = &slot.share.tenant;
        let read = app.store.export(async |tx| {
            let span = tx.response_span(tenant, &filter).await?;
            let position = resumed.unwrap_or(Position { next: 0, end: span.end, of });
            if position.end > span.end {
                let reason = "It is a token of another database, or from before a restore.";
                return Err(Error::invalid_field(RESUME_TOKEN, reason));
            }
            // If the caller has left, sending the first piece detects it.
            let _ = begun.take().map(|begun| begun.send(Ok(span.total)));
            feed(tx, tenant, &sender, &span, position).await
        });
        let read = runtime.block_on(async {
            tokio::select! {
                biased;
                () = closing.cancelled() => Err(stopping()),
                () = sender.closed() => Err(left()),
                read = read => read,
            }
        });
        // Released before the end is sent, so a client that has read the end finds the slot free.
        drop(slot);
        // The client may have left.
        match (begun, read) {
            (Some(begun), Err(error)) => {
                let _ = begun.send(Err(error));
            }
            (_, read) => {
                let last = read.map(|()| Piece::new());
                let _ = runtime.block_on(closing.run_until_cancelled(sender.send(last)));
            }
        }
    }
}

/// Sends all pieces from a position, except the last and empty one.
async fn feed(
    tx: &mut Tx,
    tenant: &TenantId,
    sender: &mpsc::Sender<Result<Piece>>,
    span: &ResponseSpan,
    mut position: Position,
) -> Result<()> {
    let mut cache = QuestionCache::default();
    let mut room = Room { rows: PIECE_MAX_ROWS, bytes: PIECE_MAX_BYTES };
    loop {
        let numbers = (position.next, position.end);
        let rows = tx.responses_from(tenant, &span.walk, &mut cache, numbers, room).await?;
        let piece: Piece =
            rows.into_iter().map(|(number, row)| (position.after(number), row)).collect();
        let Some((after, _)) = piece.last() else { return Ok(()) };
        position = *after;
        // Where rows are long, the next query requests fewer of them.
        room.rows = (2 * piece.len()).min(PIECE_MAX_ROWS);
        // The encoder receives it soon.
        sender.send(Ok(piece)).await.map_err(|_| left())?;
        // Yields, so that closing is noticed even if neither the database nor the encoder blocks.
        tokio::task::yield_now().await;
    }
}

impl Export {
    /// Returns how many rows matched when the export was started or resumed.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.total
    }

    /// Returns the parts that `encode` makes of each piece, including the last and empty one.
    ///
    /// Rows are read and encoded at the server's own pace, independent of the client. Dropping the
    /// stream ends both and releases the snapshot.
    pub fn parts<T, F>(self, encode: F) -> impl Stream<Item = Result<T>> + Send + use<T, F>
    where
        T: Part,
        F: FnMut(Piece) -> Result<Vec<T>> + Send + 'static,
    {
        let Self { pieces, exports, share, total: _ } = self;
        let (outlet, parts) = queue(&exports, &share, PATIENCE);
        let of = Arc::clone(&exports);
        let encoding = move || encode_all(&of, pieces, encode, outlet);
        if let Err(refused) = exports.lane.start(share.tenant.as_str(), encoding) {
            parts.refuse(refusal(refused));
        }
        stream::unfold(Some(parts), |parts| async move {
            let mut parts = parts?;
            let part = parts.take().await?;
            let more = part.is_ok();
            Some((part, more.then_some(parts)))
        })
    }
}

/// Encodes all pieces. Blocks the thread.
fn encode_all<T: Part>(
    exports: &Exports,
    mut pieces: mpsc::Receiver<Result<Piece>>,
    mut encode: impl FnMut(Piece) -> Result<Vec<T>>,
    mut outlet: Outlet<T>,
) {
    let mut all = || -> Result<()> {
        loop {
            let piece = pieces.blocking_recv().ok_or_else(|| exports.ended_early())??;
            let is_last = piece.is_empty();
            for part in encode(piece)? {
                outlet.give(part)?;
            }
            if is_last {
                return Ok(());
            }
        }
    };
    let end = all();
    // The reader keeps its snapshot until it notices that the receiver is dropped.
    drop(pieces);
    outlet.end(end);
}

#[cfg(test)]
impl App {
    /// Limits the spool for slow clients to `max_bytes`, in files of a single part each.
    pub(crate) fn bound_export_spool(&mut self, max_bytes: usize) {
        let bounds = shares::Bounds {
            max_bytes,
            max_bytes_per_tenant: max_bytes,
            file_bytes: 1,
            disk_free_min_bytes: 0,
            ..shares::Bounds::default()
        };
        self.exports = Exports::with(self.store.spool_folder(), bounds).expect("exports");
    }

    /// Starts or resumes an export without a caller.
    pub(crate) async fn resume_export(
        self: &Arc<Self>,
        tenant: &TenantId,
        filter: &ResponseFilter,
        token: Option<&str>,
    ) -> Result<Export> {
        self.export(tenant, filter, token).await
    }

    /// Waits until no export has a slot, and therefore none a snapshot.
    pub(crate) async fn exports_idle(&self) {
        self.exports.idle().await;
    }

    /// Sets every text to this length.
    pub(crate) async fn lengthen_texts(&self, bytes: usize) {
        let sql = "UPDATE responses SET text = $1 WHERE text IS NOT NULL";
        let text = "x".repeat(bytes);
        let update =
            async move |tx: &mut crate::store::WriteTx| tx.exec(sql, &[(&text).into()]).await;
        self.store.write(Locks::none(), update).await.expect("they are changed");
    }

    /// Fills the lane of a tenant that has one reader and no encoder, so that it can queue no more
    /// work. Dropping the returned sender releases it.
    pub(crate) fn crowd_exports(&self, tenant: &TenantId) -> std::sync::mpsc::Sender<()> {
        let (release, held) = std::sync::mpsc::channel();
        let held = Arc::new(std::sync::Mutex::new(held));
        let (begun, beginning) = std::sync::mpsc::channel();
        let work = || {
            let (held, begun) = (Arc::clone(&held), begun.clone());
            move || {
                let _ = begun.send(());
                let _ = held.lock().map(|held| held.recv());
            }
        };
        let lane = &self.exports.lane;
        // A share has a quarter of the threads.
        for _ in 1..shares::EXPORT_THREADS / 4 {
            lane.start(tenant.as_str(), work()).expect("it begins");
            beginning.recv().expect("it has begun");
        }
        while lane.start(tenant.as_str(), work()).is_ok() {}
        release
    }

    /// Returns the bytes of the spool files of all exports.
    pub(crate) fn export_spooled_bytes(&self) -> usize {
        self.exports.spooled_bytes()
    }
}
