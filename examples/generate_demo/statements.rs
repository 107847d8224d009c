//! What the sources hold of the clients: plausible, and drawn by chance.

use std::{collections::BTreeMap, error::Error};

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::{Serialize, Serializer, ser::Error as _};
use sluis::{
    catalogue::{self, CheckedStatement, Mask, example},
    proto::{self, *},
};

use super::{
    clients::Client,
    parties::{GGZ_KADE, GGZ_VEER, UWV, WATERRIJK},
    pretty,
    random::Random,
};

/// The day on which the data is made up.
const DRAWN_ON: time::Date = time::macros::date!(2026 - 11 - 01);

/// What one source holds of one client.
#[derive(Debug)]
pub struct Holding {
    statement: WorkCapacity,
    pub present: Mask,
    declines: bool,
}

/// By source and number of the client.
pub type Held = BTreeMap<(&'static str, usize), Holding>;

/// Draws all of it; every value is checked as a source would.
pub fn draw(clients: &[Client]) -> Result<Held, Box<dyn Error>> {
    let mut held = Held::new();
    let mut hold = |source: &'static str, client: &Client, statement: WorkCapacity| {
        let present = CheckedStatement::new(statement.clone(), DRAWN_ON)?.present();
        let declines = matches!((source, client.number), (UWV_OIN, 5) | (KADE_OIN, 11));
        held.insert((source, client.number), Holding { statement, present, declines });
        Ok::<_, Box<dyn Error>>(())
    };
    for client in clients {
        let number = client.number;
        // The consent of client 12 names UWV, which holds nothing of him. Of the last ones only some are known there.
        if number != 12 && (!(25..=36).contains(&number) || number % 3 != 0) {
            let statement = if number == 1 { main_at_uwv() } else { at_uwv(&mut Random::of("uwv", number)) };
            hold(UWV.oin, client, statement)?;
        }
        if number <= 30 {
            let statement = if number == 1 { main_at_ggz() } else { at_ggz(&mut Random::of("ggz", number)) };
            hold(client.ggz.oin, client, statement)?;
        }
        if client.town == &WATERRIJK && number > 1 {
            hold(WATERRIJK.oin, client, at_town(&mut Random::of("town", number)))?;
        }
    }
    Ok(held)
}

const UWV_OIN: &str = UWV.oin;
const KADE_OIN: &str = GGZ_KADE.oin;

fn date(random: &mut Random, year: i32) -> Date {
    Date { year, month: random.number(1, 12), day: random.number(1, 28) }
}

fn on(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn assessed(
    random: &mut Random,
    role: AssessorRole,
    instrument: Instrument,
    version: Option<(i32, i32)>,
) -> Option<Assessment> {
    let year = 2026;
    Some(Assessment {
        determined_on: Some(Date { year, month: random.number(1, 9), day: random.number(1, 28) }),
        valid_until: random.maybe(60, |random| Date { year: 2028, ..date(random, year) }),
        assessor_role: Some(role.into()),
        instrument: Some(instrument.into()),
        instrument_major: version.map(|(major, _)| major),
        instrument_minor: version.map(|(_, minor)| minor),
        certainty: Some(
            if random.chance(80) { Certainty::Established } else { Certainty::Provisional }.into(),
        ),
    })
}

fn yes_no(random: &mut Random) -> i32 {
    // Unknown now and then.
    let value = match random.number(1, 10) {
        1 => YesNoUnknown::Unknown,
        2..=6 => YesNoUnknown::Yes,
        _ => YesNoUnknown::No,
    };
    value.into()
}

/// FML and the criteria of the Schattingsbesluit, by people of UWV.
fn at_uwv(random: &mut Random) -> WorkCapacity {
    let step = random.number(1, 5);
    let mut hours = WorkingHours {
        hours_per_day: Some((step + random.number(-1, 0)).max(1)),
        hours_per_week: Some(step),
        other_time_restriction: random.maybe(70, |random| random.chance(20)),
        irregular_or_shift_work: random.maybe(60, yes_no),
        office_hours_only: random.maybe(60, yes_no),
        available_from: random.maybe(50, |random| date(random, 2026)),
        assessment: assessed(random, AssessorRole::InsurancePhysician, Instrument::Fml, Some((5, 1))),
        ..Default::default()
    };
    hours.day_period_limits = match random.number(1, 4) {
        1 => vec![DayPeriodLimit::EveningLimited.into(), DayPeriodLimit::NoNight.into()],
        2 => vec![DayPeriodLimit::NoNight.into()],
        3 => vec![DayPeriodLimit::None.into()],
        _ => Vec::new(),
    };
    if step > 2 && random.chance(40) {
        hours.build_up_step_hours = Some(random.number(4, 16));
        hours.next_build_up_on = Some(date(random, 2027));
    }
    let support = Support {
        workplace_adaptation_needed: Some(yes_no(random)),
        guidance_needed: Some(yes_no(random)),
        task_variation_needed: random.maybe(70, yes_no),
        transport_provision_needed: random.maybe(30, yes_no),
        assessment: assessed(random, AssessorRole::LabourExpert, Instrument::Own, None),
        ..Default::default()
    };
    let ability = WorkAbility {
        can_perform_task: Some(yes_no(random)),
        basic_employee_skills: Some(yes_no(random)),
        one_hour_at_a_stretch: Some(yes_no(random)),
        daily_capacity: Some(random.number(1, 3)),
        work_ability_class: random.maybe(80, |random| random.number(1, 5)),
        participation_rung: random.maybe(50, |random| random.number(2, 6)),
        thinking_level: random.maybe(60, |random| random.number(2, 7)),
        expected_development: random.maybe(60, |random| random.number(1, 4)),
        varying_capacity: random.maybe(50, |random| random.chance(50)),
        assessment: assessed(random, AssessorRole::LabourExpert, Instrument::Smba, Some((2, 0))),
    };
    let fml = some_of(random, &["PF", "SF", "FO", "DH", "SH"]);
    let physician = |random: &mut Random| {
        assessed(random, AssessorRole::InsurancePhysician, Instrument::Fml, Some((5, 1)))
    };
    WorkCapacity {
        working_hours: Some(hours),
        support: Some(support),
        work_ability: Some(ability),
        personal_functioning: fml
            .personal_functioning
            .map(|group| PersonalFunctioning { assessment: physician(random), ..group }),
        social_functioning: fml
            .social_functioning
            .map(|group| SocialFunctioning { assessment: physician(random), ..group }),
        physical_environment: fml
            .physical_environment
            .map(|group| PhysicalEnvironment { assessment: physician(random), ..group }),
        dynamic_actions: fml
            .dynamic_actions
            .map(|group| DynamicActions { assessment: physician(random), ..group }),
        static_postures: fml
            .static_postures
            .map(|group| StaticPostures { assessment: physician(random), ..group }),
        schemes: some_of(random, &["RG"]).schemes.map(|group| Schemes {
            assessment: assessed(random, AssessorRole::LabourExpert, Instrument::WageValue2021, None),
            ..group
        }),
        ..Default::default()
    }
}

/// Some fields of these groups, with values of the catalogue's example.
fn some_of(random: &mut Random, groups: &[&str]) -> WorkCapacity {
    let turn = u32::try_from(random.number(0, 999)).unwrap_or_default();
    let Ok(full) = CheckedStatement::new(example::full(turn), DRAWN_ON) else {
        return WorkCapacity::default();
    };
    let groups = catalogue::groups().iter().filter(|group| groups.contains(&group.code));
    let fields: Vec<_> = groups.flat_map(catalogue::Group::fields).collect();
    full.build(fields.into_iter().filter(|_| random.chance(40)).collect())
}

/// Conditions and steps, by an employment specialist. Nothing of a treatment.
fn at_ggz(random: &mut Random) -> WorkCapacity {
    let coach = random.number(1, 4);
    let coached = coach == 2 || coach == 3;
    let support = Support {
        guidance_needed: Some(yes_no(random)),
        job_coach_needed: Some(coach),
        coaching_intensity: coached.then(|| random.number(1, 3)),
        coaching_half_hours_per_week: coached.then(|| random.number(2, 12)),
        fixed_contact_at_work: random.maybe(70, |random| random.chance(70)),
        low_stimulus_workplace: random.maybe(80, |random| random.chance(50)),
        remote_work_wanted: random.maybe(40, |random| random.chance(40)),
        extra_breaks: random.maybe(70, |random| random.number(1, 3)),
        announce_changes: random.maybe(70, |random| random.chance(60)),
        contact_on_drop_out: Some(ContactRole::EmploymentSpecialist.into()),
        assessment: assessed(random, AssessorRole::EmploymentSpecialist, Instrument::Own, None),
        ..Default::default()
    };
    let trajectory =
        trajectory(random, AssessorRole::EmploymentSpecialist, ContactRole::EmploymentSpecialist);
    WorkCapacity { support: Some(support), trajectory: Some(trajectory), ..Default::default() }
}

fn trajectory(random: &mut Random, role: AssessorRole, contact: ContactRole) -> Trajectory {
    let placed = random.chance(25);
    let running = Period { start: Some(date(random, 2026)), expected_end: Some(date(random, 2027)) };
    let actions = random.number(0, 3);
    Trajectory {
        goal: Some(random.number(1, 4)),
        period: Some(running),
        status: Some(
            if random.chance(80) { TrajectoryStatus::Running } else { TrajectoryStatus::Paused }.into(),
        ),
        step: Some(if placed { TrajectoryStep::Retention.into() } else { random.number(1, 3) }),
        placement: Some(Placement { placed: Some(placed), on: placed.then(|| date(random, 2025)) }),
        // One a month, so that they stand in the order of the catalogue.
        agreed_actions: (1..=actions)
            .map(|month| AgreedAction {
                action: Some(random.number(1, 7)),
                owner: Some(random.number(1, 3)),
                due: Some(Date { month, ..date(random, 2027) }),
            })
            .collect(),
        progress: random.maybe(70, |random| random.number(1, 5)),
        ready_for_placement: random.maybe(70, |random| random.chance(40)),
        contact_role: Some(contact.into()),
        assessment: assessed(random, role, Instrument::Own, None),
    }
}

/// What a municipal case manager knows: the hours somebody looks for, and the steps that run.
fn at_town(random: &mut Random) -> WorkCapacity {
    let least = random.number(2, 6) * 4;
    let days = (1..=5).filter(|_| random.chance(70)).collect();
    let hours = WorkingHours {
        min_hours_per_week: Some(least),
        max_hours_per_week: Some(least + random.number(0, 3) * 4),
        available_days: days,
        available_from: random.maybe(60, |random| date(random, 2026)),
        assessment: assessed(random, AssessorRole::CaseManager, Instrument::Vum, Some((0, 8))),
        ..Default::default()
    };
    let trajectory = trajectory(random, AssessorRole::CaseManager, ContactRole::CaseManager);
    let matching = some_of(random, &["MT"]).matching.map(|group| Matching {
        assessment: assessed(random, AssessorRole::CaseManager, Instrument::Vum, Some((0, 8))),
        ..group
    });
    WorkCapacity { working_hours: Some(hours), trajectory: Some(trajectory), matching, ..Default::default() }
}

/// The main character at UWV. It holds more than he lets it tell: AV-08 and AV-09 stay where they are.
fn main_at_uwv() -> WorkCapacity {
    let by = |role: AssessorRole, instrument: Instrument, (major, minor)| {
        Some(Assessment {
            determined_on: on(2026, 5, 18),
            valid_until: on(2028, 5, 18),
            assessor_role: Some(role.into()),
            instrument: Some(instrument.into()),
            instrument_major: Some(major),
            instrument_minor: Some(minor),
            certainty: Some(Certainty::Established.into()),
        })
    };
    WorkCapacity {
        working_hours: Some(WorkingHours {
            day_period_limits: vec![DayPeriodLimit::EveningLimited.into(), DayPeriodLimit::NoNight.into()],
            hours_per_day: Some(HoursPerDay::AboutFour.into()),
            hours_per_week: Some(HoursPerWeek::AboutTwenty.into()),
            other_time_restriction: Some(false),
            office_hours_only: Some(YesNoUnknown::Yes.into()),
            build_up_step_hours: Some(12),
            next_build_up_on: on(2027, 2, 1),
            assessment: by(AssessorRole::InsurancePhysician, Instrument::Fml, (5, 1)),
            ..Default::default()
        }),
        work_ability: Some(WorkAbility {
            can_perform_task: Some(YesNoUnknown::Yes.into()),
            basic_employee_skills: Some(YesNoUnknown::Yes.into()),
            one_hour_at_a_stretch: Some(YesNoUnknown::Yes.into()),
            daily_capacity: Some(DailyCapacity::FourHours.into()),
            participation_rung: Some(ParticipationRung::UnpaidWork.into()),
            expected_development: Some(ExpectedDevelopment::Increase.into()),
            varying_capacity: Some(true),
            assessment: by(AssessorRole::LabourExpert, Instrument::Smba, (2, 0)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The main character at his institution.
fn main_at_ggz() -> WorkCapacity {
    let assessment = Some(Assessment {
        determined_on: on(2026, 9, 7),
        valid_until: on(2027, 9, 7),
        assessor_role: Some(AssessorRole::EmploymentSpecialist.into()),
        instrument: Some(Instrument::Own.into()),
        certainty: Some(Certainty::Established.into()),
        ..Default::default()
    });
    let action = |action: ActionCode, owner: ContactRole, month| AgreedAction {
        action: Some(action.into()),
        owner: Some(owner.into()),
        due: on(2027, month, 15),
    };
    WorkCapacity {
        support: Some(Support {
            guidance_needed: Some(YesNoUnknown::Yes.into()),
            job_coach_needed: Some(JobCoachNeed::External.into()),
            coaching_intensity: Some(CoachingIntensity::Medium.into()),
            coaching_half_hours_per_week: Some(4),
            fixed_contact_at_work: Some(true),
            low_stimulus_workplace: Some(true),
            extra_breaks: Some(ExtraBreaks::EveryHour.into()),
            announce_changes: Some(true),
            contact_on_drop_out: Some(ContactRole::EmploymentSpecialist.into()),
            assessment,
            ..Default::default()
        }),
        trajectory: Some(Trajectory {
            goal: Some(TrajectoryGoal::PaidWork.into()),
            period: Some(Period { start: on(2026, 6, 1), expected_end: on(2027, 6, 1) }),
            status: Some(TrajectoryStatus::Running.into()),
            step: Some(TrajectoryStep::Preparation.into()),
            placement: Some(Placement { placed: Some(false), on: None }),
            agreed_actions: vec![
                action(ActionCode::ThreeWayTalk, ContactRole::EmploymentSpecialist, 1),
                action(ActionCode::EmployerVisit, ContactRole::CaseManager, 2),
            ],
            progress: Some(2),
            ready_for_placement: Some(false),
            contact_role: Some(ContactRole::EmploymentSpecialist.into()),
            assessment,
        }),
        ..Default::default()
    }
}

#[derive(Serialize)]
struct Item<'a> {
    bsn: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    declines: bool,
    work_capacity: ProtoJson<'a>,
}

/// A statement in the names of the catalogue, in the order of its fields.
struct ProtoJson<'a>(&'a WorkCapacity);

impl Serialize for ProtoJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).map_err(S::Error::custom)?;
        let descriptor = pool
            .get_message_by_name("sluis.v1.WorkCapacity")
            .ok_or_else(|| S::Error::custom("the descriptors have no work capacity"))?;
        let bytes = self.0.encode_to_vec();
        let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(S::Error::custom)?;
        message.serialize_with_options(serializer, &SerializeOptions::new().use_proto_field_name(true))
    }
}

/// `statements/<oin>.json`, for each source.
pub fn listings(
    clients: &[Client],
    held: &Held,
) -> Result<BTreeMap<&'static str, String>, serde_json::Error> {
    let mut files = BTreeMap::new();
    for source in [&UWV, &GGZ_KADE, &GGZ_VEER, &WATERRIJK] {
        let items: Vec<_> = clients
            .iter()
            .filter_map(|client| {
                let holding = held.get(&(source.oin, client.number))?;
                Some(Item {
                    bsn: &client.bsn,
                    declines: holding.declines,
                    work_capacity: ProtoJson(&holding.statement),
                })
            })
            .collect();
        files.insert(source.oin, pretty(&items)?);
    }
    Ok(files)
}
