//! Databases and Redis: reachable, and with Better Auth's data in them.

use std::time::Duration;

use authcore::rate::{RateKey, RateStore as _};
use authcore_better_auth::{RedisSessions, Schema, SqlSessions};
use authcore_redis::RedisRates;

use super::check::Check;
use super::variable;

pub(super) async fn checks(checks: &mut Vec<Check>) {
    if let Some(url) = variable(AUTH_DATABASE) {
        checks.push(auth_database(&url).await);
    }
    if let Some(url) = variable(AUTH_REDIS) {
        checks.push(auth_redis(&url).await);
    }
    checks.push(tasks());
    checks.push(match variable("REDIS_URL") {
        Some(url) => rates(&url).await,
        None => Check::ok("REDIS_URL", "not set: rate limits are counted in each process by itself"),
    });
}

const AUTH_DATABASE: &str = "BETTER_AUTH_DATABASE_URL";

const AUTH_REDIS: &str = "BETTER_AUTH_REDIS_URL";

const PREFIX: &str = "BETTER_AUTH_REDIS_PREFIX";

async fn auth_database(url: &str) -> Check {
    let snake_case = variable("BETTER_AUTH_SCHEMA").as_deref() == Some("snake_case");
    let schema = if snake_case { Schema::snake_case() } else { Schema::better_auth() };
    let builder = SqlSessions::builder().schema(schema);
    let in_both = variable("BETTER_AUTH_SESSIONS_IN_DATABASE").as_deref() == Some("on");
    let elsewhere = variable(AUTH_REDIS).is_some() && !in_both;
    let builder = if elsewhere { builder.sessions_elsewhere() } else { builder };
    let found = match builder.connect(url).await {
        Ok(sessions) => sessions,
        Err(error) => {
            let message = error.to_string();
            let mend = if message.starts_with("schema: ") {
                format!(
                    "name Better Auth's own database in {AUTH_DATABASE}, run its migrations there (npx auth@latest \
                     migrate), or say by BETTER_AUTH_SCHEMA what its tables are called"
                )
            } else {
                format!("check host, user and password in {AUTH_DATABASE}, and that the database runs")
            };
            return Check::fail(AUTH_DATABASE, message).mend(mend);
        }
    };
    let tables = if found.has_sessions() { "`session` and `user` are there" } else { "`user` is there" };
    match found.absent() {
        [] => Check::ok(AUTH_DATABASE, tables),
        absent if absent.contains(&"user.banned") => {
            let found = format!("{tables}, without the columns {}: nobody counts as banned", absent.join(", "));
            Check::warn(AUTH_DATABASE, found)
                .mend("use the admin plugin and run its migration, if users are ever banned")
        }
        absent => Check::ok(AUTH_DATABASE, format!("{tables}; of plugins not in use: {}", absent.join(", "))),
    }
}

async fn auth_redis(url: &str) -> Check {
    let prefix = match variable(PREFIX).as_deref() {
        None => "better-auth:".to_owned(),
        Some("none") => String::new(),
        Some(prefix) => prefix.to_owned(),
    };
    let redis = match RedisSessions::connect(url).await {
        Ok(redis) => redis,
        Err(error) => return Check::fail(AUTH_REDIS, error.to_string()).mend(reachable(AUTH_REDIS)),
    };
    let in_use = match redis.prefixes_in_use().await {
        Ok(in_use) => in_use,
        Err(error) => {
            let found = format!("reachable, but its keys cannot be listed: {error}");
            return Check::warn(AUTH_REDIS, found).mend("allow this user SCAN, to have the prefix checked");
        }
    };
    if in_use.contains(&prefix) {
        return Check::ok(AUTH_REDIS, format!("sessions under the prefix {}", shown(&prefix)));
    }
    match in_use.first() {
        Some(other) => {
            let others = in_use.iter().map(|prefix| shown(prefix)).collect::<Vec<_>>().join(", ");
            let found = format!("no session under the prefix {}, but some under {others}", shown(&prefix));
            let value = if other.is_empty() { "none" } else { other };
            Check::fail(AUTH_REDIS, found).mend(format!("set {PREFIX}={value}"))
        }
        None => {
            let found = format!("reachable, and no session in it yet under the prefix {}", shown(&prefix));
            Check::warn(AUTH_REDIS, found).mend(format!("sign in once, then ask again; see {PREFIX}"))
        }
    }
}

fn shown(prefix: &str) -> String {
    if prefix.is_empty() { "(none)".to_owned() } else { format!("`{prefix}`") }
}

fn tasks() -> Check {
    const NAME: &str = "DATABASE_URL";
    let url = variable(NAME);
    match url.as_deref().and_then(|url| url.split_once(':')) {
        None if url.is_some() => {
            Check::fail(NAME, "is no URL").mend("write sqlite:tasks.db or postgres://host/database")
        }
        None => {
            Check::warn(NAME, "not set: tasks are kept in memory").mend("set DATABASE_URL=sqlite:tasks.db to keep them")
        }
        Some(("sqlite", place)) if place.contains(":memory:") || place.contains("mode=memory") => {
            Check::warn(NAME, "in memory: tasks are forgotten at the end")
                .mend("set DATABASE_URL=sqlite:tasks.db to keep them")
        }
        Some((kind @ ("sqlite" | "postgres" | "postgresql"), _)) => Check::ok(NAME, format!("{kind}; not opened here")),
        Some(_) => Check::fail(NAME, "is of a kind that is not served")
            .mend("write sqlite:tasks.db or postgres://host/database"),
    }
}

async fn rates(url: &str) -> Check {
    const NAME: &str = "REDIS_URL";
    let connecting = RedisRates::builder(url).deadline(Duration::from_secs(2)).connect().await;
    let rates = match connecting {
        Ok(rates) => rates,
        Err(error) => return Check::fail(NAME, error.to_string()).mend(reachable(NAME)),
    };
    let Ok(quota) = "1/minute".parse() else { return Check::ok(NAME, "reachable") };
    // It only looks.
    match rates.counter("doctor", quota).count(&RateKey::custom("doctor"), 0).wait().await {
        Ok(_) => Check::ok(NAME, "reachable, and counts rate limits"),
        Err(error) => {
            let mend = "allow this user +evalsha +eval +ping +time +get +set on authcore:rate:*";
            Check::fail(NAME, format!("reachable, and cannot count: {error}")).mend(mend)
        }
    }
}

fn reachable(name: &str) -> String {
    format!("check host, port and password in {name}, and that Redis runs: redis-cli -u \"${name}\" ping")
}
