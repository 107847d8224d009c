//! An extract of Model Werk of the GGM (Gemeentelijk Gegevensmodel) as a table: a column `bsn`, and columns named
//! `Entiteit.attribuut`. Lines about one client stand together; what a join repeats may be repeated.

pub(super) mod terms;

use self::terms::{Term, term};
use super::{
    draft::{Draft, Words, bare, date_of},
    fault::Reason,
    guard::{Expected, guard},
    record::{Intake, NotCarried},
    table::{BSN, Format, Header, unnamed},
};
use crate::{
    catalogue::{Field, Form},
    domain::time::parse_day,
    proto,
};

/// Reads the lines of an extract.
#[derive(Debug, Default)]
pub(super) struct Ggm {
    /// What each column holds; of the client's number and of unknown ones, nothing.
    terms: Vec<Option<(String, Term)>>,
}

impl Format for Ggm {
    const NEEDED: &'static [&'static str] = &[BSN];

    fn is_known(column: &str) -> bool {
        column == BSN || term(column).is_some()
    }

    fn header(&mut self, header: &Header) {
        self.terms = header.columns().iter().map(|column| term(column)).collect();
    }

    fn line(
        &self,
        header: &Header,
        cells: &[String],
        draft: &mut Draft,
        intake: &mut dyn Intake,
    ) -> Result<(), (String, Reason)> {
        for (at, (column, cell)) in header.columns().iter().zip(cells).enumerate() {
            if column == BSN {
                continue;
            }
            let (name, said) = match self.terms.get(at) {
                Some(Some((name, term))) => (name.clone(), put(cell, *term, name, draft, intake)),
                _ => (
                    unnamed(at),
                    checked(cell, Expected::FreeText).and_then(|cell| match cell {
                        "" => Ok(()),
                        _ => Err(Reason::Unknown),
                    }),
                ),
            };
            said.map_err(|reason| (name, reason))?;
        }
        Ok(())
    }
}

fn checked(cell: &str, expected: Expected) -> Result<&str, Reason> {
    guard(cell, expected).map_or(Ok(cell), |detector| Err(Reason::Detected(detector)))
}

/// Takes a cell of a known column. An empty one, and the GGM's own `Leeg`, say nothing.
fn put(cell: &str, term: Term, name: &str, draft: &mut Draft, intake: &mut dyn Intake) -> Result<(), Reason> {
    let expected = match term {
        Term::LeftOut(NotCarried::Contact) => Expected::Contact,
        Term::LeftOut(_) | Term::Never(_) => Expected::FreeText,
        _ => Expected::Code,
    };
    let cell = checked(cell, expected)?;
    if cell.is_empty() || bare(cell) == "leeg" {
        return Ok(());
    }
    match term {
        Term::Field(field) if bare(cell) == "onbekend" && says_nothing_of_unknown(field) => Ok(()),
        Term::Field(field) => draft.put(field, cell, Words::Labels).map(drop),
        Term::Placed => placed(cell, draft),
        Term::Start => day(cell, |period| &mut period.start, draft),
        Term::ExpectedEnd => day(cell, |period| &mut period.expected_end, draft),
        Term::Never(code) => Err(Reason::NeverCarried(code)),
        Term::LeftOut(why) => {
            intake.not_carried(name, why);
            Ok(())
        }
    }
}

/// `Onbekend` of a plain yes or no is what the catalogue says by saying nothing.
fn says_nothing_of_unknown(field: Field) -> bool {
    matches!(field.entry().form, Form::YesNo) || field == Field::Rg01
}

fn placed(cell: &str, draft: &mut Draft) -> Result<(), Reason> {
    let placed = match bare(cell).as_str() {
        "ja" => true,
        "nee" => false,
        "onbekend" => return Ok(()),
        _ => return Err(Reason::NotACode),
    };
    let trajectory = draft.composite.trajectory.get_or_insert_default();
    let before = trajectory.placement.replace(proto::Placement { placed: Some(placed), on: None });
    if before.is_none_or(|before| before.placed == Some(placed)) { Ok(()) } else { Err(Reason::Twice) }
}

fn day(
    cell: &str,
    of: impl FnOnce(&mut proto::Period) -> &mut Option<proto::Date>,
    draft: &mut Draft,
) -> Result<(), Reason> {
    let day = date_of(parse_day(cell).map_err(|_| Reason::NotADay)?);
    let trajectory = draft.composite.trajectory.get_or_insert_default();
    let before = of(trajectory.period.get_or_insert_default()).replace(day);
    if before.is_none_or(|before| before == day) { Ok(()) } else { Err(Reason::Twice) }
}
