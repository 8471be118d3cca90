//! The codec of every RPC: prost's, with sizes computed in advance.
//!
//! An empty message within another takes two bytes on the wire and hundreds in memory. So the
//! messages within a large one are counted before it is decoded, and their memory is charged to the
//! request. A response gets a buffer of its exact size: a growing one would occupy up to twice as
//! much until the peer has read it.

use bytes::Buf as _;
use prost::decode_length_delimiter;
use prost_reflect::{Kind as Type, MessageDescriptor};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

use super::rpcs::Rpc;
use crate::domain::error::{Error, Kind, Result};
use crate::pb::POOL;
use crate::receive::Tab;

/// Smaller messages grow to a few MiB at most, and are decoded at once.
const LOOKED_THROUGH_ABOVE_BYTES: usize = 64 * 1024;
/// The bytes of the limit per nested message: at most 65 536 of them in a draft, which has at most
/// 5 500 questions and options.
const WITHIN_MIN_BYTES: usize = 64;
/// The memory of a nested message, including the spare capacity of its list.
const WITHIN_HELD_BYTES: usize = 512;
/// The buffer of a message that has not arrived, which strangers may open by the thousand. It grows
/// once the length is known.
const RECEIVED_AT_FIRST_BYTES: usize = 1024;
/// The memory of a text in a list, including spare capacity.
const TEXT_HELD_BYTES: usize = 48;

tokio::task_local! {
    static READING: Reading;
}

/// The context in which a call reads its message.
pub(super) struct Reading {
    input: MessageDescriptor,
    max_bytes: usize,
    tab: Tab,
}

impl Reading {
    /// Returns the context of an RPC, or `None` if its messages are always small.
    pub(super) fn of(rpc: &Rpc, tab: &Tab) -> Option<Self> {
        if rpc.message_max_bytes <= LOOKED_THROUGH_ABOVE_BYTES {
            return None;
        }
        let service = POOL.get_service_by_name(rpc.service.name())?;
        let method = service.methods().find(|method| method.name() == rpc.method)?;
        let (input, tab) = (method.input(), tab.clone());
        Some(Self { input, max_bytes: rpc.message_max_bytes, tab })
    }

    /// Runs a call in this context.
    pub(super) async fn within<T>(self, call: impl Future<Output = T>) -> T {
        READING.scope(self, call).await
    }

    fn look_through(&self, message: &[u8]) -> Result<()> {
        let mut within = Within::default();
        // Malformed messages are left to prost, which reports them.
        let _ = within.count(&self.input, message);
        let max = self.max_bytes / WITHIN_MIN_BYTES;
        if within.messages > max {
            let detail = format!("At most {max} messages within this message.");
            return Err(Error::new(Kind::PayloadTooLarge, detail));
        }
        let held_bytes = within.messages * WITHIN_HELD_BYTES + within.texts * TEXT_HELD_BYTES;
        self.tab.cover(message.len() + held_bytes)
    }
}

/// The contents of a message, at any depth.
#[derive(Debug, Default, PartialEq, Eq)]
struct Within {
    messages: usize,
    /// Texts and byte strings in lists.
    texts: usize,
}

impl Within {
    /// Counts the contents, up to the first malformed byte.
    fn count(&mut self, descriptor: &MessageDescriptor, mut bytes: &[u8]) -> Option<()> {
        while !bytes.is_empty() {
            // Keys and numbers are varints, like lengths.
            let key = decode_length_delimiter(&mut bytes).ok()?;
            match key & 0b111 {
                0 => drop(decode_length_delimiter(&mut bytes).ok()?),
                1 => bytes = bytes.get(8..)?,
                2 => {
                    let length = decode_length_delimiter(&mut bytes).ok()?;
                    let (value, rest) = bytes.split_at_checked(length)?;
                    bytes = rest;
                    self.count_value(descriptor, u32::try_from(key >> 3).ok()?, value)?;
                }
                5 => bytes = bytes.get(4..)?,
                // Groups, which the contract does not use.
                _ => return None,
            }
        }
        Some(())
    }

    fn count_value(
        &mut self,
        descriptor: &MessageDescriptor,
        number: u32,
        value: &[u8],
    ) -> Option<()> {
        let Some(field) = descriptor.get_field(number) else { return Some(()) };
        if let Type::Message(inner) = field.kind() {
            self.messages += 1;
            return self.count(&inner, value);
        }
        if field.is_list() && !field.is_packed() {
            self.texts += 1;
        }
        Some(())
    }
}

/// Encodes `T` and decodes `U`.
#[derive(Debug)]
pub(crate) struct SizingCodec<T, U>(ProstCodec<T, U>);

impl<T, U> Default for SizingCodec<T, U> {
    fn default() -> Self {
        Self(ProstCodec::default())
    }
}

impl<T, U> Codec for SizingCodec<T, U>
where
    T: prost::Message + Send + 'static,
    U: prost::Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = SizingEncoder<T>;
    type Decoder = SizingDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        SizingEncoder(self.0.encoder())
    }

    fn decoder(&mut self) -> Self::Decoder {
        SizingDecoder(self.0.decoder())
    }
}

/// Encodes `T`.
#[derive(Debug)]
pub(crate) struct SizingEncoder<T>(ProstEncoder<T>);

impl<T: prost::Message> Encoder for SizingEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(
        &mut self,
        message: T,
        buffer: &mut EncodeBuf<'_>,
    ) -> std::result::Result<(), Status> {
        buffer.reserve(message.encoded_len());
        self.0.encode(message, buffer)
    }
}

/// Decodes `U`.
#[derive(Debug)]
pub(crate) struct SizingDecoder<U>(ProstDecoder<U>);

impl<U: prost::Message + Default> Decoder for SizingDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> std::result::Result<Option<U>, Status> {
        // The buffer is contiguous.
        let message = buffer.chunk();
        if message.len() > LOOKED_THROUGH_ABOVE_BYTES {
            // Clients also decode with this codec, but outside a call, and requested what they get.
            READING.try_with(|reading| reading.look_through(message)).unwrap_or(Ok(()))?;
        }
        self.0.decode(buffer)
    }

    fn buffer_settings(&self) -> BufferSettings {
        // The yield threshold applies only to encoding.
        BufferSettings::new(RECEIVED_AT_FIRST_BYTES, RECEIVED_AT_FIRST_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::grpc::rpcs;
    use crate::pb::screener::v1;
    use crate::receive::Receiver;

    fn reading(tab: &Tab) -> Reading {
        let rpc = rpcs::find("/screener.v1.ScreenerService/ValidateDraft").expect("an RPC");
        Reading::of(rpc, tab).expect("its messages may be large")
    }

    fn draft(questions: usize, options: usize) -> Vec<u8> {
        let options = vec![v1::QuestionOption::default(); options];
        let form = v1::question::Form::SingleSelect(v1::SingleSelectForm { options });
        let question = v1::Question { form: Some(form), ..Default::default() };
        let page = v1::Page { questions: vec![question; questions], ..Default::default() };
        let draft = v1::Questionnaire { pages: vec![page], ..Default::default() };
        v1::ValidateDraftRequest { draft: Some(draft) }.encode_to_vec()
    }

    #[test]
    fn what_is_within_a_message_is_counted_and_charged() {
        let receiver = Receiver::new(usize::MAX);
        let tab = receiver.open("tenant");
        let reading = reading(&tab);
        let message = draft(10, 20);
        let mut within = Within::default();
        assert_eq!(within.count(&reading.input, &message), Some(()));
        assert_eq!(within, Within { messages: 2 + 10 * (2 + 20), texts: 0 });
        reading.look_through(&message).expect("it is small");
        let held_bytes = within.messages * WITHIN_HELD_BYTES;
        assert_eq!(receiver.charged_bytes(), message.len() + held_bytes);
        assert_eq!(within.count(&reading.input, &message[..100]), None, "it is cut");
        let refused = reading.look_through(&draft(32_768, 0)).expect_err("it is large");
        assert_eq!(refused.kind(), Kind::PayloadTooLarge);
    }

    #[test]
    fn a_list_of_messages_takes_no_more_than_is_charged() {
        for size in [
            size_of::<v1::Page>(),
            size_of::<v1::Tag>(),
            size_of::<v1::Question>(),
            size_of::<v1::QuestionOption>(),
            size_of::<v1::ChosenOption>(),
            size_of::<(String, v1::AnswerValue)>(),
        ] {
            assert!(2 * size <= WITHIN_HELD_BYTES, "{size} bytes");
        }
        assert!(2 * size_of::<String>() <= TEXT_HELD_BYTES);
    }
}
