//! The facts that a decision rests on, each decided elsewhere and told as yes or no.

/// What holds for one question (R14). The default is that nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// The asking organisation is among the participants, as requester.
    pub recipient_admitted: bool,
    /// It was admitted to the role it asks in, and the role has not ended (R32).
    pub role_held: bool,
    /// The source is among the participants, as source.
    pub source_admitted: bool,
    /// An agreement (convenant) between the two covers the purpose, not ended and not past its review date (R17, R19).
    pub agreement_active: bool,
    /// Written consent names this recipient, role, purpose and source, and is in force now (R05).
    pub consent_in_force: bool,
    /// The source has confirmed that consent.
    pub source_confirmed: bool,
}

impl Facts {
    /// Names of the facts, as policies and test cases write them.
    pub const NAMES: [&str; 6] = [
        "recipient_admitted",
        "role_held",
        "source_admitted",
        "agreement_active",
        "consent_in_force",
        "source_confirmed",
    ];

    /// Every fact holds. For ceilings and test cases only: a question about a client states what was found.
    pub(super) const ALL: Self = Self {
        recipient_admitted: true,
        role_held: true,
        source_admitted: true,
        agreement_active: true,
        consent_in_force: true,
        source_confirmed: true,
    };

    /// Each fact with its name.
    #[must_use]
    pub fn named(self) -> [(&'static str, bool); 6] {
        // Taken apart by name, so that a new fact does not compile until it stands here too.
        let Self {
            recipient_admitted,
            role_held,
            source_admitted,
            agreement_active,
            consent_in_force,
            source_confirmed,
        } = self;
        let [recipient, role, source, agreement, consent, confirmed] = Self::NAMES;
        [
            (recipient, recipient_admitted),
            (role, role_held),
            (source, source_admitted),
            (agreement, agreement_active),
            (consent, consent_in_force),
            (confirmed, source_confirmed),
        ]
    }

    /// Whether every fact holds.
    #[must_use]
    pub fn all_hold(self) -> bool {
        self.named().iter().all(|(_, holds)| *holds)
    }

    /// The same without the named fact; `None` if there is no such fact.
    pub(super) fn without(mut self, name: &str) -> Option<Self> {
        let fact = match name {
            "recipient_admitted" => &mut self.recipient_admitted,
            "role_held" => &mut self.role_held,
            "source_admitted" => &mut self.source_admitted,
            "agreement_active" => &mut self.agreement_active,
            "consent_in_force" => &mut self.consent_in_force,
            "source_confirmed" => &mut self.source_confirmed,
            _ => return None,
        };
        *fact = false;
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_its_own_name() {
        assert!(Facts::ALL.all_hold());
        assert!(!Facts::default().all_hold());
        for name in Facts::NAMES {
            let facts = Facts::ALL.without(name).unwrap();
            let missing: Vec<_> = facts.named().into_iter().filter(|(_, holds)| !holds).collect();
            assert_eq!(missing, [(name, false)]);
        }
        assert_eq!(Facts::ALL.without("weather_fine"), None);
    }
}
