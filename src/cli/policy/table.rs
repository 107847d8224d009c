//! `sluis policy table`: what a client council reads.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};

use crate::{
    cli::failed,
    domain::Day,
    policy::{PolicySet, table},
};

/// Print who may have what, from whom, for which purpose: the table for a client council (cliëntenraad), in Dutch
#[derive(Debug, Args)]
pub struct TableArgs {
    /// Folder of the policies
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Markdown
    Md,
    /// One page that needs nothing else
    Html,
}

pub(super) fn run(args: &TableArgs) -> ExitCode {
    // A council may look at what is not in effect yet, or not any more.
    let set = match PolicySet::load(&args.dir, true, Day::MIN) {
        Ok(set) => set,
        Err(faults) => return failed(faults),
    };
    let printed = match args.format {
        Format::Md => table::markdown(&set),
        Format::Html => table::html(&set),
    };
    // A reader that has gone away is no fault of ours.
    drop(std::io::stdout().lock().write_all(printed.as_bytes()));
    ExitCode::SUCCESS
}
