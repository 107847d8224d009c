//! The werkzoekendeprofiel of VUM (UM-API 0.8.7), property by property: where each goes in the catalogue, or why it goes
//! nowhere. Codes stand in the catalogue's lists, not here.

use super::composite::Composite;
use crate::{
    catalogue::Field,
    source::adapters::{
        guard::Expected,
        record::NotCarried::{self, Contact, FreeText, NotInCatalogue},
    },
};

/// A property and what it holds.
pub(super) type Property = (&'static str, Shape);

/// What a property holds.
pub(super) enum Shape {
    Object(&'static [Property]),
    List(&'static Shape),
    /// A list of objects whose properties belong together.
    Items(Composite, &'static [Property]),
    /// A whole number: a number, or the code of a list.
    Integer(Field),
    /// As `Integer`, at most this: the list of the catalogue is longer than that of VUM.
    IntegerUpTo(Field, i64),
    /// A text that is the code of a list.
    Code(Field),
    /// A text that is a day.
    Day(Field),
    /// Four digits and two letters, of which the digits go on.
    Postcode(Field),
    /// A number of the SBI, of which the section goes on.
    Sbi(Field),
    /// A country; one that the list does not have is another one.
    Country(Field),
    /// A part of an item.
    Part(PartType),
    /// The client's key.
    Client,
    /// Text that is not carried.
    Text(NotCarried, Expected),
    /// A number that is not carried.
    Digits(NotCarried),
}

/// Type of a part of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PartType {
    Integer,
    Text,
}

const FREE: Shape = Shape::Text(FreeText, Expected::FreeText);
const DAY_LEFT_OUT: Shape = Shape::Text(NotInCatalogue, Expected::Code);
const CODE_LEFT_OUT: Shape = Shape::Text(NotInCatalogue, Expected::Code);
const REACH: Shape = Shape::Text(Contact, Expected::Contact);
const INTEGER: Shape = Shape::Part(PartType::Integer);

const OCCUPATION: &[Property] =
    &[("codeBeroepsnaam", CODE_LEFT_OUT), ("omschrijvingBeroepsnaam", FREE), ("naamBeroepOngecodeerd", FREE)];

const QUALIFICATION: &[Property] = &[
    ("codeWerkEnDenkniveauWerkzoekende", Shape::Integer(Field::Av07)),
    ("vakvaardigheid", Shape::List(&Shape::Object(&[("omschrijving", FREE)]))),
    (
        "taalbeheersing",
        Shape::Items(
            Composite::Language,
            &[
                ("codeTaal", Shape::Part(PartType::Text)),
                ("codeNiveauTaalbeheersingMondeling", INTEGER),
                ("codeNiveauTaalbeheersingSchriftelijk", INTEGER),
                ("codeNiveauTaalbeheersingLezen", INTEGER),
                ("codeNiveauTaalbeheersingLuisteren", INTEGER),
            ],
        ),
    ),
    (
        "gedragscompetentie",
        Shape::Items(
            Composite::Competence,
            &[
                ("codeGedragscompetentie", INTEGER),
                ("omschrijvingGedragscompetentie", FREE),
                ("codeBeheersingGedragscompetentie", INTEGER),
            ],
        ),
    ),
    ("interesse", Shape::List(&Shape::Object(&[("naamInteresse", FREE)]))),
    ("rijbewijs", Shape::List(&Shape::Object(&[("codeSoortRijbewijs", Shape::Code(Field::Mt11))]))),
    (
        "cursus",
        Shape::List(&Shape::Object(&[
            ("naamCursus", FREE),
            ("datumCertificaat", DAY_LEFT_OUT),
            ("datumAanvangVolgenCursus", DAY_LEFT_OUT),
            ("datumEindeVolgenCursus", DAY_LEFT_OUT),
            ("naamOpleidingsinstituut", FREE),
        ])),
    ),
    (
        "opleiding",
        Shape::Items(
            Composite::Education,
            &[
                ("codeNiveauOpleiding", INTEGER),
                ("indicatieDiploma", INTEGER),
                ("datumDiploma", DAY_LEFT_OUT),
                (
                    "opleidingsnaam",
                    Shape::Object(&[
                        ("codeOpleidingsnaam", Shape::Digits(NotInCatalogue)),
                        ("omschrijvingOpleidingsnaam", FREE),
                        ("naamOpleidingOngecodeerd", FREE),
                        ("omschrijvingOpleiding", FREE),
                    ]),
                ),
                ("datumAanvangVolgenOpleiding", DAY_LEFT_OUT),
                ("datumEindeVolgenOpleiding", DAY_LEFT_OUT),
                ("codeStatusOpleiding", INTEGER),
                ("naamOpleidingsinstituut", FREE),
            ],
        ),
    ),
    (
        "werkervaring",
        Shape::List(&Shape::Object(&[
            ("datumAanvangWerkzaamheden", DAY_LEFT_OUT),
            ("datumEindeWerkzaamheden", DAY_LEFT_OUT),
            ("naamOrganisatie", FREE),
            ("beroep", Shape::Object(OCCUPATION)),
            ("toelichtingWerkervaring", FREE),
        ])),
    ),
];

/// The key of the client.
pub(super) const CLIENT: &str = "idWerkzoekende";

/// A profile.
pub(super) const PROFILE: &[Property] = &[
    (CLIENT, Shape::Client),
    ("indicatieLdrRegistratie", Shape::IntegerUpTo(Field::Rg01, 2)),
    ("indicatieBeschikbaarheidContactgegevens", Shape::Digits(NotInCatalogue)),
    ("persoonlijkePresentatie", FREE),
    ("voorkeursland", Shape::List(&Shape::Object(&[("landencodeIso", Shape::Country(Field::Mt21))]))),
    (
        "eisAanWerk",
        Shape::Object(&[
            ("indicatieAanpassingWerkomgeving", Shape::Integer(Field::Vw01)),
            ("indicatieBegeleiding", Shape::Integer(Field::Vw02)),
            ("indicatieWerkvariatie", Shape::Integer(Field::Vw03)),
        ]),
    ),
    (
        "vervoermiddel",
        Shape::Items(
            Composite::Vehicle,
            &[
                ("indicatieBeschikbaarVoorUitvoeringWerk", INTEGER),
                ("indicatieBeschikbaarVoorWoonWerkverkeer", INTEGER),
                ("codeVervoermiddel", INTEGER),
            ],
        ),
    ),
    (
        "mobiliteit",
        Shape::Object(&[
            ("bemiddelingspostcode", Shape::Postcode(Field::Mt05)),
            ("maximaleReisafstand", Shape::Integer(Field::Mt06)),
            ("maximaleReistijd", Shape::Integer(Field::Mt07)),
        ]),
    ),
    (
        "flexibiliteit",
        Shape::Object(&[
            ("codeRegiostraal", Shape::Integer(Field::Mt08)),
            ("indicatieOnregelmatigWerkOfPloegendienst", Shape::Integer(Field::Wt08)),
            ("datumAanvangBeschikbaarVoorWerk", Shape::Day(Field::Wt09)),
            ("datumEindeBeschikbaarVoorWerk", Shape::Day(Field::Wt10)),
        ]),
    ),
    (
        "werktijden",
        Shape::Object(&[
            ("aantalWerkurenPerWeekMinimaal", Shape::Integer(Field::Wt05)),
            ("aantalWerkurenPerWeekMaximaal", Shape::Integer(Field::Wt06)),
            ("indicatieKantoortijden", Shape::Integer(Field::Wt07)),
        ]),
    ),
    (
        "contractvorm",
        Shape::List(&Shape::Object(&[
            ("codeTypeArbeidscontract", Shape::Code(Field::Mt03)),
            ("codeTypeOvereenkomst", Shape::Code(Field::Mt04)),
        ])),
    ),
    ("arbeidsmarktkwalificatie", Shape::Object(QUALIFICATION)),
    ("emailadres", Shape::List(&REACH)),
    (
        "webadres",
        Shape::List(&Shape::Object(&[("codeWebadres", Shape::Digits(NotInCatalogue)), ("url", REACH)])),
    ),
    ("telefoonnummer", Shape::List(&REACH)),
    (
        "contactpersoon",
        Shape::List(&Shape::Object(&[
            ("naamContactpersoonAfdeling", FREE),
            ("telefoonnummer", REACH),
            ("emailadres", REACH),
        ])),
    ),
    ("sector", Shape::List(&Shape::Object(&[("codeSbi", Shape::Sbi(Field::Mt02))]))),
    ("bemiddelingsberoep", Shape::List(&Shape::Object(OCCUPATION))),
];
