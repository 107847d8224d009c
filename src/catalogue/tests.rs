use std::collections::BTreeSet;

use proptest::prelude::*;
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use super::*;
use crate::tripwire::{Expected, scan};

fn statement() -> proto::WorkCapacity {
    proto::WorkCapacity {
        working_hours: Some(proto::WorkingHours {
            hours_per_week: Some(proto::HoursPerWeek::AboutTwenty.into()),
            min_hours_per_week: Some(12),
            available_days: vec![1, 2, 4],
            assessment: Some(assessment()),
            ..Default::default()
        }),
        support: Some(proto::Support {
            low_stimulus_workplace: Some(true),
            assessment: Some(assessment()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

const TODAY: time::Date = time::macros::date!(2026 - 05 - 20);

fn assessment() -> proto::Assessment {
    proto::Assessment {
        determined_on: Some(proto::Date { year: 2026, month: 5, day: 4 }),
        assessor_role: Some(proto::AssessorRole::LabourExpert.into()),
        ..Default::default()
    }
}

/// P03: the message types have no place for text, blobs or open maps, at any depth.
#[test]
fn p03_work_capacity_has_no_place_for_text() {
    fn walk(message: &MessageDescriptor, seen: &mut BTreeSet<String>) {
        if !seen.insert(message.full_name().to_owned()) {
            return;
        }
        assert!(message.full_name().starts_with("sluis.v1."), "{} is not ours", message.full_name());
        for field in message.fields() {
            assert!(!field.is_map(), "{} is a map", field.full_name());
            match field.kind() {
                Kind::Message(inner) => walk(&inner, seen),
                Kind::Enum(_) | Kind::Bool | Kind::Int32 => {}
                kind => panic!("{} is a {kind:?}", field.full_name()),
            }
        }
    }
    let pool = DescriptorPool::decode(crate::proto::DESCRIPTORS).unwrap();
    let mut seen = BTreeSet::new();
    walk(&pool.get_message_by_name("sluis.v1.WorkCapacity").unwrap(), &mut seen);
    assert!(seen.len() >= 9, "{seen:?}");
}

#[test]
fn every_scalar_is_optional_and_every_enum_starts_unspecified() {
    let pool = DescriptorPool::decode(crate::proto::DESCRIPTORS).unwrap();
    for group in pool.get_message_by_name("sluis.v1.WorkCapacity").unwrap().fields() {
        let Kind::Message(message) = group.kind() else { panic!("{} is no group", group.name()) };
        for field in message.fields() {
            assert!(field.supports_presence() || field.is_list(), "{} is not optional", field.full_name());
            if let Kind::Enum(list) = field.kind() {
                assert!(list.get_value(0).unwrap().name().ends_with("_UNSPECIFIED"), "{}", list.full_name());
            }
        }
    }
}

#[test]
fn codes_and_paths_are_unique_and_lead_back() {
    let codes: BTreeSet<_> = ALL.iter().map(|field| field.entry().code).collect();
    let paths: BTreeSet<_> = ALL.iter().map(|field| field.entry().path).collect();
    assert_eq!((codes.len(), paths.len()), (ALL.len(), ALL.len()));
    for field in ALL {
        assert_eq!(Field::from_code(field.entry().code), Some(field));
        assert_eq!(from_paths(&[field.entry().path]), Ok(Mask::EMPTY.with(field)));
        let icf = field.entry().icf;
        assert!(icf.is_empty() || icf.starts_with(['d', 'e']), "ICF {icf} is medical");
    }
}

/// The tripwire stands on texts of others. Ours must never set it off, wherever they turn up.
#[test]
fn no_word_of_the_catalogue_is_a_hit() {
    let sets = field_sets();
    let groups = groups().iter().flat_map(|group| [group.name, group.code, group.label_nl, group.label_en]);
    let texts = ENTRIES.iter().flat_map(|entry| {
        [entry.code, entry.path, entry.group, entry.label_nl, entry.label_en, entry.origin, entry.unit]
    });
    for text in texts.chain(groups).chain(sets.iter().copied()).filter(|text| !text.is_empty()) {
        assert_eq!(scan(text, Expected::Text), None, "{text}");
    }
}

#[test]
fn r22_medical_paths_are_told_apart() {
    for path in
        ["treatment_plan", "medication", "behandelplan", "icd_10", "ICD-10", "F32.1", "psychiatricHistory"]
    {
        assert_eq!(from_paths(&[path]), Err(PathFault { index: 0, medical: true }), "{path}");
        assert_eq!(from_codes(&[path]), Err(PathFault { index: 0, medical: true }), "{path}");
    }
    assert_eq!(from_paths(&["work_ability", "diagnosis"]), Err(PathFault { index: 1, medical: true }));
    assert_eq!(from_paths(&["shoe_size"]), Err(PathFault { index: 0, medical: false }));
    assert_eq!(from_codes(&["*"]), Err(PathFault { index: 0, medical: false }));
    assert_eq!(from_codes(&["WT"]), Err(PathFault { index: 0, medical: false }));
}

#[test]
fn wrong_values_are_refused() {
    let broken = |change: fn(&mut proto::WorkingHours)| {
        let mut message = statement();
        change(message.working_hours.as_mut().unwrap());
        CheckedStatement::new(message, TODAY).map(|_| ()).unwrap_err().code
    };
    assert_eq!(broken(|wt| wt.hours_per_week = Some(4711)), "WT-03");
    assert_eq!(broken(|wt| wt.hours_per_week = Some(0)), "WT-03");
    assert_eq!(broken(|wt| wt.min_hours_per_week = Some(100)), "WT-05");
    assert_eq!(broken(|wt| wt.available_days = vec![2, 1]), "WT-11");
    assert_eq!(broken(|wt| wt.available_days = vec![1, 1]), "WT-11");
    assert_eq!(broken(|wt| wt.day_period_limits = vec![1, 3]), "WT-01");
    assert_eq!(broken(|wt| wt.available_from = Some(proto::Date { year: 2026, month: 2, day: 30 })), "WT-09");
    assert_eq!(broken(|wt| wt.assessment = None), "working_hours");
    assert_eq!(broken(|wt| wt.assessment.as_mut().unwrap().assessor_role = Some(99)), "working_hours");
}

fn masks() -> impl Strategy<Value = (Mask, BTreeSet<Field>)> {
    proptest::collection::btree_set(0..ALL.len(), 0..ALL.len()).prop_map(|numbers| {
        let fields: BTreeSet<_> = numbers.into_iter().map(|number| ALL[number]).collect();
        (fields.iter().copied().collect(), fields)
    })
}

proptest! {
    #[test]
    fn masks_agree_with_plain_sets((a, plain_a) in masks(), (b, plain_b) in masks()) {
        let of = |mask: Mask| mask.iter().collect::<BTreeSet<_>>();
        prop_assert_eq!(of(a.and(b)), &plain_a & &plain_b);
        prop_assert_eq!(of(a.or(b)), &plain_a | &plain_b);
        prop_assert_eq!(of(a.minus(b)), &plain_a - &plain_b);
        prop_assert_eq!(a.is_subset_of(b), plain_a.is_subset(&plain_b));
        prop_assert_eq!(a.len(), plain_a.len());
        prop_assert_eq!(from_codes(&codes(a)), Ok(a));
        prop_assert_eq!(from_paths(&to_paths(a)), Ok(a));
    }

    /// The normal form does not depend on how a mask was said: in which order, how often, field by field or by group.
    #[test]
    fn masks_have_one_normal_form(
        (mask, fields) in masks(),
        whole in proptest::collection::vec(0..groups().len(), 0..4),
        order in any::<u64>(),
    ) {
        let mut said: Vec<&str> = fields.iter().map(|field| field.entry().path).collect();
        said.extend(whole.iter().map(|group| groups()[*group].name));
        said.extend(said.clone().iter().take(3));
        if !said.is_empty() {
            let by = usize::try_from(order).unwrap_or(7) % said.len();
            said.rotate_left(by);
            said.reverse();
        }
        let expected = whole.iter().fold(mask, |mask, group| mask.or(groups()[*group].mask()));
        prop_assert_eq!(from_paths(&said), Ok(expected));
        let normal = to_paths(expected);
        prop_assert_eq!(normal.len(), expected.len());
        prop_assert_eq!(from_paths(&normal).map(to_paths), Ok(normal));
        let mut sorted: Vec<_> = expected.iter().collect();
        sorted.sort();
        prop_assert_eq!(sorted, expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn an_example_of_every_turn_is_a_statement_with_every_field(turn in 0..5_000_u32) {
        prop_assert_eq!(CheckedStatement::new(example::full(turn), TODAY).unwrap().present(), Mask::all());
    }

    /// P02: whatever the mask, the built message has exactly the fields of the statement that the mask names.
    #[test]
    fn p02_built_is_mask_and_statement((mask, _) in masks()) {
        let checked = CheckedStatement::new(example::full(3), TODAY).unwrap();
        let built = CheckedStatement::new(checked.build(mask), TODAY).unwrap();
        prop_assert_eq!(built.present(), checked.present().and(mask));
    }
}
