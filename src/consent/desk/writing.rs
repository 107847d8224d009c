//! The letter for the client: who may ask what, for what, until when, and how to stop it.

use super::{ConsentDesk, view::ConsentView};
use crate::{
    consent::{
        Grant,
        form::Refused,
        letter::{Item, Language, Letter, Party, Refused as RefusedItem},
    },
    domain::{FormId, Oin, Purpose, Refusal, RefusalCode, Role},
    rules::Rules,
};

impl ConsentDesk {
    /// The letter that goes with a form.
    ///
    /// # Errors
    /// If it is not a form of the caller's, or the log cannot be written.
    pub async fn letter(&self, caller: Oin, id: FormId, language: Language) -> Result<Letter, Refusal> {
        let view = self.form(caller, id).await?;
        if view.form.recorder != caller {
            return Err(RefusalCode::ConsentNotFound.into());
        }
        let rules = self.rules.load();
        Ok(letter(&view, &rules, language))
    }
}

fn letter(view: &ConsentView, rules: &Rules, language: Language) -> Letter {
    let form = &view.form;
    let writing = Writing { rules, language };
    Letter {
        language,
        form: form.id,
        signed_on: form.evidence.signed_on,
        recorded_on: view.recorded_at.day(),
        recorder: writing.party(&form.recorder),
        by_representative: form.grantor.kind.is_representative(),
        withdrawal: form.collection.withdrawal.clone(),
        items: view
            .grants
            .iter()
            .map(|view| writing.item(&view.grant, !form.collection.context.is_free()))
            .collect(),
        refused: form.refusals.iter().map(|refused| writing.refused(refused)).collect(),
        log_position: view.position,
        evidence_sha256: hex::encode(form.evidence.sha256),
    }
}

/// Looks up names in the register and the policies.
struct Writing<'a> {
    rules: &'a Rules,
    language: Language,
}

impl Writing<'_> {
    /// A party by its name in the register. One that no longer takes part is named by its number.
    fn party(&self, oin: &Oin) -> Party {
        self.rules.register.organisation(oin).map_or_else(
            || Party {
                name: oin.to_string(),
                contact_role: String::new(),
                contact_phone: String::new(),
                complaint: String::new(),
            },
            |organisation| Party {
                name: organisation.name.clone(),
                contact_role: organisation.contact.role.clone(),
                contact_phone: organisation.contact.phone.clone(),
                complaint: organisation.complaint.clone(),
            },
        )
    }

    fn purpose(&self, purpose: &Purpose) -> String {
        let entry = self.rules.policies.purpose(purpose);
        let label = entry.map(|entry| match self.language {
            Language::Nl => entry.label_nl.clone(),
            Language::En => entry.label_en.clone(),
        });
        label.unwrap_or_else(|| purpose.to_string())
    }

    const fn role(&self, role: Role) -> &'static str {
        match self.language {
            Language::Nl => role.label_nl(),
            Language::En => role.label_en(),
        }
    }

    fn item(&self, grant: &Grant, needs_reconfirmation: bool) -> Item {
        Item {
            recipient: self.party(&grant.recipient),
            role_label: self.role(grant.role).to_owned(),
            purpose_label: self.purpose(&grant.purpose),
            source: self.party(&grant.source),
            fields: grant.fields,
            excluded: grant.excluded,
            from: grant.valid_from,
            until: grant.valid_until,
            uses: grant.uses,
            needs_reconfirmation,
        }
    }

    fn refused(&self, refused: &Refused) -> RefusedItem {
        RefusedItem {
            recipient: self.party(&refused.recipient),
            purpose_label: self.purpose(&refused.purpose),
            source: self.party(&refused.source),
        }
    }
}
