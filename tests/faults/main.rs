//! What goes wrong around the log: writes that fail, or fail although they were made; processes that are killed; disks
//! that are full or cannot be written; clocks that go back. After each of them the same is held (`told`): nothing that was
//! acknowledged is lost, nothing is there twice, every request has one outcome, and the log verifies.
//!
//! `./scripts/faults` does more of the same, and what needs a disk of its own. docs/faults.md says what came of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

mod child;
mod clock;
#[path = "../gateway/database.rs"]
#[allow(dead_code, reason = "shared with the tests of the gateway")]
mod database;
mod disk;
mod faulty;
#[path = "../../src/storage/forwarding.rs"]
mod forwarding;
mod killed;
#[path = "../store/lab.rs"]
#[allow(dead_code, reason = "shared with the tests of the stores")]
mod lab;
mod points;
mod random;
mod site;
mod tables;
mod tasks;
mod told;

/// Runs each of these against both stores.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::site::Site::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::site::Site::postgres().await).await;
            })+
        }
    };
}
use on_both;
