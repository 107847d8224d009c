//! What the benchmarks share.

pub mod database;
pub mod figures;
pub mod load;
pub mod options;
pub mod server;

/// Whatever keeps a benchmark from its end.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;
