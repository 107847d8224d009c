//! What the desk gives, as messages.

use crate::{
    catalogue::{self, Mask},
    consent::{
        Event, Form, Status as GrantStatus,
        desk::{ConsentView, GrantView, Notice, NoticeKind, cursor_text},
    },
    proto::{self, consent_notice},
    storage::{Expiring, StoredDisclosure},
};

fn codes(mask: Mask) -> Vec<String> {
    catalogue::codes(mask).into_iter().map(ToOwned::to_owned).collect()
}

pub(super) fn consent(view: ConsentView) -> proto::Consent {
    let Form { evidence, explanation, collection, grantor, .. } = &view.form;
    let refusal = |refused: &crate::consent::form::Refused| proto::ConsentRefusal {
        recipient: refused.recipient.to_string(),
        purpose: refused.purpose.to_string(),
        source: refused.source.to_string(),
    };
    proto::Consent {
        form_id: view.form.id.to_string(),
        recorder: view.form.recorder.to_string(),
        signed_on: evidence.signed_on.to_string(),
        evidence_sha256: hex::encode(evidence.sha256),
        recorded_at: Some(view.recorded_at.to_proto()),
        evidence: Some(proto::Evidence {
            form_number: evidence.form_number,
            form_version: evidence.form_version,
            custodian: evidence.custodian.to_string(),
            media_type: evidence.media_type.as_str().to_owned(),
            size: evidence.size,
        }),
        explanation: Some(proto::Explanation {
            text_version: explanation.text_version,
            language: explanation.language.as_str().to_owned(),
            reading_level: explanation.reading_level.as_str().to_owned(),
            explained_by: explanation.explained_by.to_string(),
            explained_on: explanation.explained_on.to_string(),
        }),
        collection: Some(proto::Collection {
            context: collection.context.as_str().to_owned(),
            method: collection.method.as_str().to_owned(),
            alternative: collection.alternative.as_str().to_owned(),
            withdrawal: collection.withdrawal.iter().map(|way| way.as_str().to_owned()).collect(),
            verified_by: collection.verified_by.to_string(),
            verified_on: collection.verified_on.to_string(),
        }),
        grantor: Some(proto::Grantor {
            kind: grantor.kind.as_str().to_owned(),
            client_age: grantor.client_age.as_str().to_owned(),
        }),
        refusals: view.form.refusals.iter().map(refusal).collect(),
        grants: view.grants.into_iter().map(grant).collect(),
    }
}

const fn status(status: GrantStatus) -> proto::GrantStatus {
    match status {
        GrantStatus::Recorded => proto::GrantStatus::Recorded,
        GrantStatus::NotReconfirmed => proto::GrantStatus::NotReconfirmed,
        GrantStatus::Paused => proto::GrantStatus::Paused,
        GrantStatus::NotYetInForce => proto::GrantStatus::NotYetInForce,
        GrantStatus::InForce => proto::GrantStatus::InForce,
        GrantStatus::UsedUp => proto::GrantStatus::UsedUp,
        GrantStatus::Expired => proto::GrantStatus::Expired,
        GrantStatus::Renewed => proto::GrantStatus::Renewed,
        GrantStatus::Refused => proto::GrantStatus::Refused,
        GrantStatus::Withdrawn => proto::GrantStatus::Withdrawn,
        GrantStatus::Invalidated => proto::GrantStatus::Invalidated,
    }
}

pub(super) fn grant(view: GrantView) -> proto::Grant {
    let GrantView { grant, countersignature, life } = view;
    let told = life.as_ref().map_or(proto::GrantStatus::Unspecified, |life| status(life.status));
    let event = |event: &Event| proto::GrantEvent {
        kind: event.kind.as_str().to_owned(),
        time: Some(event.time.to_proto()),
        log_position: event.position,
    };
    proto::Grant {
        grant_id: grant.id.to_string(),
        recipient: grant.recipient.to_string(),
        role: grant.role.to_string(),
        purpose: grant.purpose.to_string(),
        source: grant.source.to_string(),
        fields: codes(grant.fields),
        valid_from: Some(grant.starts().to_proto()),
        valid_until: Some(grant.ends().to_proto()),
        status: told.into(),
        sensitive: codes(grant.sensitive),
        excluded: codes(grant.excluded),
        uses: grant.uses.unwrap_or_default(),
        used: life.as_ref().map_or(0, |life| life.used),
        renews: grant.renews.map(|id| id.to_string()).unwrap_or_default(),
        events: life.iter().flat_map(|life| &life.events).map(event).collect(),
        countersignature,
        struck: life.as_ref().map_or_else(Vec::new, |life| codes(life.struck)),
    }
}

pub(super) fn expiring(grant: Expiring) -> proto::ExpiringGrant {
    proto::ExpiringGrant {
        form_id: grant.form.to_string(),
        grant_id: grant.grant.to_string(),
        valid_until: Some(grant.ends.to_proto()),
    }
}

pub(super) fn disclosure(left: StoredDisclosure) -> proto::DisclosureRecord {
    proto::DisclosureRecord {
        log_position: left.position,
        time: Some(left.time.to_proto()),
        grant_id: left.grant.to_string(),
        recipient: left.recipient.to_string(),
        role: left.role.to_string(),
        purpose: left.purpose.to_string(),
        fields: codes(left.fields),
    }
}

pub(super) fn notice(notice: &Notice) -> proto::ConsentNotice {
    let told = match &notice.kind {
        NoticeKind::Grant { form, grant, event, time } => consent_notice::Notice::Grant(proto::GrantNotice {
            form_id: form.to_string(),
            grant_id: grant.to_string(),
            kind: (*event).to_owned(),
            time: Some(time.to_proto()),
        }),
        NoticeKind::Ended { day, positions } => consent_notice::Notice::Ended(proto::EndedNotice {
            day: day.day().to_string(),
            log_positions: positions.clone(),
        }),
    };
    proto::ConsentNotice { cursor: cursor_text(notice.cursor), notice: Some(told) }
}
