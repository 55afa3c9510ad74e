//! The row of an API key.

use std::time::Duration;

use authcore::Secret;
use serde::{Deserialize, Serialize};

use super::{Row, Unreadable, user_id};
use crate::api_key::{ApiKey, ApiKeyRecord, KeyAllowance, KeyUsage};
use crate::sql::statement::COUNTERS;
use crate::sql::time::Zone;

/// What a row's counters were, to the letter, and a time of its own that shows how it writes them.
#[derive(Deserialize, Serialize)]
pub(in crate::sql) struct AsRead {
    pub(in crate::sql) created_at: String,
    pub(in crate::sql) counters: [Option<String>; 4],
}

impl Row {
    pub(crate) fn api_key(&self, zone: Zone) -> Result<ApiKeyRecord, Unreadable> {
        let reference_id = user_id("apikey.referenceId", self.text("apikey.referenceId")?)?;
        let as_read = AsRead {
            created_at: self.text("apikey.createdAt")?.to_owned(),
            counters: COUNTERS.map(|field| self.owned(field)),
        };
        Ok(ApiKeyRecord {
            id: self.text("apikey.id")?.to_owned(),
            key: ApiKey::as_stored(self.text("apikey.key")?).ok_or(Unreadable("apikey.key"))?,
            config_id: self.owned("apikey.configId"),
            name: self.owned("apikey.name"),
            reference_id,
            enabled: self.flag_or("apikey.enabled", true)?,
            expires_at: self.time("apikey.expiresAt", zone)?,
            created_at: self.time("apikey.createdAt", zone)?.ok_or(Unreadable("apikey.createdAt"))?,
            permissions: self.owned("apikey.permissions"),
            allowance: self.allowance()?,
            usage: self.usage(zone)?,
            owner: self.user_record(zone)?,
            as_read: Secret::new(serde_json::to_vec(&as_read).expect("text always serialises")),
        })
    }

    fn allowance(&self) -> Result<KeyAllowance, Unreadable> {
        Ok(KeyAllowance {
            refill_interval: self.milliseconds("apikey.refillInterval")?,
            refill_amount: self.number("apikey.refillAmount")?,
            rate_limit_enabled: self.flag_or("apikey.rateLimitEnabled", true)?,
            time_window: self.milliseconds("apikey.rateLimitTimeWindow")?,
            max: self.number("apikey.rateLimitMax")?,
        })
    }

    fn usage(&self, zone: Zone) -> Result<KeyUsage, Unreadable> {
        Ok(KeyUsage {
            remaining: self.number("apikey.remaining")?,
            last_refill_at: self.time("apikey.lastRefillAt", zone)?,
            request_count: self.number("apikey.requestCount")?.unwrap_or(0),
            last_request: self.time("apikey.lastRequest", zone)?,
        })
    }

    fn number(&self, field: &'static str) -> Result<Option<i64>, Unreadable> {
        self.optional(field).map(|text| text.parse().map_err(|_| Unreadable(field))).transpose()
    }

    fn milliseconds(&self, field: &'static str) -> Result<Option<Duration>, Unreadable> {
        let number = self.number(field)?.map(u64::try_from).transpose();
        number.map(|number| number.map(Duration::from_millis)).map_err(|_| Unreadable(field))
    }
}
