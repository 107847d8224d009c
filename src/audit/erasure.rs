//! An order to erase a client (verzoek tot wissing, AVG 17): a C2SP signed note that two officers sign. It names the client
//! by a keyed and blinded hash, so that whoever reads it, later or elsewhere, learns nothing of him.

mod blinding;

use std::{collections::BTreeSet, fmt, str::FromStr};

pub use blinding::{Blinding, OrderFile};

use crate::{
    audit::tree::sha256,
    domain::{Timestamp, random},
    note::{Note, NoteFault, VerifierKey},
};

/// First line of an order.
const FORM: &str = "sluis.erasure/v1";
/// How many officers sign.
pub const OFFICERS: usize = 2;
/// How long an order may be carried out.
const VALID_MILLIS: i64 = 14 * 24 * 3_600_000;

/// Why a client is erased: AVG 17, first paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// a: the data are no longer needed (niet langer nodig).
    NoLongerNeeded,
    /// b: he withdrew his consent (toestemming ingetrokken).
    ConsentWithdrawn,
    /// c: he objects (bezwaar).
    Objection,
    /// d: the data were processed unlawfully (onrechtmatig verwerkt).
    Unlawful,
    /// e: a law says so (wettelijke verplichting).
    LegalObligation,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Self; 5] = [
        Self::NoLongerNeeded,
        Self::ConsentWithdrawn,
        Self::Objection,
        Self::Unlawful,
        Self::LegalObligation,
    ];

    /// Its code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoLongerNeeded => "avg-17-1-a",
            Self::ConsentWithdrawn => "avg-17-1-b",
            Self::Objection => "avg-17-1-c",
            Self::Unlawful => "avg-17-1-d",
            Self::LegalObligation => "avg-17-1-e",
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ground {
    type Err = OrderFault;

    fn from_str(text: &str) -> Result<Self, OrderFault> {
        Self::ALL.into_iter().find(|ground| ground.as_str() == text).ok_or(OrderFault::Form)
    }
}

/// Why something is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderFault {
    /// Not in its form.
    #[error("is not in the form of an order to erase")]
    Form,
    /// A note that does not hold.
    #[error("is no signed note that holds: {0}")]
    Note(#[from] NoteFault),
    /// Too few signatures.
    #[error("is signed by {0} of the two officers that it takes")]
    Signatures(usize),
}

/// An order to erase a client, before anybody has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Name of the log.
    pub origin: String,
    /// Its own random number.
    pub number: [u8; 16],
    /// The client, by [`erasure_key`](crate::subject::IndexKey::erasure_key), under a [`Blinding`] that is not in the order.
    pub client: [u8; 32],
    /// Why.
    pub ground: Ground,
    /// When it was drawn up.
    pub drawn: Timestamp,
}

impl Order {
    /// A number for a new one.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn number() -> Result<[u8; 16], random::NoRandom> {
        random::bytes()
    }

    /// What is claimed when it is carried out, so that it is once.
    #[must_use]
    pub fn claim(&self) -> [u8; 32] {
        sha256(&[b"sluis/v1/erasure-order\0", &self.number])
    }

    /// Whether it may still be carried out.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.drawn <= now && now.millis() - self.drawn.millis() <= VALID_MILLIS
    }
}

impl fmt::Display for Order {
    /// The text that officers sign.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, number, client, ground, drawn } = self;
        let (number, client) = (hex::encode(number), hex::encode(client));
        writeln!(f, "{FORM}\nlog {origin}\norder {number}\nclient {client}\nground {ground}\ndrawn {drawn}")
    }
}

impl FromStr for Order {
    type Err = OrderFault;

    fn from_str(text: &str) -> Result<Self, OrderFault> {
        let mut lines = text.lines().skip(1);
        let mut value = |name: &str| {
            let line = lines.next().ok_or(OrderFault::Form)?;
            line.strip_prefix(name).ok_or(OrderFault::Form)
        };
        let order = Self {
            origin: value("log ")?.to_owned(),
            number: fixed(value("order ")?)?,
            client: fixed(value("client ")?)?,
            ground: value("ground ")?.parse()?,
            drawn: Timestamp::parse(value("drawn ")?).map_err(|_| OrderFault::Form)?,
        };
        // One text for each order.
        if order.to_string() == text { Ok(order) } else { Err(OrderFault::Form) }
    }
}

fn fixed<const N: usize>(text: &str) -> Result<[u8; N], OrderFault> {
    let bytes = hex::decode(text).map_err(|_| OrderFault::Form)?;
    bytes.try_into().map_err(|_| OrderFault::Form)
}

/// An order that enough officers signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOrder {
    /// The order.
    pub order: Order,
    /// Who signed it, by the names of their keys.
    pub signed_by: Vec<String>,
    /// The note as it was signed.
    pub note: String,
}

impl SignedOrder {
    /// Reads an order, and checks that two of these officers signed it.
    ///
    /// # Errors
    /// If it is none, bears a signature that is not what it says, or has too few.
    pub fn open(note: &str, officers: &[VerifierKey]) -> Result<Self, OrderFault> {
        let parsed = Note::parse(note)?;
        let order = parsed.unverified_text().parse()?;
        let keys = match parsed.verify(officers) {
            Ok(opened) => opened.signed_by,
            Err(NoteFault::Unsigned) => return Err(OrderFault::Signatures(0)),
            Err(fault) => return Err(fault.into()),
        };
        // One key under two names is one officer.
        let distinct = keys.iter().map(|key| *key.public_key()).collect::<BTreeSet<_>>().len();
        if distinct < OFFICERS {
            return Err(OrderFault::Signatures(distinct));
        }
        let signed_by = keys.iter().map(|key| key.name().to_owned()).collect();
        Ok(Self { order, signed_by, note: note.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteSigner;

    fn officer(name: &str) -> NoteSigner {
        NoteSigner::from_pkcs8(name, &NoteSigner::generate_pkcs8().unwrap()).unwrap()
    }

    fn order() -> Order {
        Order {
            origin: "test.example/2026".to_owned(),
            number: [1; 16],
            client: [2; 32],
            ground: Ground::ConsentWithdrawn,
            drawn: Timestamp::parse("2026-11-30T09:00:00.000Z").unwrap(),
        }
    }

    /// The signature lines of several notes of one text, under it.
    fn together(notes: &[String]) -> String {
        let mut note = notes[0].clone();
        notes[1..].iter().for_each(|other| note.push_str(other.rsplit_once("\n\n").unwrap().1));
        note
    }

    #[test]
    fn two_officers_sign_and_one_is_not_two() {
        let (first, second, other) = (officer("fg-1"), officer("fg-2"), officer("fg-3"));
        let officers = [first.verifier().clone(), second.verifier().clone()];
        let text = order().to_string();
        assert_eq!(text.parse(), Ok(order()));
        let sign =
            |by: &[&NoteSigner]| together(&by.iter().map(|by| by.sign(&text).unwrap()).collect::<Vec<_>>());
        let signed = SignedOrder::open(&sign(&[&first, &second]), &officers).unwrap();
        assert_eq!((signed.order, signed.signed_by.len()), (order(), 2));
        for (by, faults) in [(vec![&first], 1), (vec![&first, &other], 1), (vec![&other], 0)] {
            assert_eq!(SignedOrder::open(&sign(&by), &officers), Err(OrderFault::Signatures(faults)));
        }
        // One key under two names is one officer.
        let pkcs8 = NoteSigner::generate_pkcs8().unwrap();
        let [one, same] = ["fg-1", "fg-2"].map(|name| NoteSigner::from_pkcs8(name, &pkcs8).unwrap());
        let known = [one.verifier().clone(), same.verifier().clone()];
        assert_eq!(SignedOrder::open(&sign(&[&one, &same]), &known), Err(OrderFault::Signatures(1)));
        // The same officer twice is no note at all.
        assert!(matches!(SignedOrder::open(&sign(&[&first, &first]), &officers), Err(OrderFault::Note(_))));
        let changed = sign(&[&first, &second]).replace("17-1-b", "17-1-e");
        assert_eq!(
            SignedOrder::open(&changed, &officers),
            Err(OrderFault::Note(NoteFault::BadSignature("fg-1".to_owned())))
        );
    }

    #[test]
    fn an_order_has_one_form_and_does_not_last() {
        let text = order().to_string();
        for wrong in [
            text.replace("order 01", "order  01"),
            text.replace("client 0", "client A"),
            text.replace("17-1-b", "17-1-f"),
            format!("{text}x y\n"),
            text.replace("erasure/v1", "erasure/v2"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(wrong.parse::<Order>(), Err(OrderFault::Form), "{wrong}");
        }
        let fortnight = 14 * 24 * 3_600_000;
        assert!(order().is_fresh(order().drawn) && order().is_fresh(order().drawn.plus_millis(fortnight)));
        assert!(!order().is_fresh(order().drawn.plus_millis(fortnight + 1)));
        assert!(!order().is_fresh(order().drawn.plus_millis(-1)));
    }
}
