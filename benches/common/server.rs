//! The PostgreSQL server that a benchmark needs.

use std::{env, os::unix::process::CommandExt as _, path::Path, process::Command};

use clap::Args;

use super::Fault;

/// Where the address of the database stands.
const DATABASE: &str = "SLUIS_POSTGRES";

/// What a benchmark on both stores can be told besides.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// Leave out PostgreSQL
    #[arg(long)]
    without_postgres: bool,
}

impl Server {
    /// The address of the database, unless it is left out. Where none is given, this program starts itself again with
    /// one, and this does not return.
    pub fn database(&self) -> Result<Option<String>, Fault> {
        if self.without_postgres {
            return Ok(None);
        }
        match env::var(DATABASE).ok().filter(|address| !address.is_empty()) {
            Some(address) => Ok(Some(address)),
            None => {
                let mut again =
                    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/with-postgres"));
                Err(again.arg(env::current_exe()?).args(env::args_os().skip(1)).exec().into())
            }
        }
    }
}
