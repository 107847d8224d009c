//! The files of an export in memory, and ways to change them.

use std::{collections::BTreeMap, fs, path::Path};

use sluis::audit::tiles::{decode_bundle, encode_bundle};

use super::log::Fault;

/// Files by path.
#[derive(Clone, PartialEq, Eq)]
pub struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Reads a folder.
    pub fn read(dir: &Path) -> Result<Self, Fault> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![dir.to_owned()]);
        while let Some(folder) = folders.pop() {
            for item in fs::read_dir(folder)? {
                let path = item?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(dir)?.to_str().ok_or("a path that is not text")?;
                    files.insert(name.to_owned(), fs::read(&path)?);
                }
            }
        }
        Ok(Self(files))
    }

    /// The files themselves.
    pub fn into_inner(self) -> BTreeMap<String, Vec<u8>> {
        self.0
    }

    /// Changes a file that is there.
    pub fn edit(&mut self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        self.0.get_mut(name).map(change).ok_or_else(|| format!("there is no `{name}`").into())
    }

    /// Puts a file there, in place of one or anew.
    pub fn put(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.0.insert(name.to_owned(), bytes.into());
    }

    /// Takes a file away.
    pub fn remove(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
        self.0.remove(name).ok_or_else(|| format!("there is no `{name}`").into())
    }

    /// Changes the entries of a bundle.
    pub fn entries(&mut self, name: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Result<(), Fault> {
        let bytes = self.remove(name)?;
        let mut entries: Vec<Vec<u8>> = decode_bundle(&bytes)?.into_iter().map(<[u8]>::to_vec).collect();
        change(&mut entries);
        self.put(name, encode_bundle(&entries)?);
        Ok(())
    }

    /// Changes the lines of a file, each with its end.
    pub fn lines(&mut self, name: &str, change: impl FnOnce(&mut Vec<String>)) -> Result<(), Fault> {
        let text = String::from_utf8(self.remove(name)?)?;
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        change(&mut lines);
        self.put(name, lines.concat());
        Ok(())
    }

    /// Puts another text in the place of one that is there once.
    pub fn replace(&mut self, name: &str, from: &str, to: &str) -> Result<(), Fault> {
        let bytes = self.0.get_mut(name).ok_or_else(|| format!("there is no `{name}`"))?;
        let places = bytes.windows(from.len()).zip(0..).filter(|(found, _)| *found == from.as_bytes());
        let places: Vec<usize> = places.map(|(_, at)| at).collect();
        let [at] = places.as_slice() else {
            return Err(format!("`{from}` stands {} times in `{name}`", places.len()).into());
        };
        bytes.splice(*at..at + from.len(), to.bytes());
        Ok(())
    }
}
