//! The sets that are measured, and the questions that are put to them.

use std::collections::BTreeMap;

use sluis::{
    catalogue::Mask,
    demo::data::POLICIES,
    domain::{OrganisationKind, Role},
    policy::{Facts, PolicySet, Question},
};

use super::Fault;

/// Files that decide, by their path.
pub type Files = BTreeMap<String, String>;

/// Roles that the guardrails leave some use in any purpose.
const ROLES: [&str; 5] =
    ["gem.klantmanager", "gem.jobcoach", "uwv.arbeidsdeskundige", "uwv.adviseur", "ggz.trajectbegeleider"];

/// The policies of the repository.
pub fn shipped() -> Files {
    let decides =
        |name: &str| !name.starts_with("tests/") && !["manifest.note", "proof.toml"].contains(&name);
    let files = POLICIES.iter().filter(|(name, _)| decides(name));
    files.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// The same guardrails, and as many purposes of five roles as make a thousand rules.
pub fn thousand() -> Result<Files, Fault> {
    let mut files = shipped();
    let rule = files.get("purposes/JOB_COACHING.cedar").ok_or("no rule to take after")?;
    let rule = rule.split("\n@id(").nth(1).ok_or("no rule to take after")?;
    let rule = rule.split("};").next().ok_or("no rule to take after")?;
    let (rule, own) = (format!("@id({rule}}};\n"), "gem.jobcoach");
    files.retain(|name, _| !name.starts_with("purposes/"));
    let guardrails = files.get("guardrails.cedar").map_or(0, |text| text.matches("@id(").count());
    let mut catalogue = String::new();
    for number in 0..(1_000 - guardrails).div_ceil(ROLES.len()) {
        let name: String = std::iter::once('P').chain(letters(number)).collect();
        let mut text = String::new();
        for role in ROLES {
            let rule = rule.replace("JOB_COACHING", &name).replace(own, role);
            text.push_str(&rule.replace("/gem-jobcoach", &format!("/{}", role.replace('.', "-"))));
        }
        files.insert(format!("purposes/{name}.cedar"), text);
        catalogue.push_str(&format!(
            "[[purpose]]\nname = \"{name}\"\nlabel_nl = \"Doel\"\nlabel_en = \"Purpose\"\nactive = true\nroles = {ROLES:?}\n\
             max_months = 12\nreview = \"example\"\n"
        ));
    }
    // The guardrails name purposes that have to be in the list.
    for name in
        ["JOB_PLACEMENT", "SHELTERED_WORK", "REINTEGRATION", "WORKPLACE_ADJUSTMENT", "TARGET_GROUP_REGISTER"]
            .into_iter()
            .chain(["WAGE_VALUE", "WARM_HANDOVER"])
    {
        catalogue.push_str(&format!(
            "[[purpose]]\nname = \"{name}\"\nlabel_nl = \"Doel\"\nlabel_en = \"Purpose\"\nactive = false\nopen_question = \"-\"\n"
        ));
    }
    files.insert("purposes.toml".to_owned(), catalogue);
    Ok(files)
}

/// A number in letters: names of purposes have nothing else.
fn letters(number: usize) -> [char; 3] {
    [number / 100, number / 10, number]
        .map(|digit| char::from(b'A' + u8::try_from(digit % 10).unwrap_or_default()))
}

/// How many rules there are.
pub fn rules(files: &Files) -> usize {
    let of_rules =
        files.iter().filter(|(name, _)| name.starts_with("purposes/") || *name == "guardrails.cedar");
    of_rules.map(|(_, text)| text.matches("@id(\"").count()).sum()
}

/// Every combination of active purpose, role and kind of source, asked for every field, without consent: what loading has
/// not asked.
pub fn questions(set: &PolicySet) -> Result<Vec<Question>, Fault> {
    let (recipient, source) = ("00000099000000001000".parse()?, "00000099000000002000".parse()?);
    let kinds = [OrganisationKind::Gemeente, OrganisationKind::Uwv, OrganisationKind::Ggz];
    let facts = facts(false)?;
    let mut questions = Vec::new();
    for entry in set.purposes().filter(|entry| entry.active) {
        for (role, source_kind) in Role::ALL.into_iter().flat_map(|role| kinds.map(|kind| (role, kind))) {
            let purpose = entry.purpose.clone();
            let fields = Mask::all();
            questions.push(Question { recipient, role, purpose, source, source_kind, fields, facts });
        }
    }
    Ok(questions)
}

/// The same questions where everything holds: what is asked of a gateway all day.
pub fn holding(questions: &[Question]) -> Vec<Question> {
    let facts = facts(true).unwrap_or_default();
    questions.iter().map(|question| Question { facts, ..question.clone() }).collect()
}

fn facts(consent: bool) -> Result<Facts, Fault> {
    let named = Facts::NAMES.map(|name| (name.to_owned(), consent || name != "consent_in_force"));
    Facts::from_named(&named.into_iter().collect()).ok_or_else(|| "a fact is not known".into())
}
