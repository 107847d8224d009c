//! The facts that a decision rests on, each decided elsewhere and told as yes or no.

use std::collections::BTreeMap;

/// What holds for one question (R14). The default is that nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// The rule for this purpose and role is effective, and its review date has not passed (R19, R38).
    pub policy_in_effect: bool,
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
    pub const NAMES: [&str; 7] = [
        "policy_in_effect",
        "recipient_admitted",
        "role_held",
        "source_admitted",
        "agreement_active",
        "consent_in_force",
        "source_confirmed",
    ];

    /// What a fact says when it holds, in Dutch.
    #[must_use]
    pub fn label_nl(name: &str) -> Option<&'static str> {
        Some(match name {
            "policy_in_effect" => "de regel geldt nu",
            "recipient_admitted" => "de ontvanger is toegelaten",
            "role_held" => "de ontvanger heeft deze rol",
            "source_admitted" => "de bron is toegelaten",
            "agreement_active" => "er geldt een convenant",
            "consent_in_force" => "er geldt een toestemming",
            "source_confirmed" => "de bron heeft de toestemming bevestigd",
            _ => return None,
        })
    }

    /// What a fact says when it holds, in English.
    #[must_use]
    pub fn label_en(name: &str) -> Option<&'static str> {
        Some(match name {
            "policy_in_effect" => "the rule is in effect",
            "recipient_admitted" => "the recipient is admitted",
            "role_held" => "the recipient holds this role",
            "source_admitted" => "the source is admitted",
            "agreement_active" => "an agreement is active",
            "consent_in_force" => "a consent is in force",
            "source_confirmed" => "the source has confirmed the consent",
            _ => return None,
        })
    }

    /// Every fact holds. For ceilings and test cases only: a question about a client states what was found.
    pub(super) const ALL: Self = Self {
        policy_in_effect: true,
        recipient_admitted: true,
        role_held: true,
        source_admitted: true,
        agreement_active: true,
        consent_in_force: true,
        source_confirmed: true,
    };

    /// Each fact with its name.
    #[must_use]
    pub fn named(self) -> [(&'static str, bool); 7] {
        // Taken apart by name, so that a new fact does not compile until it stands here too.
        let Self {
            policy_in_effect,
            recipient_admitted,
            role_held,
            source_admitted,
            agreement_active,
            consent_in_force,
            source_confirmed,
        } = self;
        let [policy, recipient, role, source, agreement, consent, confirmed] = Self::NAMES;
        [
            (policy, policy_in_effect),
            (recipient, recipient_admitted),
            (role, role_held),
            (source, source_admitted),
            (agreement, agreement_active),
            (consent, consent_in_force),
            (confirmed, source_confirmed),
        ]
    }

    /// From each fact by its name, and nothing else.
    #[must_use]
    pub fn from_named(named: &BTreeMap<String, bool>) -> Option<Self> {
        if named.len() != Self::NAMES.len() {
            return None;
        }
        Self::NAMES.into_iter().try_fold(Self::ALL, |facts, name| match named.get(name)? {
            true => Some(facts),
            false => facts.without(name),
        })
    }

    /// Whether every fact holds.
    #[must_use]
    pub fn all_hold(self) -> bool {
        self.named().iter().all(|(_, holds)| *holds)
    }

    /// The same without the named fact; `None` if there is no such fact.
    pub(super) fn without(mut self, name: &str) -> Option<Self> {
        let fact = match name {
            "policy_in_effect" => &mut self.policy_in_effect,
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
            assert!(Facts::label_nl(name).is_some() && Facts::label_en(name).is_some(), "{name}");
        }
        assert_eq!(Facts::ALL.without("weather_fine"), None);
    }

    #[test]
    fn facts_come_back_by_their_names() {
        for facts in [Facts::ALL, Facts::default(), Facts { role_held: true, ..Facts::default() }] {
            let mut named: BTreeMap<_, _> =
                facts.named().into_iter().map(|(name, holds)| (name.to_owned(), holds)).collect();
            assert_eq!(Facts::from_named(&named), Some(facts));
            named.insert("weather_fine".to_owned(), true);
            assert_eq!(Facts::from_named(&named), None);
            named.remove("role_held");
            assert_eq!(Facts::from_named(&named), None);
        }
    }
}
