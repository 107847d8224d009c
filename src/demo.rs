//! The demo: a whole region on one machine, on real parts. Gateway, source systems and participants speak mutual TLS
//! over loopback; only the people are made up.

pub mod data;
pub mod owners;
pub mod story;
pub mod tell;
pub mod witness;
pub mod world;

pub use world::{World, WorldFault, WorldOptions};
