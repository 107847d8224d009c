//! A grant that may be used so often is used so often: asking again for what may have been lost does not count.

use serde_json::{Value, json};
use sluis::{consent::status::REPEAT_MILLIS, domain::Clock as _, proto::GrantStatus};

use super::{GUIDANCE, INTENSITY, ask, draft, record, region, shown};
use crate::{
    lab::Lab,
    promises::{BY_KADE, COACH, Given, bsn},
};

fn counted(bsn: &str, given: &Given<'_>, uses: u32) -> Value {
    let mut draft = draft(bsn, &[*given]);
    draft["grants"][0]["uses"] = json!(uses);
    draft
}

async fn used(lab: &Lab, form: &str) -> (u32, GrantStatus) {
    let grant = &shown(lab, "kade", form).await.grants[0];
    (grant.used, grant.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_use_is_one_answer_and_its_repetition_within_a_quarter_of_an_hour() {
    const USED_UP: (u32, GrantStatus) = (1, GrantStatus::UsedUp);
    let (lab, clock) = region(1).await;
    let client = bsn(0);
    let given = Given { fields: &["VW-02", "VW-04", "VW-05"], ..BY_KADE };
    let form = record(&lab, "kade", &counted(&client, &given, 1)).await.unwrap().form_id;
    assert_eq!(used(&lab, &form).await, (0, GrantStatus::InForce));
    assert_eq!(ask(&lab, &client, &[COACH, GUIDANCE]).await.0, [GUIDANCE, COACH], "the one use");
    assert_eq!(used(&lab, &form).await, USED_UP);

    let nothing = (Vec::new(), "USED_UP".to_owned());
    assert_eq!(ask(&lab, &client, &[INTENSITY]).await, nothing, "another question gets nothing");
    clock.set(clock.now().plus_millis(REPEAT_MILLIS - 60_000));
    assert_eq!(ask(&lab, &client, &[COACH, GUIDANCE]).await.0, [GUIDANCE, COACH], "the same again");
    assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH], "a part of it again");
    assert_eq!(ask(&lab, &client, &[COACH, INTENSITY]).await.0, [COACH], "and nothing beside it");
    assert_eq!(used(&lab, &form).await, USED_UP, "a repetition is not counted");

    clock.set(clock.now().plus_millis(60_000));
    assert_eq!(ask(&lab, &client, &[COACH, GUIDANCE]).await, nothing, "after a quarter of an hour");
    clock.set(clock.now().plus_millis(3_600_000));
    assert_eq!(ask(&lab, &client, &[COACH]).await, nothing, "an hour later, though it was repeated since");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_uses_are_counted_one_by_one() {
    let (lab, clock) = region(3).await;
    let client = bsn(0);
    let given = Given { fields: &["VW-02", "VW-04"], ..BY_KADE };
    let form = record(&lab, "kade", &counted(&client, &given, 2)).await.unwrap().form_id;
    assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH]);
    assert_eq!(used(&lab, &form).await, (1, GrantStatus::InForce));
    assert_eq!(ask(&lab, &client, &[GUIDANCE]).await.0, [GUIDANCE], "another question is another use");
    assert_eq!(used(&lab, &form).await, (2, GrantStatus::UsedUp));
    clock.set(clock.now().plus_millis(REPEAT_MILLIS));
    assert_eq!(ask(&lab, &client, &[GUIDANCE]).await, (Vec::new(), "USED_UP".to_owned()));

    // After a quarter of an hour the same question counts again.
    let client = bsn(1);
    let form = record(&lab, "kade", &counted(&client, &given, 2)).await.unwrap().form_id;
    for uses in 1..=2 {
        assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH], "use {uses}");
        assert_eq!(used(&lab, &form).await.0, uses);
        clock.set(clock.now().plus_millis(REPEAT_MILLIS));
    }
    assert!(ask(&lab, &client, &[COACH]).await.0.is_empty(), "a third time");

    // What is not counted is used first, and an answer of nothing is no use.
    let client = bsn(2);
    let form = record(&lab, "kade", &counted(&client, &given, 1)).await.unwrap().form_id;
    BY_KADE.give(&lab, &client).await;
    assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH], "another grant gives it as well");
    assert!(ask(&lab, &client, &[INTENSITY]).await.0.is_empty());
    assert_eq!(used(&lab, &form).await, (0, GrantStatus::InForce), "so it is not used up");
    lab.world.stop().await;
}

/// Many ask at once: one of them is answered, or several that ask the same.
#[tokio::test(flavor = "multi_thread")]
async fn one_use_is_not_given_to_two_questions_at_once() {
    let (lab, _) = region(1).await;
    let client = bsn(0);
    let given = Given { fields: &["VW-02", "VW-04", "VW-05"], ..BY_KADE };
    let form = record(&lab, "kade", &counted(&client, &given, 1)).await.unwrap().form_id;
    let (one, two, three) = tokio::join!(
        ask(&lab, &client, &[COACH]),
        ask(&lab, &client, &[GUIDANCE]),
        ask(&lab, &client, &[INTENSITY])
    );
    let answered = [one, two, three].into_iter().filter(|(released, _)| !released.is_empty()).count();
    assert_eq!(answered, 1, "three different questions, one use");
    assert_eq!(used(&lab, &form).await, (1, GrantStatus::UsedUp));
    lab.world.stop().await;
}
