//! Compiles the protocol without protoc, and derives the catalogue's tables and typed accessors from its descriptors, so
//! that a field is described once: in `proto/sluis/v1/work_capacity_<group>.proto`.

mod descriptors;
mod lists;
mod messages;
mod policies;
mod tables;

use std::{env, error::Error, fs, path::PathBuf};

use prost_reflect::DescriptorPool;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PROTOS: [&str; 6] = ["exchange", "consent", "source", "audit", "catalogue", "work_capacity"];

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=policies");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let files: Vec<String> = PROTOS.iter().map(|name| format!("sluis/v1/{name}.proto")).collect();
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    // The encoded form keeps the field options; the decoded one would lose them.
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &encoded)?;
    tonic_prost_build::configure()
        .file_descriptor_set_path(out.join("set.bin"))
        .compile_fds(compiler.file_descriptor_set())?;
    let catalogue = descriptors::Catalogue::read(&DescriptorPool::decode(encoded.as_slice())?)?;
    let mut code = String::new();
    tables::write(&mut code, &catalogue)?;
    lists::write(&mut code, &catalogue)?;
    messages::write(&mut code, &catalogue)?;
    fs::write(out.join("catalogue.rs"), code)?;
    let mut code = String::new();
    policies::write(&mut code, &PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("policies"))?;
    fs::write(out.join("policies.rs"), code)?;
    Ok(())
}
