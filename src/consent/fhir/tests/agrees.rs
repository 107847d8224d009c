//! What FHIR brings in and what a form can say are the same closed lists.

use serde_json::json;

use super::*;
use crate::consent::{
    draft::FormDraft,
    form::{Alternative, Context, Language, MediaType, Method, ReadingLevel, WithdrawalWay},
    grantor::{ClientAge, GrantorKind},
};

#[test]
fn the_draft_of_the_example_is_one_that_can_be_signed() {
    FormDraft::parse(&draft().to_string()).unwrap();
}

fn goes_through(pointer: &str, code: &str) {
    let mut own = draft();
    set(&mut own, pointer, json!(code));
    FormDraft::parse(&own.to_string()).unwrap();
    let (bundle, report) = export_draft(&own).unwrap_or_else(|fault| panic!("{code}: {fault}"));
    assert!(report.lines.is_empty(), "{code}");
    assert_eq!(import(&bundle).unwrap_or_else(|fault| panic!("{code}: {fault}")).0, own, "{code}");
}

#[test]
fn every_code_of_a_form_goes_out_and_comes_in() {
    for context in Context::ALL {
        goes_through("/collection/context", context.as_str());
    }
    for method in Method::ALL {
        goes_through("/collection/method", method.as_str());
    }
    for alternative in Alternative::ALL {
        goes_through("/collection/alternative", alternative.as_str());
    }
    for media_type in MediaType::ALL {
        goes_through("/media_type", media_type.as_str());
    }
    for language in Language::ALL {
        goes_through("/explanation/language", language.as_str());
    }
    for level in ReadingLevel::ALL {
        goes_through("/explanation/reading_level", level.as_str());
    }
    for way in WithdrawalWay::ALL {
        goes_through("/collection/withdrawal/0", way.as_str());
    }
    for age in ClientAge::ALL {
        goes_through("/grantor/client_age", age.as_str());
    }
    for kind in GrantorKind::ALL.iter().filter(|kind| kind.is_representative()) {
        let mut own = draft();
        let proof = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        let grantor = json!({
            "kind": kind.as_str(), "client_age": "ADULT", "evidence_sha256": proof, "from": "2026-01-01",
        });
        set(&mut own, "/grantor", grantor);
        let (bundle, _) = export_draft(&own).unwrap();
        assert_eq!(import(&bundle).unwrap().0, own, "{}", kind.as_str());
    }
}
