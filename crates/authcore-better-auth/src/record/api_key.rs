//! An API key's row as JSON, as Better Auth keeps it in its secondary storage, and the same with other counters.

use std::collections::BTreeMap;
use std::time::Duration;

use authcore::{Secret, Timestamp};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use super::members::{Id, List, Members, Unreadable};
use crate::api_key::{ApiKey, ApiKeyRecord, KeyAllowance, KeyUsage};
use crate::date::{self, Date};

/// Reads `{"id":…,"key":…,"referenceId":…}`. What may be null may be missing; unknown members are passed over; each
/// name is there once. The owner is another's to find.
pub(crate) fn read(json: &str) -> Result<ApiKeyRecord, UnreadableKey> {
    read_row(json).map_err(UnreadableKey)
}

/// A text that is no API key's row.
#[derive(Debug, thiserror::Error)]
#[error("unreadable API key: {0}")]
pub(crate) struct UnreadableKey(Unreadable);

fn read_row(json: &str) -> Result<ApiKeyRecord, Unreadable> {
    let row = Members::of("the row", json)?;
    Ok(ApiKeyRecord {
        id: row.required("id")?,
        key: row.required::<Stored>("key")?.0,
        config_id: row.optional("configId")?,
        name: row.optional("name")?,
        reference_id: row.required::<Id>("referenceId")?.0,
        enabled: row.optional("enabled")?.unwrap_or(true),
        expires_at: time(&row, "expiresAt")?,
        created_at: row.required::<Date>("createdAt")?.0,
        permissions: row.optional::<Text>("permissions")?.map(|text| text.0),
        allowance: KeyAllowance {
            refill_interval: milliseconds(&row, "refillInterval")?,
            refill_amount: row.optional("refillAmount")?,
            rate_limit_enabled: row.optional("rateLimitEnabled")?.unwrap_or(true),
            time_window: milliseconds(&row, "rateLimitTimeWindow")?,
            max: row.optional("rateLimitMax")?,
        },
        usage: KeyUsage {
            remaining: row.optional("remaining")?,
            last_refill_at: time(&row, "lastRefillAt")?,
            request_count: row.optional("requestCount")?.unwrap_or(0),
            last_request: time(&row, "lastRequest")?,
        },
        owner: None,
        as_read: Secret::new(json),
    })
}

/// The row as it was read, with the counters that changed. All else stays as it was, to the letter and in its order.
pub(crate) fn counted(record: &ApiKeyRecord, after: &KeyUsage) -> Result<String, UnreadableKey> {
    let List(mut members) = serde_json::from_slice(record.as_read.expose_bytes())
        .map_err(|_| UnreadableKey(Unreadable { what: "the row", why: "is not as it was read" }))?;
    let mut new = BTreeMap::new();
    let before = &record.usage;
    let number = |number: Option<i64>| number.map_or("null".to_owned(), |number| number.to_string());
    if before.remaining != after.remaining {
        new.insert("remaining", number(after.remaining));
    }
    if before.last_refill_at != after.last_refill_at {
        new.insert("lastRefillAt", written(after.last_refill_at));
    }
    if before.request_count != after.request_count {
        new.insert("requestCount", after.request_count.to_string());
    }
    if before.last_request != after.last_request {
        new.insert("lastRequest", written(after.last_request));
    }
    let new: Vec<_> = new.into_iter().map(|(name, json)| (name, RawValue::from_string(json).expect("JSON"))).collect();
    for (name, value) in &new {
        match members.iter_mut().find(|(known, _)| known == name) {
            Some(member) => member.1 = value,
            None => members.push(((*name).to_owned(), value)),
        }
    }
    let text = |text: &str| serde_json::to_string(text).expect("text always serialises");
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{}", text(name), value.get())).collect();
    Ok(format!("{{{}}}", members.join(",")))
}

fn time(row: &Members<'_>, name: &'static str) -> Result<Option<Timestamp>, Unreadable> {
    Ok(row.optional::<Date>(name)?.map(|date| date.0))
}

fn milliseconds(row: &Members<'_>, name: &'static str) -> Result<Option<Duration>, Unreadable> {
    Ok(row.optional::<u64>(name)?.map(Duration::from_millis))
}

/// As JavaScript writes a date into JSON.
fn written(time: Option<Timestamp>) -> String {
    let text = |time: Timestamp| format!("\"{}Z\"", date::text(time.as_micros().div_euclid(1000), 'T'));
    time.map_or("null".to_owned(), text)
}

struct Stored(ApiKey);

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ApiKey::as_stored(&text).map(Self).ok_or_else(|| D::Error::custom("no API key"))
    }
}

/// The text of a JSON string, or of whatever else is there: what it says is looked into later, and may grant nothing.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned())))
    }
}

#[cfg(test)]
mod tests;
