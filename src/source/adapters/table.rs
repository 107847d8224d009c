//! A CSV file with a header, whose lines about one client stand together and make one record.

use std::io::{self, BufRead};

use super::{
    draft::Draft,
    fault::{Place, Reason, Refusal},
    guard::{Expected, guard},
    lines::{Lines, cells},
    record::{Intake, Record},
};
use crate::domain::Bsn;

/// The column with the client's number.
pub(super) const BSN: &str = "bsn";

/// The header of a table.
#[derive(Debug)]
pub(super) struct Header {
    delimiter: char,
    columns: Vec<String>,
}

impl Header {
    /// Reads a header, which needs these columns. A name that is known says nothing beyond it.
    pub(super) fn read(
        line: &str,
        needed: &[&'static str],
        is_known: fn(&str) -> bool,
    ) -> Result<Self, (Option<usize>, Reason)> {
        let delimiter = if line.contains(';') { ';' } else { ',' };
        let columns = cells(line, delimiter).map_err(|reason| (None, reason))?;
        for (at, column) in columns.iter().enumerate() {
            if !is_known(column)
                && let Some(detector) = guard(column, Expected::Name)
            {
                return Err((Some(at), Reason::Detected(detector)));
            }
            if columns.iter().take(at).any(|earlier| earlier == column) {
                return Err((Some(at), Reason::ColumnTwice));
            }
        }
        if let Some(column) = needed.iter().find(|name| !columns.iter().any(|column| column == *name)) {
            return Err((None, Reason::NoColumn(column)));
        }
        Ok(Self { delimiter, columns })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The cells of a line, one for each column.
    pub(super) fn cells(&self, line: &str) -> Result<Vec<String>, Reason> {
        let cells = cells(line, self.delimiter)?;
        if cells.len() == self.columns.len() { Ok(cells) } else { Err(Reason::Cells) }
    }

    /// The cell of a column.
    pub(super) fn cell<'a>(&self, cells: &'a [String], column: &str) -> &'a str {
        let cell = self.columns.iter().zip(cells).find(|(name, _)| *name == column);
        cell.map_or("", |(_, cell)| cell)
    }
}

/// A column by its number from 1, where its name is not known.
pub(super) fn unnamed(at: usize) -> String {
    format!("column {}", at + 1)
}

/// What reads the lines of one format.
pub(super) trait Format {
    /// The columns it needs.
    const NEEDED: &'static [&'static str];

    /// Whether it knows a column of this name.
    fn is_known(column: &str) -> bool;

    /// Looks at the header once.
    fn header(&mut self, header: &Header);

    /// Puts what a line says into the draft of its client. A fault has the name of its column, or [`unnamed`].
    fn line(
        &self,
        header: &Header,
        cells: &[String],
        draft: &mut Draft,
        intake: &mut dyn Intake,
    ) -> Result<(), (String, Reason)>;
}

/// The record under way.
struct Open {
    client: Bsn,
    place: Place,
    draft: Draft,
    refusal: Option<Refusal>,
}

/// Reads a table to its end.
///
/// A line whose client cannot be read is refused, and with it the records that it may belong to: the one before and the
/// one after. What is left of a record with a line missing would look whole.
pub(super) fn read<R: BufRead, F: Format>(
    reader: R,
    mut format: F,
    intake: &mut dyn Intake,
) -> io::Result<Result<(), Refusal>> {
    let mut lines = Lines::new(reader);
    let header = match lines.next()? {
        None => return Ok(Err(Refusal::of_file(Some(1), None, Reason::NoColumn(BSN)))),
        Some((line, text)) => {
            match text
                .map_err(|reason| (None, reason))
                .and_then(|text| Header::read(&text, F::NEEDED, F::is_known))
            {
                Ok(header) => header,
                Err((at, reason)) => return Ok(Err(Refusal::of_file(Some(line), at.map(unnamed), reason))),
            }
        }
    };
    format.header(&header);
    let mut number = 0;
    let mut open: Option<Open> = None;
    let mut unread_before = false;
    while let Some((line, text)) = lines.next()? {
        let place = |record, field| Place { record, line: Some(line), field };
        let read =
            text.and_then(|text| header.cells(&text)).map_err(|reason| (None, reason)).and_then(|cells| {
                Ok((client(&header, &cells).map_err(|reason| (Some(BSN.to_owned()), reason))?, cells))
            });
        let (client, cells) = match read {
            Ok(read) => read,
            Err((field, reason)) => {
                number += 1;
                close(open.as_mut(), line);
                let refusal = Refusal { place: place(number, field), reason };
                // The record under way is told of once it is complete; this one at once.
                intake.record(Record { place: refusal.place.clone(), client: None, outcome: Err(refusal) });
                unread_before = true;
                continue;
            }
        };
        if open.as_ref().is_none_or(|open| open.client != client) {
            hand_over(open.take(), intake);
            number += 1;
            open = Some(Open { client, place: place(number, None), draft: Draft::default(), refusal: None });
        }
        let Some(open) = open.as_mut() else { continue };
        if std::mem::take(&mut unread_before) {
            close(Some(open), line);
        }
        let said = format.line(&header, &cells, &mut open.draft, intake);
        if let Err((field, reason)) = said {
            let place = place(open.place.record, Some(field));
            open.refusal.get_or_insert(Refusal { place, reason });
        }
    }
    hand_over(open, intake);
    Ok(Ok(()))
}

fn client(header: &Header, cells: &[String]) -> Result<Bsn, Reason> {
    let text = header.cell(cells, BSN);
    if let Some(detector) = guard(text, Expected::Bsn) {
        return Err(Reason::Detected(detector));
    }
    if text.is_empty() {
        return Err(Reason::NoClient);
    }
    Ok(Bsn::parse(text)?)
}

fn close(open: Option<&mut Open>, line: u64) {
    if let Some(open) = open {
        let place = Place { record: open.place.record, line: Some(line), field: None };
        open.refusal.get_or_insert(Refusal { place, reason: Reason::Beside });
    }
}

fn hand_over(open: Option<Open>, intake: &mut dyn Intake) {
    if let Some(Open { client, place, draft, refusal }) = open {
        intake.record(Record { place, client: Some(client), outcome: refusal.map_or(Ok(draft), Err) });
    }
}
