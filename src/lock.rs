//! The lock of a folder that one process may have at a time.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

/// A folder that nobody else has while this lives. The system frees it with the process, however that ends.
#[derive(Debug)]
pub(crate) struct FolderLock(File);

/// Why a folder cannot be had.
#[derive(Debug)]
pub(crate) enum LockFault {
    /// Somebody else has it.
    Taken,
    /// The file `lock` in it cannot be made or locked.
    File(io::Error),
}

impl FolderLock {
    /// Takes the folder, by the file `lock` in it. Does not wait.
    ///
    /// # Errors
    /// If somebody else has it, or it cannot be written to.
    pub(crate) fn take(folder: &Path) -> Result<Self, LockFault> {
        let file = File::options().create(true).truncate(false).write(true).open(folder.join("lock"));
        let file = file.map_err(LockFault::File)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockFault::Taken),
            Err(TryLockError::Error(cause)) => Err(LockFault::File(cause)),
        }
    }
}

impl Drop for FolderLock {
    /// Frees the folder, and does not leave that to the closing of the file: a program that this process is just starting has
    /// every open file until it has begun, and with it the lock.
    fn drop(&mut self) {
        // What cannot be unlocked is closed all the same.
        drop(self.0.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        assert!(matches!(FolderLock::take(folder.path()), Err(LockFault::Taken)));
        drop(lock);
        FolderLock::take(folder.path()).unwrap();
        let missing = folder.path().join("missing");
        assert!(matches!(FolderLock::take(&missing), Err(LockFault::File(_))));
    }

    #[test]
    fn a_program_that_is_being_started_does_not_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        // What it has between its fork and its exec: another descriptor of the same open file.
        let inherited = lock.0.try_clone().unwrap();
        drop(lock);
        FolderLock::take(folder.path()).unwrap();
        drop(inherited);
    }
}
