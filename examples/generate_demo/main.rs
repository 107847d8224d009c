//! Writes the synthetic data of `demo/`: `cargo run --example generate_demo`. The same seed gives the same bytes; a test
//! compares them with what is in the repository.

use std::{error::Error, fs, path::Path};

#[path = "demo.rs"]
mod demo;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    for (path, content) in demo::files()? {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}
