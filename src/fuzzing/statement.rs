//! A source's answer, from its bytes to the bytes that would leave for a requester.

use prost::Message as _;

use super::reading::Reading;
use crate::{
    catalogue::{ALL, Mask},
    domain::Day,
    proto::WorkCapacity,
    source::grpc::received,
};

/// When every statement comes in.
const TODAY: Day = time::macros::date!(2026 - 11 - 27);

/// The fields asked: every field whose number, modulo 8, is a bit of `choice`. 255 asks them all.
fn chosen(choice: u8) -> Mask {
    ALL.into_iter().filter(|field| choice & 1 << (*field as usize % 8) != 0).collect()
}

/// The first byte chooses what is asked; the others are the answer. Held against a reading of the same bytes that goes
/// by the descriptors and the tables of the catalogue, and shares no code with the checks.
pub fn statement(bytes: &[u8]) -> bool {
    let Some((choice, wire)) = bytes.split_first() else { return false };
    let asked = chosen(*choice);
    let (surplus, checked) = received(wire, asked, TODAY);
    assert!(surplus.fields.and(asked).is_empty(), "what was asked counts as surplus");
    let reading = Reading::of(wire);
    if let Some(reading) = &reading {
        assert!(surplus.unknown_fields <= reading.unknown, "more unknown fields were counted than there are");
        // Where a later part of a `oneof` takes an earlier one's place, what was in that is gone, and not counted.
        assert!(
            reading.both || surplus.unknown_fields == reading.unknown,
            "not all unknown fields were counted"
        );
    }
    let Ok(checked) = checked else { return false };
    assert!(reading.is_some(), "what is no message was taken");
    let Some(reading) = reading else { return false };
    assert!(reading.fault(TODAY).is_none(), "a value that the catalogue does not allow was taken");
    assert!(checked.present().is_subset_of(asked), "more than was asked went on");

    let released = checked.release(asked, TODAY);
    assert!(released.is_ok(), "what came in cannot leave");
    let Ok((released, present)) = released else { return false };
    assert!(present == checked.present(), "other fields leave than came in");
    assert!(present == reading.present().and(asked), "what was asked and is there does not leave");
    let leaving = released.encode_to_vec();
    assert!(
        WorkCapacity::decode(leaving.as_slice()).as_ref() == Ok(&released),
        "it reads otherwise than it is written"
    );
    assert!(reading.only(asked).as_deref() == Some(&*leaving), "something leaves that is no value asked");
    true
}
