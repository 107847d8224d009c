//! `sluis catalogue`: what can be asked, consented and carried, and what cannot.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::failed;
use crate::catalogue::render::{self, Language};

/// Print the catalogue of work capacity (gegevenscatalogus)
#[derive(Debug, Args)]
pub struct CatalogueArgs {
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Language of labels and definitions; JSON and Markdown have both
    #[arg(long, value_enum, default_value_t = Lang::Nl)]
    lang: Lang,
    /// Only this field, such as WT-02; may be given several times. As text
    #[arg(long = "field", value_name = "CODE")]
    fields: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// A header, and a row for each carried field
    Csv,
    /// One object with everything
    Json,
    /// The page docs/catalogue.md
    Markdown,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    /// Dutch
    Nl,
    /// English
    En,
}

/// Runs it.
#[must_use]
pub fn run(args: &CatalogueArgs) -> ExitCode {
    let language = match args.lang {
        Lang::Nl => Language::Dutch,
        Lang::En => Language::English,
    };
    if !args.fields.is_empty() && args.format != Format::Text {
        return failed("`--field` goes with `--format text`");
    }
    let printed = match args.format {
        Format::Text => render::text(&args.fields, language),
        Format::Csv => Some(render::csv(language)),
        Format::Json => Some(render::printed()),
        Format::Markdown => Some(render::markdown()),
    };
    let Some(printed) = printed else {
        return failed("a `--field` is not a code of the catalogue, such as WT-02");
    };
    // A reader that has gone away is no fault of ours.
    drop(std::io::Write::write_all(&mut std::io::stdout().lock(), printed.as_bytes()));
    ExitCode::SUCCESS
}
