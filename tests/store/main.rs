//! The stores. What every store must do (`contract`, `log`) runs against both; what only several instances can do, and
//! what only a connection can suffer, runs against PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

mod backups;
mod contract;
#[path = "../gateway/database.rs"]
#[allow(dead_code, reason = "shared with the tests of the gateway")]
mod database;
mod exported;
mod forgetting;
mod instances;
mod lab;
mod log;
mod lost;
mod opening;
mod proxy;
mod shards;

/// Runs each of these against both stores.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::lab::Place::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::lab::Place::postgres().await).await;
            })+
        }
    };
}
use on_both;
