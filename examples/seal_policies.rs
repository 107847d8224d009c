//! Proves the shipped policies and signs them: run it after a change in `policies/`.
//!
//!     cargo run --example seal_policies
//!
//! The owners of the example are made up, so their keys are made here and thrown away: nobody can sign what follows. A
//! region's own owners keep theirs (docs/policy.md), and so does the demo, in its folder.

#![allow(clippy::print_stderr, reason = "a tool for developers")]

use std::{error::Error, path::Path};

use sluis::{
    domain::time::{Clock as _, SystemClock},
    note::NoteSigner,
    policy::{
        PolicySet, draft,
        manifest::Owner,
        proof::ProofRecord,
        prove::{SolverPath, prove},
    },
};

/// Id and name of each owner.
const OWNERS: [(&str, &str); 3] = [
    ("voorbeeldgemeente", "Voorbeeldgemeente, manager Werk en Inkomen"),
    ("voorbeeld-uwv", "Voorbeeld UWV, regiomanager Werk"),
    ("voorbeeld-ggz", "Voorbeeld GGZ, raad van bestuur"),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let today = SystemClock.now().day();
    let set = PolicySet::load(&dir, true, today)?;
    let attempt = prove(&set, None, &SolverPath::find(None)).await?;
    for finding in &attempt.findings {
        if !finding.holds() {
            eprintln!("{} does not hold: {:?}", finding.property, finding.verdict);
        }
    }
    let proven = attempt.proven().ok_or("the policies leave their invariants")?;
    std::fs::write(dir.join("proof.toml"), ProofRecord::of(proven, today).text())?;
    let mut signers = Vec::new();
    for (id, _) in OWNERS {
        signers.push(NoteSigner::from_pkcs8(id, &NoteSigner::generate_pkcs8()?)?);
    }
    let owners = signers.iter().zip(OWNERS);
    let owners =
        owners.map(|(signer, (_, name))| Owner { key: signer.verifier().clone(), name: name.to_owned() });
    draft::draw_up(&dir, Some(owners.collect()))?;
    for signer in &signers {
        draft::sign(&dir, signer)?;
    }
    Ok(())
}
