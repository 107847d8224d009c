//! Exports whose checkpoint witnesses have cosigned.

use super::*;
use crate::{
    audit::trust::Policy,
    note::cosignature::{Cosigner, CosignerKey},
};

pub fn witnesses() -> Vec<Cosigner> {
    (1..4)
        .map(|n| Cosigner::from_pkcs8(&format!("w{n}"), &NoteSigner::generate_pkcs8().unwrap()).unwrap())
        .collect()
}

fn keys(witnesses: &[Cosigner]) -> Vec<CosignerKey> {
    witnesses.iter().map(|witness| witness.verifier().clone()).collect()
}

/// An export that names three witnesses, two of which must cosign, cosigned by these.
pub fn export(log: &Log, named: &[Cosigner], by: &[Cosigner]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let size = log.records.len();
    let text = log.checkpoint(size).to_string();
    let lines: String = by.iter().map(|witness| witness.cosign(&text, 1_795_426_200).unwrap()).collect();
    let mut writer = ExportWriter::create(dir.path()).unwrap().with_witnesses(keys(named), 2);
    log.records.iter().for_each(|record| writer.push(record.clone()).unwrap());
    writer.finish(&format!("{}{lines}", log.signed(size)), &[log.key()]).unwrap();
    dir
}

fn required(trust: Option<Policy>) -> Witnessing {
    Witnessing { trust, required: true }
}

#[test]
fn a_quorum_is_counted_where_it_is_required() {
    let (log, named) = (Log::sound(20), witnesses());
    let trust = Policy::witnessed(vec![log.key()], &keys(&named), 2);
    for (count, found) in [(0, Some("witness_missing")), (1, Some("witness_missing")), (2, None), (3, None)] {
        let dir = export(&log, &named, &named[..count]);
        let report = verify_witnessed(dir.path(), &log.options(), &required(Some(trust.clone())));
        assert_eq!(codes(&report).first().map(|(_, code)| *code), found, "{count}");
        assert_eq!(report.exit_code(), if found.is_some() { 3 } else { 0 });
        assert_eq!(report.cosigned.len(), count);
        // By the export's own policy, if nothing came from elsewhere; and not at all where it is not asked.
        let own = verify_witnessed(dir.path(), &VerifyOptions::default(), &required(None));
        assert_eq!((own.exit_code(), own.anchored), (report.exit_code(), false));
        assert_eq!(verify_export(dir.path(), &log.options()).exit_code(), 0);
    }
}

#[test]
fn witnesses_that_only_the_export_names_do_not_count() {
    let (log, named) = (Log::sound(20), witnesses());
    let dir = export(&log, &named, &named);
    let others = Policy::witnessed(vec![log.key()], &keys(&witnesses()), 1);
    for trust in [None, Some(Policy::of_logs(vec![log.key()])), Some(others)] {
        let report = verify_witnessed(dir.path(), &log.options(), &required(trust));
        assert_eq!(codes(&report), [(None, "witness_missing")]);
    }
}

#[test]
fn a_line_of_an_unknown_witness_is_refused_like_any_other() {
    let (log, named) = (Log::sound(20), witnesses());
    let dir = export(&log, &named[..2], &named);
    assert_eq!(codes(&verify_export(dir.path(), &log.options())), [(None, "signature_unknown")]);
    // Known from elsewhere is known.
    let trust = Policy::witnessed(vec![log.key()], &keys(&named), 3);
    let report = verify_witnessed(dir.path(), &log.options(), &required(Some(trust)));
    assert_eq!(report.exit_code(), 0);
}

#[test]
fn a_flipped_bit_of_checkpoint_or_policy_never_verifies() {
    let (log, named) = (Log::sound(3), witnesses());
    let dir = export(&log, &named, &named);
    for name in ["checkpoint", "policy.txt"] {
        let path = dir.path().join(name);
        let bytes = fs::read(&path).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, other).unwrap();
            let report = verify_export(dir.path(), &log.options());
            assert!(report.exit_code() >= 4, "bit {bit} of {name}: {report}");
        }
        fs::write(&path, bytes).unwrap();
    }
    let text = log.checkpoint(3).to_string();
    let other = named[0].cosign(&text.replacen("\n3\n", "\n4\n", 1), 7).unwrap();
    fs::write(dir.path().join("checkpoint"), format!("{}{other}", log.signed(3))).unwrap();
    assert_eq!(codes(&verify_export(dir.path(), &log.options())), [(None, "witness_invalid")]);
}
