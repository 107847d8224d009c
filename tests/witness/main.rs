//! `sluis witness` as a process, over real sockets, as <https://c2sp.org/tlog-witness> has it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

mod compare;
mod http;
mod killed;
mod lab;
mod settings;
mod statuses;
mod tls;
