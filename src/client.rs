//! A participant's side: who it is, where its gateway is, and its clients. Used by the command line and the demo.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};
use tonic::transport::Channel;

use crate::{
    config::{ConfigFault, TlsFiles},
    consent::signing_key::{self, SigningKeyFault},
    domain::Oin,
    grpc::MAX_MESSAGE,
    identity::{ConnectFault, Trust, TrustFault, connect},
    proto::{
        audit_service_client::AuditServiceClient, consent_service_client::ConsentServiceClient,
        exchange_service_client::ExchangeServiceClient,
    },
};

const CONNECT: Duration = Duration::from_secs(5);

/// Why a participant cannot connect.
#[derive(Debug, thiserror::Error)]
pub enum ClientFault {
    /// The profile.
    #[error(transparent)]
    Profile(#[from] ConfigFault),
    /// Certificates.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// The connection.
    #[error(transparent)]
    Connect(#[from] ConnectFault),
    /// The signing key.
    #[error(transparent)]
    Key(#[from] SigningKeyFault),
    /// The profile has no signing key.
    #[error("the profile has no `[signing]` section; only a recorder with a registered key can sign forms")]
    NoKey,
}

/// A signing key of a recorder.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// Its name in the register.
    pub kid: String,
    /// File with the private key.
    pub key: PathBuf,
}

/// A participant's profile: one TOML file, paths relative to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    gateway: String,
    gateway_oin: Oin,
    tls: TlsFiles,
    signing: Option<Signing>,
    #[serde(skip)]
    folder: PathBuf,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// If the file cannot be read or is not valid.
    pub fn load(path: &Path) -> Result<Self, ClientFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigFault::File { path: path.to_owned(), cause })?;
        let mut profile: Self =
            toml::from_str(&text).map_err(|cause| ConfigFault::syntax(path, &text, cause))?;
        profile.folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        Ok(profile)
    }

    /// Opens a connection to the gateway, whose own number is pinned.
    ///
    /// # Errors
    /// If the certificates or the gateway's address cannot be used, or it does not answer.
    pub async fn connect(&self) -> Result<Client, ClientFault> {
        let trust = Trust::load(&self.tls.within(&self.folder))?;
        let channel = connect(&self.gateway, &trust, Some(self.gateway_oin), CONNECT).await?;
        Ok(Client { channel })
    }

    /// The signing key and its name.
    ///
    /// # Errors
    /// If the profile has none, or its file cannot be read.
    pub fn signing_key(&self) -> Result<(String, Ed25519KeyPair), ClientFault> {
        let signing = self.signing.as_ref().ok_or(ClientFault::NoKey)?;
        Ok((signing.kid.clone(), signing_key::read(&self.folder.join(&signing.key))?))
    }
}

/// A connection to a gateway.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
}

impl Client {
    /// The exchange.
    #[must_use]
    pub fn exchange(&self) -> ExchangeServiceClient<Channel> {
        ExchangeServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// Consents.
    #[must_use]
    pub fn consent(&self) -> ConsentServiceClient<Channel> {
        ConsentServiceClient::new(self.channel.clone()).max_decoding_message_size(4 * MAX_MESSAGE)
    }

    /// The log.
    #[must_use]
    pub fn audit(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.channel.clone()).max_decoding_message_size(4 * MAX_MESSAGE)
    }

    /// The connection itself, for other services.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }
}
