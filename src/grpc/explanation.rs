//! Explanations as messages.

use crate::{catalogue, policy::Explanation, proto};

pub(super) fn message(explanation: &Explanation) -> proto::DecisionExplanation {
    let fields = explanation.fields.iter().map(|(because, fields)| proto::ExplainedFields {
        codes: catalogue::codes(*fields).into_iter().map(str::to_owned).collect(),
        because: because.code().to_owned(),
        by: because.by(),
    });
    proto::DecisionExplanation {
        source: explanation.source.to_string(),
        agreements: explanation.agreements.clone(),
        facts: explanation.facts.named().into_iter().map(|(name, holds)| (name.to_owned(), holds)).collect(),
        fields: fields.collect(),
        basis_disclosure: explanation.basis_disclosure.clone(),
        basis_receipt: explanation.basis_receipt.clone(),
        text_nl: explanation.nl(),
    }
}
