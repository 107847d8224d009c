//! `[logboek]`: where the log is sent as *Logboek Dataverwerkingen*.

use std::{net::IpAddr, time::Duration};

use http::{Uri, uri::Scheme};
use serde::Deserialize;

use super::ConfigFault;
use crate::{audit::records::ldv::Register, domain::Oin};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLogboek {
    url: String,
    oin: Option<Oin>,
    activities: String,
    #[serde(default = "alarm_after_s")]
    alarm_after_s: u64,
    #[serde(default = "look_every_ms")]
    look_every_ms: u64,
}

const fn alarm_after_s() -> u64 {
    300
}

const fn look_every_ms() -> u64 {
    1_000
}

/// Where the logboek is, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogboekAddress {
    /// Over mutual TLS, to this organisation and no other.
    Tls {
        /// `https://host:port`.
        url: String,
        /// The organisation in its certificate.
        oin: Oin,
    },
    /// On this machine, where a collector of the same organisation may stand.
    Loopback {
        /// `http://127.0.0.1:port`.
        url: String,
    },
}

/// What is sent where.
#[derive(Clone, Debug)]
pub struct LogboekSettings {
    /// Address of an OTLP receiver over gRPC.
    pub address: LogboekAddress,
    /// Register of processing activities.
    pub register: Register,
    /// How old an entry may be that has not been acknowledged, before there is an alarm.
    pub alarm_after: Duration,
    /// How often the log is looked at for new entries.
    pub look_every: Duration,
}

impl RawLogboek {
    pub(super) fn check(self) -> Result<LogboekSettings, ConfigFault> {
        let fault = |key, what| Err(ConfigFault::Value { key, what });
        if !(10..=86_400).contains(&self.alarm_after_s) {
            return fault("logboek.alarm_after_s", "must be 10 to 86400");
        }
        if !(20..=60_000).contains(&self.look_every_ms) {
            return fault("logboek.look_every_ms", "must be 20 to 60000");
        }
        let Some(address) = address(self.url, self.oin) else {
            return fault(
                "logboek.url",
                "must be `https://host:port` together with `oin`, or `http://127.0.0.1:port` on this machine",
            );
        };
        let Ok(register) = self.activities.parse() else {
            return fault(
                "logboek.activities",
                "must be where the register of processing activities is: `https://` and `/`, `#`, `=` or `:` at the end",
            );
        };
        Ok(LogboekSettings {
            address,
            register,
            alarm_after: Duration::from_secs(self.alarm_after_s),
            look_every: Duration::from_millis(self.look_every_ms),
        })
    }
}

/// The address, if it is one that may be used: what goes over a network is encrypted, and to whom is known.
fn address(url: String, oin: Option<Oin>) -> Option<LogboekAddress> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let bare = uri.port_u16().is_some()
        && uri.path_and_query().is_none_or(|path| path == "/")
        && !uri.authority()?.as_str().contains('@');
    let here = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match (uri.scheme().filter(|_| bare)?, oin) {
        (scheme, Some(oin)) if *scheme == Scheme::HTTPS => Some(LogboekAddress::Tls { url, oin }),
        (scheme, None) if *scheme == Scheme::HTTP && here => Some(LogboekAddress::Loopback { url }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        let oin = || Some("00000099000001001000".parse().unwrap());
        let is = |url: &str, oin| address(url.to_owned(), oin).is_some();
        assert!(is("https://logboek.example:4317", oin()));
        assert!(is("http://127.0.0.1:4317", None) && is("http://[::1]:4317/", None));
        for (url, oin) in [
            ("https://logboek.example:4317", None),
            ("https://logboek.example", oin()),
            ("https://logboek.example:4317/v1/traces", oin()),
            ("https://user@logboek.example:4317", oin()),
            ("http://logboek.example:4317", None),
            ("http://10.0.0.7:4317", None),
            ("http://127.0.0.1:4317", oin()),
            ("logboek.example:4317", oin()),
        ] {
            assert!(!is(url, oin), "{url}");
        }
    }
}
