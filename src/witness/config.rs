//! What a witness runs with: one TOML file, unknown keys refused, paths relative to the file.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::note::VerifierKey;

/// Why the configuration of a witness cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessConfigFault {
    /// The file cannot be read.
    #[error("cannot read the configuration `{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// It is not valid.
    #[error("the configuration `{path}` is not valid: {cause}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: Box<toml::de::Error>,
    },
    /// A value that cannot be.
    #[error("`{key}` {what}")]
    Value {
        /// Its key.
        key: &'static str,
        /// What is wrong, and what would be right.
        what: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    listen: SocketAddr,
    #[serde(default)]
    listen_without_tls: bool,
    data_dir: PathBuf,
    log: Vec<RawLog>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    origin: Option<String>,
    origin_prefix: Option<String>,
    keys: Vec<String>,
}

/// Which origins a pinned log has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origins {
    One(String),
    /// This, and one more part: the log of a region has a new origin each year.
    Prefix(String),
}

/// A log that is witnessed, with the keys that it may sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedLog {
    origins: Origins,
    keys: Vec<[u8; 32]>,
}

impl PinnedLog {
    /// The keys under which a checkpoint of this origin may be signed; `None` if it is not this log's.
    fn keys_of(&self, origin: &str) -> Option<Vec<VerifierKey>> {
        let is_own = match &self.origins {
            Origins::One(own) => own == origin,
            Origins::Prefix(prefix) => origin
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| !rest.is_empty() && !rest.contains('/')),
        };
        // The key bears the name of the origin, so under a prefix it has another id each year.
        is_own.then(|| self.keys.iter().filter_map(|key| VerifierKey::new(origin, *key).ok()).collect())
    }
}

/// What a witness runs with.
#[derive(Clone, Debug)]
pub struct WitnessSettings {
    /// Name of its key.
    pub name: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where its key is, and what it has cosigned.
    pub data_dir: PathBuf,
    logs: Vec<PinnedLog>,
}

impl WitnessSettings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// If the file cannot be read, is not valid, or has a value that cannot be.
    pub fn load(path: &Path) -> Result<Self, WitnessConfigFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| WitnessConfigFault::File { path: path.to_owned(), cause })?;
        let raw: Raw = toml::from_str(&text)
            .map_err(|cause| WitnessConfigFault::Syntax { path: path.to_owned(), cause: Box::new(cause) })?;
        Self::check(raw, path.parent().unwrap_or(Path::new(".")))
    }

    fn check(raw: Raw, folder: &Path) -> Result<Self, WitnessConfigFault> {
        let fault = |key, what: &str| WitnessConfigFault::Value { key, what: what.to_owned() };
        if crate::note::cosignature::CosignerKey::new(&raw.name, [0; 32]).is_err() {
            return Err(fault(
                "name",
                "must be a name such as `witness.example/w1`, without spaces or plus signs",
            ));
        }
        if !raw.listen.ip().is_loopback() && !raw.listen_without_tls {
            let what = "must be on this machine, behind a proxy that speaks TLS; where the network between that proxy \
                        and the witness is your own, say `listen_without_tls = true`";
            return Err(fault("listen", what));
        }
        if raw.log.is_empty() {
            return Err(fault("log", "must name at least one log"));
        }
        let logs = raw.log.into_iter().map(pinned).collect::<Result<_, _>>()?;
        Ok(Self { name: raw.name, listen: raw.listen, data_dir: folder.join(raw.data_dir), logs })
    }

    /// The keys under which a checkpoint of this origin may be signed, of every block that it falls under; `None` if the
    /// origin is unknown.
    #[must_use]
    pub fn keys_of(&self, origin: &str) -> Option<Vec<VerifierKey>> {
        self.logs.iter().filter_map(|log| log.keys_of(origin)).reduce(|keys, more| [keys, more].concat())
    }
}

fn pinned(raw: RawLog) -> Result<PinnedLog, WitnessConfigFault> {
    let fault = |key, what: String| WitnessConfigFault::Value { key, what };
    let origins = match (raw.origin, raw.origin_prefix) {
        (Some(origin), None) if !origin.is_empty() => Origins::One(origin),
        (None, Some(prefix)) if prefix.len() > 1 && prefix.ends_with('/') => Origins::Prefix(prefix),
        (None, Some(_)) => return Err(fault("log.origin_prefix", "must end in a slash".to_owned())),
        _ => return Err(fault("log", "has either `origin` or `origin_prefix`".to_owned())),
    };
    let mut keys = Vec::new();
    for text in &raw.keys {
        let key: VerifierKey =
            text.parse().map_err(|cause| fault("log.keys", format!("has `{text}`, which is {cause}")))?;
        let fits = match &origins {
            Origins::One(origin) => key.name() == origin,
            Origins::Prefix(prefix) => key.name().starts_with(prefix.as_str()),
        };
        if !fits {
            return Err(fault("log.keys", format!("has a key of `{}`, which is another log", key.name())));
        }
        keys.push(*key.public_key());
    }
    if keys.is_empty() {
        return Err(fault("log.keys", "must name at least one key".to_owned()));
    }
    Ok(PinnedLog { origins, keys })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WitnessSettings, WitnessConfigFault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.toml");
        std::fs::write(&path, text).unwrap();
        WitnessSettings::load(&path)
    }

    fn text(log: &str) -> String {
        format!("name = \"w\"\nlisten = \"127.0.0.1:0\"\ndata_dir = \"d\"\n[[log]]\n{log}")
    }

    #[test]
    fn a_prefix_pins_keys_whatever_the_year() {
        let key = VerifierKey::new("test.example/region/2026", [7; 32]).unwrap();
        let settings =
            read(&text(&format!("origin_prefix = \"test.example/region/\"\nkeys = [\"{key}\"]"))).unwrap();
        assert_eq!(settings.keys_of("test.example/region/2026"), Some(vec![key.clone()]));
        let next = settings.keys_of("test.example/region/2027").unwrap();
        assert_eq!((next[0].name(), next[0].public_key()), ("test.example/region/2027", key.public_key()));
        for other in ["test.example/region/", "test.example/region/a/b", "test.example/regio", "x"] {
            assert_eq!(settings.keys_of(other), None, "{other}");
        }
        let one = read(&text(&format!("origin = \"test.example/region/2026\"\nkeys = [\"{key}\"]"))).unwrap();
        assert!(one.keys_of("test.example/region/2026").is_some());
        assert_eq!(one.keys_of("test.example/region/2027"), None);
    }

    /// The next key is added beside the one in use, in a block of its own or not.
    #[test]
    fn keys_of_several_blocks_count_together() {
        let key = |n: u8| VerifierKey::new("test.example/region/2026", [n; 32]).unwrap();
        let block = |n| format!("origin_prefix = \"test.example/region/\"\nkeys = [\"{}\"]\n", key(n));
        let one = format!("[[log]]\norigin = \"test.example/region/2026\"\nkeys = [\"{}\"]\n", key(9));
        let settings = read(&text(&format!("{}[[log]]\n{}{one}", block(7), block(8)))).unwrap();
        assert_eq!(settings.keys_of("test.example/region/2026"), Some(vec![key(7), key(8), key(9)]));
        assert_eq!(settings.keys_of("test.example/region/2027").unwrap().len(), 2);
        assert_eq!(settings.keys_of("test.example/elsewhere/2026"), None);
    }

    #[test]
    fn what_would_pin_nothing_is_refused() {
        let key = VerifierKey::new("test.example/region/2026", [7; 32]).unwrap();
        let good = text(&format!("origin_prefix = \"test.example/region/\"\nkeys = [\"{key}\"]"));
        for bad in [
            good.replace("region/\"", "region\""),
            good.replace("region/\"", "elsewhere/\""),
            good.replace(&format!("\"{key}\""), ""),
            good.replace("127.0.0.1", "0.0.0.0"),
            good.replace("\"w\"", "\"a b\""),
            format!("{good}\norigin = \"x\""),
            format!("{good}\nextra = 1"),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
        let network = format!("listen_without_tls = true\n{}", good.replace("127.0.0.1", "0.0.0.0"));
        assert!(read(&network).is_ok());
    }
}
