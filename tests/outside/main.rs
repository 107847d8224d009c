//! The log against code that nobody here wrote, and against logs that are broken.
//!
//! `kept` holds the corpus in `tests/broken-logs` against its generator, and our verifier against the corpus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

mod kept;

#[path = "../../examples/broken_logs/corpus.rs"]
mod corpus;
