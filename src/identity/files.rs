//! Private keys on disk, which only their owner can read.

use std::{fs, io, io::Write as _, path::Path};

/// Whether somebody else than the owner can read or change the file. Always false where files have no mode.
///
/// # Errors
/// If the file cannot be looked at.
pub(crate) fn is_exposed(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        fs::metadata(path).map(|_| false)
    }
}

/// Writes a new file that only its owner can read.
///
/// # Errors
/// If the file exists, so that no key is ever lost; or if it cannot be written.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
