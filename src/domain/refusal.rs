//! Refusals that are explained in full, because they do not depend on the client. What does depend on the client is
//! never a refusal: it reads as `not_provided`, and its reason is a [`Reason`](super::Reason) in the log.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $rule:literal, $class:ident, $message:literal;)*) => {
        /// Stable code of a refusal: the `reason` of `google.rpc.ErrorInfo`. Listed in `docs/reasons.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
        }

        impl RefusalCode {
            /// Every code, in the order of the list in `docs/reasons.md`.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code as callers see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The rule it comes from, such as `R06`; empty if it is no rule of the exchange.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule,)* }
            }

            /// What kind of refusal it is; decides the gRPC status.
            #[must_use]
            pub const fn class(self) -> RefusalClass {
                match self { $(Self::$name => RefusalClass::$class,)* }
            }

            /// Constant text for the caller.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

/// Kinds of refusal, one for each gRPC status in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalClass {
    /// The message itself is wrong (`INVALID_ARGUMENT`).
    Invalid,
    /// The caller's certificate does not hold (`UNAUTHENTICATED`).
    Unauthenticated,
    /// The caller may not (`PERMISSION_DENIED`).
    Forbidden,
    /// An id was used before (`ALREADY_EXISTS`).
    Used,
    /// No such thing for this caller (`NOT_FOUND`).
    Missing,
    /// Not in this state (`FAILED_PRECONDITION`).
    State,
    /// Too much at once (`RESOURCE_EXHAUSTED`).
    Busy,
    /// Not now, for anyone (`UNAVAILABLE`).
    Unavailable,
}

codes! {
    /// The request id is no random UUID.
    RequestIdMalformed = "REQUEST_ID_MALFORMED", "", Invalid, "the request id is malformed";
    /// The request id was used before.
    RequestIdUsed = "REQUEST_ID_USED", "", Used, "this request id was used before; every request needs a new one";
    /// The BSN is not a valid number.
    BsnMalformed = "BSN_MALFORMED", "", Invalid, "the citizen service number is malformed";
    /// A real number on a test gateway, or a test number on a production gateway.
    BsnNotForThisGateway = "BSN_NOT_FOR_THIS_GATEWAY", "", Invalid, "a test gateway takes test numbers only, and a production gateway takes none";
    /// No purpose, or not exactly one name.
    PurposeMalformed = "PURPOSE_MALFORMED", "R01", Invalid, "a request has exactly one purpose, by its name";
    /// A purpose that no policy can open.
    PurposeNeverServed = "PURPOSE_NEVER_SERVED", "R29", Invalid, "this purpose is never served, by any policy";
    /// Not in the list of purposes.
    PurposeUnknown = "PURPOSE_UNKNOWN", "R01", Invalid, "this purpose is not in the list of purposes";
    /// In the list, and not active.
    PurposeInactive = "PURPOSE_INACTIVE", "R15", Invalid, "this purpose has no agreed legal basis yet";
    /// Not a role of the closed list.
    RoleUnknown = "ROLE_UNKNOWN", "R32", Invalid, "this role is not in the list of roles";
    /// The user id is no random UUID.
    UserIdMalformed = "USER_ID_MALFORMED", "", Invalid, "the user id is malformed";
    /// The case id is no random UUID.
    CaseIdMalformed = "CASE_ID_MALFORMED", "", Invalid, "the case id is malformed";
    /// No fields named.
    FieldsEmpty = "FIELDS_EMPTY", "R31", Invalid, "name the fields that are asked";
    /// A path that is not in the catalogue.
    FieldUnknown = "FIELD_UNKNOWN", "R03", Invalid, "a field is not in the catalogue of work capacity";
    /// A path that asks for something medical.
    FieldMedical = "FIELD_MEDICAL", "R22", Invalid, "medical questions are not carried; put them to the physician with the client's consent, outside this gateway";
    /// No code for why the client cannot give it himself.
    NecessityMissing = "NECESSITY_MISSING", "R02", Invalid, "state why the client cannot give this himself";
    /// The certificate was revoked or expired since the connection opened.
    CertificateNoLongerValid = "CERTIFICATE_NO_LONGER_VALID", "", Unauthenticated, "the certificate of this connection is no longer valid";
    /// The organisation is not among the participants.
    OrganisationNotAdmitted = "ORGANISATION_NOT_ADMITTED", "R14", Forbidden, "this organisation is not admitted";
    /// The organisation is not admitted for this service.
    FunctionNotHeld = "FUNCTION_NOT_HELD", "R14", Forbidden, "this organisation is not admitted for this service";
    /// The organisation does not hold the role.
    RoleNotHeld = "ROLE_NOT_HELD", "R14", Forbidden, "this organisation does not hold this role";
    /// The role has ended.
    RoleEnded = "ROLE_ENDED", "R32", Forbidden, "this organisation's admission to this role has ended";
    /// No agreement with any source for the purpose.
    AgreementMissing = "AGREEMENT_MISSING", "R17", Forbidden, "there is no agreement with any source for this purpose";
    /// There was an agreement; it has ended or is past its review date.
    AgreementLapsed = "AGREEMENT_LAPSED", "R19", Forbidden, "every agreement for this purpose has lapsed";
    /// The policy gives this role nothing for this purpose.
    PurposeNotForRole = "PURPOSE_NOT_FOR_ROLE", "R02", Forbidden, "the policy gives this role nothing for this purpose";
    /// The rule of this role and purpose begins later, or its review is overdue.
    PolicyNotInEffect = "POLICY_NOT_IN_EFFECT", "R19", Forbidden, "the policy for this role and purpose is not in effect: it begins later, or its review is overdue";
    /// The form or a grant cannot be read.
    FormUnreadable = "FORM_UNREADABLE", "R05", Invalid, "the form cannot be read";
    /// Signed with a key that is not registered for the recorder, or no longer valid.
    FormKeyUnknown = "FORM_KEY_UNKNOWN", "R05", Invalid, "the form is signed with a key that is not registered for this recorder";
    /// The signature does not verify.
    FormSignatureInvalid = "FORM_SIGNATURE_INVALID", "R05", Invalid, "a signature on the form does not verify";
    /// The form says that another organisation recorded it.
    FormRecorderMismatch = "FORM_RECORDER_MISMATCH", "R05", Invalid, "the form names another recorder than the caller";
    /// A grant does not bind this person, or is not the one the form names.
    FormBindingWrong = "FORM_BINDING_WRONG", "R05", Invalid, "a grant does not belong to this person and form";
    /// No usable written evidence.
    FormEvidenceMissing = "FORM_EVIDENCE_MISSING", "R05", Invalid, "written evidence of the consent is missing or incomplete";
    /// The explanation is not stated.
    FormExplanationMissing = "FORM_EXPLANATION_MISSING", "R07", Invalid, "the explanation given to the client is missing or incomplete";
    /// A blanket authorisation.
    FormTooWide = "FORM_TOO_WIDE", "R06", Invalid, "a blanket authorisation is not consent; name each party, purpose and field, and an end";
    /// The end is before the start, or in the past.
    FormPeriodInvalid = "FORM_PERIOD_INVALID", "R06", Invalid, "the period of a grant is not possible";
    /// Longer than the policy allows for the purpose.
    FormPeriodTooLong = "FORM_PERIOD_TOO_LONG", "R06", Invalid, "the period of a grant is longer than the policy allows";
    /// Fields above the ceiling of the purpose.
    FormFieldsAboveCeiling = "FORM_FIELDS_ABOVE_CEILING", "R07", Invalid, "a grant asks for more than the purpose needs";
    /// Strongly revealing fields without a tick of their own.
    FormSensitiveNotTicked = "FORM_SENSITIVE_NOT_TICKED", "R11", Invalid, "a strongly revealing field needs a tick of its own";
    /// Collected where consent is not free.
    FormNotFree = "FORM_NOT_FREE", "R13", Invalid, "consent collected in this context is not free; ask again in another context";
    /// The form does not say that refusal has no consequence, or offers no alternative.
    FormPressure = "FORM_PRESSURE", "R12", Invalid, "the form must state that refusal has no consequence and which alternative was offered";
    /// Withdrawing would be harder than giving.
    FormWithdrawalHarder = "FORM_WITHDRAWAL_HARDER", "R12", Invalid, "withdrawing must be as easy as giving";
    /// Not a form, or not a version of it, that the recorder has registered.
    FormVersionUnknown = "FORM_VERSION_UNKNOWN", "R05", Invalid, "this form, or this version of it, is not registered for the recorder";
    /// No explicit act.
    FormNotExplicit = "FORM_NOT_EXPLICIT", "R11", Invalid, "consent is an explicit act in writing";
    /// Who signed may not decide for the client, or not in this period.
    FormGrantorInvalid = "FORM_GRANTOR_INVALID", "R05", Invalid, "who signed cannot give this consent";
    /// The form says yes and no to the same.
    FormContradictory = "FORM_CONTRADICTORY", "R36", Invalid, "the form contradicts itself";
    /// A party of a grant is not admitted in that function.
    FormPartyNotAdmitted = "FORM_PARTY_NOT_ADMITTED", "R14", Invalid, "a party named in a grant is not admitted for it";
    /// The form id or a grant id was used before.
    FormIdUsed = "FORM_ID_USED", "", Used, "this form or grant was recorded before";
    /// No such form or grant for this caller.
    ConsentNotFound = "CONSENT_NOT_FOUND", "", Missing, "no such form or grant for this organisation";
    /// Nothing can happen to the grant any more.
    GrantOver = "GRANT_OVER", "", State, "this grant was ended or has run out; nothing can happen to it any more";
    /// The grant does not renew the one that it names.
    RenewalInvalid = "RENEWAL_INVALID", "R11", State, "a renewal is of a grant that stands, of the same recorder, parties and purpose, and no wider; anything else is a new consent";
    /// The reconfirmation is not about this form, or not of another talk.
    ReconfirmationInvalid = "RECONFIRMATION_INVALID", "R13", Invalid, "a reconfirmation is of a form that needs one, on a later day, in a context where the client is free";
    /// No reason for an invalidation.
    InvalidationReasonMissing = "INVALIDATION_REASON_MISSING", "", Invalid, "say why the form should never have been recorded";
    /// No cursor of this service.
    CursorInvalid = "CURSOR_INVALID", "", Invalid, "the cursor is not one of this service";
    /// Out of the range that the service has.
    LimitInvalid = "LIMIT_INVALID", "", Invalid, "a number is out of range";
    /// No language that the service has.
    LanguageUnknown = "LANGUAGE_UNKNOWN", "", Invalid, "the letter is there in `nl` and `en`";
    /// The selector is empty.
    SelectorMissing = "SELECTOR_MISSING", "", Invalid, "name a grant, a form or a client";
    /// No entry at this position that the caller may see.
    EntryNotFound = "ENTRY_NOT_FOUND", "", Missing, "no such entry for this organisation";
    /// An order to erase is not one of this log about this client.
    ErasureOrderInvalid = "ERASURE_ORDER_INVALID", "", Invalid, "this is no order of this log to erase this client";
    /// Fewer than two officers signed an order to erase.
    ErasureNeedsTwo = "ERASURE_NEEDS_TWO", "", Forbidden, "two officers of the gateway have to sign an order to erase";
    /// A consent of the client is not over.
    ErasureConsentNotOver = "ERASURE_CONSENT_NOT_OVER", "", State, "a consent of this client is not over; have it withdrawn first";
    /// Something left about the client, and that still has to be accounted for.
    ErasureTermRuns = "ERASURE_TERM_RUNS", "", State, "something left about this client, and for as long as that has to be accounted for he is not erased";
    /// Nothing is kept about the client.
    ErasureClientUnknown = "ERASURE_CLIENT_UNKNOWN", "", Missing, "nothing leads to this client; there is nothing to erase";
    /// A kind of entry that the log does not have.
    EntryKindUnknown = "ENTRY_KIND_UNKNOWN", "", Invalid, "there is no such kind of entry";
    /// A page token that this service did not give.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", "", Invalid, "the page token is not one of this service";
    /// More is waiting than can be logged.
    Overloaded = "OVERLOADED", "", Busy, "too many requests are waiting; try again later";
    /// The log, or the store of consents, cannot be used: nothing is served.
    LogUnavailable = "LOG_UNAVAILABLE", "R20", Unavailable, "the gateway cannot write its log, so it serves nothing";
    /// The answer was not handed over within its second.
    AnswerDropped = "ANSWER_DROPPED", "", Unavailable, "the answer could not be handed over in time and was dropped";
}

/// A refusal: its code, and which fields of the message it concerns. Descriptions are constant texts and codes of the
/// catalogue, never a value that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code.
    pub code: RefusalCode,
    /// What is wrong where, for `google.rpc.BadRequest`.
    pub violations: Vec<Violation>,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the message or in the form.
    pub field: String,
    /// What is wrong, and what would be accepted.
    pub description: String,
}

impl Refusal {
    /// A refusal about one field.
    #[must_use]
    pub fn at(code: RefusalCode, field: impl Into<String>, description: impl fmt::Display) -> Self {
        Self {
            code,
            violations: vec![Violation { field: field.into(), description: description.to_string() }],
        }
    }
}

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self { code, violations: Vec::new() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.code.message())?;
        for violation in &self.violations {
            write!(f, "; `{}` {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let documented = include_str!("../../docs/reasons.md");
        for code in RefusalCode::ALL {
            let row = format!("| `{}` | {} |", code.as_str(), code.rule());
            assert!(documented.contains(&row), "docs/reasons.md lacks {row}");
        }
    }
}
