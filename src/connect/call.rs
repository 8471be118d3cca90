//! Calls whose credential was accepted. Receives the message of a call within its deadline and
//! limits, and transcodes it to protobuf.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use prost_reflect::MessageDescriptor;
use tokio::time::{Instant, timeout_at};
use tower::BoxError;

use super::headers::{Encoding, timeout};
use super::refusal::Refusal;
use super::schema::Method;
use super::{Shared, json};
use crate::domain::error::{Error, Kind, Result};
use crate::lane::{Lane, Refused};
use crate::receive::coding::Coding;
use crate::receive::{self, Terms};

/// The largest message that is transcoded on the runtime's own thread. A larger one would block
/// that thread for milliseconds.
const INLINE_MAX_BYTES: usize = 64 * 1024;

/// The most JSON values of a message that is transcoded on the runtime's own thread. Each costs a
/// microsecond, however short it is.
const INLINE_MAX_VALUES: usize = 1_000;

/// The divisor from the byte limit of a message to its limit of JSON values. The fullest message of
/// the contract, a draft with 5 000 options, stays far below that limit. A list of zeros has one
/// value for every two bytes.
const JSON_VALUE_MIN_BYTES: usize = 16;

/// The memory of a JSON value while a message is transcoded: 160 bytes as a field of a message, and
/// 320 before that. An object of one member counts as two values and takes 640 bytes.
const JSON_VALUE_HELD_BYTES: usize = 160 + 320;

/// A call, before its message is read.
pub(super) struct Call<'m> {
    pub(super) method: &'m Method,
    pub(super) parts: Parts,
    pub(super) terms: Terms,
    begun: Instant,
    timeout: Option<Duration>,
    deadline: Instant,
}

impl Shared {
    /// Checks the credential of a call from its headers.
    pub(super) async fn admit<'m>(
        &self,
        method: &'m Method,
        parts: Parts,
    ) -> Result<Call<'m>, Refusal> {
        let begun = Instant::now();
        let timeout = timeout(&parts.headers)?;
        let longest = self.settings.deadline_max;
        let deadline = begun + timeout.unwrap_or(longest).min(longest);
        let admitted = timeout_at(deadline, (self.settings.admit)(parts)).await;
        let (parts, terms) = admitted.unwrap_or_else(|_| Err(Error::exceeded()))?;
        let terms = terms.ok_or_else(Refusal::unknown)?;
        Ok(Call { method, parts, terms, begun, timeout, deadline })
    }

    /// Returns the message of a call as protobuf.
    pub(super) async fn read(
        &self,
        call: &Call<'_>,
        encoding: Encoding,
        bytes: Bytes,
    ) -> Result<Bytes> {
        if encoding == Encoding::Proto {
            return Ok(bytes);
        }
        let values_max = call.terms.message_max_bytes / JSON_VALUE_MIN_BYTES;
        let input = call.method.input.clone();
        if bytes.len() <= INLINE_MAX_BYTES {
            let values = json::count_values(&bytes);
            if values <= INLINE_MAX_VALUES.min(values_max) {
                return json::read(&input, &bytes).map(Bytes::from);
            }
        }
        let tab = call.terms.tab.clone();
        let read = move || {
            let values = json::count_values(&bytes);
            if values > values_max {
                let detail = format!("At most {values_max} JSON values in this message.");
                return Err(Error::new(Kind::PayloadTooLarge, detail));
            }
            let _expanded = tab.beside(values * JSON_VALUE_HELD_BYTES)?;
            json::read(&input, &bytes).map(Bytes::from)
        };
        call.within(apart(&self.settings.lane, &call.terms.share, read)).await
    }
}

/// Transcodes the message of a response from protobuf.
pub(super) async fn write(
    lane: &Lane,
    share: &str,
    encoding: Encoding,
    output: &MessageDescriptor,
    message: Bytes,
) -> Result<Bytes> {
    match encoding {
        Encoding::Proto => Ok(message),
        Encoding::Json if message.len() <= INLINE_MAX_BYTES => {
            json::write(output, message).map(Bytes::from)
        }
        Encoding::Json => {
            let output = output.clone();
            apart(lane, share, move || json::write(&output, message).map(Bytes::from)).await
        }
    }
}

/// Runs work on the threads for long work.
async fn apart<T: Send + 'static>(
    lane: &Lane,
    share: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match lane.run(share, |_| work()).await {
        Ok(done) => done,
        Err(Refused::Panicked) => Err(Error::internal("transcoding panicked")),
        Err(Refused::Full | Refused::Closed) => Err(Error::new(
            Kind::Unavailable,
            "The limit of large messages that wait to be read is reached. Try again later.",
        )),
    }
}

impl Call<'_> {
    /// Runs `work` until the deadline at the latest.
    pub(super) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| Err(Error::exceeded()))
    }

    /// Reads a body to its end: a message and its envelope, if any.
    pub(super) async fn receive<B>(&self, body: B, max_bytes: usize) -> Result<Bytes>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        self.within(receive::read(body, max_bytes, &self.terms.tab)).await
    }

    /// Unpacks a message.
    pub(super) async fn unpack(&self, coding: Coding, packed: Bytes) -> Result<Bytes> {
        let max_bytes = self.terms.message_max_bytes;
        self.within(receive::unpack(coding, packed, max_bytes, &self.terms.tab)).await
    }

    /// Returns the largest size of a message before it is unpacked, in bytes.
    pub(super) fn packed_max_bytes(&self, coding: Coding) -> usize {
        coding.packed_max_bytes(self.terms.message_max_bytes)
    }

    /// Returns the rest of the client's timeout.
    pub(super) fn left(&self) -> Option<Duration> {
        self.timeout.map(|timeout| timeout.saturating_sub(self.begun.elapsed()))
    }
}
