//! Where consents and the log are kept.
