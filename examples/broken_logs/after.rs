//! Exports that somebody changed after they were written, and ones whose head is not what it should be.

use sluis::audit::{checkpoint::Checkpoint, trust::to_policy};

use super::{
    case::{Case, What},
    files::Files,
    log::{Fault, Log, ORIGIN, drawn, test_key},
    whole,
};

const ENTRIES: &str = "tile/entries/000.p/8";
const HASHES: &str = "tile/0/000.p/8";
const OPENED: &str = "opened/000.jsonl";
const SEALED: &str = "sealed/000.jsonl";

/// A case of the whole log, changed.
fn after(
    name: &'static str,
    says: &'static str,
    change: impl FnOnce(&mut Files) -> Result<(), Fault>,
) -> Result<Case, Fault> {
    let mut files = whole::log("whole")?.export(true)?;
    change(&mut files)?;
    Ok(Case::new(name, says, What::Export(files)))
}

/// A case of the whole log with another checkpoint.
fn signed(
    name: &'static str,
    says: &'static str,
    note: impl FnOnce(&Log, Checkpoint) -> Result<String, Fault>,
) -> Result<Case, Fault> {
    let log = whole::log("whole")?;
    let note = note(&log, log.checkpoint(log.size())?)?;
    after(name, says, |files| {
        files.put("checkpoint", note);
        Ok(())
    })
}

/// The whole log against another earlier checkpoint.
fn since(
    name: &'static str,
    says: &'static str,
    earlier: impl FnOnce(&Log) -> Result<String, Fault>,
) -> Result<Case, Fault> {
    Ok(after(name, says, |_| Ok(()))?.since(earlier(&whole::log("whole")?)?))
}

/// The cases.
pub fn cases() -> Result<Vec<Case>, Fault> {
    Ok([entries()?, beside()?, head()?, earlier()?].into_iter().flatten().collect())
}

/// Entries and hashes.
fn entries() -> Result<Vec<Case>, Fault> {
    let not_there = (None, "entries_root_mismatch");
    Ok(vec![
        after("entry-changed", "Entry 5 is a millisecond later than it was.", |files| {
            files.replace(ENTRIES, "09:30:00.685Z", "09:30:00.686Z")
        })?
        .finds(4, &[(Some(5), "entry_mismatch"), not_there]),
        after("entry-dropped", "Entry 5 is gone; its hash is not.", |files| {
            files.entries(ENTRIES, |entries| _ = entries.remove(5))
        })?
        .finds(4, &[(None, "file_malformed")]),
        after("entry-appended", "Entry 7 stands there twice.", |files| {
            files.entries(ENTRIES, |entries| entries.extend(entries.last().cloned()))
        })?
        .finds(4, &[(None, "file_malformed")]),
        after(
            "entries-swapped",
            "Entries 1 and 5 have changed places, with all that belongs to them.",
            |files| {
                files.entries(ENTRIES, |entries| entries.swap(1, 5))?;
                files.edit(HASHES, |hashes| hashes.as_chunks_mut::<32>().0.swap(1, 5))?;
                for name in [OPENED, SEALED] {
                    files.lines(name, |lines| {
                        lines.swap(1, 5);
                        for (line, (from, to)) in
                            lines.iter_mut().zip([(0, 0), (5, 1), (2, 2), (3, 3), (4, 4), (1, 5)])
                        {
                            *line = line.replace(&format!("\"index\":{from}"), &format!("\"index\":{to}"));
                        }
                    })?;
                }
                Ok(())
            },
        )?
        .finds(
            4,
            &[
                (Some(2), "time_went_back"),
                (Some(3), "time_went_back"),
                (Some(4), "time_went_back"),
                (Some(5), "time_went_back"),
                (None, "root_mismatch"),
                not_there,
            ],
        ),
        after("bundle-cut-short", "The last byte of the entries is gone.", |files| {
            files.edit(ENTRIES, |bytes| _ = bytes.pop())
        })?
        .finds(4, &[(None, "file_malformed")]),
        after("hash-changed", "One bit of the hash of entry 2 is another.", |files| {
            files.edit(HASHES, |bytes| bytes.iter_mut().skip(64).take(1).for_each(|byte| *byte ^= 1))
        })?
        .finds(4, &[(Some(2), "entry_mismatch"), (None, "root_mismatch")]),
        after(
            "hashes-missing",
            "The tile of hashes is gone. The entries alone would still give the root.",
            |files| files.remove(HASHES).map(drop),
        )?
        .finds(4, &[(None, "file_missing")]),
        after(
            "tile-of-a-smaller-log",
            "The tile of the same log with seven entries was left there.",
            |files| {
                let hashes = whole::log("whole")?.hashes();
                files.put("tile/0/000.p/7", hashes.iter().take(7).copied().collect::<Vec<_>>().concat());
                Ok(())
            },
        )?
        .finds(4, &[(None, "file_surplus")]),
    ])
}

/// Facts, sealed parts, and what belongs to no export.
fn beside() -> Result<Vec<Case>, Fault> {
    let every = |code| (0..8).map(move |index| (Some(index), code));
    Ok(vec![
        after("facts-changed", "Entry 6 now says that what was refused was granted.", |files| {
            files.replace(OPENED, r#"\"effect\":\"deny\""#, r#"\"effect\":\"permit\""#)
        })?
        .finds(4, &[(Some(6), "facts_mismatch")]),
        after("detail-changed", "The detail of entry 3 is another than its facts commit to.", |files| {
            files.replace(OPENED, r#"\"reason\":\"none\""#, r#"\"reason\":\"some\""#)
        })?
        .finds(4, &[(Some(3), "detail_mismatch")]),
        after(
            "line-dropped",
            "The line with the facts of entry 4 is gone, and no word that they are left out.",
            |files| files.lines(OPENED, |lines| _ = lines.remove(4)),
        )?
        .finds(4, &[(Some(4), "part_missing")]),
        after(
            "lines-swapped",
            "The lines with the facts of entries 3 and 4 have changed places.",
            |files| files.lines(OPENED, |lines| lines.swap(3, 4)),
        )?
        .finds(4, &[(None, "file_malformed"), (Some(3), "part_missing")]),
        after("line-not-canonical", "The line with the facts of entry 0 has a space more.", |files| {
            files.replace(OPENED, "\"index\":0", "\"index\": 0")
        })?
        .finds(4, &[(None, "file_malformed"), (Some(0), "part_missing")]),
        after("sealed-changed", "One character of the sealed part of entry 1 is another.", |files| {
            files.lines(SEALED, |lines| {
                for line in lines.iter_mut().skip(1).take(1) {
                    // The last full group of base64 ahead of the end of the line, `"}` and a newline.
                    let at = line.len() - 20;
                    let other = if line.get(at..=at) == Some("A") { "B" } else { "A" };
                    line.replace_range(at..=at, other);
                }
            })
        })?
        .finds(4, &[(Some(1), "sealed_mismatch")]),
        after("sealed-and-erased", "Entry 1 is said to be erased, and its sealed part is there.", |files| {
            files.replace(SEALED, "{\"index\":1,", "{\"erased\":true,\"index\":1,")
        })?
        .finds(4, &[(None, "file_malformed"), (Some(1), "part_missing")]),
        after("facts-missing", "The file with the facts is gone.", |files| files.remove(OPENED).map(drop))?
            .finds(
                4,
                &std::iter::once((None, "file_missing")).chain(every("part_missing")).collect::<Vec<_>>(),
            ),
        after("file-surplus", "There is a file that belongs to no export.", |files| {
            files.put("note.txt", "All entries were checked.\n");
            Ok(())
        })?
        .finds(4, &[(None, "file_surplus")]),
    ])
}

/// The checkpoint and the keys.
fn head() -> Result<Vec<Case>, Fault> {
    let stranger = test_key("test-key.stranger.example")?;
    let namesake = sluis::note::NoteSigner::new(
        ORIGIN,
        ring::signature::Ed25519KeyPair::from_seed_unchecked(&drawn("another test key", 0))
            .map_err(|_| "not a key")?,
    )?;
    Ok(vec![
        signed("root-of-another-log", "The log signed another root.", |log, checkpoint| {
            Ok(Checkpoint { root: drawn("root", 0), ..checkpoint }.sign(log.signer())?)
        })?
        .finds(4, &[(None, "root_mismatch"), (None, "entries_root_mismatch")]),
        signed("size-one-more", "The log signed that it has nine entries.", |log, checkpoint| {
            Ok(Checkpoint { size: 9, ..checkpoint }.sign(log.signer())?)
        })?
        .finds(
            4,
            &[(None, "file_surplus"), (None, "file_surplus"), (None, "file_missing"), (None, "file_missing")],
        ),
        signed(
            "signature-changed",
            "The signature is that of the log with seven entries.",
            |log, checkpoint| {
                let other = log.signed(7)?;
                let line = other.rsplit_once("\n\n").ok_or("not a note")?.1;
                Ok(format!("{checkpoint}\n{line}"))
            },
        )?
        .finds(4, &[(None, "signature_invalid")]),
        signed(
            "signature-by-a-stranger",
            "Signed by a key that nobody trusts, of another name.",
            |_, checkpoint| Ok(stranger.sign(&checkpoint.to_string())?),
        )?
        .finds(4, &[(None, "signature_unknown"), (None, "signature_missing")]),
        signed(
            "signature-too-many",
            "Signed by the log, and by a key that is not known.",
            |log, checkpoint| {
                let text = checkpoint.to_string();
                let more = stranger.sign(&text)?;
                Ok(checkpoint.sign(log.signer())? + more.rsplit_once("\n\n").ok_or("not a note")?.1)
            },
        )?
        .finds(4, &[(None, "signature_unknown")]),
        after(
            "key-of-its-own",
            "Signed by another key of the same name, which stands in `policy.txt`.",
            |files| {
                let log = whole::log("whole")?;
                files.put("checkpoint", log.checkpoint(8)?.sign(&namesake)?);
                files.put("policy.txt", to_policy(&[namesake.verifier().clone()]));
                Ok(())
            },
        )?
        .finds(4, &[(None, "key_not_trusted"), (None, "signature_unknown"), (None, "signature_missing")]),
        signed("checkpoint-extended", "The log signed a fourth line.", |log, checkpoint| {
            Ok(log.signer().sign(&format!("{checkpoint}more\n"))?)
        })?
        .finds(5, &[(None, "checkpoint_malformed")]),
        after("checkpoint-missing", "There is no checkpoint: the export was interrupted.", |files| {
            files.remove("checkpoint").map(drop)
        })?
        .finds(5, &[(None, "checkpoint_missing")]),
        after("keys-missing", "There is no `policy.txt`.", |files| files.remove("policy.txt").map(drop))?
            .finds(5, &[(None, "keys_unreadable")]),
    ])
}

/// Earlier checkpoints.
fn earlier() -> Result<Vec<Case>, Fault> {
    let next = test_key(super::NEXT_YEAR)?;
    Ok(vec![
        since("earlier-of-a-fork", "The log once signed five entries, of which it has not all.", |log| {
            Ok(Checkpoint { root: whole::log("fork")?.checkpoint(5)?.root, ..log.checkpoint(5)? }
                .sign(log.signer())?)
        })?
        .finds(4, &[(None, "since_inconsistent")]),
        since("earlier-is-larger", "The log once signed nine entries.", |log| {
            Ok(Checkpoint { size: 9, ..log.checkpoint(8)? }.sign(log.signer())?)
        })?
        .finds(4, &[(None, "since_inconsistent")]),
        since(
            "earlier-of-another-log",
            "The earlier checkpoint is of another log that is trusted.",
            |log| Ok(Checkpoint { origin: super::NEXT_YEAR.to_owned(), ..log.checkpoint(5)? }.sign(&next)?),
        )?
        .finds(5, &[(None, "since_other_log")]),
        since(
            "earlier-not-signed",
            "The earlier checkpoint is signed by a key that nobody trusts.",
            |log| Ok(test_key("test-key.stranger.example")?.sign(&log.checkpoint(5)?.to_string())?),
        )?
        .finds(5, &[(None, "since_unreadable")]),
    ])
}
