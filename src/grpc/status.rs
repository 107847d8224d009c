//! Refusal to gRPC status, in one place: `google.rpc.Status` with `ErrorInfo`, and `BadRequest` where a field is wrong.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::domain::refusal::{Refusal, RefusalClass};

/// Domain of `ErrorInfo`.
pub const DOMAIN: &str = "sluis";

const fn code(class: RefusalClass) -> Code {
    match class {
        RefusalClass::Invalid => Code::InvalidArgument,
        RefusalClass::Unauthenticated => Code::Unauthenticated,
        RefusalClass::Forbidden => Code::PermissionDenied,
        RefusalClass::Used => Code::AlreadyExists,
        RefusalClass::Missing => Code::NotFound,
        RefusalClass::State => Code::FailedPrecondition,
        RefusalClass::Busy => Code::ResourceExhausted,
        RefusalClass::Unavailable => Code::Unavailable,
    }
}

/// The status of a refusal.
#[must_use]
pub fn status(refusal: &Refusal) -> Status {
    let mut details = ErrorDetails::new();
    let rule = refusal.code.rule();
    let metadata =
        if rule.is_empty() { HashMap::new() } else { HashMap::from([("rule".to_owned(), rule.to_owned())]) };
    details.set_error_info(refusal.code.as_str(), DOMAIN, metadata);
    if !refusal.violations.is_empty() {
        let violations = refusal.violations.iter();
        details.set_bad_request(
            violations
                .map(|v| FieldViolation::new(v.field.clone(), v.description.clone()))
                .collect::<Vec<_>>(),
        );
    }
    Status::with_error_details(code(refusal.code.class()), refusal.code.message(), details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::refusal::RefusalCode;

    #[test]
    fn carries_reason_rule_and_field() {
        let status = status(&Refusal::at(RefusalCode::FormTooWide, "grants[0].fields", "is too wide"));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("FORM_TOO_WIDE", "sluis"));
        assert_eq!(info.metadata.get("rule").map(String::as_str), Some("R06"));
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "grants[0].fields");
    }
}
