//! A small certificate authority for tests, the demo and try-outs. Its certificates look like those of PKIoverheid (the
//! OIN in the subject's `serialNumber`) and say TEST in every name. Real ones come from a PKIoverheid provider.

pub mod folder;
pub mod profile;

use std::{fmt, net::IpAddr};

pub use folder::{CertificateFolder, FolderFault};
pub use profile::{Profile, ProfileFault};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, string::PrintableString,
};
use rustls::pki_types::CertificateDer;
use serde::Deserialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::domain::{
    Oin, Timestamp,
    random::{self, NoRandom},
};

/// A certificate or a list could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueFault {
    /// The certificate library refused it.
    #[error("the certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// A name that cannot stand in a certificate.
    #[error("`{0}` is neither a host name nor an address")]
    Host(String),
    /// A moment that cannot stand in a certificate.
    #[error("the period of validity is not possible")]
    Validity,
    /// No randomness for a serial number.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// From when until when something is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub from: Timestamp,
    /// Last moment.
    pub until: Timestamp,
}

/// What a certificate is for. PKIoverheid G4 issues for one purpose each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Usage {
    /// To call others.
    Client,
    /// To be called.
    Server,
    /// For one certificate on both sides.
    Both,
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The organisation's number; stands in `serialNumber`.
    pub oin: Oin,
    /// The organisation's name; stands in `organizationName`.
    pub organisation: String,
    /// Name of the system; stands in `commonName`.
    pub common_name: String,
    /// Host names and IP addresses at which the system is reached.
    pub hosts: Vec<String>,
    /// What it is for.
    pub usage: Usage,
    /// When it is valid.
    pub validity: Validity,
}

/// A certificate with its key.
pub struct Issued {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// The same in PEM.
    pub certificate_pem: String,
    /// Its private key in PEM.
    pub key_pem: Zeroizing<String>,
    /// The certificate's own serial number, by which it is revoked.
    pub serial: Vec<u8>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("serial", &hex::encode(&self.serial)).finish_non_exhaustive()
    }
}

/// One revoked certificate on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The certificate's own serial number.
    pub serial: Vec<u8>,
    /// When it was revoked.
    pub at: Timestamp,
}

/// A certificate authority whose name says that it is for tests.
pub struct Authority {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key_pem: Zeroizing<String>,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new authority with a key of its own. `TEST` is put before the name.
    ///
    /// # Errors
    /// If the operating system gives no randomness, or the period cannot be written.
    pub fn create(name: &str, validity: Validity) -> Result<Self, IssueFault> {
        let mut params = params(validity)?;
        params.distinguished_name = names("TEST, not for real data", &format!("TEST {name}"), None)?;
        // It issues to organisations and to no other authority.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let key_pem = Zeroizing::new(key.serialize_pem());
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            certificate: certificate.into(),
            key_pem,
            issuer: Issuer::new(params, key),
        })
    }

    /// An authority made earlier.
    ///
    /// # Errors
    /// If the texts are not its certificate and key.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, IssueFault> {
        use rustls::pki_types::pem::PemObject as _;
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, KeyPair::from_pem(key_pem)?)?;
        Ok(Self {
            certificate,
            certificate_pem: certificate_pem.to_owned(),
            key_pem: Zeroizing::new(key_pem.to_owned()),
            issuer,
        })
    }

    /// Its certificate, which others trust as a root.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Its private key in PEM.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Issues a certificate with a new P-256 key.
    ///
    /// # Errors
    /// If a host or the period cannot stand in a certificate.
    pub fn issue(&self, subject: &Subject) -> Result<Issued, IssueFault> {
        self.issue_with_serial_number(subject, Some(subject.oin.as_str()))
    }

    /// Issues a certificate whose `serialNumber` is anything, or missing: for tests of those who must refuse it.
    ///
    /// # Errors
    /// As [`issue`](Self::issue).
    pub fn issue_with_serial_number(
        &self,
        subject: &Subject,
        serial_number: Option<&str>,
    ) -> Result<Issued, IssueFault> {
        let mut params = params(subject.validity)?;
        params.distinguished_name = names(&subject.organisation, &subject.common_name, serial_number)?;
        params.subject_alt_names = subject.hosts.iter().map(|host| san(host)).collect::<Result<_, _>>()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match subject.usage {
            Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Usage::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Usage::Both => vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth],
        };
        let serial = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            certificate: certificate.into(),
            key_pem: Zeroizing::new(key.serialize_pem()),
            serial,
        })
    }

    /// The signed list of revoked certificates (CRL) in PEM. After its validity nobody is let in on it.
    ///
    /// # Errors
    /// If the period cannot be written.
    pub fn crl(&self, revoked: &[Revocation], validity: Validity) -> Result<String, IssueFault> {
        let revoked_certs = revoked
            .iter()
            .map(|revocation| {
                Ok(RevokedCertParams {
                    serial_number: SerialNumber::from_slice(&revocation.serial),
                    revocation_time: moment(revocation.at)?,
                    reason_code: None,
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, IssueFault>>()?;
        let list = CertificateRevocationListParams {
            this_update: moment(validity.from)?,
            next_update: moment(validity.until)?,
            // Later lists have higher numbers.
            crl_number: SerialNumber::from(u64::try_from(validity.from.millis()).unwrap_or(0)),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

fn params(validity: Validity) -> Result<CertificateParams, IssueFault> {
    if validity.from >= validity.until {
        return Err(IssueFault::Validity);
    }
    let mut params = CertificateParams::default();
    params.not_before = moment(validity.from)?;
    params.not_after = moment(validity.until)?;
    params.use_authority_key_identifier_extension = true;
    let mut serial = random::bytes::<16>()?;
    if let Some(first) = serial.first_mut() {
        // Positive and of full length, so that it reads the same everywhere.
        *first = *first & 0x7f | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn moment(time: Timestamp) -> Result<OffsetDateTime, IssueFault> {
    OffsetDateTime::from_unix_timestamp(time.millis().div_euclid(1000)).map_err(|_| IssueFault::Validity)
}

fn names(
    organisation: &str,
    common_name: &str,
    serial_number: Option<&str>,
) -> Result<DistinguishedName, IssueFault> {
    let mut names = DistinguishedName::new();
    names.push(DnType::CountryName, DnValue::PrintableString(PrintableString::try_from("NL")?));
    names.push(DnType::OrganizationName, organisation);
    names.push(DnType::CommonName, common_name);
    if let Some(number) = serial_number {
        let number = DnValue::PrintableString(PrintableString::try_from(number)?);
        names.push(DnType::CustomDnType(vec![2, 5, 4, 5]), number);
    }
    Ok(names)
}

fn san(host: &str) -> Result<SanType, IssueFault> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let fault = || IssueFault::Host(host.to_owned());
    rustls::pki_types::DnsName::try_from(host).map_err(|_| fault())?;
    Ok(SanType::DnsName(host.try_into().map_err(|_| fault())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::lab::{self, GGZ};

    #[test]
    fn an_authority_from_its_files_is_the_same() {
        let first = Authority::create("one", lab::validity()).unwrap();
        let second = Authority::from_pem(first.certificate_pem(), first.key_pem()).unwrap();
        let issued = second.issue(&lab::subject(GGZ)).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&issued.certificate).unwrap();
        let (_, root) = x509_parser::parse_x509_certificate(first.certificate()).unwrap();
        assert_eq!(parsed.issuer().as_raw(), root.subject().as_raw());
        assert_eq!(parsed.raw_serial(), issued.serial);
        assert!(root.subject().to_string().contains("CN=TEST one"));
    }

    #[test]
    fn refuses_what_cannot_stand_in_a_certificate() {
        let mut subject = lab::subject(GGZ);
        subject.hosts = vec!["not a host".to_owned()];
        assert!(matches!(lab::authority().issue(&subject), Err(IssueFault::Host(_))));
        let mut subject = lab::subject(GGZ);
        subject.validity.until = subject.validity.from;
        assert!(matches!(lab::authority().issue(&subject), Err(IssueFault::Validity)));
    }

    #[test]
    fn keys_are_not_printed() {
        let issued = lab::authority().issue(&lab::subject(GGZ)).unwrap();
        assert!(!format!("{issued:?}").contains("PRIVATE"));
        assert!(!format!("{:?}", lab::authority()).contains("PRIVATE"));
    }
}
