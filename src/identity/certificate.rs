//! What a certificate says of its holder. PKIoverheid puts the OIN in the subject's `serialNumber`, which is not the
//! serial number of the certificate.

use rustls::pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, oid_registry::OID_X509_SERIALNUMBER, prelude::FromDer as _};

use crate::domain::{Oin, Timestamp, oin::OinFault};

/// Why a certificate names no organisation. Says nothing of what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not one X.509 certificate.
    #[error("the certificate cannot be read")]
    Unreadable,
    /// The subject has no `serialNumber`.
    #[error("the subject of the certificate has no `serialNumber`, where the OIN belongs")]
    NoSerialNumber,
    /// The subject has more than one, so that two readers could see two organisations.
    #[error("the subject of the certificate has more than one `serialNumber`")]
    SeveralSerialNumbers,
    /// The `serialNumber` is of a type that holds no plain text.
    #[error("the `serialNumber` in the subject of the certificate is no text")]
    NotText,
    /// The `serialNumber` is something else than an OIN.
    #[error("the `serialNumber` in the subject of the certificate is no OIN: {0}")]
    NotAnOin(#[from] OinFault),
}

fn read<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, CertificateFault> {
    match X509Certificate::from_der(certificate) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateFault::Unreadable),
    }
}

/// The organisation that a certificate was issued to. Says nothing of whether the certificate is to be trusted.
///
/// # Errors
/// If the subject does not hold exactly one `serialNumber` with a well-formed OIN.
pub fn oin_of(certificate: &CertificateDer<'_>) -> Result<Oin, CertificateFault> {
    let certificate = read(certificate)?;
    let mut numbers = certificate.subject().iter_by_oid(&OID_X509_SERIALNUMBER);
    let number = numbers.next().ok_or(CertificateFault::NoSerialNumber)?;
    if numbers.next().is_some() {
        return Err(CertificateFault::SeveralSerialNumbers);
    }
    let number = number.as_str().map_err(|_| CertificateFault::NotText)?;
    Ok(number.parse()?)
}

/// The last moment at which a certificate is valid.
///
/// # Errors
/// If it cannot be read.
pub fn not_after(certificate: &CertificateDer<'_>) -> Result<Timestamp, CertificateFault> {
    let seconds = read(certificate)?.validity().not_after.timestamp();
    Ok(Timestamp::from_millis(seconds.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{
        issue::Authority,
        lab::{self, GEMEENTE},
    };

    fn certificate(serial_number: Option<&str>) -> CertificateDer<'static> {
        let subject = lab::subject(GEMEENTE);
        lab::authority().issue_with_serial_number(&subject, serial_number).unwrap().certificate
    }

    #[test]
    fn reads_the_oin_from_the_subject() {
        assert_eq!(oin_of(&certificate(Some(GEMEENTE))).unwrap().as_str(), GEMEENTE);
        assert_eq!(oin_of(&certificate(None)), Err(CertificateFault::NoSerialNumber));
        for (text, fault) in [
            ("KVK 12345678", OinFault::Length),
            ("00000055000000004000", OinFault::Prefix),
            ("00000099000000004001", OinFault::Suffix),
        ] {
            assert_eq!(oin_of(&certificate(Some(text))), Err(fault.into()), "{text}");
        }
    }

    #[test]
    fn two_serial_numbers_name_nobody() {
        let mut der = certificate(Some(GEMEENTE)).to_vec();
        // The issuer's organizationName comes first and stays; the subject's becomes a second serialNumber.
        let (organisation, serial_number) = ([0x06, 0x03, 0x55, 0x04, 0x0a], [0x06, 0x03, 0x55, 0x04, 0x05]);
        let at = der.windows(5).rposition(|bytes| bytes == organisation).unwrap();
        der[at..at + 5].copy_from_slice(&serial_number);
        assert_eq!(oin_of(&der.into()), Err(CertificateFault::SeveralSerialNumbers));
    }

    #[test]
    fn the_issuer_and_trailing_bytes_do_not_count() {
        let authority = Authority::create("nobody", lab::validity()).unwrap();
        assert_eq!(oin_of(authority.certificate()), Err(CertificateFault::NoSerialNumber));
        let mut der = certificate(Some(GEMEENTE)).to_vec();
        der.push(0);
        assert_eq!(oin_of(&der.into()), Err(CertificateFault::Unreadable));
        assert_eq!(oin_of(&vec![1, 2, 3].into()), Err(CertificateFault::Unreadable));
    }

    #[test]
    fn reads_the_end() {
        let second = |time: Timestamp| time.millis() / 1000;
        let end = not_after(&certificate(None)).unwrap();
        assert_eq!(second(end), second(lab::validity().until));
    }
}
