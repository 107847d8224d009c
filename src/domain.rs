//! What everything speaks of. No I/O, no gRPC, no SQL, no policy engine.

pub mod bsn;
pub mod ids;
pub mod oin;
pub mod purpose;
pub mod random;
pub mod reason;
pub mod refusal;
pub mod role;
pub mod time;

pub use bsn::Bsn;
pub use ids::{CaseId, FormId, GrantId, PairId, QueryId, RequestId, SubjectId, UserId};
pub use oin::Oin;
pub use purpose::Purpose;
pub use reason::Reason;
pub use refusal::{Refusal, RefusalCode};
pub use role::{OrganisationKind, Role};
pub use time::{Clock, Day, Timestamp};
