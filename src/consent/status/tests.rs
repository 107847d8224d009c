//! The state machine against a model of its own: plain facts about the history, looked up anew for each question.

use proptest::prelude::*;

use super::*;
use crate::catalogue::{Field, from_codes};

const DAY: i64 = 24 * 3_600_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn fields() -> Mask {
    from_codes(&["WT-01", "WT-02", "VW-04"]).unwrap()
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Event(EventKind),
    SourcePause(bool),
    Release(u8),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let kinds =
        EventKind::ALL.iter().copied().filter(|kind| *kind != EventKind::Recorded).collect::<Vec<_>>();
    prop_oneof![
        4 => proptest::sample::select(kinds).prop_map(Step::Event),
        // So that a grant comes into force often enough for the rest to be about something.
        3 => Just(Step::Event(EventKind::Confirmed)),
        1 => any::<bool>().prop_map(Step::SourcePause),
        4 => (1_u8..8).prop_map(Step::Release),
        2 => (0_i64..40 * 60_000).prop_map(Step::Wait),
        1 => (0_i64..20 * DAY).prop_map(Step::Wait),
    ]
}

/// Some of the three fields, by the bits of a number.
fn some(bits: u8) -> Mask {
    let all: Vec<Field> = fields().iter().collect();
    all.into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0).map(|(_, field)| field).collect()
}

/// What is remembered of a grant, in the words of the rules and not of the program.
struct Model {
    free: bool,
    limit: Option<u32>,
    history: Vec<(EventKind, i64, Mask)>,
    source_paused: bool,
    uses: Vec<(i64, Mask)>,
}

impl Model {
    fn last(&self, one: EventKind, other: EventKind) -> bool {
        let last = self.history.iter().rev().find(|(kind, ..)| *kind == one || *kind == other);
        last.is_some_and(|(kind, ..)| *kind == one)
    }

    fn has(&self, kind: EventKind) -> bool {
        self.history.iter().any(|(known, ..)| *known == kind)
    }

    fn left(&self) -> Mask {
        let struck = self.history.iter().filter(|(kind, ..)| *kind == EventKind::Struck);
        struck.fold(fields(), |left, (.., fields)| left.minus(*fields))
    }

    /// May these fields be released now? And does it count?
    fn may(&self, asked: Mask, now: i64) -> Option<bool> {
        let over = self.history.iter().any(|(kind, ..)| kind.ends());
        let waits = !self.has(EventKind::Confirmed)
            || !(self.free || self.has(EventKind::Reconfirmed))
            || self.last(EventKind::Paused, EventKind::Resumed)
            || self.last(EventKind::PausedBySource, EventKind::ResumedBySource)
            || self.source_paused;
        let within = (10 * DAY..40 * DAY).contains(&now);
        if over || waits || !within || asked.is_empty() || !asked.is_subset_of(self.left()) {
            return None;
        }
        let Some(limit) = self.limit else { return Some(false) };
        let repeats = self
            .uses
            .last()
            .is_some_and(|(time, fields)| now - time < REPEAT_MILLIS && asked.is_subset_of(*fields));
        if repeats { Some(false) } else { (self.uses.len() < limit as usize).then_some(true) }
    }
}

proptest! {
    /// Whatever happens in whatever order, the machine releases exactly when the rules say so, and counts as they say.
    #[test]
    fn p01_the_machine_does_what_the_rules_say(
        free: bool,
        limit in proptest::option::of(1_u32..4),
        steps in proptest::collection::vec(step(), 0..40),
    ) {
        let mut state = GrantState { free, limit, ..GrantState::new(at(10 * DAY), at(40 * DAY), fields()) };
        let mut model = Model { free, limit, history: Vec::new(), source_paused: false, uses: Vec::new() };
        let mut now = 9 * DAY;
        for (position, step) in (0..).zip(steps) {
            match step {
                Step::Wait(millis) => now += millis,
                Step::SourcePause(paused) => {
                    state.source_paused = paused;
                    model.source_paused = paused;
                }
                Step::Event(kind) => {
                    let struck = if kind == EventKind::Struck { some(2) } else { Mask::EMPTY };
                    let before = state;
                    let event = Event { kind, time: at(now), position, fields: struck };
                    match state.would_change(kind, at(now)) {
                        Some(true) => {
                            state.apply(&event);
                            model.history.push((kind, now, struck));
                        }
                        Some(false) => {
                            // Repeating it is harmless: nothing would be different with it.
                            let mut again = before;
                            again.apply(&event);
                            prop_assert_eq!(again.at(at(now)), before.at(at(now)));
                        }
                        None => prop_assert!(before.end.is_some() || now >= 40 * DAY),
                    }
                }
                Step::Release(bits) => {
                    let asked = some(bits);
                    let counts = state.counts(asked, at(now));
                    prop_assert_eq!(counts.map(|counts| counts == Counts::Once), model.may(asked, now));
                    if counts == Some(Counts::Once) {
                        state.count(asked, at(now));
                        model.uses.push((now, asked));
                    }
                }
            }
            // In force is exactly where everything left may be released, and something counts or need not.
            let in_force = state.at(at(now)) == Status::InForce;
            let used_up = limit.is_some_and(|limit| model.uses.len() >= limit as usize);
            prop_assert_eq!(in_force, model.may(model.left(), now).is_some() && !used_up);
            prop_assert_eq!(in_force, state.at(at(now)).reason().is_none());
        }
    }

    /// Nothing that is over comes back, whatever is said afterwards.
    #[test]
    fn what_is_over_stays_over(
        end in proptest::sample::select(vec![EventKind::Renewed, EventKind::Refused, EventKind::Withdrawn, EventKind::Invalidated]),
        after in proptest::collection::vec(step(), 0..20),
    ) {
        let mut state = GrantState::new(at(0), at(40 * DAY), fields());
        let event = |kind| Event { kind, time: at(5), position: 1, fields: Mask::EMPTY };
        state.apply(&event(EventKind::Confirmed));
        state.apply(&event(end));
        for step in after {
            if let Step::Event(kind) = step {
                state.apply(&event(kind));
            }
            prop_assert_eq!(state.releasable(at(10)), Mask::EMPTY);
            prop_assert!(state.end >= Some(end), "a weaker word does not replace a stronger one");
        }
    }
}

#[test]
fn a_lost_answer_may_be_asked_again_for_a_quarter_of_an_hour() {
    let mut state =
        GrantState { limit: Some(1), confirmed: true, ..GrantState::new(at(0), at(40 * DAY), fields()) };
    assert_eq!(state.counts(some(3), at(10)), Some(Counts::Once));
    state.count(some(3), at(10));
    assert_eq!(state.at(at(11)), Status::UsedUp);
    assert_eq!(state.counts(some(1), at(10 + REPEAT_MILLIS - 1)), Some(Counts::Repeat));
    assert_eq!(state.counts(some(1), at(10 + REPEAT_MILLIS)), None);
    assert_eq!(state.counts(some(7), at(11)), None, "more than before is another use");
    let mut withdrawn = state;
    withdrawn.apply(&Event { kind: EventKind::Withdrawn, time: at(12), position: 1, fields: Mask::EMPTY });
    assert_eq!(withdrawn.counts(some(1), at(13)), None, "a withdrawal beats the repeat");
}

#[test]
fn an_end_is_told_without_its_cause_and_a_renewal_is_none() {
    let event = |kind, time| Event { kind, time: at(time), position: 1, fields: Mask::EMPTY };
    let state = GrantState { confirmed: true, ..GrantState::new(at(0), at(10), fields()) };
    assert_eq!(state.ended(at(9)), None);
    assert_eq!(state.ended(at(10)), Some(at(10)));
    let mut withdrawn = state;
    withdrawn.apply(&event(EventKind::Withdrawn, 5));
    assert_eq!(withdrawn.ended(at(20)), Some(at(5)));
    let mut renewed = state;
    renewed.apply(&event(EventKind::Renewed, 5));
    assert_eq!(renewed.ended(at(20)), None);
    let mut used = GrantState { limit: Some(1), ..state };
    used.count(fields(), at(3));
    assert_eq!(used.ended(at(4)), Some(at(3)));
}
