//! Whom to trust, and with which certificate to appear: all TLS settings stand here.
//!
//! TLS 1.3 with ring, HTTP/2, certificates on both sides, lists of revoked certificates that must be there and fresh.
//! Nothing is resumed: a resumed session would bring back a certificate that nobody checked again.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::{Resumption, WebPkiServerVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
};
use x509_parser::{prelude::FromDer as _, revocation_list::CertificateRevocationList};

use super::{
    certificate::{self, CertificateFault},
    files,
    verify::{ClientWithOin, PinnedServer},
};
use crate::domain::{Oin, Timestamp};

/// The protocol that is spoken inside TLS.
pub(super) const HTTP2: &[u8] = b"h2";

/// Where the certificates stand, all in PEM. A party with one certificate for calling and one for being called (as
/// PKIoverheid G4 issues them) has two of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustFiles {
    /// Trusted roots; several, since participants may have different ones.
    pub roots: Vec<PathBuf>,
    /// Lists of revoked certificates (CRLs): one of every authority in every chain.
    pub crls: Vec<PathBuf>,
    /// The own certificate, with what leads to its root.
    pub certificate: PathBuf,
    /// Its private key; only its owner may read it.
    pub key: PathBuf,
}

impl TrustFiles {
    /// SHA-256 over all of the files, to notice a change; `None` if one cannot be read.
    pub(super) fn fingerprint(&self) -> Option<[u8; 32]> {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        for path in self.roots.iter().chain(&self.crls).chain([&self.certificate, &self.key]) {
            let bytes = zeroize::Zeroizing::new(std::fs::read(path).ok()?);
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(&bytes);
        }
        context.finish().as_ref().try_into().ok()
    }
}

/// The files give nothing to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustFault {
    /// A file could not be read.
    #[error("`{}` cannot be read: {fault}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the operating system says.
        fault: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` holds no readable {what} in PEM", file.display())]
    Malformed {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// No list of revoked certificates is named. Without one, rustls would check none.
    #[error("name at least one list of revoked certificates (CRL)")]
    NoList,
    /// A list without an end would be trusted for ever.
    #[error("`{}` does not say when the next list comes", .0.display())]
    ListWithoutEnd(PathBuf),
    /// Others can read the private key.
    #[error("`{}` can be read by others than its owner; run `chmod 600` on it", .0.display())]
    KeyExposed(PathBuf),
    /// The own certificate names no organisation.
    #[error("`{}`: {fault}", file.display())]
    OwnCertificate {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// A reload brought the certificate of another organisation.
    #[error("the new certificate is of `{found}` and not of `{own}`; that needs a restart")]
    OtherOrganisation {
        /// Whom this process speaks for.
        own: Oin,
        /// Whom the new certificate names.
        found: Oin,
    },
    /// Roots or lists that cannot be used.
    #[error("the roots or lists of revoked certificates cannot be used: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// Certificate and key do not belong together, or are of an unknown kind.
    #[error("the certificate and key cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// Roots, lists of revoked certificates, and an own certificate, read and checked. Cheap to clone.
#[derive(Clone)]
pub struct Trust {
    oin: Oin,
    not_after: Timestamp,
    lists_until: Timestamp,
    provider: Arc<CryptoProvider>,
    clients: Arc<dyn ClientCertVerifier>,
    servers: Arc<WebPkiServerVerifier>,
    own: Arc<SingleCertAndKey>,
    server: Arc<ServerConfig>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("oin", &self.oin)
            .field("not_after", &self.not_after)
            .field("lists_until", &self.lists_until)
            .finish_non_exhaustive()
    }
}

impl Trust {
    /// Reads the files.
    ///
    /// # Errors
    /// If one is missing, empty or malformed, if the key is exposed, or if the certificate names no organisation.
    pub fn load(from: &TrustFiles) -> Result<Self, TrustFault> {
        let mut roots = RootCertStore::empty();
        for file in &from.roots {
            for root in pem::<CertificateDer<'static>>(file, "certificate")? {
                roots
                    .add(root)
                    .map_err(|_| TrustFault::Malformed { file: file.clone(), what: "root certificate" })?;
            }
        }
        let roots = Arc::new(roots);
        let (crls, lists_until) = lists(&from.crls)?;
        let chain = pem::<CertificateDer<'static>>(&from.certificate, "certificate")?;
        let (oin, not_after) = own(&from.certificate, &chain)?;
        let key = private_key(&from.key)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let webpki = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .with_crls(crls.iter().cloned())
            .enforce_revocation_expiration()
            .build()?;
        let clients: Arc<dyn ClientCertVerifier> = Arc::new(ClientWithOin(webpki));
        let servers = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .with_crls(crls)
            .enforce_revocation_expiration()
            .build()?;
        let own = Arc::new(SingleCertAndKey::from(CertifiedKey::from_der(chain, key, &provider)?));
        let server = server_config(&provider, &clients, &own)?;
        Ok(Self { oin, not_after, lists_until, provider, clients, servers, own, server })
    }

    /// The organisation that the own certificate names.
    #[must_use]
    pub const fn oin(&self) -> Oin {
        self.oin
    }

    /// Until when the own certificate is valid.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Until when the lists of revoked certificates hold. Afterwards whoever depends on the oldest is refused.
    #[must_use]
    pub const fn lists_until(&self) -> Timestamp {
        self.lists_until
    }

    /// How to be called.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// How to call others; `expected` pins whose certificate the other side must have.
    ///
    /// # Errors
    /// If the cryptography cannot do TLS 1.3.
    pub fn client_config(&self, expected: Option<Oin>) -> Result<ClientConfig, rustls::Error> {
        let verifier = Arc::new(PinnedServer { webpki: Arc::clone(&self.servers), expected });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::<SingleCertAndKey>::clone(&self.own));
        config.alpn_protocols = vec![HTTP2.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        Ok(config)
    }

    /// Whether a caller's chain would be let in at this moment.
    pub(super) fn accepts(&self, chain: &[CertificateDer<'_>], now: Timestamp) -> bool {
        let (Some((end_entity, intermediates)), Ok(millis)) =
            (chain.split_first(), u64::try_from(now.millis()))
        else {
            return false;
        };
        let now = UnixTime::since_unix_epoch(Duration::from_millis(millis));
        self.clients.verify_client_cert(end_entity, intermediates, now).is_ok()
    }
}

fn server_config(
    provider: &Arc<CryptoProvider>,
    clients: &Arc<dyn ClientCertVerifier>,
    own: &Arc<SingleCertAndKey>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::clone(clients))
        .with_cert_resolver(Arc::<SingleCertAndKey>::clone(own));
    config.alpn_protocols = vec![HTTP2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

fn read(file: &Path) -> Result<Vec<u8>, TrustFault> {
    fs::read(file).map_err(|fault| TrustFault::Unreadable { file: file.to_owned(), fault })
}

/// Every item of a kind in the file; none at all is a fault.
fn pem<T: PemObject>(file: &Path, what: &'static str) -> Result<Vec<T>, TrustFault> {
    let malformed = || TrustFault::Malformed { file: file.to_owned(), what };
    let items: Vec<T> = T::pem_slice_iter(&read(file)?).collect::<Result<_, _>>().map_err(|_| malformed())?;
    if items.is_empty() { Err(malformed()) } else { Ok(items) }
}

type Lists = Vec<CertificateRevocationListDer<'static>>;

/// The lists, and the moment at which the first of them ends.
fn lists(from: &[PathBuf]) -> Result<(Lists, Timestamp), TrustFault> {
    let mut all = Lists::new();
    let mut until: Option<Timestamp> = None;
    for file in from {
        const WHAT: &str = "list of revoked certificates";
        for list in pem::<CertificateRevocationListDer<'static>>(file, WHAT)? {
            let (_, parsed) = CertificateRevocationList::from_der(&list)
                .map_err(|_| TrustFault::Malformed { file: file.clone(), what: WHAT })?;
            let next = parsed.next_update().ok_or_else(|| TrustFault::ListWithoutEnd(file.clone()))?;
            let next = Timestamp::from_millis(next.timestamp().saturating_mul(1000));
            until = Some(until.map_or(next, |until| until.min(next)));
            all.push(list);
        }
    }
    Ok((all, until.ok_or(TrustFault::NoList)?))
}

fn own(file: &Path, chain: &[CertificateDer<'_>]) -> Result<(Oin, Timestamp), TrustFault> {
    let fault = |fault| TrustFault::OwnCertificate { file: file.to_owned(), fault };
    let first = chain.first().ok_or_else(|| fault(CertificateFault::Unreadable))?;
    Ok((certificate::oin_of(first).map_err(fault)?, certificate::not_after(first).map_err(fault)?))
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TrustFault> {
    let exposed =
        files::is_exposed(file).map_err(|fault| TrustFault::Unreadable { file: file.to_owned(), fault })?;
    if exposed {
        return Err(TrustFault::KeyExposed(file.to_owned()));
    }
    let text = zeroize::Zeroizing::new(read(file)?);
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| TrustFault::Malformed { file: file.to_owned(), what: "private key" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::lab::{self, GATEWAY, GGZ, Party};

    #[test]
    fn knows_whom_it_speaks_for_and_until_when() {
        let party = Party::new(GATEWAY);
        let trust = Trust::load(&party.files).unwrap();
        assert_eq!(trust.oin().as_str(), GATEWAY);
        let end = lab::validity().until.millis() / 1000 * 1000;
        assert_eq!(trust.not_after().millis(), end);
        assert_eq!(trust.lists_until().millis(), end);
    }

    #[test]
    fn nothing_is_resumed() {
        let trust = Trust::load(&Party::new(GATEWAY).files).unwrap();
        let server = trust.server_config();
        assert_eq!(server.send_tls13_tickets, 0);
        assert_eq!(server.max_early_data_size, 0);
        assert!(!server.session_storage.can_cache());
        assert!(!server.ticketer.enabled());
        let client = trust.client_config(None).unwrap();
        assert!(!client.enable_early_data);
        assert!(format!("{:?}", client.resumption).contains("NoClientSessionStorage"));
    }

    #[test]
    fn needs_a_list_of_revoked_certificates() {
        let mut party = Party::new(GATEWAY);
        lab::write(&party.path("crl.pem"), "");
        assert!(matches!(Trust::load(&party.files), Err(TrustFault::Malformed { .. })));
        party.files.crls = Vec::new();
        assert!(matches!(Trust::load(&party.files), Err(TrustFault::NoList)));
    }

    #[test]
    fn needs_roots_and_a_key_of_its_own() {
        let mut party = Party::new(GATEWAY);
        let other = Party::new(GGZ);
        party.files.key.clone_from(&other.files.key);
        assert!(matches!(Trust::load(&party.files), Err(TrustFault::Tls(_))), "another's key");
        let mut party = Party::new(GATEWAY);
        party.files.roots = Vec::new();
        assert!(matches!(Trust::load(&party.files), Err(TrustFault::Verifier(_))));
    }

    #[test]
    fn the_own_certificate_needs_an_oin() {
        let issued = lab::authority().issue_with_serial_number(&lab::subject(GATEWAY), None).unwrap();
        let fault = Trust::load(&Party::with(&issued).files).unwrap_err();
        assert!(matches!(fault, TrustFault::OwnCertificate { fault: CertificateFault::NoSerialNumber, .. }));
    }

    #[cfg(unix)]
    #[test]
    fn refuses_a_key_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let party = Party::new(GATEWAY);
        fs::set_permissions(&party.files.key, fs::Permissions::from_mode(0o640)).unwrap();
        let fault = Trust::load(&party.files).unwrap_err();
        assert!(fault.to_string().contains("chmod 600"), "{fault}");
    }
}
