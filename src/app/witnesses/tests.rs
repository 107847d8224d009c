//! What is due to the log, whatever else the witnesses answered.

use super::*;
use crate::domain::time::{Clock as _, SystemClock};

fn witness(name: &str) -> Witness {
    let key = CosignerKey::new(name, [1; 32]).unwrap();
    let client = WitnessClient::new("http://127.0.0.1:1/", &[]).unwrap();
    Witness { key, client, missed: 0, since: None, told: false }
}

fn missed() -> Asked {
    Asked::Missed("nobody is there".to_owned())
}

fn away() -> Asked {
    Asked::Refuted(StoreFault::Busy.into())
}

fn set_back() -> Asked {
    Asked::Refuted(WitnessFault::SetBack { by: "w2".to_owned(), known: 9, stored: 1 })
}

/// What is due: event and name.
fn told(due: &Due) -> Vec<(&str, &str)> {
    due.0.iter().map(|facts| (facts["event"].as_str().unwrap(), facts["name"].as_str().unwrap())).collect()
}

#[test]
fn what_is_due_of_one_witness_is_not_lost_to_what_another_found() {
    let (mut due, mut witnesses) = (Due::default(), [witness("w1"), witness("w2")]);
    let now = SystemClock.now();
    for _ in 0..MISSED {
        assert!(due.hear(&mut witnesses, vec![missed(), missed()], now).is_ok());
    }
    assert_eq!(told(&due), [("missed", "w1"), ("missed", "w2")]);
    // The first is back, and while the second is asked the database is away: before it and after it.
    let fault = due.hear(&mut witnesses, vec![Asked::Nothing, away()], now);
    assert!(matches!(fault, Err(WitnessFault::Store(_))));
    assert_eq!(told(&due), [("missed", "w1"), ("missed", "w2"), ("again", "w1")]);
    let fault = due.hear(&mut witnesses, vec![away(), Asked::Nothing], now);
    assert!(matches!(fault, Err(WitnessFault::Store(_))));
    assert_eq!(told(&due).last(), Some(&("again", "w2")));
}

#[test]
fn what_a_witness_knows_comes_before_a_database_that_was_away() {
    let now = SystemClock.now();
    for answers in [vec![away(), set_back()], vec![set_back(), away()]] {
        let mut witnesses = [witness("w1"), witness("w2")];
        let fault = Due::default().hear(&mut witnesses, answers, now);
        assert!(matches!(fault, Err(WitnessFault::SetBack { .. })));
    }
}
