//! There and back: every draft comes back the same, and nothing of ours is lost on the way.

use proptest::{prelude::*, sample::subsequence};
use serde_json::{Value, json};

use super::{draft, export_draft, import, r4};
use crate::{
    catalogue::{self, Mask},
    consent::fhir::terms::{
        ALTERNATIVE, CLIENT_AGE, CONTEXT, GRANTOR, LISTS, List, MEDIA_TYPE, METHOD, READING_LEVEL, WITHDRAWAL,
    },
    domain::{Role, time::parse_day},
};

fn code(list: &'static List) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(list.codes)
}

fn oin() -> impl Strategy<Value = String> {
    (0..6_u32).prop_map(|n| format!("00000099{:09}000", n + 3))
}

fn role() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(Role::ALL.to_vec()).prop_map(Role::as_str)
}

fn day() -> impl Strategy<Value = String> {
    (0..3000_i64).prop_map(day_at)
}

fn day_at(days: i64) -> String {
    (parse_day("2024-02-28").unwrap() + time::Duration::days(days)).to_string()
}

fn purpose() -> impl Strategy<Value = String> {
    "[A-Z_]{4,12}".prop_filter("never served", |text| text.parse::<crate::domain::Purpose>().is_ok())
}

prop_compose! {
    fn grant()(
        parties in (oin(), oin()), role in role(), purpose in purpose(),
        fields in subsequence(catalogue::Mask::all().iter().collect::<Vec<_>>(), 1..12),
        split in any::<[bool; 12]>(), ticks in any::<[bool; 12]>(),
        uses in proptest::option::of(1_u32..9999), renews in any::<bool>(), from in 0..3000_i64, days in 1..900_i64,
    ) -> Value {
        let mask = |keep: &dyn Fn(usize) -> bool| -> Mask {
            fields.iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, field)| *field).collect()
        };
        let granted = mask(&|at| at == 0 || split[at]);
        let ticked = mask(&|at| (at == 0 || split[at]) && ticks[at]);
        let excluded = mask(&|at| at != 0 && !split[at]);
        let mut grant = json!({
            "recipient": parties.0, "role": role, "purpose": purpose, "source": parties.1,
            "fields": catalogue::codes(granted), "valid_from": day_at(from), "valid_until": day_at(from + days),
        });
        for (name, mask) in [("sensitive", ticked), ("excluded", excluded)] {
            if !mask.is_empty() {
                grant[name] = json!(catalogue::codes(mask));
            }
        }
        if let Some(uses) = uses {
            grant["uses"] = json!(uses);
        }
        if renews {
            grant["renews"] = json!("f47ac10b-58cc-4372-a567-0e02b2c3d479");
        }
        grant
    }
}

prop_compose! {
    fn grantor()(kind in code(&GRANTOR), age in code(&CLIENT_AGE), from in 0..999_i64, until in proptest::option::of(1..999_i64)) -> Value {
        let mut grantor = json!({ "kind": kind, "client_age": age });
        if kind != "CLIENT" {
            grantor["evidence_sha256"] = json!("ab".repeat(32));
            grantor["from"] = json!(day_at(from));
            if let Some(days) = until {
                grantor["until"] = json!(day_at(from + days));
            }
        }
        grantor
    }
}

prop_compose! {
    fn any_draft()(
        bsn in proptest::sample::select(vec!["999990019", "999990032", "123456782"]),
        parties in (oin(), oin()), numbers in any::<[u16; 4]>(), days in (day(), day(), day()), media in code(&MEDIA_TYPE),
        language in "[a-z]{2,3}", explained in (code(&READING_LEVEL), role(), role()),
        signed in (code(&CONTEXT), code(&METHOD), code(&ALTERNATIVE)), ways in subsequence(WITHDRAWAL.codes, 1..=4),
        grantor in grantor(), grants in proptest::collection::vec(grant(), 0..5),
        refusals in proptest::collection::vec((oin(), purpose(), oin()), 0..4), one in grant(),
    ) -> Value {
        let n = numbers.map(|number| u32::from(number) + 1);
        let refusals: Vec<_> = refusals
            .into_iter()
            .map(|(recipient, purpose, source)| json!({ "recipient": recipient, "purpose": purpose, "source": source }))
            .collect();
        let grants = if grants.is_empty() && refusals.is_empty() { vec![one] } else { grants };
        let mut draft = json!({
            "bsn": bsn, "recorder": parties.0, "form_number": n[0], "form_version": n[1], "signed_on": days.0,
            "custodian": parties.1, "media_type": media, "sha256": "0f".repeat(32), "size": n[2],
            "explanation": {
                "text_version": n[3], "language": language, "reading_level": explained.0,
                "explained_by": explained.1, "explained_on": days.1,
            },
            "collection": {
                "context": signed.0, "method": signed.1, "alternative": signed.2, "withdrawal": ways,
                "verified_by": explained.2, "verified_on": days.2,
            },
            "grantor": grantor, "grants": grants,
        });
        if !refusals.is_empty() {
            draft["refusals"] = json!(refusals);
        }
        draft
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_draft_comes_back_the_same(draft in any_draft()) {
        let (bundle, report) = export_draft(&draft).unwrap();
        prop_assert_eq!(&report.lines, &[]);
        r4::check(&bundle);
        let (back, report) = import(&bundle).unwrap();
        prop_assert_eq!(back, draft.clone());
        prop_assert_eq!(&report.lines, &[]);
        // The Consent alone is the same as in its Bundle.
        prop_assert_eq!(import(&bundle["entry"][0]["resource"]).unwrap().0, draft);
    }

    #[test]
    fn no_json_makes_it_panic(at in any::<proptest::sample::Index>(), with in any::<u8>()) {
        let mut consent = super::example();
        let pointers = pointers(&consent, "");
        let pointer = at.get(&pointers);
        let with = [json!(null), json!([]), json!({}), json!(""), json!(-1), json!(1e300), json!("é#")][usize::from(with % 7)].clone();
        *consent.pointer_mut(pointer).unwrap() = with;
        let _ = import(&consent);
        let _ = export_draft(&consent);
    }
}

fn pointers(value: &Value, path: &str) -> Vec<String> {
    let inner: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = inner.into_iter().flat_map(|(name, value)| pointers(value, &format!("{path}/{name}")));
    std::iter::once(path.to_owned()).chain(below).collect()
}

#[test]
fn the_example_draft_is_what_its_export_is_read_as() {
    let (bundle, report) = export_draft(&draft()).unwrap();
    assert_eq!((import(&bundle).unwrap().0, report.lines.len()), (draft(), 0));
}

#[test]
fn no_code_is_in_a_list_twice() {
    for list in LISTS {
        let mut codes = list.codes.to_vec();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), list.codes.len(), "{}", list.system);
    }
}
