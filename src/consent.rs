//! The client's written consent (toestemming): the signed form, its grants, and what happened to them since.
//!
//! A form is signed once by the client on paper or on screen; its recorder signs a digital record of it. A **grant** is
//! one recipient and role, one purpose, one source, explicit fields and a period. A grant is looked up, checked,
//! withdrawn and shown to a source on its own; a source never sees another's.

pub mod binding;
pub mod countersign;
pub mod cover;
pub mod desk;
pub mod draft;
pub mod fhir;
pub mod form;
pub mod grant;
pub mod grantor;
pub mod jws;
pub mod letter;
mod reader;
pub mod reconfirmation;
pub mod record;
pub mod signing_key;
pub mod status;

pub use binding::{Binding, BindingSalt};
pub use countersign::Countersigner;
pub use cover::{Scope, Standing, Stop};
pub use desk::ConsentDesk;
pub use form::Form;
pub use grant::Grant;
pub use record::Recording;
pub use status::{Counts, Event, EventKind, GrantState, Status};
