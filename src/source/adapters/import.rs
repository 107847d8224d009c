//! An import: records of one format come in file by file, each is mapped or refused as a whole, and what was mapped is
//! put beside what the source holds.

use std::{
    collections::HashMap,
    fmt,
    io::{self, BufRead},
    path::Path,
    rc::Rc,
};

use super::{
    draft::date_of,
    fault::{Place, Reason, Refusal},
    fml::Fml,
    ggm::Ggm,
    guard::{Expected, guard},
    held::{Held, HeldFault},
    keys::Keys,
    record::{Intake, NotCarried, Record},
    report::FileReport,
    table, vum,
};
use crate::{
    catalogue::{CheckedStatement, Mask},
    domain::{Bsn, Day},
    proto,
};

/// What the records are written in.
#[derive(Debug)]
pub enum Format {
    /// Profiles of VUM, with the keys of their clients.
    Vum(Keys),
    /// The FML, in the table of docs/import.md.
    FmlCsv,
    /// An extract of the GGM.
    GgmCsv,
}

/// What is imported, and what is said of all of it.
#[derive(Debug)]
pub struct Settings {
    /// What the records are written in.
    pub format: Format,
    /// Who assessed (MD-04).
    pub assessor: proto::AssessorRole,
    /// When (MD-01).
    pub determined_on: Day,
    /// The day it is; what has happened cannot lie ahead of it.
    pub today: Day,
    /// The fields that are taken; the others are read and left.
    pub only: Mask,
    /// Whether a group that the source holds already is replaced.
    pub replace: bool,
}

impl Settings {
    fn assessment(&self) -> proto::Assessment {
        let instrument = match self.format {
            Format::Vum(_) => Some(proto::Instrument::Vum as i32),
            Format::FmlCsv => Some(proto::Instrument::Fml as i32),
            // The GGM is a model of data, no instrument.
            Format::GgmCsv => None,
        };
        proto::Assessment {
            determined_on: Some(date_of(self.determined_on)),
            assessor_role: Some(self.assessor as i32),
            instrument,
            ..proto::Assessment::default()
        }
    }
}

/// What happens during an import.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many records were read.
    Read(u64),
    /// A record or a file was refused.
    Refused {
        /// The file, as the command line names it.
        file: &'a str,
        /// Why, and where.
        refusal: &'a Refusal,
    },
}

/// A client of this import.
enum Seen {
    Mapped { file: usize, place: Place, fields: Mask, statement: Box<proto::WorkCapacity>, bsn: Bsn },
    Refused,
}

/// An import under way.
pub struct Import<'a> {
    settings: Rc<Settings>,
    /// What is said of every group.
    assessment: proto::Assessment,
    held: Held,
    clients: HashMap<[u8; 9], Seen>,
    /// Clients in the order in which they came.
    order: Vec<[u8; 9]>,
    files: Vec<FileReport>,
    read: u64,
    tell: Box<dyn FnMut(Event<'_>) + 'a>,
}

impl fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Import({} clients)", self.clients.len())
    }
}

impl<'a> Import<'a> {
    /// Begins an import into this file of statements, which need not be there.
    ///
    /// # Errors
    /// If the file is there and cannot be added to.
    pub fn begin(
        settings: Settings,
        into: &Path,
        tell: impl FnMut(Event<'_>) + 'a,
    ) -> Result<Self, HeldFault> {
        Ok(Self {
            held: Held::read(into, settings.today)?,
            assessment: settings.assessment(),
            settings: Rc::new(settings),
            clients: HashMap::new(),
            order: Vec::new(),
            files: Vec::new(),
            read: 0,
            tell: Box::new(tell),
        })
    }

    /// Reads a file. If it breaks off or is no such file, nothing of it is used. The report goes further than the file: in
    /// it a name that is not plain, or that sets off the tripwire, is a number.
    ///
    /// # Errors
    /// If it cannot be read at all.
    pub fn file(&mut self, name: &str, reader: impl BufRead) -> io::Result<()> {
        let number = format!("file {}", self.files.len() + 1);
        let name = if name.split(['/', '\\']).all(is_plain) { name } else { &number };
        self.files.push(FileReport::new(name));
        let settings = Rc::clone(&self.settings);
        let read = match &settings.format {
            Format::Vum(keys) => vum::read(reader, keys, self),
            Format::FmlCsv => table::read(reader, Fml, self),
            Format::GgmCsv => table::read(reader, Ggm::default(), self),
        };
        if let Err(refusal) = read? {
            let this = self.files.len() - 1;
            for seen in self.clients.values_mut() {
                if matches!(seen, Seen::Mapped { file, .. } if *file == this) {
                    *seen = Seen::Refused;
                }
            }
            (self.tell)(Event::Refused { file: name, refusal: &refusal });
            if let Some(report) = self.files.last_mut() {
                report.broken = Some(refusal);
            }
        }
        Ok(())
    }

    /// Ends it: puts what was mapped beside what is held. Nothing is written yet.
    #[must_use]
    pub fn end(self) -> Imported {
        let Self { mut held, mut clients, order, mut files, .. } = self;
        for client in order {
            if let Some(Seen::Mapped { file, fields, statement, bsn, .. }) = clients.remove(&client) {
                if let Some(report) = files.get_mut(file) {
                    report.map(fields);
                }
                held.put(bsn, *statement);
            }
        }
        Imported { files, held }
    }

    fn refuse(&mut self, file: usize, refusal: &Refusal) {
        let Some(report) = self.files.get_mut(file) else { return };
        report.refuse(refusal);
        (self.tell)(Event::Refused { file: &report.name, refusal });
    }

    /// Maps a record: checks it by the catalogue, alone and with what is held of the client.
    fn map(&self, record: Record, bsn: &Bsn) -> Result<(Mask, proto::WorkCapacity), Refusal> {
        let Record { place, outcome, .. } = record;
        let refused = |field: Option<&str>, reason| Refusal {
            place: Place { field: field.map(ToOwned::to_owned), ..place.clone() },
            reason,
        };
        let Settings { today, replace, only, .. } = *self.settings;
        let of = |fault: crate::catalogue::StatementFault| {
            refused(Some(fault.code), Reason::Catalogue(fault.fault))
        };
        let checked = outcome?.finish(&self.assessment, today).map_err(of)?.narrowed(only);
        if checked.present().is_empty() {
            return Err(refused(None, Reason::Nothing));
        }
        let newer = checked.build(checked.present());
        let whole = self.held.with(bsn, &newer, replace).map_err(|(group, why)| refused(Some(group), why))?;
        CheckedStatement::new(whole.clone(), today).map_err(of)?;
        Ok((checked.present(), whole))
    }
}

impl Intake for Import<'_> {
    fn record(&mut self, record: Record) {
        self.read += 1;
        let file = self.files.len().saturating_sub(1);
        if let Some(report) = self.files.last_mut() {
            report.read += 1;
        }
        let place = record.place.clone();
        let other = Refusal { place: place.clone(), reason: Reason::OtherRecord };
        match record.client.clone() {
            None => {
                if let Err(refusal) = record.outcome {
                    self.refuse(file, &refusal);
                }
            }
            Some(bsn) => match self.clients.insert(*bsn.reveal(), Seen::Refused) {
                None => {
                    self.order.push(*bsn.reveal());
                    match self.map(record, &bsn) {
                        Ok((fields, statement)) => {
                            let key = *bsn.reveal();
                            let statement = Box::new(statement);
                            self.clients.insert(key, Seen::Mapped { file, place, fields, statement, bsn });
                        }
                        Err(refusal) => self.refuse(file, &refusal),
                    }
                }
                Some(Seen::Refused) => self.refuse(file, &other),
                Some(Seen::Mapped { file: first, place, .. }) => {
                    self.refuse(first, &Refusal { place, reason: Reason::OtherRecord });
                    self.refuse(file, &other);
                }
            },
        }
        (self.tell)(Event::Read(self.read));
    }

    fn not_carried(&mut self, field: &str, why: NotCarried) {
        if let Some(report) = self.files.last_mut() {
            report.not_carried(field, why);
        }
    }
}

/// Whether a part of a path is a name as programs give it, and says nothing that must not be told.
fn is_plain(part: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    part.len() <= 64 && part.bytes().all(plain) && guard(part, Expected::FreeText).is_none()
}

/// What an import came to.
#[derive(Debug)]
pub struct Imported {
    files: Vec<FileReport>,
    pub(super) held: Held,
}

impl Imported {
    /// What became of each file.
    #[must_use]
    pub fn files(&self) -> &[FileReport] {
        &self.files
    }

    /// Whether every record of every file was mapped.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.files.iter().all(FileReport::is_clean)
    }

    /// How many clients the statements are about, those that were held included.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.held.len()
    }

    /// Prints the statements as a source reads them.
    ///
    /// # Errors
    /// If they cannot be printed.
    pub fn print(&self, to: &mut impl io::Write) -> io::Result<()> {
        self.held.print(to)
    }

    /// Writes the statements.
    ///
    /// # Errors
    /// If they cannot be written; then the file is as it was.
    pub fn write(&self, into: &Path) -> io::Result<()> {
        self.held.write(into)
    }
}
