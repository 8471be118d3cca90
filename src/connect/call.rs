//! A call whose credential was accepted: its message is received within its deadline and its limits,
//! and made into protobuf.

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

/// Up to this size a message is transcoded where it is received. Larger ones would occupy a thread of
/// the runtime for milliseconds.
const INLINE_MAX_BYTES: usize = 64 * 1024;

/// Up to so many JSON values a message is transcoded where it is received: each costs a microsecond,
/// however short it is.
const INLINE_MAX_VALUES: usize = 1_000;

/// A message of `n` bytes at most has one JSON value for each of so many bytes at most. The fullest
/// message of the contract, a draft with 5 000 options, stays far below that, whereas zeros in a list
/// have one value for every two bytes.
const JSON_VALUE_MIN_BYTES: usize = 16;

/// What a JSON value takes while a message is transcoded: 160 bytes as a field of a message, and 320
/// before that, because an object of one member, which counts as two values, takes 640 bytes.
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
    /// Has the credential of a call judged by its headers.
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

    /// The message of a call as protobuf.
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

/// The message of an answer, from protobuf.
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
    /// Waits no longer than the deadline.
    pub(super) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| Err(Error::exceeded()))
    }

    /// Reads a body to its end: a message, and what is around it.
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

    /// How many bytes a message may have before it is unpacked.
    pub(super) fn packed_max_bytes(&self, coding: Coding) -> usize {
        coding.packed_max_bytes(self.terms.message_max_bytes)
    }

    /// How much of the client's timeout is left.
    pub(super) fn left(&self) -> Option<Duration> {
        self.timeout.map(|timeout| timeout.saturating_sub(self.begun.elapsed()))
    }
}
