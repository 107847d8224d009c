//! What a requester keeps: a receipt as a file, and its verification without the gateway.

mod check;
#[cfg(test)]
mod tests;

use std::{fmt, fs, io, path::Path};

use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::{
    b64,
    leaf::Salt,
    report::{Code, Report},
};
use crate::note::{VerifierKey, cosignature::CosignerKey};
use crate::proto;

/// Larger files are not read: a receipt has two entries.
const MAX_BYTES: u64 = 16 << 20;

/// Why a receipt cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFault {
    /// Not the JSON form of a receipt.
    #[error("not a receipt")]
    Malformed,
    /// The answer came without one.
    #[error("the answer has no receipt")]
    Absent,
    /// The file itself.
    #[error("cannot read or write the receipt")]
    Io(#[from] io::Error),
}

/// A receipt as a file: the JSON form of `sluis.v1.Receipt`, and the answer where it is kept with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    /// The opened entries: the request and, where something was released, its outcome.
    pub entries: Vec<ReceiptEntry>,
    /// Salt of the commitment to the answer.
    #[serde(default, with = "b64::field", skip_serializing_if = "Option::is_none")]
    pub answer_salt: Option<Vec<u8>>,
    /// The answer: see [`answer_bytes`].
    #[serde(default, with = "b64::field", skip_serializing_if = "Option::is_none")]
    pub answer: Option<Vec<u8>>,
}

/// One opened entry of a receipt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptEntry {
    /// The leaf as it was hashed.
    pub leaf: String,
    /// Inclusion proof and signed checkpoint, as a tlog-proof.
    pub proof: String,
    /// The facts that the leaf commits to.
    pub facts: String,
    /// Salt of that commitment.
    #[serde(with = "b64::field")]
    pub facts_salt: Option<Vec<u8>>,
    /// Key of the sealed part, where that is opened.
    #[serde(default, with = "b64::field", skip_serializing_if = "Option::is_none")]
    pub entry_key: Option<Vec<u8>>,
    /// The sealed part, where that is opened.
    #[serde(default, with = "b64::field", skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Vec<u8>>,
}

/// The bytes of an answer that its outcome commits to: the protobuf encoding, fields in the order of their numbers,
/// without the receipt.
#[must_use]
pub fn answer_bytes(answer: &proto::RequestWorkCapacityResponse) -> Vec<u8> {
    proto::RequestWorkCapacityResponse { receipt: None, ..answer.clone() }.encode_to_vec()
}

/// Bytes that may be empty in the protocol are absent in the file.
fn present(bytes: &[u8]) -> Option<Vec<u8>> {
    (!bytes.is_empty()).then(|| bytes.to_vec())
}

impl ReceiptFile {
    /// From the protocol's form, with the answer's bytes if they are to be kept.
    ///
    /// # Errors
    /// [`ReceiptFault::Malformed`] if a leaf or its facts are not UTF-8.
    pub fn from_proto(receipt: &proto::Receipt, answer: Option<Vec<u8>>) -> Result<Self, ReceiptFault> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| ReceiptFault::Malformed);
        let entry = |entry: &proto::OpenedEntry| {
            Ok(ReceiptEntry {
                leaf: text(&entry.leaf)?,
                proof: entry.proof.clone(),
                facts: text(&entry.facts)?,
                facts_salt: Some(entry.facts_salt.clone()),
                entry_key: present(&entry.entry_key),
                sealed: present(&entry.sealed),
            })
        };
        let entries = receipt.entries.iter().map(entry).collect::<Result<_, ReceiptFault>>()?;
        Ok(Self { entries, answer_salt: present(&receipt.answer_salt), answer })
    }

    /// From a whole answer, which is kept with its receipt.
    ///
    /// # Errors
    /// If the answer has no receipt, or as [`from_proto`](Self::from_proto).
    pub fn from_answer(answer: &proto::RequestWorkCapacityResponse) -> Result<Self, ReceiptFault> {
        let receipt = answer.receipt.as_ref().ok_or(ReceiptFault::Absent)?;
        Self::from_proto(receipt, Some(answer_bytes(answer)))
    }

    /// From the text of a receipt file.
    ///
    /// # Errors
    /// [`ReceiptFault::Malformed`].
    pub fn from_json(text: &[u8]) -> Result<Self, ReceiptFault> {
        // The members of an object may also be read from a list, which is no receipt.
        let is_object = |value: &serde_json::Value| value.is_object();
        let value: serde_json::Value = serde_json::from_slice(text).map_err(|_| ReceiptFault::Malformed)?;
        let entries = value.get("entries").and_then(serde_json::Value::as_array);
        if !value.is_object() || !entries.is_some_and(|entries| entries.iter().all(is_object)) {
            return Err(ReceiptFault::Malformed);
        }
        serde_json::from_slice(text).map_err(|_| ReceiptFault::Malformed)
    }

    /// The text of a receipt file.
    ///
    /// # Errors
    /// None that can occur.
    pub fn to_json(&self) -> Result<String, ReceiptFault> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|_| ReceiptFault::Malformed)
    }

    /// Reads a receipt file.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, ReceiptFault> {
        if fs::metadata(path)?.len() > MAX_BYTES {
            return Err(ReceiptFault::Malformed);
        }
        Self::from_json(&fs::read(path)?)
    }

    /// Writes a receipt file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ReceiptFault> {
        Ok(fs::write(path, self.to_json()?)?)
    }
}

/// Verifies a receipt against the keys of logs that are trusted. Each entry: signature, inclusion, leaf, facts and, where
/// it is opened, the sealed part. Together: one request, at most one outcome of it, and the answer.
///
/// Cosignatures of these witnesses are taken too. One that none of them made is found; there need be none, since a receipt is
/// given out before a witness has seen its entry.
#[must_use]
pub fn verify(receipt: &ReceiptFile, trust: &[VerifierKey], witnesses: &[CosignerKey]) -> Report {
    check::verify(receipt, trust, witnesses)
}

/// Verifies a receipt file. What cannot be read is a finding too.
#[must_use]
pub fn verify_file(path: &Path, trust: &[VerifierKey], witnesses: &[CosignerKey]) -> Report {
    let fault = match ReceiptFile::read(path) {
        Ok(receipt) => return verify(&receipt, trust, witnesses),
        Err(fault) => fault,
    };
    let code = match fault {
        ReceiptFault::Io(_) => Code::FileUnreadable,
        ReceiptFault::Malformed | ReceiptFault::Absent => Code::ReceiptMalformed,
    };
    let mut report = Report::new(!trust.is_empty());
    report.find(None, code, fault.to_string());
    report
}

fn salt(bytes: Option<&Vec<u8>>) -> Option<Salt> {
    bytes?.as_slice().try_into().ok()
}

impl fmt::Debug for ReceiptFile {
    /// Facts, keys and answer stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptFile({} entries, redacted)", self.entries.len())
    }
}

impl fmt::Debug for ReceiptEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptEntry(redacted)")
    }
}
