//! Private readers of foreign bytes, for the fuzz targets alone: built with `--cfg fuzzing`, and no part of the API.

use std::sync::Arc;

use authcore::{BoxError, ConfigError, Timestamp};

use crate::api_key::{ApiKeyRecord, KeyUsage};
use crate::base_url::BaseUrl;
use crate::date::Date;
use crate::record;
use crate::session::SessionRecord;
use crate::sql::row::Row;
use crate::sql::time::{Zone, instant};
use authcore_redis_link::RedisUrl;

/// What secondary storage keeps, and `/get-session` answers.
pub fn stored_record(json: &str) -> Result<SessionRecord, BoxError> {
    record::read(json).map_err(Into::into)
}

/// An API key's row in secondary storage; and once more, with these counters written into it.
pub fn stored_api_key(json: &str, after: &KeyUsage) -> Result<(ApiKeyRecord, ApiKeyRecord), BoxError> {
    let record = record::api_key::read(json)?;
    let written = record::api_key::counted(&record, after)?;
    Ok((record, record::api_key::read(&written)?))
}

/// An API key's row joined with its owner, by the names of its fields; in UTC.
pub fn sql_api_key(fields: Arc<[&'static str]>, values: Vec<Option<String>>) -> Result<ApiKeyRecord, BoxError> {
    Ok(Row::new(fields, values).api_key(Zone::default())?)
}

/// A date in JSON.
pub fn json_date(text: &str) -> Option<Timestamp> {
    Date::parse(text).map(|date| date.0)
}

/// The mark that "revoke all sessions" leaves in Redis.
pub fn revocation_mark(text: &str) -> Option<i64> {
    crate::redis::millis(text)
}

/// Host, port, whether by TLS, and what `Debug` shows.
pub fn redis_url(text: &str) -> Result<(String, u16, bool, String), ConfigError> {
    let url = RedisUrl::parse(text)?;
    let shown = format!("{url:?}");
    Ok((url.host, url.port, url.tls, shown))
}

/// The origin, and where an endpoint of this name is.
pub fn base_url(text: &str, base_path: Option<&str>, endpoint: &str) -> Result<(String, String), ConfigError> {
    let base = BaseUrl::parse(text)?;
    let endpoint = base.endpoint(base_path, endpoint)?;
    Ok((base.origin, endpoint))
}

/// An instant as a database stores it, in the zone of `Z`, `+02:00` or `-05`; `None` for a bad zone too.
pub fn sql_instant(text: &str, zone: &str) -> Option<Timestamp> {
    instant(text, Zone::parse(zone)?)
}

/// A row of sessions joined with their users, by the names of its fields; in UTC.
pub fn sql_row(fields: Arc<[&'static str]>, values: Vec<Option<String>>) -> Result<SessionRecord, BoxError> {
    let row = Row::new(fields, values);
    Ok(SessionRecord::new(row.session(Zone::default())?, row.user_record(Zone::default())?))
}
