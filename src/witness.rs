//! A witness (getuige) of logs: it cosigns a checkpoint once it has seen that the log only grew since the last one. It
//! knows the size and the root of a log, and nothing of what stands in it. After <https://c2sp.org/tlog-witness>.
//!
//! [`server`] speaks HTTP, [`request`] reads what was sent, [`memory`] decides and remembers, [`client`] is the other
//! side, and [`compare`] puts side by side what several witnesses saw.

pub mod client;
pub mod compare;
pub mod config;
pub mod files;
pub mod memory;
pub mod request;
pub mod server;

use crate::audit::tree::sha256;

/// Where the newest cosigned checkpoint of a log is found at a witness: `checkpoint/` and the SHA-256 of the origin in
/// hexadecimal. An origin has slashes, and a path of one length needs no rule for them.
#[must_use]
pub fn checkpoint_path(origin: &str) -> String {
    format!("checkpoint/{}", hex::encode(sha256(&[origin.as_bytes()])))
}
