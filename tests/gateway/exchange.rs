//! The exchange where all is in order.

use crate::lab::{Lab, question};

#[tokio::test(flavor = "multi_thread")]
async fn a_consented_question_is_answered_from_both_sources() {
    let lab = Lab::start().await;
    let recorded = lab.record_main().await;
    assert_eq!(recorded.grants.len(), 2);
    let answer = lab.ask("waterrijk", question()).await.unwrap();
    assert_eq!(answer.disclosures.len(), 2, "{answer:?}");
    assert!(answer.not_provided.unwrap().paths.is_empty());
    assert_eq!(answer.receipt.unwrap().entries.len(), 2);
    lab.world.stop().await;
}
