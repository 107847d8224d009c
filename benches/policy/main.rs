//! What the policy step of an exchange costs, beside looking the same answer up in a plain table: with the shipped set of
//! 15 purposes, and with a set of 1,000 rules.
//!
//! ```text
//! cargo bench --bench policy                # a table
//! cargo bench --bench policy -- --json      # one JSON object
//! cargo bench --bench policy -- --quick     # does it run? the figures are worth little
//! ```
//!
//! One thread. A question asks for every field of the catalogue, so that it is one decision for each field set. What is
//! first asked goes to Cedar; what was asked before is remembered. The two are measured in turns with the table.

#[path = "../common/figures.rs"]
mod figures;
#[path = "../common/options.rs"]
mod options;
mod sets;

use std::{collections::HashMap, fmt, hint::black_box, time::Instant};

use clap::Parser;
use serde::Serialize;
use sluis::{
    catalogue::Mask,
    domain::{OrganisationKind, Purpose, Role},
    policy::{PolicySet, Question},
};

use self::{
    figures::Spread,
    options::{Conditions, Options, progress},
};

/// Whatever keeps a benchmark from its end.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(name = "policy", about = "What the policy step of an exchange costs, beside a plain table")]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

/// The figures of one set. Times are of one question, in nanoseconds.
#[derive(Debug, Serialize)]
struct Row {
    set: &'static str,
    rules: usize,
    questions: usize,
    /// Reading and checking the files, in milliseconds.
    load_ms: Option<Spread>,
    table_ns: Option<Spread>,
    remembered_ns: Option<Spread>,
    first_ns: Option<Spread>,
    remembered_to_table: Option<Spread>,
    first_to_table: Option<Spread>,
}

#[derive(Debug, Serialize)]
struct Report {
    bench: &'static str,
    conditions: Conditions,
    rows: Vec<Row>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "set       rules  load ms  table ns  remembered ns  first ns  remembered/table  first/table"
        )?;
        let median = |spread: Option<Spread>| spread.map_or(f64::NAN, |spread| spread.median);
        for row in &self.rows {
            writeln!(
                f,
                "{:<9} {:>5}  {:>7.1}  {:>8.0}  {:>13.0}  {:>8.0}  {:>16.1}  {:>11.0}",
                row.set,
                row.rules,
                median(row.load_ms),
                median(row.table_ns),
                median(row.remembered_ns),
                median(row.first_ns),
                median(row.remembered_to_table),
                median(row.first_to_table),
            )?;
        }
        Ok(())
    }
}

/// What a hand-written table would be: the ceiling of each combination.
type Table = HashMap<(Purpose, Role, OrganisationKind), Mask>;

fn look_up(table: &Table, question: &Question) -> Mask {
    let key = (question.purpose.clone(), question.role, question.source_kind);
    let ceiling = table.get(&key).copied().unwrap_or(Mask::EMPTY);
    if question.facts.all_hold() { question.fields.and(ceiling) } else { Mask::EMPTY }
}

fn decide(set: &PolicySet, question: &Question) -> Mask {
    set.outcome(question).map_or(Mask::EMPTY, |permitted| permitted.fields)
}

/// The nanoseconds of one question, asked again and again for so long.
fn timed(seconds: f64, questions: &[Question], ask: impl Fn(&Question) -> Mask) -> f64 {
    let begun = Instant::now();
    let mut asked = 0_u32;
    while begun.elapsed().as_secs_f64() < seconds {
        for question in questions {
            black_box(ask(black_box(question)));
            asked += 1;
        }
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(asked)
}

fn measure(name: &'static str, files: &sets::Files, conditions: Conditions) -> Result<Row, Fault> {
    let (mut loads, mut tables, mut remembered, mut first) = (vec![], vec![], vec![], vec![]);
    let (mut rules, mut count) = (0, 0);
    for round in 1..=conditions.rounds {
        let begun = Instant::now();
        let set = PolicySet::of_the_past(files.clone()).map_err(|faults| faults.to_string())?;
        loads.push(begun.elapsed().as_secs_f64() * 1e3);
        // Loading has decided with every fact true; these are questions that nobody has asked yet.
        let questions = sets::questions(&set)?;
        let begun = Instant::now();
        for question in &questions {
            black_box(decide(&set, question));
        }
        first.push(begun.elapsed().as_secs_f64() * 1e9 / questions.len() as f64);

        let table: Table = questions
            .iter()
            .map(|question| {
                let key = (question.purpose.clone(), question.role, question.source_kind);
                let ceiling = set.ceiling(&key.0, key.1, key.2);
                (key, ceiling)
            })
            .collect();
        let holding = sets::holding(&questions);
        for question in &holding {
            if decide(&set, question) != look_up(&table, question) {
                return Err("the table and the policies differ".into());
            }
        }
        tables.push(timed(conditions.seconds, &holding, |question| look_up(&table, question)));
        remembered.push(timed(conditions.seconds, &holding, |question| decide(&set, question)));
        (rules, count) = (sets::rules(files), questions.len());
        progress(format_args!("{name}: round {round} of {}", conditions.rounds));
    }
    Ok(Row {
        set: name,
        rules,
        questions: count,
        remembered_to_table: Spread::ratio(&remembered, &tables),
        first_to_table: Spread::ratio(&first, &tables),
        load_ms: Spread::of(loads),
        table_ns: Spread::of(tables),
        remembered_ns: Spread::of(remembered),
        first_ns: Spread::of(first),
    })
}

fn main() -> Result<(), Fault> {
    let CommandLine { options } = CommandLine::parse();
    let conditions = options.conditions();
    let mut rows = Vec::new();
    for (name, files) in [("shipped", sets::shipped()), ("thousand", sets::thousand()?)] {
        rows.push(measure(name, &files, conditions)?);
    }
    options.print(&Report { bench: "policy", conditions, rows })
}
