//! Recognises a question about something medical, so that it is answered with the route to a physician (R22) and not
//! with a bare "unknown field". Nothing medical is carried either way: the catalogue has no place for it.

/// Parts of words, Dutch and English, that no path of the catalogue has.
const PARTS: [&str; 30] = [
    "diagnos",
    "icd",
    "dsm",
    "snomed",
    "medic",
    "medicijn",
    "therap",
    "treatment",
    "behandel",
    "symptom",
    "klacht",
    "complaint",
    "psych",
    "depress",
    "autis",
    "verslav",
    "addict",
    "opname",
    "admission",
    "crisis",
    "suicid",
    "disorder",
    "stoornis",
    "illness",
    "ziekte",
    "disease",
    "prognos",
    "relapse",
    "terugval",
    "patient",
];

/// Whether a path or code reads as a question about something medical.
#[must_use]
pub fn looks_medical(text: &str) -> bool {
    let lower = text.to_lowercase();
    PARTS.iter().any(|part| lower.contains(part))
}
