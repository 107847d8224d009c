//! Writes the seeds that `fuzz/` starts from: `cargo run --example fuzz_seeds`. Run it when the catalogue has changed;
//! `tests/fuzz` tells.

use std::{fs, io, path::Path};

use sluis::fuzzing::{TARGETS, seeds};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus-seeds");
    for (name, _) in TARGETS {
        let folder = folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds::of(name).into_iter().enumerate() {
            fs::write(folder.join(format!("{number:02}")), seed)?;
        }
    }
    Ok(())
}
