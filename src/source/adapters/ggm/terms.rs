//! Model Werk of the GGM, attribute by attribute: where each goes in the catalogue, or why it goes nowhere. What has no
//! counterpart that the catalogue names stays behind.

use crate::{
    catalogue::Field,
    source::adapters::{
        draft::bare,
        record::NotCarried::{self, Contact, FreeText, NotInCatalogue},
    },
};

/// What an attribute holds.
#[derive(Clone, Copy, Debug)]
pub(in crate::source::adapters) enum Term {
    /// A field of the catalogue.
    Field(Field),
    /// Whether the person was placed, a part of TR-05.
    Placed,
    /// First day of the trajectory, a part of TR-02.
    Start,
    /// Expected last day of the trajectory, a part of TR-02.
    ExpectedEnd,
    /// Never carried: the row of the catalogue that says so.
    Never(&'static str),
    /// Known, and not carried.
    LeftOut(NotCarried),
}

/// Attributes with a place in the catalogue.
pub(in crate::source::adapters) const CARRIED: [(&str, &str, Term); 17] = [
    ("Arbeidsvermogen", "CodeArbeidsvermogen", Term::Field(Field::Av05)),
    ("BeschikbaarVoorArbeid", "StartdatumBeschikbaarheid", Term::Field(Field::Wt09)),
    ("BeschikbaarVoorArbeid", "EinddatumBeschikbaarheid", Term::Field(Field::Wt10)),
    ("BeschikbaarVoorArbeid", "DagBeschikbaarheid", Term::Field(Field::Wt11)),
    ("BeschikbaarVoorBemiddeling", "IndicatieDirectBemiddelbaar", Term::Field(Field::Tr08)),
    ("Bemiddelingsactiviteit", "IndicatiePlaatsing", Term::Placed),
    ("Bemiddelingstraject", "IndicatiePlaatsing", Term::Placed),
    ("Doelgroepenregister", "IndicatieDoelgroepenRegister", Term::Field(Field::Rg01)),
    ("DoelReintegratievoorziening", "CodeDoelReintegratievoorziening", Term::Field(Field::Tr01)),
    ("Loonkostensubsidie", "PercentageLoonwaardeWML", Term::Field(Field::Rg05)),
    ("Participatiedossier", "Indicatie doelgroepregister", Term::Field(Field::Rg01)),
    ("Participatieladder", "Trede", Term::Field(Field::Av06)),
    ("Reintegratievoorziening", "DatumStart", Term::Start),
    ("Reintegratievoorziening", "DatumVerwachtEinde", Term::ExpectedEnd),
    ("Traject", "startdatum", Term::Start),
    ("Voorkeur", "SoortWerk", Term::Field(Field::Mt20)),
    ("Doelgroepenregister", "Grondslag", Term::Never("RG-10")),
];

/// Entities of which nothing may enter.
const NEVER: [(&str, &str); 3] =
    [("Ontheffing", "RG-11"), ("VrijstellingArbeidsplicht", "RG-11"), ("ZelfredzaamheidScore", "AV-12")];

/// Attributes that are known and stay behind.
const LEFT_OUT: [(&str, NotCarried, &[&str]); 30] = [
    ("Arbeidsmarktkwalificaties", FreeText, &["ToelichtingArbeidsmarktKwalificaties"]),
    (
        "Arbeidsmarktkwalificaties",
        NotInCatalogue,
        &[
            "KlantTypering",
            "Code taalbeheersing mondeling",
            "Code taalbeheersing schriftelijk",
            "Code werk en denkniveau",
        ],
    ),
    ("Arbeidsperiode", FreeText, &["Functienaam", "Functieomschrijving"]),
    ("Arbeidsperiode", Contact, &["Contact persoon", "Contact email", "Contact telefoon"]),
    (
        "Arbeidsperiode",
        NotInCatalogue,
        &["Datum aanvang arbeidsperiode", "Datum einde arbeidsperiode", "Gemiddeld aantal uur per week"],
    ),
    ("Bemiddelingsberoep", FreeText, &["ToelichtingBeroep"]),
    (
        "Bemiddelingsactiviteit",
        FreeText,
        &[
            "OmschrijvingSoortContactbemiddeling",
            "OmschrijvingSatutsBemiddeling",
            "OmschrijvingResultaatBemiddeling",
        ],
    ),
    ("Bemiddelingsactiviteit", NotInCatalogue, &["DatumBemiddeling", "DatumVerwijzingVacature"]),
    (
        "Bemiddelingstraject",
        FreeText,
        &[
            "OmschrijvingContactbemiddeling",
            "OmschrijvingStatusbemiddeling",
            "OmschrijvingResultaatbemiddeling",
        ],
    ),
    ("Bemiddelingstraject", NotInCatalogue, &["DatumBemiddeling", "DatumVacature"]),
    ("BeschikbaarVoorArbeid", FreeText, &["ToelichtingBeschikbaarheid"]),
    (
        "BeschikbaarVoorArbeid",
        NotInCatalogue,
        &[
            "AantalUrenpwBeschikbaar",
            "Interval opzegtermijn",
            "WaardeOpzegtermijn",
            "StartdagBeschikbaarheid",
            "EindtijdDagBeschikbaarheid",
            "Indicatie nog werkzaam",
        ],
    ),
    ("BeschikbaarVoorBemiddeling", NotInCatalogue, &["DatumEinde"]),
    ("Doelgroep", FreeText, &["naam", "omschrijving"]),
    ("Doelgroepenregister", FreeText, &["AdviesUWV"]),
    ("Doelgroepenregister", NotInCatalogue, &["Baanafspraak"]),
    (
        "Flexibliteit",
        NotInCatalogue,
        &[
            "IngeschrevenbijUitzendbureau",
            "IndicatieBereidBuitenBeroepswens",
            "IndicatieBereidheidZoekenOnderNiveau",
            "IndicatieBereidheidZwaarWerk",
            "IndicatieBereidheidOnregelmatigWerk",
        ],
    ),
    ("Mobiliteit", FreeText, &["ToelichtingMaximaleReistijd", "ToelichtingVervoermiddel"]),
    (
        "Mobiliteit",
        NotInCatalogue,
        &["IndicatieBereidheidVerhuizen", "MaximaleReistijd", "CodeVervoermiddel"],
    ),
    (
        "Opleiding",
        FreeText,
        &["Instituutnaam", "ToelichtingBeeindigenOpleiding", "ToelichtingOpleiding", "Opleidingsrichting"],
    ),
    (
        "Opleiding",
        NotInCatalogue,
        &["CodeStatusOpleiding", "IndicatieDiploma", "DatumDiploma", "CodeNiveauOpleiding"],
    ),
    ("Participatiedossier", FreeText, &["arbeidsvermogen", "beschutwerk"]),
    (
        "Participatiedossier",
        NotInCatalogue,
        &["clientbegeleiderID", "begeleiderscode", "einddatum begeleiding", "startdatum begeleiding"],
    ),
    ("Reintegratievoorziening", FreeText, &["Omschrijving", "OmschrijvingType", "ToelichtingOmschrijving"]),
    (
        "Reintegratievoorziening",
        NotInCatalogue,
        &["DatumEinde", "CodeType", "DatumIngebruikname", "DatumInname"],
    ),
    ("Voorkeur", FreeText, &["BrancheNaam", "GegevensWerklocatie", "ToelichtingVervoersmiddel"]),
    ("Voorkeur", NotInCatalogue, &["BrancheCode", "SoortBaan", "Vervoermiddel", "BezitPersoonlijkeOVkaart"]),
    ("Werkervaring", FreeText, &["Toelichting beroep"]),
    ("Werkervaring", NotInCatalogue, &["Aantal jaren werkzaam in beroep"]),
    ("Werkzoekende", NotInCatalogue, &["DatumAanvangWerkzoekende", "DatumEindeWerkzoekende"]),
];

/// A known column: its name as this table writes it, and what it holds. Case, spaces and punctuation do not matter.
pub(super) fn term(column: &str) -> Option<(String, Term)> {
    let (entity, attribute) = column.split_once('.')?;
    let (entity, attribute) = (bare(entity), bare(attribute));
    let is = |name: &str, bare_name: &str| bare(name) == bare_name;
    let carried = CARRIED.iter().find(|(of, name, _)| is(of, &entity) && is(name, &attribute));
    if let Some((of, name, term)) = carried {
        return Some((format!("{of}.{name}"), *term));
    }
    if let Some((of, code)) = NEVER.iter().find(|(of, _)| is(of, &entity)) {
        return Some(((*of).to_owned(), Term::Never(code)));
    }
    let left_out = LEFT_OUT.iter().filter(|(of, ..)| is(of, &entity));
    let mut names = left_out.flat_map(|(of, why, names)| names.iter().map(move |name| (of, name, why)));
    let (of, name, why) = names.find(|(_, name, _)| is(name, &attribute))?;
    Some((format!("{of}.{name}"), Term::LeftOut(*why)))
}
