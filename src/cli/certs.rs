//! `sluis certs`: certificates for a test environment.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    domain::{Clock, Oin, Timestamp},
    identity::issue::{
        CertificateFolder, FolderFault, Profile, ProfileFault, Subject, Usage, Validity,
        profile::must_be_test,
    },
};

const DAY_MILLIS: i64 = 24 * 3_600_000;
/// Clocks of test machines differ; what is issued now must be good there too.
const SKEW_MILLIS: i64 = 3_600_000;
const AUTHORITY_DAYS: u32 = 5 * 365;

/// Issue certificates for a test environment, from a test authority of your own
///
/// The folder gets `ca.pem` (the root that everybody trusts), `ca.key`, `crl.pem` (the list of revoked certificates)
/// and a pair NAME.pem and NAME.key for each certificate. Keys are readable by you alone. Every run writes the list
/// afresh: a gateway refuses everybody once the list is older than its end, so run this again before that.
///
/// The certificates look like those of PKIoverheid, with the OIN in the subject's serialNumber, but the authority is
/// called TEST and vouches for test numbers (00000099...) only. A production gateway accepts none of them.
#[derive(Clone, Debug, Args)]
pub struct CertsArgs {
    /// Folder to write to; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Issue what this file lists, leaving out what the folder already has
    #[arg(long, value_name = "FILE", conflicts_with = "oin")]
    pub profile: Option<PathBuf>,

    /// Issue one certificate for the organisation with this number
    #[arg(long, value_name = "OIN")]
    pub oin: Option<Oin>,

    /// The organisation's name
    #[arg(long, requires = "oin")]
    pub name: Option<String>,

    /// Host name or address at which the system is called; may be repeated. Without any, the certificate serves to
    /// call others only
    #[arg(long, value_name = "HOST", requires = "oin")]
    pub dns: Vec<String>,

    /// Name of the files, without extension [default: the OIN]
    #[arg(long, value_name = "NAME", requires = "oin")]
    pub file: Option<String>,

    /// Days that new certificates are valid
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=1825))]
    pub days: u32,

    /// Days that the list of revoked certificates is valid
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub crl_days: u32,

    /// Revoke this certificate (a .pem file of this folder's authority); may be repeated. A gateway notices when it
    /// reloads the list
    #[arg(long, value_name = "FILE")]
    pub revoke: Vec<PathBuf>,
}

/// `sluis certs` could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum CertsFault {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderFault),
    /// The profile.
    #[error(transparent)]
    Profile(#[from] ProfileFault),
    /// The profile's file.
    #[error("`{}` cannot be read: {fault}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the operating system says.
        fault: io::Error,
    },
    /// Nobody to tell.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// Does what the arguments say, and tells it on `out`.
///
/// # Errors
/// Says what could not be done. What was issued before that stays.
pub fn run(args: &CertsArgs, clock: &dyn Clock, out: &mut dyn Write) -> Result<(), CertsFault> {
    let now = clock.now();
    let profile = args.profile.as_deref().map(read_profile).transpose()?;
    if let Some(oin) = args.oin {
        must_be_test(oin)?;
    }
    let authority = profile.as_ref().map_or("Sluis", |profile| profile.authority.as_str());
    let mut folder = CertificateFolder::open(&args.out, authority, days(now, AUTHORITY_DAYS))?;
    for certificate in &args.revoke {
        folder.revoke(certificate, now)?;
        writeln!(out, "revoked {}", certificate.display())?;
    }
    for (name, subject) in wanted(args, profile, now) {
        // A profile says what should be there; a single certificate was asked for and must not be there yet.
        if args.profile.is_some() && folder.has(&name) {
            writeln!(out, "kept    {name}.pem")?;
            continue;
        }
        let path = folder.issue(&name, &subject)?;
        writeln!(out, "issued  {}  {}  {}", path.display(), subject.oin, subject.organisation)?;
    }
    let validity = days(now, args.crl_days);
    let list = folder.write_crl(validity)?;
    writeln!(
        out,
        "listed  {}  {} revoked, good until {}",
        list.display(),
        folder.revoked(),
        validity.until.day()
    )?;
    Ok(())
}

fn days(now: Timestamp, days: u32) -> Validity {
    Validity { from: now.plus_millis(-SKEW_MILLIS), until: now.plus_millis(i64::from(days) * DAY_MILLIS) }
}

fn read_profile(file: &Path) -> Result<Profile, CertsFault> {
    let text =
        fs::read_to_string(file).map_err(|fault| CertsFault::Unreadable { file: file.to_owned(), fault })?;
    Ok(Profile::parse(&text)?)
}

/// The certificates that were asked for, by the names of their files.
fn wanted(args: &CertsArgs, profile: Option<Profile>, now: Timestamp) -> Vec<(String, Subject)> {
    let validity = days(now, args.days);
    let listed = profile.into_iter().flat_map(|profile| profile.certificates).map(|entry| {
        let subject = Subject {
            oin: entry.oin,
            organisation: entry.organisation,
            common_name: entry.common_name,
            hosts: entry.hosts,
            usage: entry.usage,
            validity,
        };
        (entry.file, subject)
    });
    let single = args.oin.map(|oin| {
        let organisation = args.name.clone().unwrap_or_else(|| "Organisation TEST".to_owned());
        let subject = Subject {
            oin,
            common_name: args.dns.first().unwrap_or(&organisation).clone(),
            organisation,
            hosts: args.dns.clone(),
            usage: if args.dns.is_empty() { Usage::Client } else { Usage::Both },
            validity,
        };
        (args.file.clone().unwrap_or_else(|| oin.to_string()), subject)
    });
    listed.chain(single).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{
        domain::time::SystemClock,
        identity::{Trust, TrustFiles},
    };

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: CertsArgs,
    }

    fn certs(dir: &Path, line: &[&str]) -> Result<String, CertsFault> {
        let out = ["certs", "--out", dir.to_str().unwrap()];
        let args = Line::try_parse_from(out.iter().chain(line)).unwrap().args;
        let mut told = Vec::new();
        run(&args, &SystemClock, &mut told).map(|()| String::from_utf8(told).unwrap())
    }

    fn trust(dir: &Path, name: &str) -> Result<Trust, crate::identity::TrustFault> {
        Trust::load(&TrustFiles {
            roots: vec![dir.join("ca.pem")],
            crls: vec![dir.join("crl.pem")],
            certificate: dir.join(format!("{name}.pem")),
            key: dir.join(format!("{name}.key")),
        })
    }

    #[test]
    fn the_shipped_profile_gives_files_that_load() {
        let dir = tempfile::tempdir().unwrap();
        let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/certs-example/profile.toml");
        let told = certs(dir.path(), &["--profile", profile]).unwrap();
        assert_eq!(told.matches("issued").count(), 4, "{told}");
        for name in ["gateway", "uwv", "ggz", "gemeente"] {
            trust(dir.path(), name).unwrap();
        }
        let again = certs(dir.path(), &["--profile", profile]).unwrap();
        assert_eq!(again.matches("kept").count(), 4, "{again}");
    }

    #[test]
    fn one_certificate_and_its_revocation() {
        let dir = tempfile::tempdir().unwrap();
        let oin = "00000099000000005000";
        let one = ["--oin", oin, "--name", "Gemeente Twee", "--dns", "localhost", "--file", "twee"];
        certs(dir.path(), &one).unwrap();
        assert_eq!(trust(dir.path(), "twee").unwrap().oin().as_str(), oin);
        assert!(matches!(certs(dir.path(), &one), Err(CertsFault::Folder(FolderFault::Exists(_)))));
        let certificate = dir.path().join("twee.pem");
        let told = certs(dir.path(), &["--revoke", certificate.to_str().unwrap()]).unwrap();
        assert!(told.contains("1 revoked"), "{told}");
        assert!(certs(dir.path(), &[]).unwrap().contains("1 revoked"), "and stays revoked");
    }

    #[test]
    fn p12_real_organisations_get_none() {
        let dir = tempfile::tempdir().unwrap();
        let fault = certs(dir.path(), &["--oin", "00000001002220647000"]).unwrap_err();
        assert!(fault.to_string().contains("PKIoverheid"), "{fault}");
        assert!(!dir.path().join("ca.key").exists(), "and nothing is made");
    }
}
