//! What can be found, by stable ids. `docs/firewall.md` has the same list.

use std::fmt;

macro_rules! detectors {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $class:literal;)*) => {
        /// What was found. It says which kind of content, and can say no more: the text is not in it.
        ///
        /// The most telling come first, everything medical before the rest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Detector {
            $($(#[$doc])* $name,)*
        }

        impl Detector {
            /// Every detector.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its stable id, `ICD10`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// The class of what must never pass, `N1` to `N15`; `ID` for what identifies a person.
            #[must_use]
            pub const fn class(self) -> &'static str {
                match self {
                    $(Self::$name => $class,)*
                }
            }
        }
    };
}

detectors! {
    /// The address or OID of a clinical code system.
    ClinicalUri = "CLINICAL_URI", "N1";
    /// A code of the ATC list of medicines.
    Atc = "ATC", "N3";
    /// A code of ICD-10.
    Icd10 = "ICD10", "N1";
    /// A stem code of ICD-11.
    Icd11 = "ICD11", "N1";
    /// The DSM.
    Dsm = "DSM", "N1";
    /// A code of ICPC that is none of ICD-10, or its name.
    Icpc = "ICPC", "N1";
    /// What care was declared as (DBC, zorgprestatie).
    Dbc = "DBC", "N1";
    /// A concept of SNOMED CT.
    Snomed = "SNOMED", "N2";
    /// A number of the G-Standaard, with its word.
    GStandaard = "GSTANDAARD", "N3";
    /// A value with a clinical unit.
    Unit = "UNIT", "N4";
    /// A dose.
    Dose = "DOSE", "N3";
    /// A code of LOINC.
    Loinc = "LOINC", "N4";
    /// A code of ICF for body functions or structures, or another one that is not carried.
    Icf = "ICF", "N5";
    /// The score of a clinical questionnaire.
    Score = "SCORE", "N6";
    /// A word for a medicine.
    WordMedicine = "WORD_MEDICINE", "N3";
    /// A word for a disorder or a symptom.
    WordDisorder = "WORD_DISORDER", "N1";
    /// A word for a measurement.
    WordMeasurement = "WORD_MEASUREMENT", "N4";
    /// A number of a care professional, with its word (AGB, BIG, UZI).
    Practitioner = "PRACTITIONER", "N8";
    /// A word for who treats, and where.
    WordCarer = "WORD_CARER", "N8";
    /// A word for treatment, admission, crisis, coercion or addiction.
    WordCare = "WORD_CARE", "N7";
    /// A word for a life domain of the ZRM.
    WordDomain = "WORD_DOMAIN", "N10";
    /// A word for what stands behind a list of abilities.
    WordReport = "WORD_REPORT", "N9";
    /// A word for criminal data, origin, religion, sexual life, genes or union.
    WordSpecial = "WORD_SPECIAL", "N11";
    /// A word for other people in the person's life.
    WordFamily = "WORD_FAMILY", "N12";
    /// A word for benefits and debts.
    WordFinance = "WORD_FINANCE", "N13";
    /// A citizen service number.
    Bsn = "BSN", "ID";
    /// A word for a date or place of birth.
    Birth = "BIRTH", "ID";
    /// A bank account.
    Iban = "IBAN", "ID";
    /// An e-mail address.
    Email = "EMAIL", "ID";
    /// A telephone number.
    Phone = "PHONE", "ID";
    /// The beginning or the marks of a document.
    Document = "DOCUMENT", "N14";
    /// A link.
    Url = "URL", "N14";
    /// A run that is encoded or encrypted.
    Encoded = "ENCODED", "N14";
    /// Characters that cannot be seen.
    Hidden = "HIDDEN", "N15";
    /// Characters of another script, or that look like those of ours.
    Script = "SCRIPT", "N15";
    /// More text than is read.
    TooLong = "TOO_LONG", "N15";
}

impl Detector {
    /// Whether it stands for something medical: what one asks a physician (R22).
    #[must_use]
    pub fn is_medical(self) -> bool {
        self <= Self::WordReport
    }

    pub(super) fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|detector| detector.id() == id)
    }
}

impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
