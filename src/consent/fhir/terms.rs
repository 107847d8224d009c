//! Names: code systems, extensions and closed lists. What stands under [`BASE`] is ours; `docs/fhir.md` lists it.

use crate::consent::{
    form::{Alternative, Context, MediaType, Method, ReadingLevel, WithdrawalWay},
    grantor::{ClientAge, GrantorKind},
};

/// What every name of ours begins with.
pub(super) const BASE: &str = "https://sluis.example/fhir";
/// An extension with this in its url claims to be ours, however it is written.
pub(super) const OURS: &str = "sluis.example";
/// The profile that an exported Consent claims.
pub(super) const PROFILE: &str = "https://sluis.example/fhir/StructureDefinition/work-capacity-consent";
/// The explanation that was given, followed by the number of its version (R07).
pub(super) const EXPLANATION_TEXT: &str = "https://sluis.example/fhir/explanation-text/";
/// Citizen service numbers.
pub(super) const BSN: &str = "http://fhir.nl/fhir/NamingSystem/bsn";
/// OINs. To be confirmed: no published list of Dutch naming systems that was seen has one for the OIN.
pub(super) const OIN: &str = "http://fhir.nl/fhir/NamingSystem/oin";
/// LOINC.
pub(super) const LOINC: &str = "http://loinc.org";
/// "Consent", the category that IHE PCF uses in its examples.
pub(super) const LOINC_CONSENT: &str = "59284-0";
/// "Release of information consent", the type of the signed paper.
pub(super) const LOINC_RELEASE: &str = "64292-6";
/// HL7 v3 act codes; `IDSCL` is information disclosure.
pub(super) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// Scope of a consent.
pub(super) const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
/// Roles of actors: `IRCP` receives, `CST` keeps and discloses.
pub(super) const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
/// Confidentiality of the record itself: that a consent exists tells that a client is in treatment.
pub(super) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// Why there is no value.
pub(super) const DATA_ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// Url of an extension of ours.
pub(super) fn extension(name: &str) -> String {
    format!("{BASE}/StructureDefinition/{name}")
}

/// Uri of a code system of ours.
pub(super) fn code_system(name: &str) -> String {
    format!("{BASE}/CodeSystem/{name}")
}

/// Fields of the catalogue.
pub(super) const FIELD: &str = "work-capacity-field";
/// Purposes.
pub(super) const PURPOSE: &str = "purpose";
/// Roles.
pub(super) const ROLE: &str = "role";
/// What a status becomes that Sluis does not tell.
pub(super) const UNSPECIFIED: &str = "UNSPECIFIED";

/// A closed list of codes: what it is called as a code system, and its codes.
#[derive(Debug)]
pub(super) struct List {
    pub(super) system: &'static str,
    pub(super) codes: &'static [&'static str],
}

impl List {
    pub(super) fn find(&self, text: &str) -> Option<&'static str> {
        self.codes.iter().copied().find(|code| *code == text)
    }

    pub(super) fn accepted(&self) -> String {
        format!("one of {}", self.codes.join(" "))
    }
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident = $system:literal: $codes:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: List = List { system: $system, codes: $codes };)*
        /// All of them, for the tests.
        #[cfg(test)]
        pub(super) const LISTS: &[&List] = &[$(&$name),*];
    };
}

lists! {
    /// How hard the explanation reads.
    READING_LEVEL = "reading-level": ReadingLevel::CODES;
    /// Where the client was. In the last four consent is not free (R13); recording says so, not the import.
    CONTEXT = "collection-context": Context::CODES;
    /// How the client signed.
    METHOD = "signing-method": Method::CODES;
    /// What he was offered instead.
    ALTERNATIVE = "alternative": Alternative::CODES;
    /// How he can withdraw.
    WITHDRAWAL = "withdrawal-method": WithdrawalWay::CODES;
    /// Who signed.
    GRANTOR = "grantor-kind": GrantorKind::CODES;
    /// How old the client was.
    CLIENT_AGE = "client-age": ClientAge::CODES;
    /// Status of a grant when it was exported.
    STATUS = "grant-status": &[
        "UNSPECIFIED", "RECORDED", "IN_FORCE", "NOT_YET_IN_FORCE", "EXPIRED", "WITHDRAWN", "NOT_RECONFIRMED",
        "PAUSED", "USED_UP", "REFUSED", "RENEWED", "INVALIDATED",
    ];
    /// Media types of the kept form.
    MEDIA_TYPE = "": MediaType::CODES;
}

/// `grantor.kind` of who signed for himself.
pub(super) const CLIENT: &str = "CLIENT";
