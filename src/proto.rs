//! Types generated from `proto/sluis/v1`, and their descriptors.

#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code; the proto files carry the documentation"
)]

tonic::include_proto!("sluis.v1");

/// The encoded descriptors, with the field options and comments, for reflection and for the catalogue's own tests.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
