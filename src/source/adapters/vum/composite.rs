//! Items of a profile whose properties belong together: languages, competences, educations, vehicles.

use std::collections::BTreeMap;

use crate::{
    catalogue::{Field, Form, List},
    proto,
    source::adapters::{
        draft::{Draft, Words},
        fault::Reason,
    },
};

/// Which kind of item.
#[derive(Clone, Copy, Debug)]
pub(super) enum Composite {
    Language,
    Competence,
    Education,
    Vehicle,
}

/// The parts of one item, by the names of their properties: codes as texts.
pub(super) type Parts = BTreeMap<&'static str, String>;

/// A fault, and the part it is about.
type Fault = (Option<&'static str>, Reason);

/// What the items of a record have said so far.
#[derive(Debug, Default)]
pub(super) struct Items {
    languages: BTreeMap<i32, proto::LanguageSkill>,
    masteries: BTreeMap<i32, i32>,
    highest: Option<Education>,
    at_work: Option<Answer>,
    commute: Option<Answer>,
}

/// An education: how it ranks, then its codes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Education {
    rank: u8,
    diploma: Option<String>,
    status: Option<String>,
    level: String,
}

/// Of several vehicles one that can be used is enough; that one cannot says nothing of another that nobody knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    No,
    Unknown,
    Yes,
}

/// The list of a part of a composite field.
fn list(field: Field, part: &str) -> Option<&'static List> {
    let Form::Parts { parts, .. } = field.entry().form else { return None };
    let form = &parts.iter().find(|found| found.name == part)?.form;
    if let Form::Code(list) = form { Some(list) } else { None }
}

fn number(field: Field, part: &str, code: &str) -> Option<i32> {
    list(field, part)?.by_instrument_code(code).map(|value| value.number)
}

impl Items {
    /// Takes an item.
    pub(super) fn add(&mut self, kind: Composite, parts: &Parts, draft: &mut Draft) -> Result<(), Fault> {
        // An empty object says nothing.
        if parts.is_empty() {
            return Ok(());
        }
        match kind {
            Composite::Language => self.language(parts),
            Composite::Competence => self.competence(parts, draft),
            Composite::Education => self.education(parts),
            Composite::Vehicle => self.vehicle(parts, draft),
        }
    }

    fn language(&mut self, parts: &Parts) -> Result<(), Fault> {
        const CODE: &str = "codeTaal";
        let code = parts.get(CODE).ok_or((Some(CODE), Reason::Incomplete))?;
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err((Some(CODE), Reason::NotACode));
        }
        let known = number(Field::Mt16, "language", code);
        let language = known.unwrap_or(proto::Language::Other as i32);
        let level = |part: &'static str, property: &'static str| {
            let code = parts.get(property);
            let level =
                code.map(|code| number(Field::Mt16, part, code).ok_or((Some(property), Reason::NotACode)));
            level.transpose()
        };
        let skill = proto::LanguageSkill {
            language: Some(language),
            speaking: level("speaking", "codeNiveauTaalbeheersingMondeling")?,
            writing: level("writing", "codeNiveauTaalbeheersingSchriftelijk")?,
            reading: level("reading", "codeNiveauTaalbeheersingLezen")?,
            listening: level("listening", "codeNiveauTaalbeheersingLuisteren")?,
        };
        if parts.len() == 1 {
            return Err((None, Reason::Incomplete));
        }
        // Two languages that the list does not have are one there: which level is of which could not be told.
        self.languages.insert(language, skill).map_or(Ok(()), |_| Err((Some(CODE), Reason::Twice)))
    }

    fn competence(&mut self, parts: &Parts, draft: &mut Draft) -> Result<(), Fault> {
        const CODE: &str = "codeGedragscompetentie";
        const LEVEL: &str = "codeBeheersingGedragscompetentie";
        let code = parts.get(CODE).ok_or((Some(CODE), Reason::Incomplete))?;
        let new = draft.put(Field::Mt17, code, Words::Codes).map_err(|reason| (Some(CODE), reason))?;
        if !new {
            return Err((Some(CODE), Reason::Twice));
        }
        if let Some(level) = parts.get(LEVEL) {
            let competence = number(Field::Mt18, "competence", code).ok_or((Some(CODE), Reason::NotACode))?;
            let level = number(Field::Mt18, "level", level).ok_or((Some(LEVEL), Reason::NotACode))?;
            self.masteries.insert(competence, level);
        }
        Ok(())
    }

    /// Only the highest education goes on (MT-12); every one must be readable.
    fn education(&mut self, parts: &Parts) -> Result<(), Fault> {
        let check = |field: Field, property: &'static str| {
            let Some(code) = parts.get(property) else { return Ok(None) };
            let mut scratch = Draft::default();
            scratch.put(field, code, Words::Codes).map_err(|reason| (Some(property), reason))?;
            Ok(Some(code.clone()))
        };
        let level = check(Field::Mt12, "codeNiveauOpleiding")?;
        let diploma = check(Field::Mt14, "indicatieDiploma")?;
        let status = check(Field::Mt15, "codeStatusOpleiding")?;
        let level = level.ok_or((Some("codeNiveauOpleiding"), Reason::Incomplete))?;
        // Level 9 is another one: it ranks below those that are known.
        let rank = level.parse().ok().filter(|rank| *rank != 9).unwrap_or(0);
        let found = Education { rank, diploma, status, level };
        match &self.highest {
            Some(before) if before.rank > rank => {}
            // Two of one level that differ: which of them is meant cannot be told.
            Some(before) if before.rank == rank && *before != found => return Err((None, Reason::Twice)),
            _ => self.highest = Some(found),
        }
        Ok(())
    }

    fn vehicle(&mut self, parts: &Parts, draft: &mut Draft) -> Result<(), Fault> {
        const CODE: &str = "codeVervoermiddel";
        let code = parts.get(CODE).ok_or((Some(CODE), Reason::Incomplete))?;
        draft.put(Field::Mt09, code, Words::Codes).map_err(|reason| (Some(CODE), reason))?;
        let answer = |property: &'static str| match parts.get(property).map(String::as_str) {
            None => Ok(None),
            Some("0") => Ok(Some(Answer::Unknown)),
            Some("1") => Ok(Some(Answer::Yes)),
            Some("2") => Ok(Some(Answer::No)),
            Some(_) => Err((Some(property), Reason::NotACode)),
        };
        self.at_work = self.at_work.max(answer("indicatieBeschikbaarVoorUitvoeringWerk")?);
        self.commute = self.commute.max(answer("indicatieBeschikbaarVoorWoonWerkverkeer")?);
        Ok(())
    }

    /// Puts what the items said into the draft.
    pub(super) fn finish(self, draft: &mut Draft) -> Result<(), Reason> {
        if let Some(education) = self.highest {
            draft.put(Field::Mt12, &education.level, Words::Codes)?;
            for (field, code) in [(Field::Mt14, education.diploma), (Field::Mt15, education.status)] {
                code.map_or(Ok(true), |code| draft.put(field, &code, Words::Codes))?;
            }
        }
        let answers = [self.commute, self.at_work].map(|answer| answer.map(Answer::code));
        if self.languages.is_empty() && self.masteries.is_empty() && answers == [None, None] {
            return Ok(());
        }
        let matching = draft.composite.matching.get_or_insert_default();
        matching.languages = self.languages.into_values().collect();
        let mastery = |(competence, level)| proto::CompetenceMastery {
            competence: Some(competence),
            level: Some(level),
        };
        matching.competence_mastery = self.masteries.into_iter().map(mastery).collect();
        let [commute, at_work] = answers;
        matching.vehicle_use = (answers != [None, None]).then_some(proto::VehicleUse { commute, at_work });
        Ok(())
    }
}

impl Answer {
    const fn code(self) -> i32 {
        match self {
            Self::No => proto::YesNoUnknown::No as i32,
            Self::Unknown => proto::YesNoUnknown::Unknown as i32,
            Self::Yes => proto::YesNoUnknown::Yes as i32,
        }
    }
}
