//! The shared secret: length and weakness, and never itself.

use authcore::Secret;
use authcore_better_auth::Secrets;

use super::check::Check;
use super::variable;

const ONE: &str = "BETTER_AUTH_SECRET";

const SEVERAL: &str = "BETTER_AUTH_SECRETS";

pub(super) fn checks() -> Vec<Check> {
    let one = variable(ONE).map(|secret| judged(ONE, &secret, Secrets::new(&Secret::new(secret.as_str()))));
    let several = variable(SEVERAL).map(|entries| {
        let secrets = Secrets::versioned(&Secret::new(entries.as_str()));
        let current =
            entries.split(',').next().and_then(|entry| entry.split_once(':')).map_or("", |(_, secret)| secret);
        judged(SEVERAL, current, secrets)
    });
    match (several, one) {
        (Some(several), Some(one)) if one.level == several.level => {
            vec![several, Check::ok(ONE, format!("set, and not used beside {SEVERAL}"))]
        }
        (Some(several), one) => std::iter::once(several).chain(one).collect(),
        (None, Some(one)) => vec![one],
        (None, None) => vec![Check::ok(ONE, "not set: session cookies are not read, and JWTs need a key set")],
    }
}

fn judged(name: &str, current: &str, secrets: Result<Secrets, authcore::ConfigError>) -> Check {
    const MAKE: &str = "take the one of the Better Auth server, or make one for both: openssl rand -base64 32";
    if let Err(error) = secrets {
        return Check::fail(name, error.to_string()).mend(MAKE);
    }
    let mut distinct: Vec<u8> = current.bytes().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let length = current.trim().len();
    if distinct.len() < FEWEST {
        let found = format!("{length} bytes of only {} different ones: somebody may guess it", distinct.len());
        return Check::warn(name, found).mend(MAKE);
    }
    if current != current.trim() {
        let found = format!("{length} bytes, and white space around them, which counts");
        return Check::warn(name, found).mend("compare it with that of the Better Auth server, byte for byte");
    }
    Check::ok(name, format!("{length} bytes"))
}

/// Random text of 32 characters has more different ones.
const FEWEST: usize = 10;
