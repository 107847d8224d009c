//! Code systems that an AuditEvent uses.

/// DICOM: `110101` the audit log was used, `110110` a patient record, `110113` a security alert (under which BALP has
/// decisions), `110150` an application.
pub(super) const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// ISO 21089: what becomes of a record.
pub(super) const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
/// IHE BALP: kinds of decision.
pub(super) const AUTHZ: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType";
/// Kinds of source: `6` is a security server.
pub(super) const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
/// Kinds of agent: `IRCP` receives information.
pub(super) const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
/// Kinds of agent: BALP has `PROV` for the organisation of the user, whatever kind of organisation it is.
pub(super) const ROLE_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleClass";
/// Kinds of agent: `authserver` decides.
pub(super) const SECURITY_ROLE: &str = "http://terminology.hl7.org/CodeSystem/extra-security-role-type";
/// Kinds of entity: `1` a person, `2` a system object.
pub(super) const AUDIT_ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
/// What an entity is in the event: `1` the patient, `13` a security resource.
pub(super) const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
/// FHIR's own types.
pub(super) const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";
/// Why there is no value.
pub(super) const DATA_ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
/// OINs, as in the consents that are exported (`docs/fhir.md`). To be confirmed.
pub(super) const OIN: &str = "http://fhir.nl/fhir/NamingSystem/oin";
