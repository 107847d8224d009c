//! Who gives the consent: the client, or who may decide for him (vertegenwoordiging; BW 1:245, 1:378, 1:450, 7:465).
//!
//! A client of 16 or older decides himself. Under 16 a parent or guardian with authority does. For an adult who cannot, a
//! curator, mentor or an authorised representative does, as far and as long as the appointment goes.

use serde_json::{Value, json};

use super::{form::sha256_text, reader::Reader};
use crate::domain::{
    Day,
    refusal::{Refusal, RefusalCode},
    time::parse_day,
};

use super::form::closed_list;

closed_list! {
    /// Who signed.
    GrantorKind {
        /// The client himself.
        Client = "CLIENT",
        /// A parent with authority (ouder met gezag).
        Parent = "PARENT",
        /// A guardian (voogd).
        Guardian = "GUARDIAN",
        /// A curator.
        Curator = "CURATOR",
        /// A mentor.
        Mentor = "MENTOR",
        /// Who the client authorised in writing (schriftelijk gemachtigde).
        AuthorisedRepresentative = "AUTHORISED_REPRESENTATIVE",
    }
}

closed_list! {
    /// How old the client was when it was signed.
    ClientAge {
        /// Under 16.
        Under16 = "UNDER_16",
        /// 16 or 17.
        From16 = "FROM_16",
        /// 18 or older.
        Adult = "ADULT",
    }
}

impl GrantorKind {
    /// Whether it ends once the client decides for himself.
    #[must_use]
    pub const fn is_parental(self) -> bool {
        matches!(self, Self::Parent | Self::Guardian)
    }

    /// Whether somebody else signed for the client.
    #[must_use]
    pub const fn is_representative(self) -> bool {
        !matches!(self, Self::Client)
    }

    const fn may_sign_for(self, age: ClientAge) -> bool {
        match age {
            ClientAge::Under16 => self.is_parental(),
            ClientAge::From16 => matches!(self, Self::Client),
            ClientAge::Adult => !self.is_parental(),
        }
    }
}

/// The written proof that somebody may decide for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// SHA-256 of the kept proof: a court's decision, an extract of the register of authority, an authorisation.
    pub sha256: [u8; 32],
    /// First day.
    pub from: Day,
    /// First day on which it no longer holds, if it ends.
    pub until: Option<Day>,
}

/// Who gave the consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grantor {
    /// Who signed.
    pub kind: GrantorKind,
    /// How old the client was.
    pub client_age: ClientAge,
    /// What a representative's right to do so rests on.
    pub authority: Option<Authority>,
}

impl Grantor {
    pub(super) fn parse(form: &mut Reader) -> Result<Self, Refusal> {
        use RefusalCode::FormGrantorInvalid as Invalid;
        let mut grantor = form.object("grantor", Invalid)?;
        let kind = grantor.parsed("kind", Invalid, GrantorKind::parse)?;
        let client_age = grantor.parsed("client_age", Invalid, ClientAge::parse)?;
        let authority = if kind.is_representative() {
            let sha256 = grantor.parsed("evidence_sha256", Invalid, sha256_text)?;
            let from = grantor.parsed("from", Invalid, parse_day)?;
            let until =
                if grantor.has("until") { Some(grantor.parsed("until", Invalid, parse_day)?) } else { None };
            Some(Authority { sha256, from, until })
        } else {
            None
        };
        grantor.finish()?;
        Ok(Self { kind, client_age, authority })
    }

    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({ "kind": self.kind.as_str(), "client_age": self.client_age.as_str() });
        if let (Some(authority), Some(json)) = (&self.authority, json.as_object_mut()) {
            json.insert("evidence_sha256".into(), hex::encode(authority.sha256).into());
            json.insert("from".into(), authority.from.to_string().into());
            if let Some(until) = authority.until {
                json.insert("until".into(), until.to_string().into());
            }
        }
        json
    }

    /// Whether he who signed on this day could.
    ///
    /// # Errors
    /// Names the field, and who could.
    pub fn check(&self, signed_on: Day) -> Result<(), Refusal> {
        let at = |name: &str, text: &str| {
            Err(Refusal::at(RefusalCode::FormGrantorInvalid, format!("form.grantor.{name}"), text))
        };
        if !self.kind.may_sign_for(self.client_age) {
            return at(
                "kind",
                match self.client_age {
                    ClientAge::Under16 => {
                        "must be PARENT or GUARDIAN: a client under 16 cannot consent himself"
                    }
                    ClientAge::From16 => "must be CLIENT: from 16 on a client consents himself",
                    ClientAge::Adult => {
                        "must be CLIENT, CURATOR, MENTOR or AUTHORISED_REPRESENTATIVE: a parent's or guardian's \
                         authority ends at 18"
                    }
                },
            );
        }
        let Some(authority) = &self.authority else { return Ok(()) };
        if authority.from > signed_on {
            return at("from", "must not be after the signature");
        }
        if authority.until.is_some_and(|until| until <= signed_on) {
            return at("until", "must be after the signature");
        }
        Ok(())
    }

    /// The first day on which a grant by this grantor can no longer be in force, if his authority ends.
    #[must_use]
    pub fn last_day(&self) -> Option<Day> {
        self.authority.as_ref().and_then(|authority| authority.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_sign_goes_by_age() {
        use ClientAge::{Adult, From16, Under16};
        use GrantorKind::{AuthorisedRepresentative, Client, Curator, Guardian, Mentor, Parent};
        for (age, may) in [
            (Under16, vec![Parent, Guardian]),
            (From16, vec![Client]),
            (Adult, vec![Client, Curator, Mentor, AuthorisedRepresentative]),
        ] {
            for kind in [Client, Parent, Guardian, Curator, Mentor, AuthorisedRepresentative] {
                let grantor = Grantor { kind, client_age: age, authority: None };
                let day = time::macros::date!(2026 - 11 - 27);
                assert_eq!(grantor.check(day).is_ok(), may.contains(&kind), "{kind:?} for {age:?}");
            }
        }
    }

    #[test]
    fn an_authority_holds_from_its_first_day_to_its_last() {
        let day = |n| time::macros::date!(2026 - 11 - 01) + time::Duration::days(n);
        let grantor = |until| Grantor {
            kind: GrantorKind::Mentor,
            client_age: ClientAge::Adult,
            authority: Some(Authority { sha256: [0; 32], from: day(5), until }),
        };
        assert!(grantor(None).check(day(4)).is_err());
        assert!(grantor(None).check(day(5)).is_ok());
        assert!(grantor(Some(day(7))).check(day(6)).is_ok());
        assert!(grantor(Some(day(7))).check(day(7)).is_err());
    }
}
