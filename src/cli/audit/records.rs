//! `sluis audit records`: the entries of an export as other logs have them.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::{
    audit::{
        checkpoint::Checkpoint,
        export::read::{self, ReadEntry},
        records::{
            Reader, adl, fhir,
            ldv::{self, Register},
        },
    },
    cli::{failed, say},
    note::Note,
};

/// A standard that records are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Standard {
    /// Logboek Dataverwerkingen 1.0.0: a span per processing
    Ldv,
    /// Authorization Decision Log, fields of the drafts: a line per decision
    Adl,
    /// Authorization Decision Log, consultation version 1.0.0
    #[value(name = "adl-1.0")]
    Adl1,
    /// FHIR R4 AuditEvent (IHE BALP) with the fields of NEN 7513
    Fhir,
}

/// Write the entries of an export as records of another standard
///
/// Needs nothing but the export: no network, no database, no gateway. Writes one JSON object per line to a new file. What
/// each field comes from stands in docs/records.md. Verify the export first: this command compares what is opened with its
/// entry, but does not check signatures or the tree.
///
/// Entries whose facts the export does not open give no record, and are counted. With the details in the export, decisions
/// say why, source by source; that is for the gateway's own officer.
#[derive(Debug, Args)]
pub struct RecordsArgs {
    /// Folder of an export
    #[arg(long = "in", value_name = "DIR")]
    export: PathBuf,

    /// Standard
    #[arg(long = "as", value_name = "STANDARD")]
    standard: Standard,

    /// File to write to: a new one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// What the address of a processing activity begins with in your register; the name of a purpose comes after it
    #[arg(long, value_name = "URI", required_if_eq("standard", "ldv"))]
    activities: Option<Register>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Makes the lines of an entry.
struct Lines {
    standard: Standard,
    register: Option<Register>,
    reader: Reader,
    left_out: u64,
}

impl Lines {
    fn of(&mut self, entry: &ReadEntry) -> Vec<Value> {
        let record = self.reader.take(entry);
        let Some(record) = record else { return Vec::new() };
        if entry.facts.is_none() {
            self.left_out += 1;
            return Vec::new();
        }
        match (self.standard, &self.register) {
            (Standard::Ldv, Some(register)) => ldv::json(&record, register),
            (Standard::Ldv, None) => Vec::new(),
            (Standard::Adl, _) => adl::json(&record, adl::Edition::Draft).into_iter().collect(),
            (Standard::Adl1, _) => adl::json(&record, adl::Edition::V1).into_iter().collect(),
            (Standard::Fhir, _) => vec![fhir::json(&record)],
        }
    }
}

/// Name of the log, as its checkpoint has it.
fn origin(args: &RecordsArgs) -> Result<String, String> {
    let path = args.export.join("checkpoint");
    let text = std::fs::read_to_string(&path)
        .map_err(|fault| format!("cannot read `{}`: {fault}", path.display()))?;
    let note = Note::parse(&text).map_err(|fault| format!("the checkpoint {fault}"))?;
    let checkpoint = Checkpoint::parse(note.unverified_text()).map_err(|fault| fault.to_string())?;
    Ok(checkpoint.origin)
}

fn write(args: &RecordsArgs) -> Result<(), String> {
    let reader = Reader::new(&origin(args)?);
    let unwritten = |fault: std::io::Error| format!("cannot write `{}`: {fault}", args.out.display());
    let mut out = BufWriter::new(File::create_new(&args.out).map_err(unwritten)?);
    let mut lines = Lines { standard: args.standard, register: args.activities.clone(), reader, left_out: 0 };
    let (mut written, mut result) = (0_u64, Ok(()));
    let entries = read::read(&args.export, |entry| {
        for line in lines.of(&entry) {
            if result.is_ok() {
                result = writeln!(out, "{line}");
                written += 1;
            }
        }
    });
    let entries = entries.map_err(|fault| fault.to_string())?;
    result.and_then(|()| out.flush()).map_err(unwritten)?;
    if args.json {
        say(json!({ "entries": entries, "records": written, "left_out": lines.left_out }));
        return Ok(());
    }
    say(format_args!("{written} records of {entries} entries written to {}", args.out.display()));
    if lines.left_out > 0 {
        say(format_args!("{} entries gave none: the export does not open their facts", lines.left_out));
    }
    Ok(())
}

pub(super) fn run(args: &RecordsArgs) -> ExitCode {
    match write(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}
