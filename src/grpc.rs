//! The edge: transport, limits, and the one mapping of refusals to statuses.

pub mod audit;
pub mod calls;
pub mod catalogue;
pub mod consent;
pub mod exchange;
mod explanation;
mod hand_over;
pub mod server;
pub mod status;
pub mod turned_away;

/// Largest message that is read, in bytes. A form with its grants is the largest there is.
pub const MAX_MESSAGE: usize = 256 * 1024;
