//! Several shards of one log: each is whole by itself, and something may be wrong between them.

use serde_json::{Value, json};
use sluis::{
    audit::{export::SealedPart, leaf::Kind, shard, trust::to_policy},
    note::VerifierKey,
};

use super::{
    NEXT_YEAR,
    case::{Case, Trust, What},
    log::{Fault, Log, ORIGIN, test_key},
    whole,
};

/// The log of 2026 and that of 2027, before either is whole.
struct Shards {
    old: Log,
    new: Log,
    /// Why the second follows the first.
    reason: &'static str,
    /// Whether the first has a seal.
    is_sealed: bool,
    /// Name of the log whose key is announced for the second.
    announced: &'static str,
    /// Size of the first, as the second has it.
    ended_at: Option<u64>,
    /// Facts of an erasure in the second.
    erasure: Option<Value>,
}

impl Shards {
    fn of(name: &'static str) -> Result<Self, Fault> {
        Ok(Self {
            old: whole::log(name)?,
            new: Log::of(NEXT_YEAR, name)?,
            reason: "year",
            is_sealed: true,
            announced: NEXT_YEAR,
            ended_at: None,
            erasure: None,
        })
    }

    /// Ends the first, and begins the second.
    fn ended(mut self) -> Result<(Log, Log), Fault> {
        // Announced under the log's own name, where the shard's key bears its year.
        let next =
            VerifierKey::new("test-key.sluis.example", *test_key(self.announced)?.verifier().public_key())?;
        let next = next.to_string();
        self.old.add(Kind::Key, 20, json!({ "event": "announced", "key": next, "shard": 1 }))?;
        if self.is_sealed {
            self.old.add(Kind::Seal, 21, json!({ "because": null, "next": next, "reason": self.reason }))?;
        }
        let ended = self.old.signed(self.ended_at.unwrap_or(self.old.size()))?;
        let (_, previous) = shard::told(&ended).ok_or("not a checkpoint")?;
        self.new.time = self.old.time;
        let key = self.new.signer().verifier().to_string();
        let mut genesis = json!({
            "first": self.ended_at.unwrap_or(self.old.size()), "key": key, "origin": NEXT_YEAR,
            "previous": previous, "reason": self.reason, "shard": 1,
        });
        if let (false, Some(genesis)) = (self.is_sealed, genesis.as_object_mut()) {
            genesis.insert("given_up".to_owned(), json!(0));
            genesis.insert("last".to_owned(), Value::Null);
        }
        self.new.add(Kind::Genesis, 30, genesis)?;
        self.new.add(Kind::Consent, 31, json!({ "by": "test", "event": "recorded" }))?;
        if let Some(facts) = self.erasure {
            self.new.add(Kind::Erasure, 32, facts)?;
        }
        Ok((self.old, self.new))
    }
}

fn case(
    name: &'static str,
    says: &'static str,
    change: impl FnOnce(&mut Shards) -> Result<(), Fault>,
) -> Result<Case, Fault> {
    let mut shards = Shards::of(name)?;
    change(&mut shards)?;
    let (old, new) = shards.ended()?;
    Ok(Case::new(name, says, What::Shards(vec![old.export(true)?, new.export(true)?])))
}

/// Entry 1 of the first is said to be erased; the second names this pair.
fn erased(shards: &mut Shards, pair: u64) -> Result<(), Fault> {
    let pairs = [shards.old.pair(pair)?.to_string()];
    shards.erasure = Some(json!({ "event": "erased", "pairs": pairs }));
    shards.old.change(1, |record| record.sealed = Some(SealedPart::Erased))
}

/// The cases.
pub fn cases() -> Result<Vec<Case>, Fault> {
    Ok([between()?, forgotten()?].into_iter().flatten().collect())
}

/// From the first to the second.
fn between() -> Result<Vec<Case>, Fault> {
    let first = Trust::Own(to_policy(&[test_key(ORIGIN)?.verifier().clone()]));
    let (mut old, new) = Shards::of("shards-key-not-opened")?.ended()?;
    old.change(old.size() - 2, |record| (record.facts, record.detail) = (None, None))?;
    let not_opened = What::Shards(vec![old.export(true)?, new.export(true)?]);
    Ok(vec![
        case("shards-whole", "Two shards, and the second begins where the first ends.", |_| Ok(()))?,
        case(
            "shards-by-the-first-key",
            "Whole; the second is signed with the key that the first announces.",
            |_| Ok(()),
        )?
        .trusting(first),
        case(
            "shards-restored",
            "The second begins at entry 7 of the first, after a database was restored.",
            |shards| {
                (shards.reason, shards.is_sealed, shards.ended_at) = ("restored", false, Some(7));
                Ok(())
            },
        )?,
        case("shards-shorter", "The second begins at entry 7 of the first, after a year.", |shards| {
            shards.ended_at = Some(7);
            Ok(())
        })?
        .finds(4, &[(None, "chain_broken")]),
        case(
            "shards-without-seal",
            "The second says that a year was over, and the first has no seal.",
            |shards| {
                shards.is_sealed = false;
                Ok(())
            },
        )?
        .finds(4, &[(None, "chain_not_sealed")]),
        case("shards-another-key", "The first announces another key than the second has.", |shards| {
            shards.announced = ORIGIN;
            Ok(())
        })?
        .finds(4, &[(None, "chain_key_not_announced")]),
        Case::new("shards-key-not-opened", "The facts of the announcement are left out.", not_opened)
            .finds(3, &[(None, "chain_not_opened")]),
    ])
}

/// What is erased in the first and named in the second.
fn forgotten() -> Result<Vec<Case>, Fault> {
    let mut alone = Shards::of("sealed-shard-erased-later")?;
    erased(&mut alone, 1)?;
    let (alone, _) = alone.ended()?;
    Ok(vec![
        case(
            "shards-erased-later",
            "Entry 1 of the first was erased, and entry 2 of the second names it.",
            |shards| erased(shards, 1),
        )?,
        case(
            "shards-erased-by-nobody",
            "Entry 1 of the first was erased, and the second names another.",
            |shards| erased(shards, 4),
        )?
        .finds(4, &[(Some(1), "erasure_unnamed")]),
        Case::new(
            "sealed-shard-erased-later",
            "Entry 1 was erased after the shard was sealed: a later shard names it, which is not here.",
            What::Export(alone.export(true)?),
        )
        .finds(3, &[(Some(1), "erasure_not_opened")]),
    ])
}
