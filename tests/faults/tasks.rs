//! Works that can be given to the writer again exactly as they were, as a caller does who does not know what became of
//! them.

use serde_json::json;
use sluis::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
        writer::{Change, Need, Work},
    },
    catalogue,
    domain::{GrantId, PairId, random},
    storage::{Cursor, NewForm, Selection},
};

use crate::lab::{KADE, UWV, form, oin, tag};

#[derive(Clone, Debug)]
pub enum Task {
    /// An entry about nobody.
    Note(PairId),
    /// A request about the n-th client.
    Ask { pair: PairId, claim: [u8; 32], client: usize },
    /// Its outcome, which releases nothing.
    Close(PairId),
    /// Its outcome, which releases something under this grant.
    Release { pair: PairId, grant: GrantId },
    /// A form of the n-th client, confirmed at once.
    Record { pair: PairId, client: usize, form: Box<NewForm> },
    /// The client withdraws a grant.
    Withdraw { pair: PairId, grant: GrantId },
    /// A source pauses all of its own.
    Pause(PairId),
    /// A source says how far it has read.
    Acknowledge(PairId),
}

impl Task {
    pub fn note() -> Self {
        Self::Note(PairId::random())
    }

    pub fn ask(pair: PairId, client: usize) -> Self {
        Self::Ask { pair, claim: random::bytes().unwrap(), client }
    }

    /// A form with one grant by the UWV, and that grant.
    pub fn record(client: usize) -> (Self, GrantId) {
        let form = form(&[UWV]);
        let grant = form.grants[0].grant.id;
        (Self::Record { pair: PairId::random(), client, form: Box::new(form) }, grant)
    }

    pub fn withdraw(grant: GrantId) -> Self {
        Self::Withdraw { pair: PairId::random(), grant }
    }

    pub fn work(&self) -> Work {
        let entry = |pair: &PairId, kind| NewEntry { pair: *pair, ..NewEntry::of_gateway(kind, json!({})) };
        let about = |client: usize, keep, entry| NewEntry {
            subject: SubjectLink::Tag { tag: tag(client), keep },
            ..entry
        };
        match self {
            Self::Note(pair) => Work::Append(entry(pair, Kind::Access)),
            Self::Ask { pair, claim, client } => {
                let entry = about(*client, false, entry(pair, Kind::Request));
                Work::Request { entry, claim: Some(*claim) }
            }
            Self::Close(pair) => Work::Outcome { entry: entry(pair, Kind::Outcome), needs: Vec::new() },
            Self::Release { pair, grant } => {
                let fields = catalogue::from_codes(&["WT-02"]).unwrap();
                let needs = vec![Need { grant: *grant, fields, follows: None }];
                Work::Outcome { entry: entry(pair, Kind::Outcome), needs }
            }
            Self::Record { pair, client, form } => Work::Record {
                entry: about(*client, true, entry(pair, Kind::Consent)),
                form: form.as_ref().clone(),
                client: tag(*client),
                confirmed: form.grants.iter().map(|new| new.grant.id).collect(),
                stops: Vec::new(),
            },
            Self::Withdraw { pair, grant } => Work::Change {
                entry: entry(pair, Kind::Consent),
                on: Selection::Grant(*grant),
                by: oin(KADE),
                change: Change::Withdraw { everything: false },
            },
            // Another one than that of the grants.
            Self::Pause(pair) => {
                Work::PauseSource { entry: entry(pair, Kind::Consent), source: oin(KADE), paused: true }
            }
            Self::Acknowledge(pair) => {
                let cursor = Cursor { position: 1, day: 1 };
                Work::Acknowledge { entry: entry(pair, Kind::Consent), by: oin(UWV), cursor }
            }
        }
    }
}
