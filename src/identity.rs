//! Who calls: certificates, participants, roles, agreements (identiteit).
