//! Replacing a file in one step: whoever reads it, and whoever reads it after a loss of power, finds the old file or the new
//! one, and never half of either.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::domain::random;

/// Who may read the new file. It does not take over what the old one allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone.
    Owner,
    /// Whoever the process lets read what it makes.
    Usual,
}

/// Replaces a file by these bytes. When this returns `Ok`, they survive a loss of power.
///
/// # Errors
/// If it cannot be written. The old file stands there then, unless it is only not known whether the new name is on the disk.
pub(crate) fn replace(path: &Path, readers: Readers, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, readers, |file| file.write_all(bytes))
}

/// The same, with what `write` writes.
///
/// # Errors
/// As for [`replace`], and if `write` fails.
pub(crate) fn replace_with(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let beside = beside(path)?;
    let written = new_file(&beside, readers).and_then(|mut file| write(&mut file));
    let done = written.and_then(|()| put(&beside, path));
    if done.is_err() {
        // What is half written is of no use; the fault that is told is the first one.
        drop(fs::remove_file(&beside));
    }
    done
}

/// A new file, which did not exist.
///
/// # Errors
/// If it exists, or cannot be made.
pub(crate) fn new_file(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Puts a whole file, which lies in the same folder, in the place of another, and sees both its bytes and its name onto the
/// disk.
///
/// # Errors
/// If that cannot be done.
pub(crate) fn put(whole: &Path, path: &Path) -> io::Result<()> {
    // On some systems only what is open for writing can be flushed.
    File::options().write(true).open(whole)?.sync_all()?;
    fs::rename(whole, path)?;
    sync_folder(path)
}

/// Sees the name of a file onto the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    #[cfg(unix)]
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// A name beside a file that no other process takes, though it shares the folder. Its end tells whoever lists the folder.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let random: [u8; 8] = random::bytes().map_err(io::Error::other)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", hex::encode(random)));
    Ok(PathBuf::from(beside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn the_new_file_is_there_or_the_old_one_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        replace(&path, Readers::Usual, b"old").unwrap();
        let failed = replace_with(&path, Readers::Usual, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path())),
            (b"old".to_vec(), vec!["list".to_owned()])
        );
        replace(&path, Readers::Usual, b"new").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path())),
            (b"new".to_vec(), vec!["list".to_owned()])
        );
        // In the place of a folder no file can be put.
        let blocked = folder.path().join("blocked");
        fs::create_dir_all(blocked.join("inside")).unwrap();
        replace(&blocked, Readers::Usual, b"new").unwrap_err();
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_its_owner_alone_may_read_was_never_open_to_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("statements");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace_with(&path, Readers::Owner, |file| {
            assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o600);
            Ok(())
        })
        .unwrap();
        assert_eq!(mode(&path), 0o600);
    }
}
