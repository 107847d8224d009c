//! The gateway as its users meet it: over real mutual TLS, on a real database, with real source systems.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

mod agreements;
mod apart;
mod away;
mod bad_bytes;
mod bad_caller;
mod bad_connection;
mod bad_consent;
mod bad_disk;
mod bad_forge;
mod bad_form;
mod bad_request;
mod bad_signature;
mod bad_source;
mod bad_tools;
mod canary;
mod catalogue;
mod database;
mod exchange;
mod explain;
mod following;
#[path = "../../src/storage/forwarding.rs"]
mod forwarding;
mod keys;
mod lab;
mod life;
mod officer_tools;
mod outside;
mod p01;
mod p02;
mod p03;
mod p04;
mod p05;
mod p06;
mod p07;
mod p08;
mod p09;
mod p10;
mod p11;
mod p12;
mod promises;
#[path = "../store/proxy.rs"]
#[allow(dead_code, reason = "shared with the tests of the stores")]
mod proxy;
mod rules;
mod services;
mod witness;
