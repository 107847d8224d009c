//! What may never pass, one made-up text for each class of the catalogue's list, and the ways in which it is disguised.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// Class and text. Each is long enough not to turn up by chance.
pub const CONTENTS: [(&str, &str); 15] = [
    ("N1", "F32.1 matige depressieve episode"),
    ("N2", "SCTID 35489007 depressive disorder"),
    ("N3", "N06AB04 citalopram 20 mg 1dd1"),
    ("N4", "LOINC 10157-6 glucose 7,2 mmol/l"),
    ("N5", "ICF b152.2 emotionele functies"),
    ("N6", "HoNOS 18 en GAF 45 bij intake"),
    ("N7", "opname crisisdienst, zorgmachtiging"),
    ("N8", "psychiater Voorbeeld BIG 19012345601"),
    ("N9", "namelijk: uitval linkerarm, prognose slecht"),
    ("N10", "ZRM geestelijke gezondheid score 2"),
    ("N11", "strafblad en detentie in het verleden"),
    ("N12", "zijn moeder is verslaafd aan alcohol"),
    ("N13", "schulden en loonbeslag sinds maart"),
    ("N14", "<div>JVBERi0xLjQKJcOkw7zDtsOf</div>"),
    ("N15", "durft niet meer alleen naar buiten"),
];

/// What a disguise makes of a text.
type Disguise = fn(&str) -> String;

/// The disguises by name.
pub const DISGUISES: [(&str, Disguise); 13] = [
    ("plain", |text| text.to_owned()),
    ("upper case", str::to_uppercase),
    ("spaced", |text| text.chars().map(|c| format!("{c} ")).collect()),
    ("full-width", |text| {
        let wide = |c: char| match c {
            '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap(),
            c => c,
        };
        text.chars().map(wide).collect()
    }),
    ("zero-width", |text| text.chars().map(|c| format!("{c}\u{200b}")).collect()),
    ("homoglyph", |text| text.replace('a', "а").replace('e', "е").replace('o', "о")),
    ("backwards", |text| text.chars().rev().collect()),
    ("percent", |text| text.bytes().map(|byte| format!("%{byte:02x}")).collect()),
    ("entities", |text| text.chars().map(|c| format!("&#{};", c as u32)).collect()),
    ("base64", |text| STANDARD.encode(text)),
    ("base64url", |text| URL_SAFE_NO_PAD.encode(text)),
    ("base64 twice", |text| STANDARD.encode(STANDARD.encode(text))),
    ("hex", |text| hex::encode(text)),
];

/// A text as it is sent.
#[derive(Clone, Debug)]
pub struct Sample {
    pub class: &'static str,
    pub disguise: &'static str,
    pub text: String,
}

/// Every content in every disguise.
pub fn samples() -> Vec<Sample> {
    let of = |(class, content): (&'static str, &str)| {
        DISGUISES.map(|(disguise, hide)| Sample { class, disguise, text: hide(content) })
    };
    CONTENTS.into_iter().flat_map(of).collect()
}

/// What must be found nowhere: each sample as it was sent, and each content as it is.
pub fn needles() -> Vec<String> {
    let mut needles: Vec<_> = samples().into_iter().map(|sample| sample.text).collect();
    // A part is enough: words that stand in nothing else here.
    needles.extend(
        [
            "depressie",
            "citalopram",
            "35489007",
            "crisisdienst",
            "linkerarm",
            "strafblad",
            "loonbeslag",
            "JVBERi0x",
        ]
        .map(str::to_owned),
    );
    needles
}
