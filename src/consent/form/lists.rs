//! The closed lists of a form: what is not on them cannot be said (R31).

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)* }

        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$value,)*];

            /// Their codes, in the same order.
            pub const CODES: &[&str] = &[$($text,)*];

            /// The code on the form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }

            /// Reads a code of the form.
            ///
            /// # Errors
            /// Names what is accepted.
            pub fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$value),)*
                    _ => Err(concat!("must be one of:", $(" ", $text),*).to_owned()),
                }
            }
        }
    };
}

pub(in crate::consent) use closed_list;

closed_list! {
    /// Where the client was when he consented. In the last four he depends on the organisation too much to be free.
    Context {
        /// A talk in the course of guidance (begeleidingsgesprek).
        GuidanceTalk = "GUIDANCE_TALK",
        /// A talk of client and both organisations (driegesprek).
        ThreeWayTalk = "THREE_WAY_TALK",
        /// The client asked for it himself.
        ClientInitiative = "CLIENT_INITIATIVE",
        /// Intake.
        Intake = "INTAKE",
        /// A decision on access to a provision (toegangsverlening).
        AccessDecision = "ACCESS_DECISION",
        /// An application for a benefit.
        BenefitApplication = "BENEFIT_APPLICATION",
        /// A hearing about a sanction.
        SanctionHearing = "SANCTION_HEARING",
    }
}

impl Context {
    /// What is accepted where the client must be free, for a refusal.
    pub const FREE: &str =
        "must be one of: GUIDANCE_TALK THREE_WAY_TALK CLIENT_INITIATIVE; consent is not free elsewhere";

    /// Whether consent can be free there (R13).
    #[must_use]
    pub const fn is_free(self) -> bool {
        matches!(self, Self::GuidanceTalk | Self::ThreeWayTalk | Self::ClientInitiative)
    }
}

closed_list! {
    /// How the client signed. Each is an affirmative act (R11).
    Method {
        /// A signature on paper, scanned.
        WetInk = "WET_INK",
        /// An electronic form, signed in with DigiD.
        EFormDigid = "E_FORM_DIGID",
        /// An advanced or qualified electronic signature.
        Eidas = "EIDAS_SIGNATURE",
    }
}

closed_list! {
    /// What the client was offered instead of consent (R12, R34).
    Alternative {
        /// He tells it himself.
        ClientTells = "CLIENT_TELLS_HIMSELF",
        /// A three-way talk.
        ThreeWayTalk = "THREE_WAY_TALK",
        /// A talk about the case without his identity.
        AnonymousCase = "ANONYMOUS_CASE",
    }
}

closed_list! {
    /// Media type of the kept form.
    MediaType {
        /// PDF.
        Pdf = "application/pdf",
        /// PNG image.
        Png = "image/png",
        /// JPEG image.
        Jpeg = "image/jpeg",
        /// TIFF image.
        Tiff = "image/tiff",
    }
}

closed_list! {
    /// How the client can withdraw (AVG 7(3)): at least one way is the way in which he gave it.
    WithdrawalWay {
        /// In a talk, with any employee.
        InPerson = "IN_PERSON",
        /// By letter.
        Letter = "LETTER",
        /// By telephone.
        Phone = "PHONE",
        /// In the organisation's own portal.
        Portal = "PORTAL",
    }
}

closed_list! {
    /// Reading level of the explanation (taalniveau, ERK).
    ReadingLevel {
        /// A2.
        A2 = "A2",
        /// B1, that of plain Dutch.
        B1 = "B1",
        /// B2.
        B2 = "B2",
        /// C1.
        C1 = "C1",
    }
}

closed_list! {
    /// Language of the explanation (ISO 639-1, where there is a code, else ISO 639-3).
    Language {
        /// Dutch.
        Nl = "nl",
        /// English.
        En = "en",
        /// Arabic.
        Ar = "ar",
        /// German.
        De = "de",
        /// Spanish.
        Es = "es",
        /// Persian.
        Fa = "fa",
        /// French.
        Fr = "fr",
        /// Frisian.
        Fy = "fy",
        /// Polish.
        Pl = "pl",
        /// Portuguese.
        Pt = "pt",
        /// Papiamento.
        Pap = "pap",
        /// Romanian.
        Ro = "ro",
        /// Russian.
        Ru = "ru",
        /// Somali.
        So = "so",
        /// Tigrinya.
        Ti = "ti",
        /// Turkish.
        Tr = "tr",
        /// Tamazight.
        Tzm = "tzm",
        /// Ukrainian.
        Uk = "uk",
        /// Chinese.
        Zh = "zh",
        /// Dutch sign language (Nederlandse Gebarentaal).
        Dse = "dse",
    }
}
