//! Look-up tags and keys of clients.
