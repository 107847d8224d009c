//! What a fuzzer calls: each target takes any bytes, drives one way into the program with them, and asserts what must
//! hold whatever they are. `fuzz/` runs them under libFuzzer, `tests/fuzz` for a short while with every test run.
//!
//! The targets live here so that they are compiled, and kept right, with what they drive. Further ways in are further rows
//! of [`TARGETS`].

use prost::Message as _;

use crate::{
    catalogue::{self, Field, Mask, groups},
    domain::Purpose,
    exchange::Received,
    identity::GatewayKind,
    proto::RequestWorkCapacityRequest,
};

mod form;
mod import;
mod reading;
pub mod seeds;
mod silence;
mod statement;

pub use form::form;
pub use import::import;
pub use statement::statement;

/// A way in. Whether it let the bytes in; it panics where it must never have come to.
pub type Target = fn(&[u8]) -> bool;

/// All of them, by name.
pub const TARGETS: [(&str, Target); 5] =
    [("statement", statement), ("mask", mask), ("request", request), ("form", form), ("import", import)];

/// Lines of text as the paths of a field mask, and as the codes of a grant.
pub fn mask(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    let by_path = |line: &str| {
        let group = groups().iter().find(|group| group.name == line);
        Field::from_path(line)
            .map(|field| Mask::EMPTY.with(field))
            .or_else(|| group.map(|group| group.mask()))
    };
    let paths = normal(&lines, by_path, catalogue::from_paths, catalogue::to_paths);
    let by_code = |line: &str| Field::from_code(line).map(|field| Mask::EMPTY.with(field));
    let codes = normal(&lines, by_code, catalogue::from_codes, |mask| {
        catalogue::codes(mask).into_iter().map(ToOwned::to_owned).collect()
    });
    paths || codes
}

/// Reads lines to a mask and writes it again. `one` says what a single line names.
fn normal(
    lines: &[&str],
    one: impl Fn(&str) -> Option<Mask>,
    read: impl Fn(&[String]) -> Result<Mask, catalogue::PathFault>,
    write: impl Fn(Mask) -> Vec<String>,
) -> bool {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let first_unknown = lines.iter().position(|line| one(line).is_none());
    match read(&lines) {
        Err(fault) => {
            assert!(
                Some(fault.index) == first_unknown,
                "the fault names another line than the first unknown one"
            );
            false
        }
        Ok(mask) => {
            assert!(first_unknown.is_none(), "a line that names nothing was taken");
            let named = lines.iter().filter_map(|line| one(line)).fold(Mask::EMPTY, Mask::or);
            assert!(mask == named, "the mask is not what its lines name");
            let written = write(mask);
            assert!(written.len() == mask.len(), "the normal form is not one line per field");
            assert!(read(&written) == Ok(mask) && write(mask) == written, "the normal form is not stable");
            true
        }
    }
}

/// A requester's message. What is wrong with it is told without any of it.
pub fn request(bytes: &[u8]) -> bool {
    let Ok(message) = RequestWorkCapacityRequest::decode(bytes) else { return false };
    match Received::read(&message, GatewayKind::Test).question() {
        Ok(question) => {
            assert!(!question.fields.is_empty(), "a question without a field was taken");
            assert!(question.bsn.is_test(), "a number outside the test range was taken");
            assert!(message.purpose.parse::<Purpose>() == Ok(question.purpose), "the purpose is another");
            true
        }
        Err(refusal) => {
            silence::assert_silent(&refusal);
            false
        }
    }
}
