//! Writes `tests/broken-logs`: whole logs and broken ones, each broken in one way, for whoever writes a verifier.
//!
//!     cargo run --example broken_logs
//!
//! The same bytes each time: every key, salt and id follows from its name. A test compares them with what is in the
//! repository.

use std::{error::Error, fs, io, path::Path};

#[path = "corpus.rs"]
mod corpus;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken-logs");
    // What a case that is gone, or renamed, has left behind.
    for folder in corpus::FOLDERS {
        match fs::remove_dir_all(root.join(folder)) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault.into()),
            _ => {}
        }
    }
    for (path, content) in corpus::files()? {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}
