//! The table as Markdown.

use std::fmt::Write as _;

use super::{
    NEVER_NL, facts, field_set_nl, fields, is_revealing, kind_nl, kinds_nl, roles_nl, rows, sentences,
};
use crate::{catalogue, policy::PolicySet};

/// The whole table.
#[must_use]
pub fn markdown(set: &PolicySet) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, set);
    page
}

fn write(page: &mut String, set: &PolicySet) -> std::fmt::Result {
    writeln!(
        page,
        "<!-- Written by `sluis policy table policies --format md`. Change the policies instead. -->\n"
    )?;
    writeln!(page, "# Wie mag wat weten, en waarvoor\n")?;
    writeln!(
        page,
        "Deze tabel laat zien wat Sluis ten hoogste doorgeeft. Er gaat alleen iets door als de cliënt daar schriftelijk ja \
         op heeft gezegd: voor deze ontvanger, dit doel, deze bron en deze gegevens. Zonder die toestemming gaat er niets \
         door, wat er ook in de tabel staat.\n"
    )?;
    writeln!(page, "Beleid `{}`.\n", set.hash())?;
    for entry in set.purposes().filter(|entry| entry.active) {
        writeln!(page, "## {}\n\nDoel `{}`.\n", entry.label_nl, entry.purpose)?;
        writeln!(page, "| Wie ontvangt | Van wie | Welke gegevens |\n|---|---|---|")?;
        let rows = rows(set, entry);
        for row in &rows {
            let sets: Vec<_> = row.sets.iter().map(|name| field_set_nl(name)).collect();
            writeln!(page, "| {} | {} | {} |", roles_nl(&row.roles), kinds_nl(&row.kinds), sets.join("; "))?;
        }
        writeln!(page)?;
        if let Some(row) = rows.first() {
            for (what, text) in facts(entry, row.rule) {
                writeln!(page, "- {what}: {text}")?;
            }
            writeln!(page)?;
        }
    }
    writeln!(page, "## Doelen die nog niet worden bediend\n")?;
    writeln!(page, "| Doel | Open vraag |\n|---|---|")?;
    for entry in set.purposes().filter(|entry| !entry.active) {
        let question = entry.open_question.as_deref().unwrap_or_default();
        writeln!(page, "| {} (`{}`) | {question} |", entry.label_nl, entry.purpose)?;
    }
    writeln!(page, "\n## Nooit\n\n{NEVER_NL}\n")?;
    writeln!(page, "## Wat geen enkele regel mag\n")?;
    for (_, nl) in sentences(set, false) {
        writeln!(page, "- {nl}")?;
    }
    writeln!(page, "\n## Vangrails\n")?;
    for (id, nl) in sentences(set, true) {
        writeln!(page, "- {nl} (`{id}`)")?;
    }
    writeln!(
        page,
        "\n## De gegevens\n\nEen * staat bij wat sterk onthullend is; daarvoor zet de cliënt een apart kruisje.\n"
    )?;
    writeln!(page, "| Gegevens | Velden |\n|---|---|")?;
    for name in catalogue::field_sets() {
        let listed = fields(name).into_iter().map(|field| {
            let star = if is_revealing(field) { "*" } else { "" };
            format!("{} {}{star}", field.entry().code, field.entry().label_nl)
        });
        writeln!(page, "| {} (`{name}`) | {} |", field_set_nl(name), listed.collect::<Vec<_>>().join("; "))?;
    }
    writeln!(page, "\n## De rollen\n")?;
    for role in set.roles() {
        writeln!(page, "- {} ({}): {}", role.role.label_nl(), kind_nl(role.role.kind()), role.does_nl)?;
    }
    Ok(())
}
