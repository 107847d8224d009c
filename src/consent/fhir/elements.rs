//! The elements of FHIR R4 (4.0.1) that a Consent is made of, by type: what is in a list and not read is a loss, what is
//! in none is no R4 and refused. The members of our own JSON are the last three.

/// Names that an object may have, and what an other name is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) names: &'static [&'static str],
    /// Whether an unknown name is left out and reported; else it is refused.
    pub(super) open: bool,
}

macro_rules! shapes {
    ($($name:ident: $($element:literal)*;)*) => {
        $(pub(super) const $name: Shape = Shape { names: &[$($element),*], open: false };)*
        const ALL: &[Shape] = &[$($name),*];
    };
}

shapes! {
    BUNDLE: "resourceType" "id" "meta" "implicitRules" "language" "identifier" "type" "timestamp" "total" "link" "entry"
        "signature";
    ENTRY: "id" "extension" "modifierExtension" "link" "fullUrl" "resource" "search" "request" "response";
    CONSENT: "resourceType" "id" "meta" "implicitRules" "language" "text" "contained" "extension" "modifierExtension"
        "identifier" "status" "scope" "category" "patient" "dateTime" "performer" "organization" "sourceAttachment"
        "sourceReference" "policy" "policyRule" "verification" "provision";
    POLICY: "id" "extension" "modifierExtension" "authority" "uri";
    VERIFICATION: "id" "extension" "modifierExtension" "verified" "verifiedWith" "verificationDate";
    PROVISION: "id" "extension" "modifierExtension" "type" "period" "actor" "action" "securityLabel" "purpose" "class"
        "code" "dataPeriod" "data" "provision";
    ACTOR: "id" "extension" "modifierExtension" "role" "reference";
    META: "id" "extension" "versionId" "lastUpdated" "source" "profile" "security" "tag";
    CODEABLE_CONCEPT: "id" "extension" "coding" "text";
    CODING: "id" "extension" "system" "version" "code" "display" "userSelected";
    REFERENCE: "id" "extension" "reference" "type" "identifier" "display";
    IDENTIFIER: "id" "extension" "use" "type" "system" "value" "period" "assigner";
    PERIOD: "id" "extension" "start" "end";
    ATTACHMENT: "id" "extension" "contentType" "language" "data" "url" "size" "hash" "title" "creation";
    CONTENT: "id" "extension" "modifierExtension" "attachment" "format";
    EXTENSION: "id" "extension" "url" "valueBoolean" "valueCode" "valueCoding" "valueDate" "valueInstant"
        "valuePositiveInt" "valueString" "valueUuid";
    PATIENT: "resourceType" "id" "meta" "implicitRules" "language" "text" "contained" "extension" "modifierExtension"
        "identifier" "active" "name" "telecom" "gender" "birthDate" "deceasedBoolean" "deceasedDateTime" "address"
        "maritalStatus" "multipleBirthBoolean" "multipleBirthInteger" "photo" "contact" "communication"
        "generalPractitioner" "managingOrganization" "link";
    ORGANIZATION: "resourceType" "id" "meta" "implicitRules" "language" "text" "contained" "extension"
        "modifierExtension" "identifier" "active" "type" "name" "alias" "telecom" "address" "partOf" "contact"
        "endpoint";
    RELATED_PERSON: "resourceType" "id" "meta" "implicitRules" "language" "text" "contained" "extension"
        "modifierExtension" "identifier" "active" "patient" "relationship" "name" "telecom" "gender" "birthDate"
        "address" "photo" "period" "communication";
    DOCUMENT: "resourceType" "id" "meta" "implicitRules" "language" "text" "contained" "extension" "modifierExtension"
        "masterIdentifier" "identifier" "status" "docStatus" "type" "category" "subject" "date" "author" "authenticator"
        "custodian" "relatesTo" "description" "securityLabel" "content" "context";
}

macro_rules! members {
    ($($(#[$doc:meta])* $name:ident: $($member:literal)*;)*) => {
        $($(#[$doc])* pub(super) const $name: &[&str] = &[$($member),*];)*
    };
}

members! {
    /// A form: of a draft and of a record.
    FORM: "bsn" "form_id" "recorder" "form_number" "form_version" "signed_on" "custodian" "media_type" "sha256" "size"
        "evidence_sha256" "recorded_at" "evidence" "explanation" "collection" "grantor" "grants" "refusals";
    /// A grant of either.
    GRANT: "grant_id" "recipient" "role" "purpose" "source" "fields" "sensitive" "excluded" "struck" "uses" "used" "renews"
        "valid_from" "valid_until" "status" "events" "countersignature";
    /// A part of either.
    PART: "form_number" "form_version" "custodian" "media_type" "size" "text_version" "language" "reading_level"
        "explained_by" "explained_on" "context" "method" "alternative" "withdrawal" "verified_by" "verified_on" "kind"
        "client_age" "evidence_sha256" "from" "until" "recipient" "purpose" "source";
}

/// An object of a draft: other members are refused, as recording would.
pub(super) const fn draft(names: &'static [&'static str]) -> Shape {
    Shape { names, open: false }
}

/// An object of a record: it grows, and what is new has no place yet.
pub(super) const fn record(names: &'static [&'static str]) -> Shape {
    Shape { names, open: true }
}

/// The name if it is one of the standard, for a path; other names can be content.
pub(super) fn known(name: &str) -> &str {
    let is = |shape: &Shape| shape.names.contains(&name);
    if ALL.iter().any(is) { name } else { "(unknown)" }
}
