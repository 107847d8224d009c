//! How long what is kept (bewaartermijnen): the section `[retention]`.

use serde::Deserialize;

use super::ConfigFault;
use crate::{audit::retention::Retention, identity::GatewayKind};

/// Years of 365 days and a quarter, in whole days and rounded up.
const FIVE_YEARS: u32 = 1827;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRetention {
    account_for_days: u32,
    exchanges_days: u32,
    consents_days: u32,
    looks_days: u32,
    request_ids_days: u32,
    key_backups_days: u32,
}

impl Default for RawRetention {
    fn default() -> Self {
        Self {
            account_for_days: FIVE_YEARS,
            exchanges_days: FIVE_YEARS,
            consents_days: FIVE_YEARS,
            looks_days: FIVE_YEARS,
            request_ids_days: 400,
            key_backups_days: 30,
        }
    }
}

impl RawRetention {
    /// What cannot be is refused. On a production gateway the time for which disclosures have to be accounted for is no less
    /// than five years (Besluit elektronische gegevensverwerking door zorgaanbieders, article 5, with NEN 7513).
    pub(super) fn check(self, kind: GatewayKind) -> Result<Retention, ConfigFault> {
        let fault = |key, what| Err(ConfigFault::Value { key, what });
        if kind == GatewayKind::Production && self.account_for_days < FIVE_YEARS {
            return fault(
                "retention.account_for_days",
                "must be at least 1827 (five years) on a production gateway",
            );
        }
        let kept = [
            ("retention.exchanges_days", self.exchanges_days),
            ("retention.consents_days", self.consents_days),
            ("retention.looks_days", self.looks_days),
        ];
        for (key, days) in kept {
            if days < self.account_for_days.max(1) || days > 20 * 366 {
                return fault(key, "must be 1 to 7320, and no less than `account_for_days`");
            }
        }
        if !(30..=7320).contains(&self.request_ids_days) {
            return fault("retention.request_ids_days", "must be 30 to 7320");
        }
        if !(1..=30).contains(&self.key_backups_days) {
            return fault(
                "retention.key_backups_days",
                "must be 1 to 30: an erasure is complete when the last of them is gone",
            );
        }
        Ok(Retention {
            account_for_days: self.account_for_days,
            exchanges_days: self.exchanges_days,
            consents_days: self.consents_days,
            looks_days: self.looks_days,
            request_ids_days: self.request_ids_days,
            key_backups_days: self.key_backups_days,
        })
    }
}
