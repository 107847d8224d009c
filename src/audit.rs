//! The signed, tamper-evident log (auditlog).
