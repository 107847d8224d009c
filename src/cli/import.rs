//! `sluis source import`: what a source's own systems export, to the statements of the reference source.

use std::{
    fs::File,
    io::{BufReader, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{failed, say};
use crate::{
    catalogue::{self, Form, Mask},
    domain::{Clock, Day, time::parse_day},
    proto,
    source::adapters::{self, Event, Import, Imported, Keys, Settings, refusal_json},
};

const BETWEEN: Duration = Duration::from_secs(1);

/// What the files are written in
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Profiles of VUM (werkzoekendeprofiel, UM-API 0.8.7): a JSON list
    Vum,
    /// The FML: a table `bsn;item;option`, with a note if need be
    FmlCsv,
    /// An extract of Model Werk of the GGM: a table with the columns `bsn` and `Entiteit.attribuut`
    GgmCsv,
}

/// Import statements from another system's files
///
/// Maps each record to codes of the catalogue, or refuses it as a whole and says where and why: docs/import.md has the
/// formats. Free text is not carried and not repeated. What was mapped is added to the statements, group by group.
///
/// Exit status 0 means that every record was mapped, 1 that one was refused.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What the files are written in
    #[arg(long, value_enum)]
    format: Format,

    /// Which client a key stands for: a table `id,bsn`. VUM needs it, and the source keeps it
    #[arg(long, value_name = "FILE", required_if_eq("format", "vum"))]
    keys: Option<PathBuf>,

    /// Role of who assessed, as in the catalogue: labour_expert, case_manager, self, ...
    #[arg(long, value_name = "ROLE", value_parser = role)]
    assessor_role: proto::AssessorRole,

    /// Day of the assessment, 2026-11-23
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    determined_on: Day,

    /// File of statements to add to, or to begin. It is replaced in one step
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Take only these groups, by their codes: WT,MT. The others are checked and left
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = group)]
    only: Vec<Mask>,

    /// Replace groups of a client that the statements hold already
    #[arg(long)]
    replace: bool,

    /// Write nothing if any record is refused
    #[arg(long)]
    strict: bool,

    /// Write nothing, and say what would come of it
    #[arg(long)]
    dry_run: bool,

    /// Print JSON objects, one to a line: each refusal, and a summary
    #[arg(long)]
    json: bool,

    /// Files to read
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Reads a role by its name in the catalogue.
fn role(name: &str) -> Result<proto::AssessorRole, String> {
    let upper = name.to_uppercase();
    let role = proto::AssessorRole::from_str_name(&format!("ASSESSOR_ROLE_{upper}"));
    role.filter(|role| *role != proto::AssessorRole::Unspecified).ok_or_else(|| {
        let forms =
            catalogue::metadata().iter().filter(|entry| entry.code == "MD-04").map(|entry| entry.form);
        let lists = forms.filter_map(|form| if let Form::Code(list) = form { Some(list) } else { None });
        let names = lists.flat_map(|list| list.values).map(|value| value.name.to_lowercase());
        format!("must be one of {}", names.collect::<Vec<_>>().join(", "))
    })
}

/// Reads a group by its code.
fn group(code: &str) -> Result<Mask, String> {
    let groups = catalogue::groups();
    groups.iter().find(|group| group.code == code).map(catalogue::Group::mask).ok_or_else(|| {
        let codes: Vec<_> = groups.iter().map(|group| group.code).collect();
        format!("must be one of {}", codes.join(", "))
    })
}

/// Says on a terminal how far it is, once a second.
struct Progress {
    shown: Option<Instant>,
    any: bool,
}

impl Progress {
    fn begin() -> Self {
        Self { shown: std::io::stderr().is_terminal().then(Instant::now), any: false }
    }

    fn at(&mut self, records: u64) {
        if self.shown.is_some_and(|shown| shown.elapsed() >= BETWEEN) {
            self.shown = Some(Instant::now());
            self.any = true;
            drop(write!(std::io::stderr(), "\rsluis: {records} records"));
        }
    }

    fn end(&self) {
        if self.any {
            drop(writeln!(std::io::stderr()));
        }
    }
}

pub(super) fn run(args: &ImportArgs, clock: &dyn Clock) -> ExitCode {
    match import(args, clock) {
        Ok(imported) if imported.is_clean() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(fault) => failed(fault),
    }
}

fn import(args: &ImportArgs, clock: &dyn Clock) -> Result<Imported, String> {
    let settings = Settings {
        format: format(args)?,
        assessor: args.assessor_role,
        determined_on: args.determined_on,
        today: clock.now().day(),
        only: if args.only.is_empty() {
            Mask::all()
        } else {
            args.only.iter().copied().fold(Mask::EMPTY, Mask::or)
        },
        replace: args.replace,
    };
    let mut progress = Progress::begin();
    let tell = |event: Event<'_>| match event {
        Event::Read(records) => progress.at(records),
        Event::Refused { file, refusal } if args.json => say(refusal_json(file, refusal)),
        Event::Refused { .. } => {}
    };
    let mut import = Import::begin(settings, &args.out, tell)
        .map_err(|fault| format!("the statements `{}`: {fault}", args.out.display()))?;
    for path in &args.files {
        let unreadable = |fault| format!("cannot read `{}`: {fault}", path.display());
        let file = File::open(path).map_err(unreadable)?;
        import.file(&path.display().to_string(), BufReader::new(file)).map_err(unreadable)?;
    }
    let imported = import.end();
    progress.end();
    let writes = !args.dry_run && (imported.is_clean() || !args.strict);
    if writes {
        let unwritten = |fault| format!("cannot write `{}`: {fault}", args.out.display());
        imported.write(&args.out).map_err(unwritten)?;
    }
    report(args, &imported, writes);
    Ok(imported)
}

fn format(args: &ImportArgs) -> Result<adapters::Format, String> {
    let keys = match (&args.keys, args.format) {
        (Some(path), Format::Vum) => {
            let unreadable = |fault| format!("cannot read the keys `{}`: {fault}", path.display());
            let read =
                Keys::read(BufReader::new(File::open(path).map_err(unreadable)?)).map_err(unreadable)?;
            read.map_err(|fault| format!("the keys `{}`: {fault}", path.display()))?
        }
        (None, _) => Keys::default(),
        (Some(_), _) => return Err("--keys is for VUM: the other formats have BSNs".to_owned()),
    };
    Ok(match args.format {
        Format::Vum => adapters::Format::Vum(keys),
        Format::FmlCsv => adapters::Format::FmlCsv,
        Format::GgmCsv => adapters::Format::GgmCsv,
    })
}

fn report(args: &ImportArgs, imported: &Imported, written: bool) {
    if args.json {
        let files: Vec<_> = imported.files().iter().map(adapters::FileReport::json).collect();
        say(json!({ "files": files, "written": written, "clients": imported.clients() }));
        return;
    }
    for file in imported.files() {
        say(file);
    }
    let out = args.out.display();
    if written {
        say(format_args!("statements of {} clients in {out}", imported.clients()));
    } else {
        say(format_args!("nothing was written to {out}"));
    }
}
