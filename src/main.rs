//! The `sluis` program.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    sluis::cli::run(sluis::cli::Cli::parse())
}
