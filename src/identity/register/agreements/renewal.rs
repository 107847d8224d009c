//! Which agreement takes over from which (R19): the old one ends on the first day of the new one, without a call refused
//! between them.

use super::{Draft, Item, RegisterFaults, read::FILE};
use crate::domain::Day;

/// For each agreement the first day of the one that renews it.
pub(super) fn resolve(drafts: &[Draft], faults: &mut RegisterFaults) -> Vec<Option<Day>> {
    let mut renewed: Vec<Option<(Day, &str)>> = vec![None; drafts.len()];
    for draft in drafts {
        let Some(renews) = &draft.terms.renews else { continue };
        let mut item = Item::new(FILE, &draft.name, faults);
        let found = drafts.iter().zip(&mut renewed).find(|(old, _)| old.terms.id == *renews);
        let Some((old, renewed)) = found else {
            // If it is there and has a fault of its own, that is the one to mend.
            item.must(draft.renews_known, format_args!("renews `{renews}`, which is not in the file"));
            continue;
        };
        let (new, old) = (&draft.terms, &old.terms);
        item.must(
            (old.source, old.requester) == (new.source, new.requester),
            format_args!("renews `{renews}`, which has another source or requester"),
        );
        item.must(
            !goes_round(drafts, draft),
            format_args!("renews `{renews}`, and is renewed by it in the end"),
        );
        item.must(
            old.starts < new.starts,
            format_args!("renews `{renews}`, and must start after `{renews}` has started"),
        );
        match renewed {
            Some((_, other)) => item.fault(format_args!("renews `{renews}`, and so does `{other}`")),
            None => *renewed = Some((new.starts, &new.id)),
        }
    }
    renewed.into_iter().map(|renewed| renewed.map(|(day, _)| day)).collect()
}

/// Whether following the renewals leads back to where they began.
fn goes_round(drafts: &[Draft], from: &Draft) -> bool {
    let mut at = from;
    // As many steps as there are agreements reach every one of them.
    for _ in drafts {
        let older = at.terms.renews.as_ref().and_then(|id| drafts.iter().find(|old| old.terms.id == *id));
        match older {
            None => return false,
            Some(older) if older.terms.id == from.terms.id => return true,
            Some(older) => at = older,
        }
    }
    false
}
