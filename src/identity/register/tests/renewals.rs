//! R19: agreements are carried on by renewals, or they lapse.

use proptest::prelude::*;
use time::Duration;

use super::*;

const DAYS: [&str; 3] = ["starts = 2026-01-01", "ends = 2027-12-31", "review = 2027-01-01"];

/// An agreement like the first, of this name and these days, that renews another one.
fn agreement(id: &str, [starts, ends, review]: [&str; 3], renews: Option<&str>) -> String {
    let text = AGREEMENTS
        .replace("ggz-gemeente", id)
        .replace(DAYS[0], &format!("starts = {starts}"))
        .replace(DAYS[1], &format!("ends = {ends}"))
        .replace(DAYS[2], &format!("review = {review}"));
    text + &renews.map_or_else(String::new, |renews| format!("renews = \"{renews}\"\n"))
}

fn register(texts: &[String]) -> Result<Register, RegisterFaults> {
    parse(PARTICIPANTS, &signed(PARTICIPANTS, &texts.concat()))
}

fn state(register: &Register, id: &str, on: &str) -> AgreementState {
    let agreement = register.all_agreements().iter().find(|agreement| agreement.terms.id == id).unwrap();
    agreement.state(day(on))
}

const OLD: [&str; 3] = ["2026-01-01", "2027-12-31", "2027-01-01"];

#[test]
fn r19_a_renewal_takes_over_on_its_first_day() {
    let new = agreement("new", ["2026-12-01", "2028-12-31", "2028-06-30"], Some("old"));
    let register = register(&[agreement("old", OLD, None), new]).unwrap();
    for (on, old, new) in [
        ("2026-10-31", AgreementState::Active, AgreementState::NotYet),
        // The review is near, and nobody is warned of it: what follows is signed.
        ("2026-11-30", AgreementState::Active, AgreementState::NotYet),
        ("2026-12-01", AgreementState::Renewed, AgreementState::Active),
        ("2027-01-02", AgreementState::Renewed, AgreementState::Active),
        ("2028-01-01", AgreementState::Renewed, AgreementState::Active),
        ("2028-05-01", AgreementState::Renewed, AgreementState::ReviewDue),
    ] {
        assert_eq!((state(&register, "old", on), state(&register, "new", on)), (old, new), "{on}");
    }
}

#[test]
fn r19_a_renewal_that_comes_too_late_silences_nothing() {
    for (starts, near, after) in [
        // The day after the last one still joins.
        ("2027-01-02", AgreementState::Active, AgreementState::Renewed),
        ("2027-01-03", AgreementState::ReviewDue, AgreementState::Lapsed),
    ] {
        let new = agreement("new", [starts, "2028-12-31", "2028-06-30"], Some("old"));
        let register = register(&[agreement("old", OLD, None), new]).unwrap();
        assert_eq!(state(&register, "old", "2026-12-31"), near, "{starts}");
        assert_eq!(state(&register, "old", "2027-01-02"), after, "{starts}");
        assert_eq!(state(&register, "old", "2027-01-03"), AgreementState::Renewed, "{starts}");
    }
}

#[test]
fn r19_a_renewal_is_of_the_same_parties_and_leads_nowhere_else() {
    let old = || agreement("old", OLD, None);
    let later = ["2026-12-01", "2028-12-31", "2028-06-30"];
    let other = PARTICIPANTS.replace(
        "functions = [\"requester\"]",
        "functions = [\"requester\", \"source\"]\nendpoint = { url = \"https://gem.sluis.test:7443\" }",
    );
    let other = other.replace(
        "functions = [\"source\", \"recorder\", \"officer\"]",
        "functions = [\"source\", \"requester\"]\nrole = [{ role = \"ggz.trajectbegeleider\" }]",
    );
    let turned = agreement("new", later, Some("old"))
        .replace(&format!("source = \"{GGZ}\""), "source = \"@\"")
        .replace(&format!("requester = \"{GEMEENTE}\""), &format!("requester = \"{GGZ}\""))
        .replace("source = \"@\"", &format!("source = \"{GEMEENTE}\""));
    let faults = parse(&other, &signed(&other, &(old() + &turned))).unwrap_err();
    assert!(faults.to_string().contains("renews `old`, which has another source or requester"), "{faults}");
    assert_eq!(faults.iter().count(), 1, "{faults}");

    let cases = [
        (vec![old(), agreement("new", later, Some("older"))], "renews `older`, which is not in the file"),
        (vec![agreement("new", later, Some("new"))], "renews `new`, and is renewed by it in the end"),
        (
            vec![
                agreement("a", later, Some("c")),
                agreement("b", later, Some("a")),
                agreement("c", later, Some("b")),
            ],
            "renews `c`, and is renewed by it in the end",
        ),
        (
            vec![old(), agreement("new", OLD, Some("old"))],
            "renews `old`, and must start after `old` has started",
        ),
        (
            vec![old(), agreement("b", later, Some("old")), agreement("c", later, Some("old"))],
            "renews `old`, and so does `b`",
        ),
        (vec![old(), agreement("new", later, Some("een naam"))], "`renews` must be"),
    ];
    for (texts, said) in cases {
        let faults = register(&texts).expect_err(said);
        assert!(faults.to_string().contains(said), "{faults}");
    }
    // The fault of the old one is the one to mend.
    let faulty = old().replace("JOB_COACHING", "FRAUD");
    let faults = register(&[faulty, agreement("new", later, Some("old"))]).unwrap_err();
    assert!(!faults.to_string().contains("renews"), "{faults}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A chain of renewals, day by day: each agreement goes forward through its states, a renewal that is in time leaves no
    /// day without one in force, and nothing is in force outside its own days.
    #[test]
    fn r19_every_day_of_a_chain_has_its_agreement(
        lengths in prop::collection::vec((1i64..200, 0i64..90), 1..5),
        gaps in prop::collection::vec(-40i64..10, 5),
    ) {
        let mut from = day("2026-01-01");
        let mut texts = Vec::new();
        let mut spans = Vec::new();
        for (n, (length, rest)) in lengths.iter().enumerate() {
            let review = from + Duration::days(*length);
            let ends = review + Duration::days(*rest);
            let days = [from, ends, review].map(|day| day.to_string());
            let days = [days[0].as_str(), days[1].as_str(), days[2].as_str()];
            let renews = n.checked_sub(1).map(|n| format!("a{n}"));
            texts.push(agreement(&format!("a{n}"), days, renews.as_deref()));
            spans.push((from, review, ends));
            from = (review + Duration::days(1 + gaps[n])).max(from + Duration::days(1));
        }
        let register = register(&texts).unwrap();
        let order = |state| match state {
            AgreementState::NotYet => 0,
            AgreementState::Active => 1,
            AgreementState::ReviewDue => 2,
            AgreementState::Lapsed => 3,
            AgreementState::Ended => 4,
            AgreementState::Renewed => 5,
        };
        let last = spans.iter().map(|span| span.2).max().unwrap() + Duration::days(2);
        let mut before = vec![0; spans.len()];
        let mut today = day("2025-12-30");
        while today <= last {
            let mut in_force = 0;
            for (n, agreement) in register.all_agreements().iter().enumerate() {
                let (starts, review, _) = spans[n];
                let state = agreement.state(today);
                prop_assert!(order(state) >= before[n], "{today}: a{n} went back to {state:?}");
                before[n] = order(state);
                let next = spans.get(n + 1).map(|next| next.0);
                let expected = starts <= today && today <= review && next.is_none_or(|next| today < next);
                prop_assert_eq!(state.is_in_force(), expected, "{}: a{} is {:?}", today, n, state);
                if state == AgreementState::ReviewDue {
                    prop_assert!(review - today <= Duration::days(REVIEW_WARNING_DAYS));
                    prop_assert!(next.is_none_or(|next| next > review + Duration::days(1)));
                }
                in_force += usize::from(state.is_in_force());
            }
            prop_assert!(in_force <= 1, "{today}: {in_force} of one chain");
            let covered = spans.windows(2).all(|pair| pair[1].0 <= pair[0].1 + Duration::days(1));
            if covered && spans[0].0 <= today && today <= spans[spans.len() - 1].1 {
                prop_assert_eq!(in_force, 1, "{}", today);
            }
            today += Duration::days(1);
        }
    }
}
