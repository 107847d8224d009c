//! The log against code that nobody here wrote, and against logs that are broken.
//!
//! `trees`, `tiles`, `notes` and `cosignatures` compare what we write with what `ct-merkle`, `tlog_tiles` and
//! `signed_note` write, and what we accept with what they accept. `alone` verifies an export with those crates only.
//! `spoilt` changes an export in thousands of ways, of which none may verify. `kept` holds the corpus in
//! `tests/broken-logs` against its generator, and our verifier against the corpus.
//!
//! ```text
//! SLUIS_FUZZ_SEED=7 cargo test --test outside spoilt     # other changes
//! ```

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
mod spoilt;
mod tiles;
mod trees;

#[path = "../../examples/broken_logs/corpus.rs"]
mod corpus;
#[path = "../fuzz/random.rs"]
mod random;
