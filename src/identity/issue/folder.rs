//! A folder with an authority, its list of revoked certificates, and what it issued.
//!
//! `ca.pem`, `ca.key` and `crl.pem` belong to the authority; every certificate is a pair of `NAME.pem` and `NAME.key`.
//! The list itself is the record of what was revoked.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, pem::PemObject};
use x509_parser::{prelude::FromDer as _, revocation_list::CertificateRevocationList};

use super::{Authority, IssueFault, Revocation, Subject, Validity};
use crate::{
    domain::Timestamp,
    identity::files,
    replace::{Readers, replace},
};

/// The folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderFault {
    /// A file could not be read or written.
    #[error("`{}` cannot be used: {fault}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the operating system says.
        fault: io::Error,
    },
    /// Only one of `ca.pem` and `ca.key` is there.
    #[error("`{}` holds only one of `ca.pem` and `ca.key`", .0.display())]
    HalfAnAuthority(PathBuf),
    /// A file is not what its name says.
    #[error("`{}` is not a {what} in PEM", file.display())]
    Malformed {
        /// Which.
        file: PathBuf,
        /// What it should be.
        what: &'static str,
    },
    /// The certificate to revoke was issued by somebody else.
    #[error("`{}` was not issued by the authority of this folder", .0.display())]
    NotOurs(PathBuf),
    /// A name that could lead out of the folder, or over the authority.
    #[error(
        "`{0}` is no name for a certificate file: lower-case letters, digits and `-`, and not `ca` or `crl`"
    )]
    Name(String),
    /// There is one of that name already.
    #[error("`{}` exists and is not overwritten; remove it first if its key may be lost", .0.display())]
    Exists(PathBuf),
    /// The certificate or list could not be made.
    #[error(transparent)]
    Issue(#[from] IssueFault),
}

/// A folder with a certificate authority.
#[derive(Debug)]
pub struct CertificateFolder {
    dir: PathBuf,
    authority: Authority,
    revoked: Vec<Revocation>,
}

impl CertificateFolder {
    /// Opens the folder; makes it, and an authority of this name, if there is none.
    ///
    /// # Errors
    /// If the folder holds something else than an authority's files.
    pub fn open(dir: &Path, name: &str, validity: Validity) -> Result<Self, FolderFault> {
        fs::create_dir_all(dir).map_err(|fault| file_fault(dir, fault))?;
        let (certificate, key) = (dir.join("ca.pem"), dir.join("ca.key"));
        let authority = match (certificate.exists(), key.exists()) {
            (true, true) => Authority::from_pem(&text(&certificate)?, &text(&key)?)?,
            (false, false) => {
                let authority = Authority::create(name, validity)?;
                // The key first: a certificate without its key could never sign a list.
                files::write_private(&key, authority.key_pem()).map_err(|fault| file_fault(&key, fault))?;
                replace(&certificate, Readers::Usual, authority.certificate_pem().as_bytes())
                    .map_err(|fault| file_fault(&certificate, fault))?;
                authority
            }
            _ => return Err(FolderFault::HalfAnAuthority(dir.to_owned())),
        };
        let list = dir.join("crl.pem");
        let revoked = if list.exists() { revocations(&list)? } else { Vec::new() };
        Ok(Self { dir: dir.to_owned(), authority, revoked })
    }

    /// Whether there is a certificate of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.file(name, "pem").exists()
    }

    /// Issues a certificate as `NAME.pem` and `NAME.key`, and returns the certificate's path.
    ///
    /// # Errors
    /// If the name is taken or not allowed, or nothing can be written.
    pub fn issue(&self, name: &str, subject: &Subject) -> Result<PathBuf, FolderFault> {
        let plain = name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if !plain || name.is_empty() || name == "ca" || name == "crl" {
            return Err(FolderFault::Name(name.to_owned()));
        }
        let (certificate, key) = (self.file(name, "pem"), self.file(name, "key"));
        if let Some(taken) = [&certificate, &key].into_iter().find(|path| path.exists()) {
            return Err(FolderFault::Exists(taken.clone()));
        }
        let issued = self.authority.issue(subject)?;
        files::write_private(&key, &issued.key_pem).map_err(|fault| file_fault(&key, fault))?;
        replace(&certificate, Readers::Usual, issued.certificate_pem.as_bytes())
            .map_err(|fault| file_fault(&certificate, fault))?;
        Ok(certificate)
    }

    /// Notes a certificate as revoked; it counts once the list is written. Revoking twice changes nothing.
    ///
    /// # Errors
    /// If the file is no certificate of this authority.
    pub fn revoke(&mut self, certificate: &Path, at: Timestamp) -> Result<(), FolderFault> {
        let malformed = || FolderFault::Malformed { file: certificate.to_owned(), what: "certificate" };
        let der = CertificateDer::from_pem_slice(text(certificate)?.as_bytes()).map_err(|_| malformed())?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|_| malformed())?;
        let (_, root) =
            x509_parser::parse_x509_certificate(self.authority.certificate()).map_err(|_| malformed())?;
        if parsed.issuer().as_raw() != root.subject().as_raw() {
            return Err(FolderFault::NotOurs(certificate.to_owned()));
        }
        let serial = parsed.raw_serial().to_vec();
        if !self.revoked.iter().any(|revocation| revocation.serial == serial) {
            self.revoked.push(Revocation { serial, at });
        }
        Ok(())
    }

    /// Writes the list of revoked certificates afresh and returns its path.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_crl(&self, validity: Validity) -> Result<PathBuf, FolderFault> {
        let path = self.dir.join("crl.pem");
        let list = self.authority.crl(&self.revoked, validity)?;
        replace(&path, Readers::Usual, list.as_bytes()).map_err(|fault| file_fault(&path, fault))?;
        Ok(path)
    }

    /// How many certificates are revoked.
    #[must_use]
    pub const fn revoked(&self) -> usize {
        self.revoked.len()
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.dir.join(format!("{name}.{extension}"))
    }
}

fn file_fault(file: &Path, fault: io::Error) -> FolderFault {
    FolderFault::File { file: file.to_owned(), fault }
}

fn text(path: &Path) -> Result<String, FolderFault> {
    fs::read_to_string(path).map_err(|fault| file_fault(path, fault))
}

fn revocations(path: &Path) -> Result<Vec<Revocation>, FolderFault> {
    let malformed = || FolderFault::Malformed { file: path.to_owned(), what: "list of revoked certificates" };
    let der =
        CertificateRevocationListDer::from_pem_slice(text(path)?.as_bytes()).map_err(|_| malformed())?;
    let (_, list) = CertificateRevocationList::from_der(&der).map_err(|_| malformed())?;
    Ok(list
        .iter_revoked_certificates()
        .map(|revoked| Revocation {
            serial: revoked.raw_serial().to_vec(),
            at: Timestamp::from_millis(revoked.revocation_date.timestamp().saturating_mul(1000)),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::lab::{self, GEMEENTE, GGZ};

    fn open(dir: &Path) -> CertificateFolder {
        CertificateFolder::open(dir, "folder", lab::validity()).unwrap()
    }

    #[test]
    fn remembers_its_authority_and_what_it_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = open(dir.path());
        let ggz = folder.issue("ggz", &lab::subject(GGZ)).unwrap();
        folder.revoke(&ggz, lab::now()).unwrap();
        folder.revoke(&ggz, lab::now()).unwrap();
        folder.write_crl(lab::validity()).unwrap();

        let again = open(dir.path());
        assert_eq!(again.revoked(), 1);
        assert_eq!(again.authority.certificate(), folder.authority.certificate());
        assert!(again.has("ggz") && !again.has("gemeente"));
    }

    #[test]
    fn never_overwrites_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let folder = open(dir.path());
        folder.issue("gemeente", &lab::subject(GEMEENTE)).unwrap();
        let again = folder.issue("gemeente", &lab::subject(GEMEENTE));
        assert!(matches!(again, Err(FolderFault::Exists(_))));
        for name in ["ca", "crl", "", "../gemeente", "Gemeente", "a.b"] {
            let fault = folder.issue(name, &lab::subject(GEMEENTE)).unwrap_err();
            assert!(matches!(fault, FolderFault::Name(_)), "{name}");
        }
    }

    #[test]
    fn refuses_half_an_authority_and_foreign_certificates() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut folder = CertificateFolder::open(one.path(), "one", lab::validity()).unwrap();
        let foreign = open(other.path()).issue("ggz", &lab::subject(GGZ)).unwrap();
        assert!(matches!(folder.revoke(&foreign, lab::now()), Err(FolderFault::NotOurs(_))));
        let list = one.path().join("crl.pem");
        fs::write(&list, "nothing").unwrap();
        let fault = CertificateFolder::open(one.path(), "one", lab::validity()).unwrap_err();
        assert!(matches!(fault, FolderFault::Malformed { .. }), "a damaged list must not lose revocations");
        fs::remove_file(one.path().join("ca.key")).unwrap();
        let fault = CertificateFolder::open(one.path(), "one", lab::validity()).unwrap_err();
        assert!(matches!(fault, FolderFault::HalfAnAuthority(_)));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_keys() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).issue("ggz", &lab::subject(GGZ)).unwrap();
        for name in ["ca.key", "ggz.key"] {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
