//! What an organisation may ask: its roles, the purposes they get something for, and how much at most.

use super::{Exchange, admission};
use crate::{
    catalogue,
    domain::{Oin, Refusal},
    proto,
};

impl Exchange {
    /// Rows of role and purpose for this organisation, sorted. Touches nothing about any client.
    ///
    /// # Errors
    /// If it is not admitted as requester.
    pub fn purposes_of(&self, caller: Oin) -> Result<Vec<proto::PermittedPurpose>, Refusal> {
        let rules = self.rules.load();
        let today = self.clock.now().day();
        let organisation = admission::admit_requester(&rules.register, caller)?;
        let mut rows = Vec::new();
        for held in &organisation.roles {
            if held.until.is_some_and(|until| until < today) {
                continue;
            }
            for purpose in rules.policies.purposes().filter(|purpose| purpose.active) {
                let Ok(sources) = admission::agreed_sources(&rules.register, caller, &purpose.purpose, today)
                else {
                    continue;
                };
                let ceiling = admission::ceiling(&rules.policies, &sources, &purpose.purpose, held.role);
                let in_effect = rules.policies.in_effect(&purpose.purpose, held.role, today);
                if ceiling.is_empty() || !in_effect {
                    continue;
                }
                rows.push(proto::PermittedPurpose {
                    role: held.role.to_string(),
                    purpose: purpose.purpose.to_string(),
                    label_nl: purpose.label_nl.clone(),
                    ceiling: Some(prost_types::FieldMask { paths: catalogue::to_paths(ceiling) }),
                    legal_basis_receipt: purpose
                        .basis_receipt(organisation.kind)
                        .unwrap_or_default()
                        .to_owned(),
                    role_until: held.until.map(|until| until.to_string()).unwrap_or_default(),
                });
            }
        }
        Ok(rows)
    }
}
