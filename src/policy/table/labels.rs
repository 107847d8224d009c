//! What the field sets are called, in Dutch.

/// The Dutch name of a field set; empty for none of the catalogue.
#[must_use]
pub fn field_set_nl(name: &str) -> &'static str {
    match name {
        "WT" => "Werktijden",
        "PF_SCORES" => "Persoonlijk functioneren: scores",
        "PF_CONDITIONS" => "Persoonlijk functioneren: wat het werk moet bieden",
        "SF_SCORES" => "Sociaal functioneren: scores",
        "SF_CONDITIONS" => "Sociaal functioneren: wat het werk moet bieden",
        "FO" => "Fysieke omgeving",
        "DH" => "Dynamische handelingen",
        "SH" => "Statische houdingen",
        "VW_BASIC" => "Voorwaarden: aanpassing, begeleiding, afwisseling",
        "VW_DETAIL" => "Voorwaarden: overige ondersteuning",
        "VW_SHELTERED" => "Voorwaarden: de vragen over beschut werk",
        "AV" => "Arbeidsvermogen",
        "AV_OUTLOOK" => "Arbeidsvermogen: verwachte ontwikkeling",
        "RG_REGISTER" => "Regelingen: doelgroepregister",
        "RG_WAGE" => "Regelingen: loonwaarde",
        "RG_SHELTERED" => "Regelingen: advies beschut werk",
        "RG_SCHEMES" => "Regelingen: no-risk en urenbeperking",
        "MT" => "Matching: wat iemand zoekt en meebrengt",
        "TR" => "Traject",
        _ => "",
    }
}
