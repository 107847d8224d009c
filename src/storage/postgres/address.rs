//! The address of a PostgreSQL database.

use std::{fmt, str::FromStr};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use zeroize::Zeroizing;

/// Why an address is refused. The address itself may hold a password and is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Not of the form.
    #[error(
        "the address of the database must be `postgres://user@host:port/database`, with options after `?`"
    )]
    Form,
    /// An option that is not known, and would be passed over.
    #[error(
        "the address of the database has an option that is not known; known are sslmode, sslrootcert, sslcert, sslkey, \
         host, port, dbname, user, password and options"
    )]
    Option,
    /// A variable that would change what the address says (P12).
    #[error("the environment variable PGOPTIONS changes what the address of the database says; unset it")]
    Environment,
    /// A network that others may listen on.
    #[error("the database is on another machine, so its address must say `sslmode=verify-full`")]
    NotVerified,
}

const OPTIONS: [&str; 10] =
    ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "dbname", "user", "password", "options"];

/// Address of a PostgreSQL database. It may hold a password, and shows neither that nor the user.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    url: Zeroizing<String>,
    shown: String,
}

impl PostgresUrl {
    /// Whether the connection may be encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.options().is_ok_and(|options| {
            options.get_socket().is_none() && !matches!(options.get_ssl_mode(), PgSslMode::Disable)
        })
    }

    /// All of it, for a configuration file.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.url
    }

    /// Whether it holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        let (place, named) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let user = place.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map(|(user, _)| user);
        user.is_some_and(|user| user.contains(':'))
            || named.split('&').any(|part| part.starts_with("password="))
    }

    /// How to connect. Off this machine nothing but a verified TLS connection will do: whoever can pretend to be the
    /// database can forge consents.
    pub(super) fn options(&self) -> Result<PgConnectOptions, UrlFault> {
        options(&self.url)
    }
}

fn options(url: &str) -> Result<PgConnectOptions, UrlFault> {
    let (scheme, rest) = url.split_once("://").ok_or(UrlFault::Form)?;
    if !["postgres", "postgresql"].contains(&scheme) {
        return Err(UrlFault::Form);
    }
    let named = rest.split_once('?').map_or("", |(_, named)| named);
    let known = |part: &str| OPTIONS.contains(&part.split('=').next().unwrap_or_default());
    if !named.split('&').filter(|part| !part.is_empty()).all(known) {
        return Err(UrlFault::Option);
    }
    if std::env::var_os("PGOPTIONS").is_some_and(|set| !set.is_empty()) {
        return Err(UrlFault::Environment);
    }
    let options: PgConnectOptions = url.parse().map_err(|_| UrlFault::Form)?;
    let host = options.get_host();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let here =
        host == "localhost" || host.starts_with('/') || address.is_ok_and(|address| address.is_loopback());
    if here && !named.split('&').any(|part| part.starts_with("sslmode=")) {
        // Nobody else is on the way, and TLS that is not verified keeps nobody out.
        return Ok(options.ssl_mode(PgSslMode::Disable));
    }
    if options.get_socket().is_none() && !here && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        return Err(UrlFault::NotVerified);
    }
    Ok(options)
}

impl FromStr for PostgresUrl {
    type Err = UrlFault;

    fn from_str(text: &str) -> Result<Self, UrlFault> {
        let options = options(text)?;
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let shown = format!("postgres://{place}/{}", options.get_database().unwrap_or_default());
        Ok(Self { url: Zeroizing::new(text.to_owned()), shown })
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_on_another_machine_must_be_verified() {
        for (url, expected) in [
            ("postgres://sluis@127.0.0.1:5433/sluis", Ok(())),
            ("postgres://sluis@localhost/sluis?sslmode=disable", Ok(())),
            ("postgres://sluis@[::1]/sluis", Ok(())),
            ("postgres:///sluis?host=/run/postgresql", Ok(())),
            ("postgresql://sluis@db.example/sluis?sslmode=verify-full", Ok(())),
            ("postgres://sluis@db.example/sluis", Err(UrlFault::NotVerified)),
            ("postgres://sluis@db.example/sluis?sslmode=require", Err(UrlFault::NotVerified)),
            ("postgres://sluis@db.example/sluis?sslmode=verify-ca", Err(UrlFault::NotVerified)),
            ("postgres://sluis@127.0.0.1/sluis?host=db.example", Err(UrlFault::NotVerified)),
            ("postgres://sluis@localhost.example/sluis", Err(UrlFault::NotVerified)),
            ("postgres://sluis@127.0.0.1/sluis?sslMode=disable", Err(UrlFault::Option)),
            ("postgres://sluis@127.0.0.1/sluis?hostaddr=192.0.2.1", Err(UrlFault::Option)),
            ("mysql://sluis@127.0.0.1/sluis", Err(UrlFault::Form)),
            ("postgres://sluis@127.0.0.1:x/sluis", Err(UrlFault::Form)),
        ] {
            assert_eq!(url.parse::<PostgresUrl>().map(drop), expected, "{url}");
        }
    }

    #[test]
    fn p08_a_password_is_not_shown() {
        let url: PostgresUrl = "postgres://sluis:geheim@127.0.0.1:5433/sluis?password=ook".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://127.0.0.1:5433/sluis");
        assert!(url.has_password());
        assert!(!"postgres://sluis@127.0.0.1:5433/sluis".parse::<PostgresUrl>().unwrap().has_password());
        let shown = format!("{url} {url:?}");
        assert!(!shown.contains("geheim") && !shown.contains("ook"), "{shown}");
    }
}
