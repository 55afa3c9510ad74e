//! Issuer, audience, keys, and how far the clocks are apart.

use std::time::Duration;

use authcore::Timestamp;
use authcore_better_auth::BetterAuthSettings;

use super::check::Check;
use super::{shown, variable};
use crate::cli::At;
use crate::published;

/// Issuer and audience, by what a server would expect.
pub(super) fn expected(settings: &BetterAuthSettings) -> Vec<Check> {
    let parts =
        [("BETTER_AUTH_ISSUER", "iss", settings.issuers()), ("BETTER_AUTH_AUDIENCE", "aud", settings.audiences())];
    parts.into_iter().flat_map(|(name, claim, expected)| judged(name, claim, &expected, settings.origin())).collect()
}

/// The same by what stands there, where the settings as a whole are refused.
pub(super) fn stated() -> Vec<Check> {
    let set =
        ["BETTER_AUTH_ISSUER", "BETTER_AUTH_AUDIENCE"].into_iter().filter_map(|name| Some((name, variable(name)?)));
    set.filter_map(|(name, value)| slash(name, &value, None)).collect()
}

fn judged(name: &str, claim: &str, expected: &[&str], origin: Option<&str>) -> Vec<Check> {
    if expected.is_empty() {
        let found = format!("not set: any `{claim}` is accepted under the shared secret");
        return vec![Check::warn(name, found).mend(format!("set {name} to what the issuer writes into `{claim}`"))];
    }
    let one = |value: &&str| {
        let shown = shown::name(value);
        if let Some(check) = slash(name, value, origin) {
            return check;
        }
        match origin {
            Some(origin) if origin != *value && claim == "iss" => {
                let found = format!("{shown}, but Better Auth at {origin} writes {origin} unless told otherwise");
                Check::warn(name, found)
                    .mend(format!("unset {name}, or set jwt.issuer of the Better Auth server to it"))
            }
            _ => Check::ok(name, format!("`{claim}` has to be {shown}")),
        }
    };
    expected.iter().map(one).collect()
}

/// An issuer's name ends in a slash far more often in settings than in tokens.
fn slash(name: &str, value: &str, origin: Option<&str>) -> Option<Check> {
    let bare = value.strip_suffix('/')?;
    let (shown, shown_bare) = (shown::name(value), shown::name(bare));
    let found =
        format!("{shown} ends with a slash; it is compared byte for byte, so tokens that say {shown_bare} are refused");
    let mend = format!("set {name}={shown_bare}, unless the issuer writes the slash too");
    let check = if origin == Some(bare) { Check::fail(name, found) } else { Check::warn(name, found) };
    Some(check.mend(mend))
}

/// The key set and the clock of whoever serves it.
pub(super) async fn keys(settings: &BetterAuthSettings, at: At, checks: &mut Vec<Check>) {
    let url = match settings.jwks_url() {
        Ok(Some(url)) => url,
        Ok(None) => return checks.push(Check::ok("keys", "no key set: JWTs are HS256 under the shared secret")),
        Err(error) => return checks.push(Check::of_config(&error)),
    };
    let name = if variable("BETTER_AUTH_JWKS_URL").is_some() { "BETTER_AUTH_JWKS_URL" } else { "BETTER_AUTH_URL" };
    let shown = shown::url(&url).unwrap_or_else(|| format!("\"${name}\""));
    let published = match published::fetch(&url).await {
        Ok(published) => published,
        Err(why) => {
            let mend = format!(
                "start the Better Auth server with its jwt plugin, or set {name}: curl {shown} has to show the keys"
            );
            return checks.push(Check::fail("keys", format!("no key set at {shown}: {why}")).mend(mend));
        }
    };
    let usable = published.set.keys().count();
    let ignored = published.set.ignored();
    let codes = ignored.iter().map(|key| key.why.code()).collect::<Vec<_>>().join(", ");
    checks.push(match (usable, ignored.len()) {
        (0, _) => {
            let found = format!(
                "no usable key at {shown}{}",
                if codes.is_empty() { String::new() } else { format!(": {codes}") }
            );
            Check::fail("keys", found)
                .mend("sign in once, since Better Auth makes its first key then; see authcore keys")
        }
        (_, 0) => Check::ok("keys", format!("{usable} usable at {shown}")),
        (_, some) => Check::warn("keys", format!("{usable} usable at {shown}, {some} ignored: {codes}"))
            .mend(format!("see authcore keys {shown}")),
    });
    checks.push(match at.now {
        // A time that is stated is the token's, and no clock's.
        Some(_) => Check::ok("clock", "not compared with the issuer's: --now states a time"),
        None => clock(published.date, at.time()),
    });
}

/// `Date` tells whole seconds, and the answer took a while.
fn clock(date: Option<Timestamp>, now: Timestamp) -> Check {
    let Some(date) = date else {
        return Check::warn("clock", "the issuer's answer has no Date, so clocks cannot be compared");
    };
    let (ahead, behind) = (now.since(date), date.since(now));
    let apart = ahead.max(behind);
    let found = match (apart <= CLOSE, ahead > behind) {
        (true, _) => return Check::ok("clock", format!("within {} s of the issuer's", CLOSE.as_secs())),
        (false, true) => format!("{} s ahead of the issuer's: tokens expire too early here", apart.as_secs()),
        (false, false) => format!("{} s behind the issuer's: fresh tokens come from the future here", apart.as_secs()),
    };
    let mend = "set both by NTP: timedatectl set-ntp true, on this machine and on the issuer's";
    if apart > leeway() { Check::fail("clock", found).mend(mend) } else { Check::warn("clock", found).mend(mend) }
}

const CLOSE: Duration = Duration::from_secs(5);

/// What a verifier forgives.
fn leeway() -> Duration {
    let stated = variable("AUTH_LEEWAY").and_then(|text| crate::value::duration(&text).ok());
    stated.unwrap_or(Duration::from_secs(30))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Level;

    #[test]
    fn clocks_are_compared_with_what_a_verifier_forgives() {
        let now = Timestamp::from_seconds(1_000_000);
        let at = |seconds: i64| clock(Some(Timestamp::from_seconds(1_000_000 + seconds)), now);
        assert_eq!(
            [at(0).level, at(-5).level, at(6).level, at(30).level],
            [Level::Ok, Level::Ok, Level::Warn, Level::Warn]
        );
        assert_eq!([at(31).level, at(-600).level], [Level::Fail, Level::Fail]);
        assert!(at(-600).found.starts_with("600 s ahead") && at(600).found.starts_with("600 s behind"));
    }

    #[test]
    fn a_slash_at_the_end_is_told_whether_or_not_the_origin_is_known() {
        let check = |value, origin| judged("BETTER_AUTH_ISSUER", "iss", &[value], origin).remove(0).level;
        assert_eq!(check("https://a.example/", Some("https://a.example")), Level::Fail);
        assert_eq!(check("https://b.example/", Some("https://a.example")), Level::Warn);
        assert_eq!(check("https://a.example/", None), Level::Warn);
        assert_eq!(check("https://a.example", Some("https://a.example")), Level::Ok);
    }
}
