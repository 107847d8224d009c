//! The signed, tamper-evident log (auditlog): its formats, without a database. `docs/audit-log.md` says the same to
//! whoever writes a verifier.
//!
//! Outwards it keeps to the C2SP specifications: [`note`](crate::note) (signed-note), [`checkpoint`] (tlog-checkpoint), [`proof`]
//! (tlog-proof), [`tiles`] (tlog-tiles), [`trust`] (tlog-policy). What stands in an entry is ours: [`leaf`], [`seal`].

mod b64;
pub mod checkpoint;
pub mod entry;
pub mod erasure;
pub mod export;
pub mod leaf;
pub mod lookup;
pub mod officer;
pub mod proof;
pub mod receipt;
pub mod records;
pub mod report;
pub mod retention;
pub mod seal;
pub mod shard;
pub mod stored_check;
pub mod tiles;
pub mod tree;
pub mod trust;
pub mod verify;
pub mod vouched;
pub mod writer;
