//! Exports that somebody has changed after they were written.

use super::*;
use crate::audit::report::Dutch;

/// Verifies after a change to one file, and puts it back.
fn after(log: &Log, dir: &Path, file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Report {
    let bytes = fs::read(file).unwrap();
    let mut other = bytes.clone();
    change(&mut other);
    fs::write(file, &other).unwrap();
    let report = verify_export(dir, &log.options());
    fs::write(file, bytes).unwrap();
    report
}

#[test]
fn a_flipped_bit_never_verifies() {
    let log = Log::sound(600);
    let dir = log.export();
    for file in files(dir.path()) {
        let bits = fs::metadata(&file).unwrap().len() as usize * 8;
        // The first and last bytes, and a spread with a stride that is prime to every line and hash.
        let spread = (0..bits).step_by((bits / 10).max(1) | 1);
        for bit in spread.chain(bits - 4..bits) {
            let report = after(&log, dir.path(), &file, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            assert!(report.exit_code() >= 4, "bit {bit} of {}: {report}", file.display());
        }
    }
    assert_eq!(verify_export(dir.path(), &log.options()).exit_code(), 0);
}

#[test]
fn a_flipped_bit_never_verifies_without_trust_either() {
    let log = Log::sound(5);
    let dir = log.export();
    for file in files(dir.path()) {
        let bytes = fs::read(&file).unwrap();
        // Another signature by the same key over the same text is no change of the log; there is none of these.
        for bit in (0..bytes.len() * 8).step_by(if bytes.len() < 300 { 1 } else { 17 }) {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, other).unwrap();
            let report = verify_export(dir.path(), &VerifyOptions::default());
            assert!(report.exit_code() >= 4, "bit {bit} of {}: {report}", file.display());
        }
        fs::write(&file, bytes).unwrap();
    }
}

#[test]
fn a_missing_short_or_surplus_file_never_verifies() {
    let log = Log::sound(600);
    let dir = log.export();
    for file in files(dir.path()) {
        let name = file.display();
        let length = fs::metadata(&file).unwrap().len() as usize;
        for left in [0, length / 2, length - 1] {
            let report = after(&log, dir.path(), &file, |bytes| bytes.truncate(left));
            assert!(report.exit_code() >= 4, "{left} of {name}: {report}");
        }
        for more in [b"\n".as_slice(), &[0; 32]] {
            let report = after(&log, dir.path(), &file, |bytes| bytes.extend(more));
            assert!(report.exit_code() >= 4, "longer {name}: {report}");
        }
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let report = verify_export(dir.path(), &log.options());
        assert!(report.exit_code() >= 4, "without {name}: {report}");
        fs::create_dir(&file).unwrap();
        assert!(verify_export(dir.path(), &log.options()).exit_code() >= 4, "folder {name}");
        fs::remove_dir(&file).unwrap();
        fs::write(&file, bytes).unwrap();
    }
    for name in ["note.txt", "tile/0/003", "tile/0/002.p/87", "tile/2/000.p/1", "opened/003.jsonl"] {
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"").unwrap();
        let report = verify_export(dir.path(), &log.options());
        assert_eq!((codes(&report), report.exit_code()), (vec![(None, "file_surplus")], 4), "{name}");
        fs::remove_file(file).unwrap();
    }
    assert_eq!(verify_export(dir.path(), &log.options()).exit_code(), 0);
}

#[test]
fn dropped_and_swapped_lines_are_found_where_they_are() {
    let log = Log::sound(600);
    let dir = log.export();
    let edit = |file: &str, change: fn(&mut Vec<&str>)| {
        let file = dir.path().join(file);
        let text = fs::read_to_string(&file).unwrap();
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        change(&mut lines);
        codes(&after(&log, dir.path(), &file, |bytes| *bytes = lines.concat().into_bytes()))
    };
    for file in ["opened/001.jsonl", "sealed/001.jsonl"] {
        let dropped = edit(file, |lines| _ = lines.remove(7));
        assert_eq!(dropped, [(Some(263), "part_missing")]);
        let dropped = edit(file, |lines| _ = lines.pop());
        assert_eq!(dropped, [(Some(511), "part_missing")]);
        let swapped = edit(file, |lines| lines.swap(3, 4));
        assert_eq!(swapped, [(None, "file_malformed"), (Some(259), "part_missing")]);
        let spaced = edit(file, |lines| lines[7] = "{\"index\": 263}\n");
        assert_eq!(spaced, [(None, "file_malformed"), (Some(263), "part_missing")]);
        let twice = edit(file, |lines| lines.insert(3, lines[3]));
        assert_eq!(twice, [(None, "file_malformed")]);
    }
}

#[test]
fn dropped_and_swapped_entries_and_hashes_are_found() {
    use crate::audit::tiles::{decode_bundle, encode_bundle};
    let log = Log::sound(600);
    let dir = log.export();
    let bundle = dir.path().join("tile/entries/001");
    let swapped = after(&log, dir.path(), &bundle, |bytes| {
        let mut entries = decode_bundle(bytes).unwrap();
        entries.swap(10, 20);
        let other = encode_bundle(&entries).unwrap();
        *bytes = other;
    });
    let found = codes(&swapped);
    for expected in [(Some(266), "entry_mismatch"), (Some(276), "entry_mismatch")] {
        assert!(found.contains(&expected), "{found:?}");
    }
    assert!(found.contains(&(None, "entries_root_mismatch")) && !found.contains(&(None, "root_mismatch")));
    let dropped = after(&log, dir.path(), &bundle, |bytes| {
        let mut entries = decode_bundle(bytes).unwrap();
        entries.remove(10);
        let other = encode_bundle(&entries).unwrap();
        *bytes = other;
    });
    assert_eq!((dropped.exit_code(), dropped.states.missing), (4, 256));
    let tile = dir.path().join("tile/0/001");
    let swapped = after(&log, dir.path(), &tile, |bytes| bytes[..64].rotate_left(32));
    let found = codes(&swapped);
    for expected in ["entry_mismatch", "tile_mismatch", "root_mismatch"] {
        assert!(found.iter().any(|(_, code)| *code == expected), "{found:?}");
    }
    let upper = dir.path().join("tile/1/000.p/2");
    let swapped = after(&log, dir.path(), &upper, |bytes| bytes.rotate_left(32));
    assert_eq!(codes(&swapped), [(None, "tile_mismatch")]);
    // A missing tile is made up for by the entries, so that nothing else is blamed.
    fs::remove_file(tile).unwrap();
    assert_eq!(codes(&verify_export(dir.path(), &log.options())), [(None, "file_missing")]);
}

#[test]
fn another_key_is_no_substitute() {
    let (log, other) = (Log::sound(20), Log::sound(20));
    let dir = log.export();
    let verify = |trust: &[VerifierKey]| {
        let options = VerifyOptions { trust: Some(trust.to_vec()), ..VerifyOptions::default() };
        let report = verify_export(dir.path(), &options);
        (codes(&report).into_iter().map(|(_, code)| code).collect::<Vec<_>>(), report.exit_code())
    };
    let (found, exit) = verify(&[other.key()]);
    assert_eq!((found, exit), (vec!["key_not_trusted", "signature_unknown", "signature_missing"], 4));
    assert_eq!(verify(&[other.key(), log.key()]), (vec![], 0));
    assert!(verify(&[]).1 >= 4);
    // Signed again by a stranger whose key comes along in place of the log's.
    let forged = other.checkpoint(20).sign(&other.signer).unwrap();
    fs::write(dir.path().join("checkpoint"), forged).unwrap();
    fs::write(dir.path().join("policy.txt"), crate::audit::trust::to_policy(&[other.key()])).unwrap();
    assert_eq!(verify(&[log.key()]).1, 4);
}

#[test]
fn a_further_signature_must_be_known() {
    let (log, witness) = (Log::sound(20), Log::new());
    let dir = log.export();
    let both = log.signed(20) + witness.signer.sign("x\n").unwrap().rsplit_once("\n\n").unwrap().1;
    fs::write(dir.path().join("checkpoint"), both).unwrap();
    let report = verify_export(dir.path(), &log.options());
    assert_eq!((codes(&report), report.exit_code()), (vec![(None, "signature_unknown")], 4));
}

#[test]
fn a_false_size_does_not_keep_it_looking() {
    let log = Log::sound(20);
    let dir = log.export();
    for size in [21, 1 << 20, i64::MAX as u64, u64::MAX] {
        let vast = Checkpoint { size, ..log.checkpoint(20) }.sign(&log.signer).unwrap();
        fs::write(dir.path().join("checkpoint"), vast).unwrap();
        let report = verify_export(dir.path(), &log.options());
        assert_eq!(report.exit_code(), 4, "{size}: {report}");
    }
}

#[test]
fn what_is_no_export_is_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    let report = verify_export(dir.path(), &VerifyOptions::default());
    assert_eq!((codes(&report).len(), report.exit_code()), (2, 5));
    assert_eq!(verify_export(&dir.path().join("absent"), &VerifyOptions::default()).exit_code(), 5);
}

/// The name of a file is for whoever made the export to choose.
#[test]
fn nothing_in_a_report_is_an_order_to_the_terminal() {
    let log = Log::sound(5);
    let dir = log.export();
    fs::write(dir.path().join("\u{1b}[2J\u{9b}H\u{202e}\rverified"), b"").unwrap();
    let report = verify_export(dir.path(), &log.options());
    assert_eq!(codes(&report), [(None, "file_surplus")]);
    for told in [report.to_string(), Dutch(&report).to_string()] {
        assert!(told.contains(r"`\u{1b}[2J\u{9b}H\u{202e}\rverified`"), "{told:?}");
        assert!(!told.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{told:?}");
    }
}

#[test]
fn files_have_a_largest_size() {
    let log = Log::sound(5);
    let dir = log.export();
    for (name, limit) in [
        ("checkpoint", files::MAX_TEXT_BYTES),
        ("policy.txt", files::MAX_TEXT_BYTES),
        ("opened/000.jsonl", files::MAX_LINES_BYTES),
        ("sealed/000.jsonl", files::MAX_LINES_BYTES),
        ("tile/0/000.p/5", files::MAX_TILE_BYTES),
        ("tile/entries/000.p/5", files::MAX_BUNDLE_BYTES),
    ] {
        let (file, kept) = (dir.path().join(name), dir.path().join(name).with_extension("kept"));
        fs::rename(&file, &kept).unwrap();
        fs::File::create(&file).unwrap().set_len(limit as u64 + 1).unwrap();
        let report = verify_export(dir.path(), &log.options());
        assert!(report.exit_code() >= 4, "{name}");
        let too_large = format!("`{name}` is too large");
        assert!(report.findings.iter().any(|finding| finding.detail == too_large), "{report}");
        fs::rename(&kept, &file).unwrap();
    }
    assert_eq!(log.verify().exit_code(), 0);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_does_not_keep_it_waiting() {
    let log = Log::sound(5);
    let dir = log.export();
    for file in files(dir.path()) {
        let name = file.strip_prefix(dir.path()).unwrap().display().to_string();
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        let (path, trust) = (dir.path().to_owned(), log.options().trust);
        let report =
            in_time(move || verify_export(&path, &VerifyOptions { trust, ..VerifyOptions::default() }));
        assert!(report.exit_code() >= 4, "{name}");
        let no_file = format!("`{name}` is not a file");
        assert!(report.findings.iter().any(|finding| finding.detail == no_file), "{report}");
        fs::remove_file(&file).unwrap();
        fs::write(&file, bytes).unwrap();
    }
}
