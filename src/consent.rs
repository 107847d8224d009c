//! The client's written consent (toestemming): form, grants, events.
