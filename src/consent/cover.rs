//! What beats what: a refusal or a withdrawal beats every earlier grant that it covers, whoever recorded it, and also one
//! that is recorded later though it was signed before.

use super::{
    grantor::GrantorKind,
    status::{EventKind, GrantState},
};
use crate::{
    catalogue::Mask,
    domain::{Day, FormId, GrantId, Oin, Purpose, Role, SubjectId},
};

/// A grant as it stands: what decides about it, and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Grant.
    pub id: GrantId,
    /// Its form.
    pub form: FormId,
    /// Client.
    pub subject: SubjectId,
    /// Who recorded it.
    pub recorder: Oin,
    /// Who receives.
    pub recipient: Oin,
    /// In which role.
    pub role: Role,
    /// For which purpose.
    pub purpose: Purpose,
    /// Who discloses.
    pub source: Oin,
    /// Who gave it.
    pub given_by: GrantorKind,
    /// Day on which it was signed.
    pub signed_on: Day,
    /// The grant that it renews.
    pub renews: Option<GrantId>,
    /// Period, events and uses.
    pub state: GrantState,
}

/// Which of a client's grants something covers. `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Those that this organisation recorded, or is the source of.
    pub owner: Option<Oin>,
    /// Those for this recipient.
    pub recipient: Option<Oin>,
    /// Those for this purpose.
    pub purpose: Option<Purpose>,
    /// Those from this source.
    pub source: Option<Oin>,
    /// Those that a parent or guardian gave, and no others.
    pub parental: bool,
}

/// That a client said no (weigering, doorhaling, intrekking): to what, as of which day, and what it does to a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What it covers.
    pub scope: Scope,
    /// Day on which it was said. Grants signed earlier are covered; on the same day, what is recorded later holds.
    pub day: Day,
    /// What happens to them: [`EventKind::Refused`], [`EventKind::Withdrawn`] or [`EventKind::Struck`].
    pub kind: EventKind,
    /// For [`EventKind::Struck`]: which fields.
    pub fields: Mask,
}

impl Scope {
    /// Whether it covers a grant.
    #[must_use]
    pub fn covers(&self, grant: &Standing) -> bool {
        self.owner.is_none_or(|owner| grant.recorder == owner || grant.source == owner)
            && self.recipient.is_none_or(|recipient| grant.recipient == recipient)
            && self.purpose.as_ref().is_none_or(|purpose| grant.purpose == *purpose)
            && self.source.is_none_or(|source| grant.source == source)
            && (!self.parental || grant.given_by.is_parental())
    }
}

impl Stop {
    /// What it does to a grant that is there when it is said; `None` for one that it leaves alone.
    #[must_use]
    pub fn on_earlier(&self, grant: &Standing) -> Option<(EventKind, Mask)> {
        (self.scope.covers(grant) && grant.signed_on <= self.day).then(|| self.effect(grant)).flatten()
    }

    /// What it does to a grant that is recorded after it was said.
    #[must_use]
    pub fn on_later(&self, grant: &Standing) -> Option<(EventKind, Mask)> {
        (self.scope.covers(grant) && grant.signed_on < self.day).then(|| self.effect(grant)).flatten()
    }

    fn effect(&self, grant: &Standing) -> Option<(EventKind, Mask)> {
        if self.kind != EventKind::Struck {
            return Some((self.kind, Mask::EMPTY));
        }
        let struck = self.fields.and(grant.state.fields);
        (!struck.is_empty()).then_some((EventKind::Struck, struck))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{catalogue::from_codes, domain::Timestamp};

    const OINS: [&str; 3] = ["00000099000000001000", "00000099000000002000", "00000099000000003000"];

    fn oin(n: usize) -> Oin {
        OINS[n % OINS.len()].parse().unwrap()
    }

    fn day(n: u8) -> Day {
        time::macros::date!(2026 - 11 - 01) + time::Duration::days(n.into())
    }

    fn grant(recorder: usize, recipient: usize, source: usize, signed: u8, parental: bool) -> Standing {
        let at = Timestamp::from_millis;
        Standing {
            id: GrantId::random(),
            form: FormId::random(),
            subject: SubjectId::random(),
            recorder: oin(recorder),
            recipient: oin(recipient),
            role: "gem.klantmanager".parse().unwrap(),
            purpose: "REINTEGRATION".parse().unwrap(),
            source: oin(source),
            given_by: if parental { GrantorKind::Parent } else { GrantorKind::Client },
            signed_on: day(signed),
            renews: None,
            state: GrantState::new(at(0), at(100), from_codes(&["WT-01", "WT-02"]).unwrap()),
        }
    }

    proptest! {
        /// Each restriction that a scope has must hold, and no other.
        #[test]
        fn a_scope_covers_what_meets_all_its_restrictions(
            recorder in 0_usize..3, recipient in 0_usize..3, source in 0_usize..3, signed in 0_u8..10, parental: bool,
            owner in proptest::option::of(0_usize..3), to in proptest::option::of(0_usize..3),
            from in proptest::option::of(0_usize..3), only_parental: bool, said in 0_u8..10,
        ) {
            let grant = grant(recorder, recipient, source, signed, parental);
            let scope = Scope {
                owner: owner.map(oin), recipient: to.map(oin), source: from.map(oin), purpose: None,
                parental: only_parental,
            };
            let covers = owner.is_none_or(|owner| owner == recorder || owner == source)
                && to.is_none_or(|to| to == recipient)
                && from.is_none_or(|from| from == source)
                && (parental || !only_parental);
            prop_assert_eq!(scope.covers(&grant), covers);
            let stop = Stop { scope, day: day(said), kind: EventKind::Refused, fields: Mask::EMPTY };
            prop_assert_eq!(stop.on_earlier(&grant).is_some(), covers && signed <= said);
            prop_assert_eq!(stop.on_later(&grant).is_some(), covers && signed < said);
        }
    }

    #[test]
    fn a_strike_takes_what_is_there_and_no_more() {
        let grant = grant(0, 1, 2, 1, false);
        let strike = |codes: &[&str]| Stop {
            scope: Scope::default(),
            day: day(2),
            kind: EventKind::Struck,
            fields: from_codes(codes).unwrap(),
        };
        let only = from_codes(&["WT-02"]).unwrap();
        assert_eq!(strike(&["WT-02", "VW-04"]).on_earlier(&grant), Some((EventKind::Struck, only)));
        assert_eq!(strike(&["VW-04"]).on_earlier(&grant), None);
    }
}
