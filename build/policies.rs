//! The shipped policies, as a list of files inside the program: a new file is in the demo without anybody listing it.

use std::{fmt::Write as _, fs, path::Path};

use crate::Result;

/// Folders of a policy directory, the directory itself first.
const FOLDERS: [&str; 3] = ["", "purposes/", "tests/"];

pub fn write(code: &mut String, dir: &Path) -> Result<()> {
    writeln!(code, "&[")?;
    for folder in FOLDERS {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir.join(folder))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names
                    .push(entry.file_name().into_string().map_err(|name| format!("a policy file {name:?}"))?);
            }
        }
        names.sort();
        for name in names {
            let path = dir.join(folder).join(&name);
            writeln!(code, "({:?}, include_str!({path:?})),", format!("{folder}{name}"))?;
        }
    }
    writeln!(code, "]")?;
    Ok(())
}
