//! Sluis: a consent-based data-exchange gateway for work capacity.

pub mod app;
pub mod audit;
pub mod catalogue;
pub mod cli;
pub mod client;
pub mod config;
pub mod consent;
pub mod demo;
pub mod domain;
pub mod exchange;
#[doc(hidden)]
pub mod fuzzing;
pub mod grpc;
pub mod identity;
mod lock;
pub mod note;
pub mod policy;
pub mod proto;
mod replace;
pub mod rules;
pub mod source;
pub mod storage;
pub mod subject;
pub mod tripwire;
pub mod witness;
