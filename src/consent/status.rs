//! The life of a grant: a state machine over what happened to it. Its status is derived from the events, its uses and the
//! time, and is stored nowhere, so it cannot disagree with them.
//!
//! ```text
//! recorded ─▶ confirmed ─▶ (reconfirmed) ─▶ in force ◀─▶ paused
//!      └────────────┴────────────┴──────────────┴─────────┴──▶ renewed, refused, withdrawn, invalidated: for good
//! ```

use crate::{
    catalogue::Mask,
    domain::{Reason, Timestamp},
};

/// For how long after a use that counted the same may be asked again without counting: the answer may have been lost.
pub const REPEAT_MILLIS: i64 = 15 * 60_000;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $text:literal,)*) => {
        /// What happened to a grant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $($(#[$doc])* $kind,)* }

        impl EventKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name in the store and in the log.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// The event of this name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// Recorded with its form (vastgelegd).
    Recorded = "recorded",
    /// Confirmed by its source; implied where recorder and source are one (bevestigd).
    Confirmed = "confirmed",
    /// Confirmed by the client where he was free, after he had signed where he was not (R13).
    Reconfirmed = "reconfirmed",
    /// Paused by its recorder (gepauzeerd).
    Paused = "paused",
    /// Its recorder's pause was lifted (hervat).
    Resumed = "resumed",
    /// Paused by its source.
    PausedBySource = "source_paused",
    /// Its source's pause was lifted.
    ResumedBySource = "source_resumed",
    /// A later form of the client strikes some of its fields out (doorgehaald).
    Struck = "struck",
    /// Replaced by a renewal (verlengd).
    Renewed = "renewed",
    /// A later form of the client refuses it, or he decides for himself now (geweigerd).
    Refused = "refused",
    /// Withdrawn (ingetrokken).
    Withdrawn = "withdrawn",
    /// Should never have been recorded (ongeldig verklaard).
    Invalidated = "invalidated",
}

impl EventKind {
    /// Whether the grant is over after it.
    #[must_use]
    pub const fn ends(self) -> bool {
        matches!(self, Self::Renewed | Self::Refused | Self::Withdrawn | Self::Invalidated)
    }
}

/// Something that happened to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// When.
    pub time: Timestamp,
    /// Position of its entry in the log.
    pub position: u64,
    /// Which fields, for [`EventKind::Struck`].
    pub fields: Mask,
}

/// A use that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// When.
    pub time: Timestamp,
    /// What was released.
    pub fields: Mask,
}

/// What the status is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantState {
    /// First moment at which it is in force.
    pub starts: Timestamp,
    /// First moment at which it is no longer in force.
    pub ends: Timestamp,
    /// Granted fields, without those that were struck out later.
    pub fields: Mask,
    /// Fields that were struck out later.
    pub struck: Mask,
    /// Whether the client was free when he signed, or has reconfirmed since (R13).
    pub free: bool,
    /// Whether its source confirmed it.
    pub confirmed: bool,
    /// Whether its recorder paused it.
    pub paused: bool,
    /// Whether its source paused it.
    pub paused_by_source: bool,
    /// Whether its source paused everything of its own.
    pub source_paused: bool,
    /// How often it may be used; `None` is as often as needed.
    pub limit: Option<u32>,
    /// How often it was used, where that is counted.
    pub used: u32,
    /// The last use that counted.
    pub last_use: Option<Use>,
    /// How it ended, if it did: the strongest of what was said.
    pub end: Option<EventKind>,
    /// When the first of these was said.
    pub ended_at: Option<Timestamp>,
}

/// Status of a grant at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Recorded, not confirmed.
    Recorded,
    /// Signed where the client was not free, and not reconfirmed.
    NotReconfirmed,
    /// Paused by its recorder or its source.
    Paused,
    /// Its period has not begun.
    NotYetInForce,
    /// In force.
    InForce,
    /// Used as often as the client allowed.
    UsedUp,
    /// Its period has ended.
    Expired,
    /// Replaced by its renewal.
    Renewed,
    /// Refused by a later form of the client.
    Refused,
    /// Withdrawn.
    Withdrawn,
    /// Should never have been recorded.
    Invalidated,
}

/// How a release under a grant counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// The grant may be used as often as needed.
    Unlimited,
    /// As one more use.
    Once,
    /// Not: the same was released a moment ago, and may have been lost.
    Repeat,
}

impl GrantState {
    /// The state of a grant to which nothing has happened yet.
    #[must_use]
    pub const fn new(starts: Timestamp, ends: Timestamp, fields: Mask) -> Self {
        Self {
            starts,
            ends,
            fields,
            struck: Mask::EMPTY,
            free: true,
            confirmed: false,
            paused: false,
            paused_by_source: false,
            source_paused: false,
            limit: None,
            used: 0,
            last_use: None,
            end: None,
            ended_at: None,
        }
    }

    /// The state after an event.
    pub fn apply(&mut self, event: &Event) {
        match event.kind {
            EventKind::Recorded => {}
            EventKind::Confirmed => self.confirmed = true,
            EventKind::Reconfirmed => self.free = true,
            EventKind::Paused => self.paused = true,
            EventKind::Resumed => self.paused = false,
            EventKind::PausedBySource => self.paused_by_source = true,
            EventKind::ResumedBySource => self.paused_by_source = false,
            EventKind::Struck => {
                self.struck = self.struck.or(event.fields);
                self.fields = self.fields.minus(event.fields);
            }
            EventKind::Renewed | EventKind::Refused | EventKind::Withdrawn | EventKind::Invalidated => {
                // The kinds stand in the order of what beats what.
                self.end = self.end.max(Some(event.kind));
                self.ended_at = self.ended_at.or(Some(event.time));
            }
        }
    }

    /// Whether nothing can be released under it any more, now or later.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.end.is_some() || now >= self.ends
    }

    /// Whether an event would change anything; `None` if it can no longer happen, since the grant is over.
    #[must_use]
    pub fn would_change(&self, event: EventKind, now: Timestamp) -> Option<bool> {
        let over = self.is_over(now);
        match event {
            EventKind::Recorded => Some(false),
            EventKind::Confirmed if self.confirmed => Some(false),
            EventKind::Reconfirmed if self.free => Some(false),
            EventKind::Confirmed | EventKind::Reconfirmed | EventKind::Struck => (!over).then_some(true),
            EventKind::Paused => (!over).then_some(!self.paused),
            EventKind::Resumed => (!over).then_some(self.paused),
            EventKind::PausedBySource => (!over).then_some(!self.paused_by_source),
            EventKind::ResumedBySource => (!over).then_some(self.paused_by_source),
            EventKind::Renewed => (!over).then_some(true),
            // Saying it of one that is over is harmless; saying the stronger word of one that was withdrawn is not idle.
            EventKind::Refused | EventKind::Withdrawn => Some(self.end.is_none_or(|end| end < event)),
            EventKind::Invalidated => Some(self.end != Some(EventKind::Invalidated)),
        }
    }

    /// The status at this moment. What the client or a party said beats the calendar; the end of the period beats what is
    /// missing; what is missing beats a start to come.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Status {
        match self.end {
            Some(EventKind::Invalidated) => return Status::Invalidated,
            Some(EventKind::Withdrawn) => return Status::Withdrawn,
            Some(EventKind::Refused) => return Status::Refused,
            Some(_) => return Status::Renewed,
            None => {}
        }
        if self.fields.is_empty() {
            Status::Refused
        } else if now >= self.ends {
            Status::Expired
        } else if self.limit.is_some_and(|limit| self.used >= limit) {
            Status::UsedUp
        } else {
            self.waiting(now).unwrap_or(Status::InForce)
        }
    }

    /// What keeps a grant that is not over from being in force.
    fn waiting(&self, now: Timestamp) -> Option<Status> {
        if !self.confirmed {
            Some(Status::Recorded)
        } else if !self.free {
            Some(Status::NotReconfirmed)
        } else if self.paused || self.paused_by_source || self.source_paused {
            Some(Status::Paused)
        } else if now < self.starts {
            Some(Status::NotYetInForce)
        } else {
            None
        }
    }

    /// The fields that may be released under it at this moment. One that is used up gives, for a quarter of an hour, what
    /// it gave last.
    #[must_use]
    pub fn releasable(&self, now: Timestamp) -> Mask {
        match (self.at(now), self.last_use) {
            (Status::InForce, _) => self.fields,
            (Status::UsedUp, Some(last)) if self.waiting(now).is_none() && last.may_repeat(now) => {
                self.fields.and(last.fields)
            }
            _ => Mask::EMPTY,
        }
    }

    /// How releasing these fields now counts; `None` if they may not be released.
    #[must_use]
    pub fn counts(&self, fields: Mask, now: Timestamp) -> Option<Counts> {
        if fields.is_empty() || !fields.is_subset_of(self.releasable(now)) {
            return None;
        }
        let repeats = |last: Use| last.may_repeat(now) && fields.is_subset_of(last.fields);
        Some(match self.limit {
            None => Counts::Unlimited,
            Some(_) if self.last_use.is_some_and(repeats) => Counts::Repeat,
            Some(_) => Counts::Once,
        })
    }

    /// Counts a use.
    pub const fn count(&mut self, fields: Mask, time: Timestamp) {
        self.used = self.used.saturating_add(1);
        self.last_use = Some(Use { time, fields });
    }

    /// When it ended, if it has by this moment, whatever the cause: what a recipient is told of, without the cause (R12).
    /// A renewed one has not: its renewal goes on.
    #[must_use]
    pub fn ended(&self, now: Timestamp) -> Option<Timestamp> {
        let said = self.ended_at.filter(|_| self.end != Some(EventKind::Renewed));
        let used_up = self.limit.is_some_and(|limit| self.used >= limit);
        let used_up = self.last_use.filter(|_| used_up).map(|last| last.time);
        let expired = (self.end != Some(EventKind::Renewed)).then_some(self.ends).filter(|end| *end <= now);
        [said, used_up, expired].into_iter().flatten().min()
    }
}

impl Use {
    fn may_repeat(self, now: Timestamp) -> bool {
        now.millis() < self.time.millis() + REPEAT_MILLIS
    }
}

impl Status {
    /// Why nothing is released under it; `None` if it is in force.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::InForce => None,
            Self::Recorded => Some(Reason::NotConfirmed),
            Self::NotReconfirmed => Some(Reason::NotReconfirmed),
            Self::Paused => Some(Reason::Paused),
            Self::NotYetInForce => Some(Reason::NotYetInForce),
            Self::UsedUp => Some(Reason::UsedUp),
            Self::Expired => Some(Reason::Expired),
            Self::Renewed => Some(Reason::Renewed),
            Self::Refused => Some(Reason::Refused),
            Self::Withdrawn => Some(Reason::Withdrawn),
            Self::Invalidated => Some(Reason::Invalidated),
        }
    }
}

#[cfg(test)]
mod tests;
