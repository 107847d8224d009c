//! The log against code that nobody here wrote, and against logs that are broken.
//!
//! `trees`, `tiles`, `notes` and `cosignatures` compare what we write with what `ct-merkle`, `tlog_tiles` and
//! `signed_note` write, and what we accept with what they accept. `alone` verifies an export with those crates only.
//! `kept` holds the corpus in `tests/broken-logs` against its generator, and our verifier against the corpus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

mod alone;
mod cosignatures;
mod kept;
mod logs;
mod notes;
mod tiles;
mod trees;

#[path = "../../examples/broken_logs/corpus.rs"]
mod corpus;
