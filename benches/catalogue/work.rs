//! What is measured.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use prost::Message as _;
use sluis::{
    catalogue::{self, CheckedStatement, Mask, example},
    domain::Day,
    proto::WorkCapacity,
};

use super::Fault;

/// Operations in a slice.
const SLICE: u32 = 512;

/// One operation, over and over.
pub struct Task {
    /// What it is.
    pub name: &'static str,
    /// The task that it is held against.
    pub beside: Option<&'static str>,
    /// Does a slice of it: how long that took, and how many operations it was.
    pub slice: Box<dyn Fn() -> (Duration, u32)>,
}

fn task<I, O>(
    name: &'static str,
    beside: Option<&'static str>,
    input: impl Fn() -> I + 'static,
    work: impl Fn(I) -> O + 'static,
) -> Task {
    let slice = move || {
        let inputs: Vec<I> = (0..SLICE).map(|_| input()).collect();
        let begun = Instant::now();
        for input in inputs {
            black_box(work(black_box(input)));
        }
        (begun.elapsed(), SLICE)
    };
    Task { name, beside, slice: Box::new(slice) }
}

/// What a statement goes through.
#[derive(Clone)]
struct Case {
    message: WorkCapacity,
    wire: Vec<u8>,
    mask: Mask,
    today: Day,
}

impl Case {
    fn new(mask: Mask) -> Result<Self, Fault> {
        let today = time::macros::date!(2026 - 11 - 27);
        let message = CheckedStatement::new(example::full(3), today)?.build(mask);
        if mask.is_empty() || CheckedStatement::new(message.clone(), today)?.present() != mask {
            return Err("the example does not hold what is asked".into());
        }
        Ok(Self { wire: message.encode_to_vec(), message, mask, today })
    }

    /// As an answer that leaves.
    fn through(&self, message: WorkCapacity) -> Vec<u8> {
        let checked = CheckedStatement::new(message, self.today);
        checked.map(|checked| checked.build(self.mask).encode_to_vec()).unwrap_or_default()
    }

    /// As the gateway does it: narrowed to what was asked of the source, then built up and checked again as it leaves.
    fn twice(&self, message: WorkCapacity) -> Vec<u8> {
        let checked = CheckedStatement::new(message, self.today).map(|checked| checked.narrowed(self.mask));
        let leaving = checked.and_then(|checked| checked.release(self.mask, self.today));
        leaving.map(|(message, _)| message.encode_to_vec()).unwrap_or_default()
    }

    /// The tasks, by name: encode; check and the rest; the gateway's way; check alone; recode; recode and check.
    fn tasks(self, names: [&'static str; 6]) -> [Task; 6] {
        let [encode, through, twice, check, recode, recode_through] = names;
        let message = || {
            let message = self.message.clone();
            move || message.clone()
        };
        let wire = || {
            let wire = self.wire.clone();
            move || wire.clone()
        };
        let case = || self.clone();
        let read = |wire: Vec<u8>| WorkCapacity::decode(wire.as_slice()).unwrap_or_default();
        let (one, two, three, four) = (case(), case(), case(), case());
        [
            task(encode, None, message(), |message| message.encode_to_vec()),
            task(through, Some(encode), message(), move |message| one.through(message)),
            task(twice, Some(encode), message(), move |message| two.twice(message)),
            task(check, Some(encode), message(), move |message| CheckedStatement::new(message, three.today)),
            task(recode, None, wire(), move |wire| read(wire).encode_to_vec()),
            task(recode_through, Some(recode), wire(), move |wire| four.through(read(wire))),
        ]
    }
}

/// Every `step`th field of the catalogue, at most so many.
fn some(step: usize, most: usize) -> Mask {
    Mask::all().iter().step_by(step).take(most).collect()
}

/// All of them.
pub fn tasks() -> Result<Vec<Task>, Fault> {
    let full = Case::new(Mask::all())?.tasks([
        "full: encode",
        "full: check, mask, encode",
        "full: check, narrow, mask, check, encode",
        "full: check",
        "full: decode, encode",
        "full: decode, check, mask, encode",
    ]);
    let typical = Case::new(some(Mask::all().len() / 10, 10))?.tasks([
        "10 fields: encode",
        "10 fields: check, mask, encode",
        "10 fields: check, narrow, mask, check, encode",
        "10 fields: check",
        "10 fields: decode, encode",
        "10 fields: decode, check, mask, encode",
    ]);
    let granted = some(3, 40);
    let codes = catalogue::codes(granted);
    if codes.len() != 40 {
        return Err("the catalogue is too small".into());
    }
    let grant = [
        task("40 fields: codes of a grant to a mask", None, || (), move |()| catalogue::from_codes(&codes)),
        task("40 fields: mask to paths", None, move || granted, catalogue::to_paths),
    ];
    Ok(full.into_iter().chain(typical).chain(grant).collect())
}
