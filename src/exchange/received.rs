//! What came in, read part by part, so that the log can say what was asked even where something is malformed.

use crate::{
    catalogue::{self, Mask},
    domain::{
        Bsn, CaseId, Purpose, Refusal, RefusalCode, RequestId, Role, UserId,
        purpose::{NEVER_SERVED, PurposeFault},
    },
    identity::GatewayKind,
    proto::{Necessity, RequestWorkCapacityRequest},
    rules::bsn,
};

/// A request as received. What is malformed is absent, and has a fault.
pub(crate) struct Received {
    pub(super) request_id: Option<RequestId>,
    bsn: Option<Bsn>,
    pub(super) purpose: Option<Purpose>,
    /// A purpose that is never served, by its name from the closed list.
    pub(super) never_served: Option<&'static str>,
    pub(super) role: Option<Role>,
    pub(super) user: Option<UserId>,
    pub(super) case: Option<CaseId>,
    pub(super) fields: Option<Mask>,
    pub(super) necessity: Option<Necessity>,
    pub(super) validate_only: bool,
    fault: Option<Refusal>,
}

/// A request in which everything is well-formed.
#[derive(Debug)]
pub struct Question {
    /// The person.
    pub bsn: Bsn,
    /// The one purpose.
    pub purpose: Purpose,
    /// The role that asks.
    pub role: Role,
    /// Fields asked.
    pub fields: Mask,
}

/// Collects faults: the code of the first, the places of all.
#[derive(Default)]
struct Faults(Option<Refusal>);

impl Faults {
    fn note<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                match &mut self.0 {
                    Some(first) => first.violations.extend(fault.violations),
                    None => self.0 = Some(fault),
                }
                None
            }
        }
    }
}

impl Received {
    pub(crate) fn read(message: &RequestWorkCapacityRequest, kind: GatewayKind) -> Self {
        let mut faults = Faults::default();
        let request_id = faults.note(
            message
                .request_id
                .parse()
                .map_err(|fault| Refusal::at(RefusalCode::RequestIdMalformed, "request_id", fault)),
        );
        let bsn = faults.note(bsn(&message.bsn, kind));
        let purpose = faults.note(purpose(&message.purpose));
        let role = faults
            .note(message.role.parse().map_err(|fault| Refusal::at(RefusalCode::RoleUnknown, "role", fault)));
        let user = faults.note(
            message
                .user_id
                .parse()
                .map_err(|fault| Refusal::at(RefusalCode::UserIdMalformed, "user_id", fault)),
        );
        let case = if message.case_id.is_empty() {
            None
        } else {
            let case = message.case_id.parse();
            faults.note(case.map_err(|fault| Refusal::at(RefusalCode::CaseIdMalformed, "case_id", fault)))
        };
        let paths = message.fields.as_ref().map_or(&[][..], |mask| mask.paths.as_slice());
        let fields = faults.note(fields(paths));
        let necessity = Necessity::try_from(message.necessity).ok();
        let necessity =
            faults.note(necessity.filter(|necessity| *necessity != Necessity::Unspecified).ok_or_else(
                || Refusal::at(RefusalCode::NecessityMissing, "necessity", "must be a code of its list"),
            ));
        Self {
            request_id,
            bsn,
            purpose,
            never_served: NEVER_SERVED.into_iter().find(|name| *name == message.purpose),
            role,
            user,
            case,
            fields,
            necessity,
            validate_only: message.validate_only,
            fault: faults.0,
        }
    }

    /// The person, if a number was given that can be one.
    pub(super) const fn bsn(&self) -> Option<&Bsn> {
        self.bsn.as_ref()
    }

    /// The question, if everything is well-formed.
    pub(crate) fn question(&self) -> Result<Question, Refusal> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match (&self.bsn, &self.purpose, self.role, self.fields) {
            (Some(bsn), Some(purpose), Some(role), Some(fields)) => {
                Ok(Question { bsn: bsn.clone(), purpose: purpose.clone(), role, fields })
            }
            // Each absent part has a fault, so this is not reached; it fails closed all the same.
            _ => Err(RefusalCode::FieldsEmpty.into()),
        }
    }
}

fn purpose(text: &str) -> Result<Purpose, Refusal> {
    text.parse().map_err(|fault| {
        let code = match fault {
            PurposeFault::Malformed => RefusalCode::PurposeMalformed,
            PurposeFault::NeverServed => RefusalCode::PurposeNeverServed,
        };
        Refusal::at(code, "purpose", fault)
    })
}

fn fields(paths: &[String]) -> Result<Mask, Refusal> {
    if paths.is_empty() {
        return Err(Refusal::at(RefusalCode::FieldsEmpty, "fields", "must name at least one field or group"));
    }
    catalogue::from_paths(paths).map_err(|fault| {
        let at = format!("fields.paths[{}]", fault.index);
        if fault.medical {
            Refusal::at(RefusalCode::FieldMedical, at, "asks for something medical, which is never carried")
        } else {
            let text = "is not a field or group of the catalogue, such as `working_hours.hours_per_week`";
            Refusal::at(RefusalCode::FieldUnknown, at, text)
        }
    })
}
