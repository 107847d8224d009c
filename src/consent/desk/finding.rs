//! Finding what was recorded (opzoeken). Every look is in the log before anything is shown.

use serde_json::json;

use super::{ConsentDesk, entries, unavailable, view::ConsentView};
use crate::{
    audit::entry::SubjectLink,
    domain::{Bsn, FormId, Oin, Refusal, RefusalCode},
    storage::{DisclosureFilter, Expiring, StoredDisclosure, StoredForm},
};

/// A day in milliseconds.
const DAY_MILLIS: i64 = 24 * 3_600_000;
/// Most days ahead that can be asked for.
pub const MAX_DAYS: u32 = 366;
/// Most disclosures in one answer.
pub const MAX_PAGE: u32 = 500;
/// What one outcome leaves under is at most so many grants of one source: each gives a field that no other gives.
const GRANTS_OF_ONE: u32 = 150;
/// Most grants in a list of what ends soon.
const MAX_EXPIRING: usize = 1_000;

impl ConsentDesk {
    /// A form, as the caller may see it.
    ///
    /// # Errors
    /// The same for a form that does not exist and for one that is not the caller's.
    pub async fn form(&self, caller: Oin, id: FormId) -> Result<ConsentView, Refusal> {
        let found = self.store.form(id).await.map_err(|_| unavailable())?;
        let client = json!({ "form": id });
        let subject = found.as_ref().map_or(SubjectLink::Nobody, |form| SubjectLink::Subject(form.subject));
        self.look(entries::looked(caller, "form", client, subject)).await?;
        found
            .and_then(|form| ConsentView::of(form, caller, self.clock.now()))
            .ok_or_else(|| RefusalCode::ConsentNotFound.into())
    }

    /// Forms of a client that the caller recorded.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn forms(&self, caller: Oin, bsn: &Bsn) -> Result<Vec<ConsentView>, Refusal> {
        let tag = self.keys.index.tag(bsn);
        let subject = SubjectLink::Tag { tag, keep: false };
        self.look(entries::looked(caller, "client", json!({}), subject)).await?;
        let found: Vec<StoredForm> = self.store.forms_of(&tag, caller).await.map_err(|_| unavailable())?;
        let now = self.clock.now();
        Ok(found.into_iter().filter_map(|form| ConsentView::of(form, caller, now)).collect())
    }

    /// Grants that the caller recorded and that end within so many days, soonest first. One that is over already is left
    /// out, unless the caller is its recipient: then the list must not tell (R12).
    ///
    /// # Errors
    /// If the number of days is out of range, or the store does not answer.
    pub async fn expiring(&self, caller: Oin, within_days: u32) -> Result<Vec<Expiring>, Refusal> {
        if within_days > MAX_DAYS {
            let text = format_args!("must be 1 to {MAX_DAYS}, or 0 for 60");
            return Err(Refusal::at(RefusalCode::LimitInvalid, "within_days", text));
        }
        let days = if within_days == 0 { 60 } else { i64::from(within_days) };
        self.look(entries::looked(caller, "end", json!({}), SubjectLink::Nobody)).await?;
        let now = self.clock.now();
        let until = now.plus_millis(days * DAY_MILLIS);
        let mut found = self.store.expiring(caller, now, until).await.map_err(|_| unavailable())?;
        found.retain(|grant| !grant.over || grant.recipient == caller);
        found.truncate(MAX_EXPIRING);
        Ok(found)
    }

    /// What left the calling source, newest first: all of it, or what was about one client. Gives with it what the next
    /// page is below; an outcome is never cut in two, so a page may be a little longer than asked.
    ///
    /// # Errors
    /// If the page is too large, or the store does not answer.
    pub async fn disclosures(
        &self,
        caller: Oin,
        client: Option<&Bsn>,
        limit: u32,
        below: Option<u64>,
    ) -> Result<(Vec<StoredDisclosure>, Option<u64>), Refusal> {
        if limit > MAX_PAGE {
            let text = format_args!("must be 1 to {MAX_PAGE}, or 0 for 100");
            return Err(Refusal::at(RefusalCode::LimitInvalid, "page_size", text));
        }
        let tag = client.map(|bsn| self.keys.index.tag(bsn));
        let subject = tag.map_or(SubjectLink::Nobody, |tag| SubjectLink::Tag { tag, keep: false });
        self.look(entries::looked(caller, "disclosures", json!({}), subject)).await?;
        let asked = if limit == 0 { 100 } else { limit };
        let limit = asked.saturating_add(GRANTS_OF_ONE);
        let filter = DisclosureFilter { source: Some(caller), grants: None, client: tag, below, limit };
        let mut found = self.store.disclosures(&filter).await.map_err(|_| unavailable())?;
        let last = found.get(asked as usize - 1).map(|left| left.position);
        let all = found.len();
        if let Some(last) = last {
            found.retain(|left| left.position >= last);
        }
        let next = last.filter(|_| found.len() < all);
        Ok((found, next))
    }
}
