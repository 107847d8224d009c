//! Certificates for the tests of this room.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tempfile::TempDir;

pub(super) use super::issue::Validity;
use super::{
    TrustFiles,
    issue::{Authority, Issued, Revocation, Subject, Usage},
};
use crate::domain::{Clock as _, Timestamp, time::SystemClock};

pub(super) const GATEWAY: &str = "00000099000000001000";
pub(super) const GGZ: &str = "00000099000000003000";
pub(super) const GEMEENTE: &str = "00000099000000004000";
pub(super) const HOUR: i64 = 3_600_000;

/// The system's hour, which rustls goes by as well.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// From an hour ago until an hour from now, the same throughout a test run.
pub(super) fn validity() -> Validity {
    static VALIDITY: LazyLock<Validity> =
        LazyLock::new(|| Validity { from: now().plus_millis(-HOUR), until: now().plus_millis(HOUR) });
    *VALIDITY
}

/// From two hours ago until an hour ago.
pub(super) fn over() -> Validity {
    Validity { from: now().plus_millis(-2 * HOUR), until: now().plus_millis(-HOUR) }
}

pub(super) fn authority() -> &'static Authority {
    static AUTHORITY: LazyLock<Authority> =
        LazyLock::new(|| Authority::create("lab", validity()).expect("an authority"));
    &AUTHORITY
}

pub(super) fn subject(oin: &str) -> Subject {
    Subject {
        oin: oin.parse().expect("a number"),
        organisation: "Organisatie TEST".to_owned(),
        common_name: "system.test".to_owned(),
        hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        usage: Usage::Both,
        validity: validity(),
    }
}

/// A folder with the trust files of one party.
pub(super) struct Party {
    dir: TempDir,
    pub(super) files: TrustFiles,
    /// Serial number of its certificate.
    pub(super) serial: Vec<u8>,
}

impl Party {
    /// A party with a certificate of the lab's authority.
    pub(super) fn new(oin: &str) -> Self {
        Self::with(&authority().issue(&subject(oin)).expect("a certificate"))
    }

    pub(super) fn with(issued: &Issued) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let path = |name: &str| dir.path().join(name);
        let files = TrustFiles {
            roots: vec![path("ca.pem")],
            crls: vec![path("crl.pem")],
            certificate: path("own.pem"),
            key: path("own.key"),
        };
        fs::write(path("ca.pem"), authority().certificate_pem()).expect("written");
        fs::write(path("own.pem"), &issued.certificate_pem).expect("written");
        super::files::write_private(&path("own.key"), &issued.key_pem).expect("written");
        let party = Self { dir, files, serial: issued.serial.clone() };
        party.write_crl(&[], validity());
        party
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn write_crl(&self, revoked: &[Revocation], validity: Validity) {
        write(&self.path("crl.pem"), &authority().crl(revoked, validity).expect("a list"));
    }
}

pub(super) fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
}
