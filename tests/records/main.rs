//! The entries of a region's log as other logs have them: written from an export, and sent by the gateway itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

mod alarm;
#[path = "../gateway/database.rs"]
#[allow(dead_code, reason = "shared with the tests of the gateway")]
mod database;
mod exported;
mod forgotten;
mod instances;
mod lab;
mod r4;
mod receiver;
mod sent;
mod shards;
