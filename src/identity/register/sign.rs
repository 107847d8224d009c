//! Putting a party's signature into the agreements file, and leaving everything else in it as it is.

use ring::signature::Ed25519KeyPair;
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use super::{
    Organisation, ReadAs, RegisterFaults,
    agreements::{self, AgreementSignature, Draft, Party, SIGNED_PARTIES, public_of},
    participants,
};
use crate::{
    domain::{Day, Oin},
    identity::GatewayKind,
};

/// Who signs, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The organisation.
    pub oin: Oin,
    /// The name that its key is registered under.
    pub kid: &'a str,
    /// The key.
    pub key: &'a Ed25519KeyPair,
}

/// Why an agreement is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignFault {
    /// The register has faults: nobody should sign what does not hold together.
    #[error("{0}")]
    Register(RegisterFaults),
    /// No agreement of that name.
    #[error("there is no agreement `{0}` in the file")]
    Unknown(String),
    /// The signer is neither party.
    #[error("`{oin}` is neither source nor requester of the agreement `{id}`")]
    NoParty {
        /// Who.
        oin: Oin,
        /// Of which.
        id: String,
    },
    /// The key is not in the register of participants.
    #[error(
        "the key `{kid}` is not registered with `{oin}`: put its public half under `[[organisation.signing_key]]`"
    )]
    NotRegistered {
        /// The name of the key.
        kid: String,
        /// Whose it should be.
        oin: Oin,
    },
    /// The register has another public key under that name.
    #[error("the key in the file is not the one that is registered as `{0}`")]
    OtherKey(String),
    /// The key is of another time.
    #[error("the key `{kid}` does not hold on {starts}, the first day of the agreement")]
    NotThen {
        /// The name of the key.
        kid: String,
        /// The day.
        starts: Day,
    },
    /// The file has agreements in another form than tables of their own.
    #[error("each agreement must be a table of its own, `[[agreement]]`, to be signed in the file")]
    Form,
    /// The terms have no JSON form.
    #[error("the agreement has no canonical form: {0}")]
    Canonical(#[from] serde_json::Error),
}

/// An agreements file with one more signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The file.
    pub text: String,
    /// As which party of the agreement it was signed.
    pub party: Party,
}

/// The agreements file with this party's signature under this agreement, in place of an older one.
///
/// # Errors
/// [`SignFault`].
pub fn sign(participants: &str, agreements: &str, id: &str, signer: Signer<'_>) -> Result<Signed, SignFault> {
    let kind = GatewayKind::of_oin(&signer.oin);
    let (organisations, drafts, faults) = read(participants, agreements, ReadAs::Party(kind));
    let Some(draft) = drafts.iter().find(|draft| draft.terms.id == id) else {
        faults.none().map_err(SignFault::Register)?;
        return Err(SignFault::Unknown(id.to_owned()));
    };
    let Some(party) = SIGNED_PARTIES.into_iter().find(|party| party.of(&draft.terms) == signer.oin) else {
        return Err(SignFault::NoParty { oin: signer.oin, id: id.to_owned() });
    };
    let registered = organisations
        .iter()
        .filter(|organisation| organisation.oin == signer.oin)
        .flat_map(|organisation| &organisation.signing_keys)
        .find(|key| key.kid == signer.kid);
    let Some(registered) = registered else {
        return Err(SignFault::NotRegistered { kid: signer.kid.to_owned(), oin: signer.oin });
    };
    if public_of(signer.key) != registered.public {
        return Err(SignFault::OtherKey(signer.kid.to_owned()));
    }
    if !registered.holds_on(draft.terms.starts) {
        return Err(SignFault::NotThen { kid: signer.kid.to_owned(), starts: draft.terms.starts });
    }
    let mut document = document(agreements)?;
    put(&mut document, draft, party, &draft.terms.sign(signer.kid, signer.key)?)?;
    Ok(Signed { text: document.to_string(), party })
}

/// The agreements file with every signature that it lacks and that can be made: by a key of the party that holds on the
/// agreement's first day and that `key` knows by its name. What has a fault, or a signature already, stays as it is. For
/// regions whose keys are all in one hand: the demo, tests.
///
/// # Errors
/// If the file cannot be written to.
pub fn sign_missing(
    participants: &str,
    agreements: &str,
    read_as: ReadAs<'_>,
    key: impl Fn(&str) -> Option<Ed25519KeyPair>,
) -> Result<String, SignFault> {
    let (organisations, drafts, _) = read(participants, agreements, read_as);
    let mut document = document(agreements)?;
    for draft in &drafts {
        for party in SIGNED_PARTIES.into_iter().filter(|party| !draft.signatures.has(*party)) {
            let of = party.of(&draft.terms);
            let keys = organisations
                .iter()
                .filter(|organisation| organisation.oin == of)
                .flat_map(|organisation| &organisation.signing_keys)
                .filter(|registered| registered.holds_on(draft.terms.starts));
            let found = keys.filter_map(|registered| Some((&registered.kid, key(&registered.kid)?))).next();
            if let Some((kid, key)) = found {
                put(&mut document, draft, party, &draft.terms.sign(kid, &key)?)?;
            }
        }
    }
    Ok(document.to_string())
}

fn read(
    participants: &str,
    agreements: &str,
    read_as: ReadAs<'_>,
) -> (Vec<Organisation>, Vec<Draft>, RegisterFaults) {
    let mut faults = RegisterFaults::default();
    let organisations = participants::parse(participants, read_as.kind(), &mut faults);
    let known = faults.is_empty().then_some(organisations.as_slice());
    let drafts = agreements::drafts(agreements, known, read_as, &mut faults);
    (organisations, drafts, faults)
}

fn document(agreements: &str) -> Result<DocumentMut, SignFault> {
    // The same text was read by the parser of the register, which says where it is wrong.
    agreements.parse().map_err(|_| SignFault::Form)
}

fn put(
    document: &mut DocumentMut,
    draft: &Draft,
    party: Party,
    signature: &AgreementSignature,
) -> Result<(), SignFault> {
    let tables = document.get_mut("agreement").and_then(Item::as_array_of_tables_mut);
    let table = tables.and_then(|tables| tables.get_mut(draft.index)).ok_or(SignFault::Form)?;
    let signatures = table.entry("signature").or_insert_with(|| {
        let mut table = Table::new();
        table.decor_mut().set_prefix("");
        Item::Table(table)
    });
    let signatures = signatures.as_table_like_mut().ok_or(SignFault::Form)?;
    let mut value = InlineTable::new();
    value.insert("kid", Value::from(signature.kid.as_str()));
    value.insert("signature", Value::from(signature.text()));
    signatures.insert(party.as_str(), Item::Value(Value::InlineTable(value)));
    Ok(())
}
