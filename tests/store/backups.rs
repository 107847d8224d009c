//! Backups that fail, and what they are put back beside.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sluis::{
    audit::{entry::NewEntry, leaf::Kind, writer::Work},
    storage::{
        Database, DatabaseAddress,
        sqlite::backup::{Backup, BackupFault, backup, restore},
    },
};

use crate::lab::{Place, time};

const DAY: i64 = 24 * 3_600_000;

/// A place with a log, its data folder, and a folder for backups.
async fn place() -> (Place, PathBuf, PathBuf) {
    let place = Place::sqlite();
    let store = place.open().await;
    let log = place.writer(&store).await;
    log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, serde_json::json!({})))).await.unwrap();
    let (data, out) = (place.folder.path().join("data"), place.folder.path().join("backups"));
    (place, data, out)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_old_keys_go_whatever_comes_of_the_new_backup() {
    let (_place, data, out) = place().await;
    let Backup { log, keys } = backup(&data, &out, 30, time(0)).await.written.unwrap();
    // One that was killed: it has keys as well. And something that cannot be removed as a file.
    let killed = out.join(format!("{}.new", name(&keys)));
    fs::copy(&keys, &killed).unwrap();
    fs::create_dir(out.join("client-keys-19700101T000000Z.db")).unwrap();
    let nothing = data.join("nothing");
    let early = backup(&nothing, &out, 30, time(DAY)).await;
    assert!(early.written.is_err() && early.removed.is_empty());
    let failed = backup(&nothing, &out, 30, time(31 * DAY)).await;
    assert!(matches!(failed.written, Err(BackupFault::Database(_))), "{failed:?}");
    assert_eq!(failed.removed, [keys, killed]);
    assert!(matches!(failed.faults.as_slice(), [BackupFault::File(..)]), "{failed:?}");
    // Nothing of it is left that looks like a backup, or like a half of one.
    assert_eq!(names(&out), ["client-keys-19700101T000000Z.db".to_owned(), name(&log)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_overwrites_none() {
    let (_place, data, out) = place().await;
    let Backup { log, keys } = backup(&data, &out, 30, time(0)).await.written.unwrap();
    let before = [fs::read(&log).unwrap(), fs::read(&keys).unwrap()];
    let again = backup(&data, &out, 30, time(0)).await.written.unwrap_err();
    assert!(matches!(again, BackupFault::File(..)), "{again}");
    assert_eq!([fs::read(&log).unwrap(), fs::read(&keys).unwrap()], before);
    assert_eq!(names(&out).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_left_of_another_database_is_read_into_the_one_that_is_put_back() {
    let (place, data, out) = place().await;
    let Backup { log, keys } = backup(&data, &out, 30, time(0)).await.written.unwrap();
    let other = place.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    for left in ["sluis.db-wal", "sluis.db-shm", "sluis.db-journal"] {
        fs::write(other.join(left), "of another").unwrap();
        let fault = restore(&other, &log, Some(&keys)).await.unwrap_err();
        assert!(matches!(&fault, BackupFault::Leftover(path) if path.ends_with(left)), "{fault}");
        assert_eq!(names(&other), [left]);
        fs::remove_file(other.join(left)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_backup_that_cannot_be_put_back_nothing_is_there() {
    let (place, data, out) = place().await;
    let Backup { log, keys } = backup(&data, &out, 30, time(0)).await.written.unwrap();
    let other = place.folder.path().join("other");
    let (none, text) = (out.join("none"), out.join("text"));
    fs::write(&text, "no database ".repeat(100)).unwrap();
    for (log, keys) in [(&none, &keys), (&text, &keys), (&log, &none), (&log, &text)] {
        restore(&other, log, Some(keys)).await.unwrap_err();
        assert!(names(&other).is_empty(), "{:?}", names(&other));
    }
    // What a restore that was killed left behind is in nobody's way, and becomes no part of the next.
    for left in ["sluis.db.new", "sluis.db.new-journal", "sluis.db.new-wal"] {
        fs::write(other.join(left), "half").unwrap();
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
    }
    restore(&other, &log, Some(&keys)).await.unwrap();
    assert_eq!(names(&other), ["sluis.db"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(other.join("sluis.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "whatever the backup allows");
    }
    let opened = Database::open(&DatabaseAddress::Folder(other)).await.unwrap().shared();
    assert_eq!(opened.head().await.unwrap().map(|head| head.size), Some(1));
}
