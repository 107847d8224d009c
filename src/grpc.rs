//! The edge: transport, limits, and the mapping of refusals to statuses.
