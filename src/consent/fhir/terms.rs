//! Names: code systems, extensions and closed lists. What stands under [`BASE`] is ours; `docs/fhir.md` lists it.

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
    ($($(#[$doc:meta])* $name:ident = $system:literal: $($code:literal)*;)*) => {
        $($(#[$doc])* pub(super) const $name: List = List { system: $system, codes: &[$($code),*] };)*
        /// All of them, for the tests.
        #[cfg(test)]
        pub(super) const LISTS: &[&List] = &[$(&$name),*];
    };
}

lists! {
    /// How hard the explanation reads.
    READING_LEVEL = "reading-level": "A2" "B1" "B2" "C1";
    /// Where the client was. In the last four consent is not free (R13); recording says so, not the import.
    CONTEXT = "collection-context":
        "GUIDANCE_TALK" "THREE_WAY_TALK" "CLIENT_INITIATIVE" "INTAKE" "ACCESS_DECISION" "BENEFIT_APPLICATION"
        "SANCTION_HEARING";
    /// How the client signed.
    METHOD = "signing-method": "WET_INK" "E_FORM_DIGID" "EIDAS_SIGNATURE";
    /// What he was offered instead.
    ALTERNATIVE = "alternative": "CLIENT_TELLS_HIMSELF" "THREE_WAY_TALK" "ANONYMOUS_CASE";
    /// How he can withdraw.
    WITHDRAWAL = "withdrawal-method": "IN_PERSON" "LETTER" "PHONE" "PORTAL";
    /// Who signed.
    GRANTOR = "grantor-kind": "CLIENT" "PARENT" "GUARDIAN" "CURATOR" "MENTOR" "AUTHORISED_REPRESENTATIVE";
    /// How old the client was.
    CLIENT_AGE = "client-age": "UNDER_16" "FROM_16" "ADULT";
    /// Status of a grant when it was exported.
    STATUS = "grant-status":
        "UNSPECIFIED" "RECORDED" "IN_FORCE" "NOT_YET_IN_FORCE" "EXPIRED" "WITHDRAWN" "NOT_RECONFIRMED" "PAUSED"
        "USED_UP" "REFUSED" "RENEWED" "INVALIDATED";
    /// Media types of the kept form.
    MEDIA_TYPE = "": "application/pdf" "image/png" "image/jpeg" "image/tiff";
}

/// `grantor.kind` of who signed for himself.
pub(super) const CLIENT: &str = "CLIENT";
