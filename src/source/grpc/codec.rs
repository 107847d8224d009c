//! Reads a source's message and notices what prost would drop without a word: fields that the catalogue does not know.

use std::{marker::PhantomData, sync::LazyLock};

use prost::{Message, bytes::Buf};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder},
};
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::proto;

#[expect(clippy::expect_used, reason = "INVARIANT: the build wrote these descriptors; a test reads them")]
static RESPONSE: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    DescriptorPool::decode(proto::DESCRIPTORS)
        .ok()
        .and_then(|pool| pool.get_message_by_name("sluis.v1.GetStatementResponse"))
        .expect("the descriptors hold the source's answer")
});

/// A source's answer as it came.
#[derive(Debug)]
pub(super) enum Delivered {
    /// It could be read; so many fields in it are not known.
    Read { message: Box<proto::GetStatementResponse>, unknown_fields: u32 },
    /// It is no such message. Told apart from an error of the source: this one did answer.
    Unreadable,
}

/// Encodes questions as usual, and decodes answers to [`Delivered`].
#[derive(Debug, Default)]
pub(super) struct StatementCodec(PhantomData<()>);

impl Codec for StatementCodec {
    type Encode = proto::GetStatementRequest;
    type Decode = Delivered;
    type Encoder = ProstEncoder<Self::Encode>;
    type Decoder = StatementDecoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Self::Encode, proto::GetStatementResponse>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        StatementDecoder
    }
}

#[derive(Debug)]
pub(super) struct StatementDecoder;

impl Decoder for StatementDecoder {
    type Item = Delivered;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Delivered>, Status> {
        let wire = buf.copy_to_bytes(buf.remaining());
        Ok(Some(read(&wire)))
    }
}

pub(super) fn read(wire: &[u8]) -> Delivered {
    let Ok(message) = proto::GetStatementResponse::decode(wire) else { return Delivered::Unreadable };
    // What encodes to the same bytes has nothing that was dropped. Comparing lengths alone is not enough: a list of one
    // is shorter unpacked than packed, which makes room for an unknown field.
    if message.encoded_len() == wire.len() && message.encode_to_vec() == wire {
        return Delivered::Read { message: Box::new(message), unknown_fields: 0 };
    }
    match DynamicMessage::decode(RESPONSE.clone(), wire) {
        Ok(dynamic) => {
            Delivered::Read { message: Box::new(message), unknown_fields: unknown_fields(&dynamic) }
        }
        Err(_) => Delivered::Unreadable,
    }
}

/// Unknown fields of a message and of everything in it. Lists have at most as many elements as the message has bytes,
/// and prost bounds the depth, so this ends soon.
fn unknown_fields(message: &DynamicMessage) -> u32 {
    let own = u32::try_from(message.unknown_fields().count()).unwrap_or(u32::MAX);
    message.fields().fold(own, |sum, (_, value)| sum.saturating_add(inside(value)))
}

fn inside(value: &Value) -> u32 {
    match value {
        Value::Message(message) => unknown_fields(message),
        Value::List(values) => values.iter().fold(0, |sum, value| sum.saturating_add(inside(value))),
        // The messages have no maps, and a scalar holds nothing else.
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::get_statement_response::Result as Answer;

    fn answer() -> proto::GetStatementResponse {
        let action = proto::AgreedAction { action: Some(1), owner: Some(2), due: None };
        proto::GetStatementResponse {
            result: Some(Answer::WorkCapacity(proto::WorkCapacity {
                working_hours: Some(proto::WorkingHours { available_days: vec![3], ..Default::default() }),
                trajectory: Some(proto::Trajectory { agreed_actions: vec![action], ..Default::default() }),
                ..Default::default()
            })),
        }
    }

    fn unknown(wire: &[u8]) -> Option<u32> {
        match read(wire) {
            Delivered::Read { unknown_fields, .. } => Some(unknown_fields),
            Delivered::Unreadable => None,
        }
    }

    /// Field 100 with the value 1, which no message here has.
    const UNKNOWN: [u8; 3] = [0xa0, 0x06, 1];

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn a_message_without_surplus_has_none() {
        assert_eq!(unknown(&answer().encode_to_vec()), Some(0));
        assert_eq!(unknown(&[]), Some(0));
    }

    #[test]
    fn p03_unknown_fields_are_counted_at_every_depth() {
        assert_eq!(unknown(&[answer().encode_to_vec(), UNKNOWN.to_vec()].concat()), Some(1));
        assert_eq!(unknown(&field(1, &UNKNOWN)), Some(1));
        // In a group, 100 is its assessment; 101 is nothing.
        let hours = field(1, &[UNKNOWN[0] + 8, UNKNOWN[1], 1]);
        assert_eq!(unknown(&[field(1, &hours), UNKNOWN.to_vec()].concat()), Some(2));
        let action = field(6, &[&[8, 1, 16, 2], &UNKNOWN[..]].concat());
        assert_eq!(unknown(&field(1, &field(4, &[action.clone(), action].concat()))), Some(2));
    }

    #[test]
    fn p03_another_way_to_write_a_list_does_not_hide_an_unknown_field() {
        // Two lists of one, unpacked, are two bytes shorter than prost writes them; the unknown field 15 has two bytes.
        let hours = [0x08_u8, 1, 0x58, 3, 0x78, 1];
        let wire = field(1, &field(1, &hours));
        let plain = proto::GetStatementResponse::decode(wire.as_slice()).unwrap();
        assert_eq!(plain.encoded_len(), wire.len(), "the lengths are the same");
        assert_eq!(unknown(&wire), Some(1));
    }

    #[test]
    fn bytes_that_are_no_message_are_unreadable() {
        assert_eq!(unknown(&[0xff, 0xff]), None);
        assert_eq!(unknown(&field(1, &[0x0a, 0x7f])), None);
    }
}
