//! The one way through.
