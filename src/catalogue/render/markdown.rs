//! `docs/catalogue.md`: the page that a privacy officer and an integrator read. Dutch, with the English label beside.

use super::{
    super::{Entry, LeftOut, VERSION, lists, never_carried, open},
    digest, form, groups, metadata,
};

const HEAD: &str = "\
Written by `sluis catalogue --format markdown`; a test compares. Everything on this page is derived from
`proto/sluis/v1/work_capacity_<group>.proto`.

S0 is ordinary personal data (gewoon persoonsgegeven). From S1 health can be inferred (gezondheid af te leiden). S2 is
strongly revealing (sterk onthullend) and needs a tick of its own on the form. The field set is what policies speak of
([policy.md](policy.md)).

## Following one field

Take `WT-02`. In `work_capacity_working_hours.proto` it is the line `optional HoursPerDay hours_per_day = 2`. The comment
above it is its English definition, the option `(field)` beside it holds the rest, and the enum `HoursPerDay` below holds
its values, each with its Dutch label; the comment above a value is its English label. From there, changing nothing
else: `build/` writes `catalogue::Field::Wt02` with its check and its place in a mask, `sluis catalogue --field WT-02` and
`CatalogueService` tell it, and what `sluis request` and the demo print (`WT-02  Uren per dag: Ongeveer 4 uur`) is the
label from the proto.

To add a field or a value: write it into its proto file with the next number, raise the version in `work_capacity.proto`,
run the tests, and let the release test take the new version in (`proto/released/README.md`). A code, a path, a number or
a value never goes and never gets another meaning; that test fails if one does.
";

/// The page.
#[must_use]
pub fn markdown() -> String {
    let mut out =
        format!("# The catalogue of work capacity\n\nVersion {VERSION}, digest `{}`.\n\n{HEAD}", digest());
    for group in groups() {
        say(&mut out, format_args!("\n## {}: {}\n\n{}.\n", group.code, group.label_nl, group.label_en));
        table(&mut out, group.fields().map(super::super::Field::entry));
    }
    say(&mut out, format_args!("\n## MD: herkomst\n\nComes with each group, and cannot be asked alone.\n"));
    table(&mut out, metadata().iter());
    say(&mut out, format_args!("\n## Open\n\nCould be carried once the question is answered.\n"));
    rows(&mut out, open());
    say(&mut out, format_args!("\n## Never carried\n\nHowever it is asked, and whoever asks (SX).\n"));
    rows(&mut out, never_carried());
    say(&mut out, format_args!("\n## Lists\n\nNumber 0 is \"not stated\" in every list, and refused.\n"));
    for list in lists() {
        say(&mut out, format_args!("\n### {}\n\n{}\n", list.name, list.definition_en));
        say(
            &mut out,
            format_args!("| No. | Name | Nederlands | English | In the instrument |\n|---|---|---|---|---|"),
        );
        for value in list.values {
            let code = value.instrument_code;
            say(
                &mut out,
                format_args!(
                    "| {} | `{}` | {} | {} | {code} |",
                    value.number, value.name, value.label_nl, value.label_en
                ),
            );
        }
    }
    out
}

fn table<'a>(out: &mut String, entries: impl Iterator<Item = &'a Entry>) {
    say(
        out,
        format_args!(
            "| Code | Nederlands | English | Path | Values | Origin | ICF | S | Field set |\n|---|---|---|---|---|---|---|---|---|"
        ),
    );
    for entry in entries {
        let unit = if entry.unit.is_empty() { String::new() } else { format!(", {}", entry.unit) };
        say(
            out,
            format_args!(
                "| {} | **{}** {} | **{}** {} | `{}` | {}{unit} | {} | {} | {} | `{}` |",
                entry.code,
                entry.label_nl,
                entry.definition_nl,
                entry.label_en,
                entry.definition_en,
                entry.path,
                form(&entry.form),
                entry.origin,
                entry.icf,
                entry.sensitivity.as_str(),
                entry.field_set,
            ),
        );
    }
}

fn rows(out: &mut String, left_out: &[LeftOut]) {
    say(out, format_args!("| Code | Nederlands | English | Waarom | Why |\n|---|---|---|---|---|"));
    for row in left_out {
        let (nl, en) = (row.label_nl, row.label_en);
        say(out, format_args!("| {} | {nl} | {en} | {} | {} |", row.code, row.reason_nl, row.reason_en));
    }
}

fn say(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.push_str(&text.to_string());
    out.push('\n');
}
