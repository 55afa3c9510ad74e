//! What is read of the environment, and what is refused.

mod jwts;
mod sessions;

use super::*;

const SECRET_OF_TESTS: (&str, &str) = ("BETTER_AUTH_SECRET", "a-secret-of-the-tests-with-32-bytes-or-more");

fn from(variables: &[(&str, &str)]) -> Result<Option<BetterAuthSettings>, ConfigError> {
    let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    BetterAuthSettings::from_vars(value)
}
