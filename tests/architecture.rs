//! The shape of the program, as `docs/architecture.md` draws it: which room may use which, what stays in one room,
//! how long a file may be, and that the protocol explains itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const LONGEST_FILE: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A source file: its module path, and its code without comments and without what is compiled for tests only.
struct Source {
    path: PathBuf,
    module: Vec<String>,
    code: String,
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let read = |path: PathBuf| {
        let module: Vec<String> = path
            .strip_prefix(&src)
            .unwrap()
            .with_extension("")
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        let for_tests = module.iter().any(|part| ["tests", "lab"].contains(&part.as_str()));
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let code = lines.collect::<Vec<_>>().join("\n");
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        (!for_tests).then_some(Source { path, module, code })
    };
    files(&src, "rs").into_iter().filter_map(read).collect()
}

/// The paths that a use tree names: `a::{b, c::{d, e}}` are `a::b`, `a::c::d` and `a::c::e`.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let head: Vec<String> =
        tree[..open].split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    let inside = tree[open + 1..].rsplit_once('}').map_or("", |(inside, _)| inside);
    let (mut depth, mut start, mut branches) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&inside[start..]);
    let named = branches.into_iter().filter(|branch| !branch.trim().is_empty());
    named.flat_map(expand).map(|path| head.iter().cloned().chain(path).collect()).collect()
}

/// The use tree that a text begins with.
fn tree(text: &str) -> &str {
    let mut depth = 0;
    let is_end = |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth < 0 || depth == 0 && !(c.is_alphanumeric() || "_:}".contains(c))
    };
    text[..text.find(is_end).unwrap_or(text.len())].trim_end_matches(':')
}

/// Every path inside the crate that the code of a module names: after `crate::`, and after `super::` from where it is.
fn paths(module: &[String], code: &str) -> Vec<Vec<String>> {
    let after = |word: &str| code.match_indices(word).map(|(at, _)| at).collect::<Vec<_>>();
    let mut found: Vec<_> = after("crate::").iter().flat_map(|at| expand(tree(&code[at + 7..]))).collect();
    for at in after("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let (mut rest, mut above) = (&code[at..], module);
        while let Some(inner) = rest.strip_prefix("super::") {
            (rest, above) = (inner, &above[..above.len().saturating_sub(1)]);
        }
        found.extend(expand(tree(rest)).into_iter().map(|path| above.iter().cloned().chain(path).collect()));
    }
    found
}

/// The room that a path lies in: the longest one that it begins with.
fn room<'a>(path: &[String], rooms: &[&'a str]) -> Option<&'a str> {
    let begins = |room: &&str| {
        let parts: Vec<&str> = room.split("::").collect();
        path.len() >= parts.len() && parts.iter().zip(path).all(|(part, found)| part == found)
    };
    rooms.iter().copied().filter(begins).max_by_key(|room| room.len())
}

/// The rows of the table of rooms in `docs/architecture.md`: room, and which others it may use.
fn allowed(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let table = text.split("<!-- rooms -->").nth(1).expect("docs/architecture.md marks its table of rooms");
    let mut rooms = BTreeMap::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let uses = cells[2].split(", ").map(|name| name.trim_matches('`')).filter(|name| *name != "nothing");
        let before = rooms.insert(cells[1].trim_matches('`'), uses.collect());
        assert!(before.is_none(), "{line} stands twice");
    }
    rooms
}

#[test]
fn a_room_uses_the_rooms_that_the_map_allows_and_no_other() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let allowed = allowed(&text);
    let rooms: Vec<&str> = allowed.keys().copied().collect();
    let mut used: BTreeMap<&str, BTreeSet<&str>> =
        rooms.iter().map(|room| (*room, BTreeSet::new())).collect();
    let mut faults = Vec::new();
    for source in sources() {
        if ["lib", "main"].contains(&source.module[0].as_str()) {
            continue;
        }
        let file = source.path.display();
        let Some(own) = room(&source.module, &rooms) else {
            faults.push(format!("{file} is in no room of docs/architecture.md"));
            continue;
        };
        for path in paths(&source.module, &source.code) {
            match room(&path, &rooms) {
                Some(other) if other == own => {}
                Some(other) => {
                    used.get_mut(own).unwrap().insert(other);
                    if !allowed[own].contains(other) {
                        faults.push(format!("{file}: `{own}` may not use `{other}` ({})", path.join("::")));
                    }
                }
                None => faults.push(format!("{file}: `{}` is in no room", path.join("::"))),
            }
        }
    }
    for (own, others) in &allowed {
        for other in others.difference(&used[own]) {
            faults.push(format!("docs/architecture.md lets `{own}` use `{other}`, which it does not"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What only some rooms may name: SQL, the policy engine, a concrete store.
#[test]
fn what_belongs_to_one_room_stays_there() {
    let rules: [(&[&str], &[&str]); 4] = [
        (&["sqlx::", "sqlx("], &["storage"]),
        (&["cedar_policy"], &["policy"]),
        (&["SqliteStore", "PostgresStore"], &["storage"]),
        (&["rustls::"], &["identity", "source"]),
    ];
    for source in sources() {
        for (words, rooms) in rules {
            let found = words.iter().find(|word| source.code.contains(**word));
            let at_home = rooms.contains(&source.module[0].as_str());
            assert!(
                found.is_none() || at_home,
                "{}: {} belongs to {rooms:?}",
                source.path.display(),
                found.unwrap()
            );
        }
    }
}

/// Nothing but the command line and the demo starts what `app` wires; nothing uses those two in turn.
#[test]
fn nothing_is_built_on_the_program() {
    for source in sources() {
        let own = source.module[0].as_str();
        for path in paths(&source.module, &source.code) {
            let outside = match path[0].as_str() {
                "app" => ["app", "cli", "demo"].contains(&own),
                "cli" | "demo" => ["cli", "demo", "main"].contains(&own),
                _ => true,
            };
            assert!(outside, "{} uses {}", source.path.display(), path.join("::"));
        }
    }
}

#[test]
fn no_file_is_longer_than_one_idea() {
    for path in files(&root().join("src"), "rs") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", path.display());
    }
}

/// The declaration on a line of a `.proto` file that needs a comment, if there is one.
fn declares(line: &str) -> bool {
    let line = line.trim();
    let first = line.split_whitespace().next().unwrap_or_default();
    match first {
        "message" | "enum" | "service" | "rpc" | "oneof" => true,
        "syntax" | "package" | "import" | "option" | "extend" | "}" | "" => false,
        // Fields and values of enums: `... name = 7;` or `... = 7 [`.
        _ => {
            let number = line.split_once(" = ").map(|(_, rest)| rest);
            let digits = number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            digits && !line.starts_with("//")
        }
    }
}

#[test]
fn every_part_of_the_protocol_has_a_comment() {
    let protos = files(&root().join("proto"), "proto");
    assert!(protos.len() >= 7);
    let mut declared = 0;
    for path in protos {
        let text = fs::read_to_string(&path).unwrap();
        let mut before = "";
        for (number, line) in text.lines().enumerate() {
            if declares(line) {
                declared += 1;
                let at = format!("{}:{}: {}", path.display(), number + 1, line.trim());
                assert!(before.trim().starts_with("//"), "{at} has no comment above it");
            }
            before = line;
        }
    }
    assert!(declared > 400, "only {declared} declarations were found");
}

#[test]
fn use_trees_are_read_as_rust_reads_them() {
    let code = "use crate::{a::{b, c::D}, e};\nlet x = crate::f::g(crate::h::I::J);\npub(crate) fn k() -> crate::l::M {";
    let join = |found: Vec<Vec<String>>| found.iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(join(paths(&[], code)), ["a::b", "a::c::D", "e", "f::g", "h::I::J", "l::M"]);
    let module = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(
        join(paths(&module, "use super::{d, e};\nsuper::super::f::G")),
        ["a::b::d", "a::b::e", "a::f::G"]
    );
    assert_eq!(room(&["a".into(), "c".into(), "D".into()], &["a", "a::c", "b"]), Some("a::c"));
    assert!(declares("  string bsn = 1;") && declares("  BLUE = 2 [") && !declares("// a = 1;"));
}
