//! The blocks as one HTML page, to print on A4 and to read on a screen. No script, and nothing fetched from elsewhere.

use super::{
    Language,
    block::{Block, Level},
};

const STYLE: &str = "\
@page { size: A4; margin: 20mm; }
body { max-width: 42em; margin: 2em auto; padding: 0 1em; color: #000; background: #fff;
  font: 12pt/1.4 Arial, Helvetica, sans-serif; }
h1 { font-size: 18pt; line-height: 1.2; }
h2 { font-size: 14pt; line-height: 1.2; margin: 1.4em 0 0.4em; }
h3 { font-size: 13pt; line-height: 1.3; margin: 0 0 0.4em; }
h4 { font-size: 12pt; margin: 0.6em 0 0; }
h1, h2, h3, h4 { break-after: avoid; }
p { margin: 0.5em 0; orphans: 3; widows: 3; }
ul { margin: 0.3em 0 0.8em; padding-left: 1.4em; }
li { break-inside: avoid; }
section { margin: 1em 0; padding: 0.8em 1em; border: 1pt solid #000; break-inside: avoid; }
.fine { font-size: 12pt; margin: 0.2em 0; overflow-wrap: anywhere; }
@media print { body { max-width: none; margin: 0; padding: 0; } }
";

/// The page.
pub(super) fn html(blocks: &[Block], language: Language) -> String {
    let titles = blocks.iter().find_map(|block| match block {
        Block::Heading(Level::Letter, text) => Some(escaped(text)),
        _ => None,
    });
    let title = titles.unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        language.as_str(),
        body(blocks)
    )
}

fn body(blocks: &[Block]) -> String {
    let (mut out, mut in_item) = (String::new(), false);
    for block in blocks {
        if matches!(block, Block::Heading(level, _) if *level <= Level::Item) && in_item {
            out.push_str("</section>\n");
            in_item = false;
        }
        match block {
            Block::Heading(Level::Letter, text) => element(&mut out, "h1", text),
            Block::Heading(Level::Part, text) => element(&mut out, "h2", text),
            Block::Heading(Level::Item, text) => {
                out.push_str("<section>\n");
                in_item = true;
                element(&mut out, "h3", text);
            }
            Block::Heading(Level::List, text) => element(&mut out, "h4", text),
            Block::Paragraph(text) => element(&mut out, "p", text),
            Block::List(lines) => {
                out.push_str("<ul>\n");
                lines.iter().for_each(|text| element(&mut out, "li", text));
                out.push_str("</ul>\n");
            }
            Block::FinePrint(text) => {
                out.push_str("<p class=\"fine\">");
                out.push_str(&escaped(text));
                out.push_str("</p>\n");
            }
        }
    }
    if in_item {
        out.push_str("</section>\n");
    }
    out
}

fn element(out: &mut String, tag: &str, text: &str) {
    for part in ["<", tag, ">", &escaped(text), "</", tag, ">\n"] {
        out.push_str(part);
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
