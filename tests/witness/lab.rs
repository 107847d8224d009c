//! A witness as a process, and a log in memory that proves whatever a test wants.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sluis::{
    audit::{
        checkpoint::Checkpoint,
        tiles::{Layer, TilePath, encode_tile},
        tree::{Frontier, Hash, consistency_proof, leaf_hash, node_hash},
    },
    note::{NoteSigner, VerifierKey, cosignature::CosignerKey},
    witness::request,
};

pub const ORIGIN: &str = "test.example/region/2026";

/// A log: leaves, and a key.
pub struct Log {
    pub signer: NoteSigner,
    leaves: Vec<Hash>,
}

impl Log {
    pub fn new(origin: &str) -> Self {
        let signer = NoteSigner::from_pkcs8(origin, &NoteSigner::generate_pkcs8().unwrap()).unwrap();
        let leaves = (0..600_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        Self { signer, leaves }
    }

    /// Another history under the same key, from this position on.
    pub fn rewrite(&mut self, from: usize) {
        for leaf in &mut self.leaves[from..] {
            *leaf = leaf_hash(leaf);
        }
    }

    pub fn key(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    pub fn checkpoint(&self, size: usize) -> Checkpoint {
        let mut frontier = Frontier::empty();
        self.leaves[..size].iter().for_each(|leaf| frontier.append(*leaf));
        Checkpoint { origin: self.key().name().to_owned(), size: size as u64, root: frontier.root() }
    }

    pub fn signed(&self, size: usize) -> String {
        self.checkpoint(size).sign(&self.signer).unwrap()
    }

    pub fn proof(&self, old: usize, size: usize) -> Vec<Hash> {
        let read = |level: u8, index: u64| -> Result<Hash, ()> {
            let width = 1 << level;
            let start = usize::try_from(index).unwrap() * width;
            let mut row = self.leaves[start..start + width].to_vec();
            while row.len() > 1 {
                row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
            }
            Ok(row[0])
        };
        consistency_proof(old as u64, size as u64, read).unwrap().unwrap()
    }

    /// Writes what an export of this size has of the tree itself.
    pub fn export(&self, dir: &Path, size: usize) {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("checkpoint"), self.signed(size)).unwrap();
        for (index, hashes) in (0..).zip(self.leaves[..size].chunks(256)) {
            let path = TilePath::at(Layer::Hashes(0), index, size as u64).unwrap().to_string();
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, encode_tile(hashes)).unwrap();
        }
    }

    /// A request that a witness at `old` should cosign.
    pub fn request(&self, old: usize, size: usize) -> String {
        request::write(old as u64, &self.proof(old, size), &self.signed(size))
    }
}

/// A witness that runs.
pub struct Witness {
    child: Child,
    pub address: String,
    pub key: CosignerKey,
}

pub fn write_config(folder: &Path, name: &str, log: &VerifierKey) -> PathBuf {
    let path = folder.join(format!("{name}.toml"));
    let (prefix, _) = log.name().rsplit_once('/').unwrap();
    let text = format!(
        "name = \"witness.example/{name}\"\nlisten = \"127.0.0.1:0\"\ndata_dir = \"{name}\"\n\
         [[log]]\norigin_prefix = \"{prefix}/\"\nkeys = [\"{log}\"]\n"
    );
    fs::write(&path, text).unwrap();
    path
}

pub fn command(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
    command.args(["witness", "--config"]).arg(config);
    command
}

impl Witness {
    pub fn start(config: &Path) -> Self {
        let mut child = command(config).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut after = |start: &str| lines.next().unwrap().strip_prefix(start).unwrap().to_owned();
        let key = after("key of the witness: ").parse().unwrap();
        let address = after("listening on http://");
        Self { child, address, key }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Witness {
    /// SIGTERM, and the exit status.
    pub fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
