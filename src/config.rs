//! The gateway's configuration: one TOML file, read once, unknown keys refused. Paths are relative to the file.

mod logboek;
mod retention;
pub mod witness;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

pub use logboek::{LogboekAddress, LogboekSettings};
pub use witness::{WitnessAddress, Witnessing};

use crate::{
    audit::retention::Retention,
    identity::{GatewayKind, TrustFiles, files::is_exposed},
    rules::Timing,
    storage::{DatabaseAddress, UrlFault},
};

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// The file cannot be read.
    #[error("cannot read the configuration `{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// It is not valid.
    #[error("the configuration `{path}` is not valid, line {line}: {cause}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// What is wrong.
        cause: Box<toml::de::Error>,
    },
    /// Others may read a password.
    #[error("others may read the configuration `{0}`, and it holds a password; run `chmod 600` on it")]
    Open(PathBuf),
    /// The address of the database.
    #[error("`database`: {0}")]
    Database(UrlFault),
    /// A value that cannot be.
    #[error("`{key}` {what}")]
    Value {
        /// Its key.
        key: &'static str,
        /// What is wrong, and what would be right.
        what: &'static str,
    },
}

impl ConfigFault {
    /// A file that does not parse. The parser would quote the line, which may be one with a password; its number will do.
    pub(crate) fn syntax(path: &Path, text: &str, mut cause: toml::de::Error) -> Self {
        let before = cause.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        cause.set_input(None);
        Self::Syntax { path: path.to_owned(), line, cause: Box::new(cause) }
    }
}

/// Certificates, as file names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    roots: Vec<PathBuf>,
    crls: Vec<PathBuf>,
    certificate: PathBuf,
    key: PathBuf,
}

impl TlsFiles {
    /// With every path relative to this folder.
    #[must_use]
    pub fn within(&self, folder: &Path) -> TrustFiles {
        TrustFiles {
            roots: self.roots.iter().map(|path| folder.join(path)).collect(),
            crls: self.crls.iter().map(|path| folder.join(path)).collect(),
            certificate: folder.join(&self.certificate),
            key: folder.join(&self.key),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    origin: String,
    listen: SocketAddr,
    data_dir: PathBuf,
    database: Option<String>,
    participants: PathBuf,
    agreements: PathBuf,
    policies: PathBuf,
    tls: TlsFiles,
    #[serde(default)]
    timing: RawTiming,
    #[serde(default)]
    retention: retention::RawRetention,
    #[serde(default)]
    witness: Vec<witness::RawWitness>,
    #[serde(default)]
    witnessing: witness::RawWitnessing,
    logboek: Option<logboek::RawLogboek>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawTiming {
    source_wait_ms: u64,
    answer_after_ms: u64,
    use_for_days: u64,
    reload_s: u64,
}

impl Default for RawTiming {
    fn default() -> Self {
        Self { source_wait_ms: 4_000, answer_after_ms: 5_000, use_for_days: 90, reload_s: 60 }
    }
}

/// What a gateway runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the log, without its year. It begins with `test.` on a test gateway, and on no other.
    pub origin: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the keys are, and the embedded database.
    pub data_dir: PathBuf,
    /// Where the database is: in `data_dir`, unless it is a PostgreSQL that several instances share.
    pub database: DatabaseAddress,
    /// Register of participants.
    pub participants: PathBuf,
    /// Register of agreements.
    pub agreements: PathBuf,
    /// Folder of policies.
    pub policies: PathBuf,
    /// Certificates.
    pub tls: TrustFiles,
    /// Times of an exchange.
    pub timing: Timing,
    /// How often the files are looked at again.
    pub reload_every: Duration,
    /// How long what is kept.
    pub retention: Retention,
    /// Who cosigns the log.
    pub witnessing: Witnessing,
    /// Where the log is sent as *Logboek Dataverwerkingen*, if anywhere.
    pub logboek: Option<LogboekSettings>,
}

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// If the file cannot be read, is not valid, or has a value that cannot be.
    pub fn load(path: &Path) -> Result<Self, ConfigFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigFault::File { path: path.to_owned(), cause })?;
        let raw: Raw = toml::from_str(&text).map_err(|cause| ConfigFault::syntax(path, &text, cause))?;
        let settings = Self::check(raw, path.parent().unwrap_or(Path::new(".")))?;
        if let DatabaseAddress::Postgres(url) = &settings.database
            && url.has_password()
            && is_exposed(path).map_err(|cause| ConfigFault::File { path: path.to_owned(), cause })?
        {
            return Err(ConfigFault::Open(path.to_owned()));
        }
        Ok(settings)
    }

    fn check(raw: Raw, folder: &Path) -> Result<Self, ConfigFault> {
        let fault = |key, what| Err(ConfigFault::Value { key, what });
        let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-/".contains(c);
        if !(3..=100).contains(&raw.origin.len()) || !raw.origin.chars().all(named) {
            return fault("origin", "must be a name such as `sluis.example/regio-noord`, in lower case");
        }
        let RawTiming { source_wait_ms, answer_after_ms, use_for_days, reload_s } = raw.timing;
        if !(50..=30_000).contains(&source_wait_ms) {
            return fault("timing.source_wait_ms", "must be 50 to 30000");
        }
        if answer_after_ms < source_wait_ms + 50 || answer_after_ms > 60_000 {
            return fault(
                "timing.answer_after_ms",
                "must be at least 50 ms longer than `source_wait_ms`, so that a slow source does not show, and at most 60000",
            );
        }
        if !(1..=365).contains(&use_for_days) {
            return fault("timing.use_for_days", "must be 1 to 365");
        }
        if !(1..=3600).contains(&reload_s) {
            return fault("timing.reload_s", "must be 1 to 3600");
        }
        let retention = raw.retention.check(GatewayKind::of_origin(&raw.origin))?;
        Ok(Self {
            origin: raw.origin,
            listen: raw.listen,
            database: match raw.database {
                Some(url) => DatabaseAddress::Postgres(url.parse().map_err(ConfigFault::Database)?),
                None => DatabaseAddress::Folder(folder.join(&raw.data_dir)),
            },
            data_dir: folder.join(raw.data_dir),
            participants: folder.join(raw.participants),
            agreements: folder.join(raw.agreements),
            policies: folder.join(raw.policies),
            tls: raw.tls.within(folder),
            timing: Timing {
                source_wait: Duration::from_millis(source_wait_ms),
                answer_after: Duration::from_millis(answer_after_ms),
                use_for: Duration::from_secs(use_for_days * 24 * 3600),
            },
            reload_every: Duration::from_secs(reload_s),
            retention,
            witnessing: Witnessing::check(raw.witness, &raw.witnessing, folder)?,
            logboek: raw.logboek.map(logboek::RawLogboek::check).transpose()?,
        })
    }

    /// Test or production, by the name of the log and by nothing else (P12).
    #[must_use]
    pub fn kind(&self) -> GatewayKind {
        GatewayKind::of_origin(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        origin = "test.sluis.example/demo"
        listen = "127.0.0.1:7443"
        data_dir = "data"
        participants = "participants.toml"
        agreements = "agreements.toml"
        policies = "policies"
        [tls]
        roots = ["ca.pem"]
        crls = ["crl.pem"]
        certificate = "gateway.pem"
        key = "gateway.key"
    "#;

    fn read(text: &str) -> Result<Settings, ConfigFault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sluis.toml");
        std::fs::write(&path, text).unwrap();
        Settings::load(&path)
    }

    #[test]
    fn p12_the_origin_alone_makes_a_test_gateway() {
        assert_eq!(read(GOOD).unwrap().kind(), GatewayKind::Test);
        let production = GOOD.replace("test.sluis", "sluis");
        assert_eq!(read(&production).unwrap().kind(), GatewayKind::Production);
        // No flag turns a check off: an unknown key is refused.
        for key in ["break_glass = true", "insecure = true", "kind = \"test\""] {
            assert!(matches!(read(&format!("{key}\n{GOOD}")), Err(ConfigFault::Syntax { .. })), "{key}");
        }
    }

    #[test]
    fn p08_a_password_in_the_file_is_neither_shown_nor_left_open_to_others() {
        let with = |url: &str| GOOD.replace("[tls]", &format!("database = \"{url}\"\n[tls]"));
        assert_eq!(
            read(&with("postgres://sluis@127.0.0.1/sluis")).unwrap().database.to_string(),
            "postgres://127.0.0.1:5432/sluis"
        );
        let secret = with("postgres://sluis:geheim@127.0.0.1/sluis");
        let open = read(&secret).unwrap_err();
        assert!(matches!(open, ConfigFault::Open(_)), "{open}");
        for wrong in [
            secret.replace("127.0.0.1/", "db.example/"),
            secret.replace("postgres:", "mysql:"),
            secret.replace("database = \"", "database = "),
            secret.replace("database = ", "databse = "),
        ] {
            let fault = read(&wrong).unwrap_err();
            let shown = format!("{fault} {fault:?}");
            assert!(!shown.contains("geheim"), "{shown}");
        }
    }

    #[test]
    fn an_answer_never_leaves_before_a_slow_source_is_given_up() {
        let text = format!("{GOOD}\n[timing]\nsource_wait_ms = 1000\nanswer_after_ms = 1000");
        assert!(matches!(read(&text), Err(ConfigFault::Value { key: "timing.answer_after_ms", .. })));
    }

    #[test]
    fn p11_terms_are_bounded_and_production_accounts_for_five_years() {
        let with = |origin: &str, retention: &str| {
            let text = GOOD.replace("test.sluis.example/demo", origin);
            read(&format!("{text}\n[retention]\n{retention}"))
        };
        let (test, production) = ("test.sluis.example/demo", "sluis.example/demo");
        assert_eq!(with(production, "").unwrap().retention.account_for_days, 1827);
        assert!(with(test, "account_for_days = 0\nexchanges_days = 1").is_ok());
        for (origin, retention, key) in [
            (production, "account_for_days = 1826", "retention.account_for_days"),
            (production, "exchanges_days = 1826", "retention.exchanges_days"),
            (test, "account_for_days = 10\nlooks_days = 9", "retention.looks_days"),
            (test, "account_for_days = 0\nconsents_days = 0", "retention.consents_days"),
            (test, "exchanges_days = 7321", "retention.exchanges_days"),
            (test, "request_ids_days = 29", "retention.request_ids_days"),
            (test, "key_backups_days = 31", "retention.key_backups_days"),
            (test, "key_backups_days = 0", "retention.key_backups_days"),
        ] {
            match with(origin, retention) {
                Err(ConfigFault::Value { key: found, .. }) => assert_eq!(found, key, "{retention}"),
                other => panic!("{retention}: {other:?}"),
            }
        }
        assert!(matches!(with(test, "forever = true"), Err(ConfigFault::Syntax { .. })));
    }
}
