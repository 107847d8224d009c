//! Every grant is verified at every use: that this gateway countersigned it as it stands, and that what decides is what was
//! signed. A database that somebody has written into gives itself away here.

use crate::{
    consent::{Countersigner, Grant, Standing},
    storage::StoredGrant,
};

/// Whether the columns that decide say what the signed grant says. Its state may have fewer fields, and never more.
fn agrees(signed: &Grant, standing: &Standing) -> bool {
    let state = &standing.state;
    signed.id == standing.id
        && signed.form == standing.form
        && signed.recorder == standing.recorder
        && signed.recipient == standing.recipient
        && signed.role == standing.role
        && signed.purpose == standing.purpose
        && signed.source == standing.source
        && signed.given_by == standing.given_by
        && signed.signed_on == standing.signed_on
        && signed.renews == standing.renews
        && signed.starts() == state.starts
        && signed.ends() == state.ends
        && signed.uses == state.limit
        && state.fields == signed.fields.minus(state.struck)
}

/// Whether a grant may be used.
pub(super) fn is_verified(grant: &StoredGrant, countersigner: &Countersigner) -> bool {
    match countersigner.verify(&grant.countersignature, &grant.jws) {
        Ok(signed) if agrees(&signed, &grant.standing) => {
            // One that was not signed freely is used only with the recorder's signed word that it was confirmed since.
            signed.context.is_free() || !grant.standing.state.free || grant.reconfirmation.is_some()
        }
        Ok(_) => {
            tracing::error!("a stored grant is not what was signed; it is not used");
            false
        }
        Err(fault) => {
            tracing::error!(%fault, "a stored grant does not verify; it is not used");
            false
        }
    }
}
