use std::{fs, path::Path};

use super::*;
use crate::policy::tests::{TODAY, copy, edit, policies, shipped};

const PLACEMENT: &str = "purposes/JOB_PLACEMENT.cedar";
const GUARDRAILS: &str = "guardrails.cedar";

fn run(dir: &Path) -> CasesRun {
    let set = PolicySet::load(dir, true, TODAY).unwrap_or_else(|faults| panic!("{faults}"));
    set.run_cases(dir)
}

/// The rule of an id, cut out of a text of rules.
fn without_rule(text: &str, id: &str) -> String {
    let (before, rest) = text.split_once(&format!("@id(\"{id}\")")).unwrap();
    let (_, after) = rest.split_once("};").unwrap();
    format!("{before}{after}")
}

/// What the cases say once the rules of a copy were changed: each difference as (question, how many more, expected, found).
fn differences(run: &CasesRun) -> Vec<(&str, usize, &str, &str)> {
    let differs = |fault: &CaseFault| matches!(fault.problem, CaseProblem::Differs { .. });
    let told = run.faults.iter().filter_map(|fault| match &fault.problem {
        CaseProblem::Differs { case, more, expected, found } => {
            Some((case.as_str(), *more, expected.as_str(), found.as_str()))
        }
        _ => None,
    });
    assert!(run.faults.iter().filter(|fault| differs(fault)).all(|fault| fault.line.is_some()));
    told.collect()
}

#[test]
fn every_case_comes_out_as_expected() {
    let run = policies().run_cases(&shipped());
    let told: Vec<_> = run.faults.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    // Ten purposes, six roles, four kinds of organisation, nineteen field sets; and each fact where it is permitted.
    assert!(run.decisions > 10 * 6 * 3 * 19 + 7 * 100, "{}", run.decisions);
    let rules = policies().engine.rules();
    assert!(run.coverage.keys().eq(rules.keys()));
    for (id, coverage) in &run.coverage {
        let permits = rules[id] == Effect::Permit;
        assert!(coverage.denies > 0 && (coverage.permits > 0) == permits, "{id}: {coverage:?}");
    }
}

#[test]
fn a_permit_that_is_gone_is_found() {
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| without_rule(text, "JOB_PLACEMENT/gem-accounthouder"));
    edit(dir.path(), "purposes.toml", |text| text.replace("\"gem.accounthouder\", ", ""));
    let run = run(dir.path());
    // Three field sets from two kinds of source, with every fact. Without a fact nothing changed: the guardrail denies.
    let expected = "permit by JOB_PLACEMENT/gem-accounthouder";
    assert_eq!(
        differences(&run),
        [("JOB_PLACEMENT gem.accounthouder gemeente MT", 5, expected, "deny by no rule")]
    );
}

#[test]
fn a_field_set_more_is_found() {
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| {
        text.replacen("Sluis::FieldSet::\"MT\"]", "Sluis::FieldSet::\"MT\", Sluis::FieldSet::\"AV\"]", 1)
    });
    let found = "permit by JOB_PLACEMENT/gem-klantmanager";
    assert_eq!(
        differences(&run(dir.path())),
        [("JOB_PLACEMENT gem.klantmanager gemeente AV", 1, "deny by no rule", found)]
    );
}

/// Also a guardrail whose work another does as well, or a permit does by itself.
#[test]
fn a_guardrail_that_is_gone_is_found() {
    for id in ["no-consent-in-force", "job-placement-without-ggz-recipient", "outlook-for-reintegration"] {
        let id = format!("guardrail/{id}");
        let dir = copy();
        edit(dir.path(), GUARDRAILS, |text| without_rule(text, &id));
        let run = run(dir.path());
        let differences = differences(&run);
        assert!(!differences.is_empty(), "{id}");
        for (case, _, expected, found) in differences {
            assert!(expected.contains(&id) && !found.contains(&id), "{case}: {expected}, {found}");
        }
    }
}

/// A guardrail that says what a case does not know of, where everything is denied anyway.
#[test]
fn a_guardrail_more_is_found() {
    let dir = copy();
    edit(dir.path(), GUARDRAILS, |text| {
        format!(
            "{text}\n@id(\"guardrail/more\")\n@nl(\"Meer.\")\nforbid (principal == Sluis::Role::\"gem.jobcoach\", action, \
             resource)\nwhen {{ context.purpose == \"JOB_PLACEMENT\" }};\n"
        )
    });
    let run = run(dir.path());
    assert!(differences(&run).iter().all(|(_, _, expected, found)| {
        !expected.contains("guardrail/more") && found.contains("guardrail/more")
    }));
    // No case names it, so none counts as having denied by it.
    let problem = CaseProblem::RuleWithoutCase("denied", "guardrail/more".to_owned());
    assert!(run.faults.contains(&CaseFault::new(CASES, problem)));
}

#[test]
fn what_no_case_speaks_of_is_told() {
    let dir = copy();
    fs::remove_file(dir.path().join("tests/JOB_PLACEMENT.toml")).unwrap();
    let run = policies().run_cases(dir.path());
    let uncovered = run.faults.iter().filter(|fault| matches!(fault.problem, CaseProblem::NotCovered { .. }));
    assert!(uncovered.count() >= 3, "{:?}", run.faults);
    let permit = CaseProblem::RuleWithoutCase("permitted", "JOB_PLACEMENT/uwv-adviseur".to_owned());
    assert!(run.faults.contains(&CaseFault::new(CASES, permit)), "{:?}", run.faults);

    let dir = copy();
    edit(dir.path(), "tests/guardrails.toml", |text| {
        text.lines().filter(|line| !line.starts_with("role_held")).map(|line| format!("{line}\n")).collect()
    });
    let faults = policies().run_cases(dir.path()).faults;
    let expected = [
        CaseProblem::FactWithoutCase("role_held"),
        CaseProblem::RuleWithoutCase("denied", "guardrail/role-not-held".to_owned()),
    ];
    assert_eq!(faults, expected.map(|problem| CaseFault::new(CASES, problem)));
}

/// The one fault of the shipped cases with a file more.
fn fault(text: &str) -> CaseFault {
    let dir = copy();
    fs::write(dir.path().join("tests/more.toml"), text).unwrap();
    let mut faults = policies().run_cases(dir.path()).faults;
    assert_eq!(faults.len(), 1, "{text}: {faults:?}");
    assert_eq!(faults[0].file, "tests/more.toml");
    faults.remove(0)
}

/// A case on what is permitted, with one of its lists written otherwise.
fn case(key: &str, list: &str) -> String {
    let mut text = String::from("# A case.\n\n[[case]]\nexpect = \"permit\"\n");
    for (name, usual) in [
        ("purposes", "[\"JOB_PLACEMENT\"]"),
        ("roles", "[\"uwv.adviseur\"]"),
        ("source_kinds", "[\"uwv\"]"),
        ("field_sets", "[\"WT\"]"),
        ("rules", "[\"JOB_PLACEMENT/uwv-adviseur\"]"),
    ] {
        text.push_str(&format!("{name} = {}\n", if name == key { list } else { usual }));
    }
    text
}

#[test]
fn a_slip_of_the_pen_is_told_with_its_line() {
    let unknown = |list, word: &str| CaseProblem::UnknownWord { list, word: word.to_owned() };
    let no_use = |word: &str| CaseProblem::NoUse { list: "field_sets", word: word.to_owned() };
    for (key, list, problem) in [
        ("purposes", "[\"JobPlacement\"]", unknown("purposes", "JobPlacement")),
        ("roles", "[\"uwv.advisor\"]", unknown("roles", "uwv.advisor")),
        ("source_kinds", "[\"employer\"]", unknown("source_kinds", "employer")),
        ("field_sets", "[\"WT\", \"DIAGNOSIS\"]", unknown("field_sets", "DIAGNOSIS")),
        ("field_sets", "[\"*\"]", unknown("field_sets", "*")),
        ("field_sets", "[\"@given\"]", CaseProblem::UnknownGroup("@given".to_owned())),
        ("field_sets", "[]", CaseProblem::EmptyList("field_sets")),
        ("field_sets", "[\"WT\", \"not WT\"]", CaseProblem::EmptyList("field_sets")),
        ("field_sets", "[\"WT\", \"WT\"]", no_use("WT")),
        ("field_sets", "[\"@all_field_sets\", \"WT\"]", no_use("WT")),
        ("field_sets", "[\"WT\", \"not MT\"]", no_use("MT")),
    ] {
        let fault = fault(&case(key, list));
        assert_eq!((fault.line, fault.problem), (Some(3), problem));
    }
    let facts = format!("{}without = [\"weather_fine\"]\n", case("", ""));
    assert_eq!(fault(&facts).problem, unknown("without", "weather_fine"));
    let fact = "[missing_fact]\nweather_fine = \"guardrail/role-not-held\"\n";
    assert_eq!(fault(fact).to_string(), {
        "tests/more.toml:2: `missing_fact` has `weather_fine`, which does not exist"
    });
    let group = "[groups]\nall_roles = [\"uwv.adviseur\"]\n";
    assert_eq!(fault(group).problem, CaseProblem::GroupTwice("all_roles".to_owned()));
    assert!(matches!(fault("[[case]]\nrole = 1\n").problem, CaseProblem::Syntax(_)));
}

/// A second case on the same question adds rules to it, and may not say the opposite.
#[test]
fn cases_on_one_question_add_up() {
    for (text, expected) in [
        (case("rules", "[]").replace("permit", "deny"), "deny by JOB_PLACEMENT/uwv-adviseur"),
        (
            case("rules", "[\"guardrail/role-not-held\"]"),
            "permit by JOB_PLACEMENT/uwv-adviseur, guardrail/role-not-held",
        ),
    ] {
        let dir = copy();
        fs::write(dir.path().join("tests/more.toml"), text).unwrap();
        let faults = policies().run_cases(dir.path()).faults;
        let differs = |fault: &&CaseFault| matches!(fault.problem, CaseProblem::Differs { .. });
        let fault = faults.iter().find(differs).unwrap_or_else(|| panic!("{faults:?}"));
        let CaseProblem::Differs { case, more: 0, expected: told, found } = &fault.problem else { panic!() };
        assert_eq!((case.as_str(), fault.line), ("JOB_PLACEMENT uwv.adviseur uwv WT", Some(3)));
        assert_eq!((told.as_str(), found.as_str()), (expected, "permit by JOB_PLACEMENT/uwv-adviseur"));
    }
    let dir = copy();
    fs::write(dir.path().join("tests/more.toml"), case("rules", "[]")).unwrap();
    assert_eq!(policies().run_cases(dir.path()).faults, []);
}
