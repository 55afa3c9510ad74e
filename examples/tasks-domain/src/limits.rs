//! How often each route may be asked, and what the environment says of it.

use std::fmt::Display;
use std::time::Duration;

use authcore::ConfigError;
use authcore::rate::{
    ClientAddresses, ForwardingHeader, InProcess, Limit, Outage, Quota, RateKey, RateLimits, RateStore as _,
};
use authcore_redis::RedisRates;

/// What is said of limits.
#[derive(Clone, Debug)]
pub(crate) struct LimitSettings {
    /// The general one, per client address on every route of the API.
    general: Quota,
    addresses: ClientAddresses,
    /// Where instances count together.
    redis: Option<RedisRates>,
    outage: Outage,
}

impl LimitSettings {
    /// `Ok(None)` when there are to be none.
    pub(crate) fn from_vars(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let settings = Self {
            general: general(variable)?,
            addresses: addresses(variable)?,
            redis: variable(REDIS)
                .map(|url| RedisRates::lazy(&url))
                .transpose()
                .map_err(|error| named(REDIS, &error))?,
            outage: match variable(OUTAGE).as_deref() {
                None | Some("local") => Outage::Local,
                Some("open") => Outage::Open,
                Some("closed") => Outage::Closed,
                Some(_) => return Err(named(OUTAGE, &"takes `local`, `open` or `closed`")),
            },
        };
        match variable("RATE_LIMIT").as_deref() {
            None | Some("on") => Ok(Some(settings)),
            Some("off") => Ok(None),
            Some(_) => Err(named("RATE_LIMIT", &"takes `on` or `off`")),
        }
    }

    /// The limits, in the order in which clients are shown them.
    pub(crate) fn limits(&self) -> Result<RateLimits, ConfigError> {
        let limits = match &self.redis {
            Some(redis) => RateLimits::counted_in(redis.clone()),
            None => RateLimits::counted_in(InProcess::new()),
        };
        let per_minute = |count| Quota::per(count, Duration::from_secs(60));
        let limit = |name: &str, quota, path| Limit::new(name, quota).on(path).when_store_fails(self.outage);
        Ok(limits
            .client_addresses(self.addresses.clone())
            .limit(limit("general", self.general, "/api/**"))
            .limit(limit("profile", per_minute(20)?, "/api/user/profile"))
            .limit(limit("protected-data", per_minute(10)?, "/api/protected-data"))
            .limit(limit("messages", per_minute(5)?, "/api/messages"))
            .limit(limit("data", per_minute(10)?, "/api/data").per_user().for_role("premium", per_minute(100)?))
            .limit(limit("action", per_minute(30)?, "/api/user/action").per_address_and_user()))
    }

    /// Whether requests can be counted where they should be.
    pub(crate) async fn can_count(&self) -> bool {
        let Some(redis) = &self.redis else { return true };
        redis.counter("ready", self.general).count(&RateKey::custom("ready"), 0).wait().await.is_ok()
    }
}

fn addresses(variable: &impl Fn(&str) -> Option<String>) -> Result<ClientAddresses, ConfigError> {
    let header = variable(HEADER).map(|header| header.parse().map_err(|error: ConfigError| named(HEADER, &error)));
    match (variable(PROXIES), header.transpose()?) {
        (None, None) => Ok(ClientAddresses::peer()),
        (None, Some(_)) => Err(named(HEADER, &format!("says nothing without {PROXIES}: set it"))),
        (Some(list), header) => {
            let addresses: ClientAddresses = list.parse().map_err(|error: ConfigError| named(PROXIES, &error))?;
            Ok(addresses.header(header.unwrap_or(ForwardingHeader::XForwardedFor)))
        }
    }
}

fn general(variable: &impl Fn(&str) -> Option<String>) -> Result<Quota, ConfigError> {
    let whole = |name: &str, default: u64, most: u64| match variable(name) {
        None => Ok(default),
        Some(text) => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let value = text.parse().ok().filter(|value| digits && (1..=most).contains(value));
            value.ok_or_else(|| named(name, &format!("takes a whole number from 1 to {most}")))
        }
    };
    let window = whole(WINDOW, 900_000, 24 * 60 * 60 * 1_000)?;
    let requests = whole(REQUESTS, 100, 1_000_000)?;
    let requests = u32::try_from(requests).expect("a million at most");
    Quota::per(requests, Duration::from_millis(window)).map_err(|error| named(REQUESTS, &error))
}

const WINDOW: &str = "RATE_LIMIT_WINDOW_MS";

const REQUESTS: &str = "RATE_LIMIT_MAX_REQUESTS";

const OUTAGE: &str = "RATE_LIMIT_ON_OUTAGE";

const PROXIES: &str = "TRUSTED_PROXIES";

const HEADER: &str = "TRUSTED_PROXIES_HEADER";

const REDIS: &str = "REDIS_URL";

fn named(variable: &str, what: &dyn Display) -> ConfigError {
    ConfigError::new(format!("{variable}: {what}"))
}
