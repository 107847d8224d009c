//! Cases that are about the keys they are verified with: none, and those of witnesses.

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sluis::{audit::trust::Policy, note::cosignature::Cosigner};

use super::{
    case::{Case, Trust, What},
    files::Files,
    log::{Fault, Log, ORIGIN, drawn, test_key},
    whole,
};

/// When witnesses cosigned, in seconds since 1970.
const TIME: u64 = 1_795_430_000;

/// A witness that follows from its number.
fn witness(number: u64) -> Result<Cosigner, Fault> {
    let seed = drawn("test key of a witness", number);
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| "not a key")?;
    // PKCS#8, version 2 (RFC 5958): what stands ahead of the seed, and ahead of the public key.
    let ahead = [0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let document = [&ahead, seed.as_slice(), &[0x81, 0x21, 0], key.public_key().as_ref()].concat();
    Ok(Cosigner::from_pkcs8(&format!("test-key.witness.example/{number}"), &document)?)
}

/// The whole log, with these lines below its checkpoint.
fn cosigned(lines: impl FnOnce(&Log, &str) -> Result<String, Fault>) -> Result<What, Fault> {
    let log = whole::log("whole")?;
    let lines = lines(&log, &log.checkpoint(log.size())?.to_string())?;
    let mut files: Files = log.export(true)?;
    files.edit("checkpoint", |note| note.extend(lines.bytes()))?;
    Ok(What::Export(files))
}

/// All of so many witnesses.
fn policy(witnesses: u64) -> Result<Trust, Fault> {
    let keys = (1..=witnesses).map(|number| witness(number).map(|cosigner| cosigner.verifier().clone()));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let policy = Policy::witnessed(vec![test_key(ORIGIN)?.verifier().clone()], &keys, keys.len());
    Ok(Trust::Own(policy.to_string()))
}

/// The cases.
pub fn cases() -> Result<Vec<Case>, Fault> {
    let by_both =
        |_: &Log, text: &str| Ok(witness(1)?.cosign(text, TIME)? + &witness(2)?.cosign(text, TIME)?);
    let by_one = |_: &Log, text: &str| Ok(witness(1)?.cosign(text, TIME)?);
    let of_another = |log: &Log, _: &str| Ok(witness(1)?.cosign(&log.checkpoint(5)?.to_string(), TIME)?);
    Ok(vec![
        Case::new(
            "not-anchored",
            "Nothing is wrong by the key that came along, for which nobody vouches.",
            What::Export(whole::log("whole")?.export(true)?),
        )
        .trusting(Trust::Nothing),
        Case::new("cosigned", "Both witnesses of the policy cosigned.", cosigned(by_both)?)
            .trusting(policy(2)?),
        Case::new("cosigned-by-one", "One of the two witnesses of the policy cosigned.", cosigned(by_one)?)
            .trusting(policy(2)?)
            .finds(3, &[(None, "witness_missing")]),
        Case::new(
            "cosigned-something-else",
            "The witness cosigned the log when it had five entries.",
            cosigned(of_another)?,
        )
        .trusting(policy(1)?)
        .finds(4, &[(None, "witness_invalid"), (None, "witness_missing")]),
        Case::new("cosigned-by-a-stranger", "Nobody knows the witness that cosigned.", cosigned(by_one)?)
            .finds(4, &[(None, "signature_unknown")]),
    ])
}
