//! What stands between a server and its clients: address, origins, proxies, limits.

use std::net::SocketAddr;
use std::time::Duration;

use authcore::TrustedOrigins;
use authcore::rate::{ClientAddresses, ForwardingHeader, Quota};

use super::check::Check;
use super::{shown, variable};

pub(super) fn checks() -> Vec<Check> {
    vec![origins(), proxies(), limits()]
}

fn origins() -> Check {
    const NAME: &str = "CORS_ORIGINS";
    let Some(list) = variable(NAME) else {
        let found = "not set: only pages of http://localhost:3000 may ask";
        return Check::ok(NAME, found);
    };
    let entries: Vec<&str> = list.split(',').map(str::trim).collect();
    if entries.contains(&"*") {
        return Check::fail(NAME, "`*` is never allowed together with credentials").mend("list the origins, by commas");
    }
    match TrustedOrigins::new(entries.iter().copied()) {
        Ok(_) => Check::ok(NAME, entries.join(", ")),
        Err(_) => {
            let mend = "write each as browsers send it: scheme, host, port, no path and no slash at the end";
            let bad = entries.iter().filter(|entry| TrustedOrigins::new([**entry]).is_err());
            let bad = bad.map(|entry| format!("{:?}", shown::name(entry))).collect::<Vec<_>>().join(", ");
            Check::fail(NAME, format!("not an origin: {bad}")).mend(mend)
        }
    }
}

fn proxies() -> Check {
    const NAME: &str = "TRUSTED_PROXIES";
    const HEADER: &str = "TRUSTED_PROXIES_HEADER";
    let header = variable(HEADER).map(|header| header.parse::<ForwardingHeader>());
    if let Some(Err(error)) = header {
        return Check::fail(HEADER, error.to_string()).mend("name what your proxies write, or unset it");
    }
    if header.is_some() && variable(NAME).is_none() {
        return Check::fail(HEADER, format!("says nothing without {NAME}")).mend(format!("set {NAME}, or unset it"));
    }
    let Some(list) = variable(NAME) else {
        let bind = variable("BIND_ADDR").and_then(|address| address.parse::<SocketAddr>().ok());
        let found = "not set: no forwarding header is believed";
        return match bind.filter(|address| !address.ip().to_canonical().is_loopback()) {
            Some(_) => Check::ok(NAME, format!("{found}; behind a proxy all clients would be counted as one")),
            None => Check::ok(NAME, found),
        };
    };
    match list.parse::<ClientAddresses>() {
        Ok(_) => Check::ok(NAME, format!("believed: {list}")),
        Err(error) => Check::fail(NAME, error.to_string()).mend("name the networks of your proxies, as 10.0.0.0/8"),
    }
}

fn limits() -> Check {
    const NAME: &str = "RATE_LIMIT";
    match variable(NAME).as_deref() {
        None | Some("on") => {}
        Some("off") => {
            return Check::warn(NAME, "off: nothing is limited").mend("unset it, unless this is a load test");
        }
        Some(_) => return Check::fail(NAME, "takes `on` or `off`").mend("unset RATE_LIMIT for the default, on"),
    }
    let number = |name: &'static str, default: u64| match variable(name) {
        None => Ok(default),
        Some(text) if text.starts_with('+') => Err(name),
        Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or(name),
    };
    let read =
        number("RATE_LIMIT_MAX_REQUESTS", 100).and_then(|most| Ok((most, number("RATE_LIMIT_WINDOW_MS", 900_000)?)));
    let (most, window) = match read {
        Ok(read) => read,
        Err(name) => {
            let mend = format!("write {name} in digits, or unset it; RATE_LIMIT=off limits nothing");
            return Check::fail(name, "is no whole number above zero").mend(mend);
        }
    };
    let quota = u32::try_from(most).map(|most| Quota::per(most, Duration::from_millis(window)));
    match quota {
        Ok(Ok(_)) => Check::ok(NAME, format!("{most} in {window} ms for each client address")),
        Ok(Err(error)) => {
            Check::fail("RATE_LIMIT_MAX_REQUESTS", error.to_string()).mend("allow fewer, or in a longer time")
        }
        Err(_) => Check::fail("RATE_LIMIT_MAX_REQUESTS", "is too large").mend("allow at most a million"),
    }
}
