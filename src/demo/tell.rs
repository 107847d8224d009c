//! What the demo tells.
