//! The table as one HTML page that needs nothing else: to read on a telephone, to print, to take into a meeting.

use std::fmt::Write as _;

use super::{
    NEVER_NL, facts, field_set_nl, fields, is_revealing, kind_nl, kinds_nl, roles_nl, rows, sentences,
};
use crate::policy::PolicySet;

const STYLE: &str = "\
:root { color-scheme: light; }
body { font: 1rem/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
caption { text-align: left; padding: .2rem 0; color: #444; }
th, td { border: 1px solid #8a8a8a; padding: .4rem .55rem; vertical-align: top; text-align: left; }
thead th { background: #eef2f6; }
dl { display: grid; grid-template-columns: minmax(9rem, 17rem) 1fr; gap: .15rem 1rem; margin: .4rem 0; }
dt { color: #444; } dd { margin: 0; }
details { margin: .1rem 0; } summary { cursor: pointer; }
details ul { margin: .2rem 0 .4rem; padding-left: 1.2rem; }
.s2 { font-weight: 600; } .hash { overflow-wrap: anywhere; color: #444; font-size: .85rem; }
@media (max-width: 40rem) {
  thead { position: absolute; left: -999rem; }
  table, tbody, tr, th, td { display: block; } tr { border: 1px solid #8a8a8a; margin: .6rem 0; } th, td { border: 0; padding: .3rem .5rem; }
  td::before { content: attr(data-label) \": \"; color: #444; } dl { display: block; } dd { margin: 0 0 .4rem; }
}
@media print { body { max-width: none; font-size: 10pt; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
";

/// The whole page.
#[must_use]
pub fn html(set: &PolicySet) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, set);
    page
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write(page: &mut String, set: &PolicySet) -> std::fmt::Result {
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>Wie mag wat weten, en waarvoor</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>"
    )?;
    writeln!(page, "<h1>Wie mag wat weten, en waarvoor</h1>")?;
    writeln!(
        page,
        "<p>Deze tabel laat zien wat Sluis ten hoogste doorgeeft. Er gaat alleen iets door als de cliënt daar schriftelijk ja \
         op heeft gezegd: voor deze ontvanger, dit doel, deze bron en deze gegevens. Zonder die toestemming gaat er niets \
         door, wat er ook in de tabel staat.</p>\n<p>Klik op gegevens om te zien welke velden erin zitten. <span \
         class=\"s2\">Vet</span> is wat sterk onthullend is; daarvoor zet de cliënt een apart kruisje.</p>\n<p \
         class=\"hash\">Beleid {}</p>",
        text(set.hash())
    )?;
    for entry in set.purposes().filter(|entry| entry.active) {
        writeln!(page, "<section>\n<h2>{}</h2>", text(&entry.label_nl))?;
        writeln!(
            page,
            "<table>\n<caption>Doel {}</caption>\n<thead><tr><th scope=\"col\">Wie ontvangt</th><th scope=\"col\">Van \
             wie</th><th scope=\"col\">Welke gegevens</th></tr></thead>\n<tbody>",
            text(entry.purpose.as_str())
        )?;
        let rows = rows(set, entry);
        for row in &rows {
            writeln!(
                page,
                "<tr><th scope=\"row\">{}</th><td data-label=\"Van wie\">{}</td><td data-label=\"Welke gegevens\">",
                text(&roles_nl(&row.roles)),
                kinds_nl(&row.kinds)
            )?;
            for name in &row.sets {
                field_set(page, name)?;
            }
            writeln!(page, "</td></tr>")?;
        }
        writeln!(page, "</tbody>\n</table>")?;
        if let Some(row) = rows.first() {
            writeln!(page, "<dl>")?;
            for (what, told) in facts(entry, row.rule) {
                writeln!(page, "<dt>{what}</dt><dd>{}</dd>", text(&told))?;
            }
            writeln!(page, "</dl>")?;
        }
        writeln!(page, "</section>")?;
    }
    writeln!(
        page,
        "<section>\n<h2>Doelen die nog niet worden bediend</h2>\n<table>\n<thead><tr><th scope=\"col\">Doel</th><th \
         scope=\"col\">Open vraag</th></tr></thead>\n<tbody>"
    )?;
    for entry in set.purposes().filter(|entry| !entry.active) {
        let question = entry.open_question.as_deref().unwrap_or_default();
        writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td data-label=\"Open vraag\" lang=\"en\">{}</td></tr>",
            text(&entry.label_nl),
            text(question)
        )?;
    }
    writeln!(
        page,
        "</tbody>\n</table>\n</section>\n<section>\n<h2>Nooit</h2>\n<p>{}</p>\n</section>",
        text(NEVER_NL)
    )?;
    for (title, guardrails) in [("Wat geen enkele regel mag", false), ("Vangrails", true)] {
        writeln!(page, "<section>\n<h2>{title}</h2>\n<ul>")?;
        for (_, nl) in sentences(set, guardrails) {
            writeln!(page, "<li>{}</li>", text(&nl))?;
        }
        writeln!(page, "</ul>\n</section>")?;
    }
    writeln!(page, "<section>\n<h2>De rollen</h2>\n<dl>")?;
    for role in set.roles() {
        writeln!(
            page,
            "<dt>{} ({})</dt><dd>{}</dd>",
            text(role.role.label_nl()),
            kind_nl(role.role.kind()),
            text(&role.does_nl)
        )?;
    }
    writeln!(page, "</dl>\n</section>\n</main>\n</body>\n</html>")
}

/// A field set, with its fields folded into it.
fn field_set(page: &mut String, name: &str) -> std::fmt::Result {
    let fields = fields(name);
    let revealing = fields.iter().filter(|field| is_revealing(**field)).count();
    let some = if revealing > 0 { format!(", waarvan {revealing} sterk onthullend") } else { String::new() };
    let (label, count) = (text(field_set_nl(name)), fields.len());
    let noun = if count == 1 { "veld" } else { "velden" };
    writeln!(page, "<details><summary>{label} ({count} {noun}{some})</summary><ul>")?;
    for field in fields {
        let class = if is_revealing(field) { " class=\"s2\"" } else { "" };
        writeln!(page, "<li{class}>{} {}</li>", field.entry().code, text(field.entry().label_nl))?;
    }
    writeln!(page, "</ul></details>")
}
