//! The werkzoekendeprofiel of VUM: a JSON list of profiles, one in memory at a time. A profile names its client by the
//! key of the source's own system; which BSN that is, the source says in a file of keys that it keeps.

mod composite;
mod node;
mod schema;
mod walk;

use std::{
    cell::Cell,
    fmt,
    io::{self, Read},
};

use serde::de::{Deserializer as _, SeqAccess, Visitor};

use self::{node::Node, schema::CLIENT};
use super::{
    fault::{Place, Reason, Refusal},
    guard::{Expected, guard},
    keys::Keys,
    record::{Intake, Record},
};
use crate::domain::Bsn;

/// Bytes of the largest profile that is read, with what is read ahead.
const LARGEST: usize = 1024 * 1024;

/// A reader that gives no more than one profile may have, until it is told of the next one.
struct Bounded<'a, R> {
    reader: R,
    left: &'a Cell<usize>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left.set(self.left.get().checked_sub(read).ok_or(io::ErrorKind::FileTooLarge)?);
        Ok(read)
    }
}

/// Reads a list of profiles to its end.
pub(super) fn read<R: Read>(
    mut reader: R,
    keys: &Keys,
    intake: &mut dyn Intake,
) -> io::Result<Result<(), Refusal>> {
    let mut start = [0; 3];
    let mut got = 0;
    while let Some(rest) = start.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest)? {
            0 => break,
            more => got += more,
        }
    }
    let start = start.get(..got).unwrap_or_default();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let left = Cell::new(LARGEST);
    let bounded = Bounded { reader: start.chain(reader), left: &left };
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::new(bounded));
    let mut profiles = Profiles { keys, intake, left: &left, number: 0 };
    let read = json.deserialize_seq(&mut profiles).and_then(|()| json.end());
    let place = |line: usize| Some(u64::try_from(line).unwrap_or(u64::MAX));
    match read {
        Ok(()) => Ok(Ok(())),
        Err(fault) if left.get() == 0 || fault.io_error_kind() == Some(io::ErrorKind::FileTooLarge) => {
            Ok(Err(Refusal::of_file(place(fault.line()), None, Reason::TooLong)))
        }
        Err(fault) if fault.is_io() => Err(fault.into()),
        Err(fault) => Ok(Err(Refusal::of_file(place(fault.line()), None, Reason::NotAList))),
    }
}

struct Profiles<'a> {
    keys: &'a Keys,
    intake: &'a mut dyn Intake,
    left: &'a Cell<usize>,
    number: u64,
}

impl<'de> Visitor<'de> for &mut Profiles<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of profiles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(profile) = items.next_element::<Node>()? {
            self.left.set(LARGEST);
            self.number += 1;
            self.profile(&profile);
        }
        Ok(())
    }
}

impl Profiles<'_> {
    fn profile(&mut self, profile: &Node) {
        let place = |field| Place { record: self.number, line: None, field };
        let refusal = |(field, reason)| Refusal { place: place(Some(field)), reason };
        let client = client(profile, self.keys).map_err(|reason| (format!("$.{CLIENT}"), reason));
        // The rest is looked at as well: it may hold what must not enter.
        let draft = walk::map(profile, self.intake);
        let (client, outcome) = match (client, draft) {
            (Ok(client), draft) => (Some(client), draft.map_err(refusal)),
            (Err((_, Reason::NoClient)), Err(fault)) => (None, Err(refusal(fault))),
            (Err(fault), _) => (None, Err(refusal(fault))),
        };
        self.intake.record(Record { place: place(None), client, outcome });
    }
}

fn client(profile: &Node, keys: &Keys) -> Result<Bsn, Reason> {
    let Node::Object(entries) = profile else { return Err(Reason::NoClient) };
    let id = entries.iter().find(|(name, _)| name == CLIENT).map(|(_, id)| id);
    let Some(Node::Text(id)) = id.filter(|id| !matches!(id, Node::Text(id) if id.is_empty())) else {
        return Err(Reason::NoClient);
    };
    if let Some(detector) = guard(id, Expected::Key) {
        return Err(Reason::Detected(detector));
    }
    keys.bsn(id).ok_or(Reason::NoKey)
}
