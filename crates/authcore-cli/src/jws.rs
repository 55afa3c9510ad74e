//! `authcore jws`: the signature layer alone.

use std::time::Duration;

use authcore::{Algorithm, AuthError, Jws, Key, KeyResolver as _, KeySet, Unavailable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use tokio::runtime::Runtime;

use crate::batch::{self, BadLine, Line};
use crate::cli::Asking;
use crate::explain::Expected;
use crate::fault::{Fault, Verdict};
use crate::input;
use crate::json::Object;
use crate::key_source::{AlgorithmArgs, KeyArgs, Keys, runtime};
use crate::text::{Page, Tone};

/// What a signature is judged by.
#[derive(Debug, Args)]
pub(crate) struct JwsArgs {
    /// The token; `-` or nothing for standard input
    #[arg(conflicts_with = "batch")]
    token: Option<String>,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    algorithms: AlgorithmArgs,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(args: JwsArgs) -> Result<Verdict, Fault> {
    let runtime = runtime()?;
    let allowed = args.algorithms.allowed();
    let judge = |token: &[u8], keys: &KeySet| {
        let token = std::str::from_utf8(token).map_err(|_| AuthError::NotCompact)?;
        Jws::verify(token, keys, &allowed)
    };
    if args.asking.batch {
        let keys = args.keys.keys(&allowed)?;
        return batch::run(|line, answer| {
            let token = line.bytes("token")?;
            let (set, of_no_use) = match keys_of(line)? {
                Some(found) => found,
                None => match &keys {
                    Some(keys) => {
                        let verdict = with_keys(keys, &runtime, |set| judge(&token, set));
                        return Ok(tell(verdict, None, answer));
                    }
                    None => return Err(BadLine("`jwk` or `jwks` is missing, and no option names keys".to_owned())),
                },
            };
            Ok(tell(judge(&token, &set), of_no_use, answer))
        });
    }
    let keys = args.keys.required(&allowed)?;
    let token = input::token(args.token.as_deref())?;
    let verdict = with_keys(&keys, &runtime, |set| judge(&token, set));
    let outcome = if verdict.is_ok() { Verdict::Accepted } else { Verdict::Refused };
    let mut page = Page::stdout();
    if args.asking.json {
        page.line(&tell(verdict, None, Object::new()).end())?;
        return Ok(outcome);
    }
    match verdict {
        Ok(signed) => {
            let word = page.mark(Tone::Good, "signature verifies");
            page.line(&format!("{word}; the claims were not looked at"))?;
            page.row("algorithm", signed.algorithm().name())?;
            page.row("key", signed.key_id().unwrap_or("without kid"))?;
            page.row("payload", &String::from_utf8_lossy(signed.payload()))?;
        }
        Err(error) => {
            let expected = Expected { issuers: &[], audiences: &[] };
            crate::verify::refused(&mut page, &error, &String::from_utf8_lossy(&token), &expected)?;
        }
    }
    Ok(outcome)
}

/// Asks the keys of this moment; an issuer that cannot be reached judges nobody.
fn with_keys<T>(
    keys: &Keys,
    runtime: &Runtime,
    ask: impl FnOnce(&KeySet) -> Result<T, AuthError>,
) -> Result<T, AuthError> {
    if let Keys::Remote(remote) = keys {
        runtime.block_on(remote.load()).map_err(AuthError::Unavailable)?;
    }
    // A set that is due is refreshed on the runtime that looking at it finds.
    let _entered = runtime.enter();
    let none = || AuthError::Unavailable(Unavailable::new("there is no key set", Duration::ZERO));
    let set = keys.current(Algorithm::EdDsa).ok_or_else(none)?;
    ask(&set)
}

/// The keys that a line brings, and why its one key is of no use.
type Brought = (KeySet, Option<String>);

fn keys_of(line: &Line<'_>) -> Result<Option<Brought>, BadLine> {
    match (document(line, "jwk")?, document(line, "jwks")?) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(BadLine("`jwk` and `jwks` are both there: send one".to_owned())),
        // The key is judged by the same rules as one of a set: of no use, it is not there.
        (Some(jwk), None) => Ok(Some(match Key::from_jwk(&jwk) {
            Ok(key) => (KeySet::new([key]), None),
            Err(why) => (KeySet::default(), Some(why.to_string())),
        })),
        (None, Some(jwks)) => {
            let set = KeySet::from_json(&jwks).map_err(|why| BadLine::member("jwks", format!("is refused: {why}")))?;
            Ok(Some((set, None)))
        }
    }
}

/// JSON, as it is or in a string.
fn document(line: &Line<'_>, name: &str) -> Result<Option<String>, BadLine> {
    match line.raw(name) {
        Some(json) if json.starts_with('"') => line.text(name),
        json => Ok(json.map(str::to_owned)),
    }
}

fn tell(verdict: Result<Jws, AuthError>, of_no_use: Option<String>, answer: Object) -> Object {
    match (verdict, of_no_use) {
        (Ok(signed), _) => answer.with("ok", true).with("payload_b64", STANDARD.encode(signed.payload())),
        (Err(error @ AuthError::UnknownKey), Some(why)) => {
            let refusal = authcore::Refusal::from(&error);
            let answer = answer.with("ok", false).with("code", refusal.code()).with("reason", error.reason());
            answer.with("detail", format!("{error}: the JWK is of no use: {why}"))
        }
        (Err(error), _) => answer.refused(&error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use authcore::{BoxError, Fetch, Fetched, RemoteKeys};
    use authcore_testkit::SigningKey;
    use url::Url;

    use super::*;

    /// Tells of each fetch, and brings this document.
    struct Told(Sender<()>, Option<String>);

    impl Fetch for Told {
        async fn fetch(&self, _: &Url, _: usize) -> Result<Fetched, BoxError> {
            // At the end nobody listens.
            let _ = self.0.send(());
            Ok(Fetched { body: self.1.clone().ok_or("down")?.into_bytes(), max_age: None })
        }
    }

    fn keys(fetch: Told) -> Keys {
        // Due as soon as it came.
        let builder = RemoteKeys::builder("https://id.example.com/jwks").fetch(fetch).cooldown(Duration::from_nanos(1));
        Keys::Remote(builder.refresh_every(Duration::ZERO).build().expect("good settings"))
    }

    #[test]
    fn a_set_that_is_due_is_fetched_again() {
        let (told, fetched) = channel();
        let document = authcore_testkit::jwks([SigningKey::fixed(Algorithm::EdDsa)]);
        let (keys, runtime) = (keys(Told(told, Some(document))), runtime().expect("a runtime"));
        for _ in 0..2 {
            assert!(with_keys(&keys, &runtime, |_| Ok(())).is_ok());
        }
        // The first look loads it and finds it due.
        for _ in 0..2 {
            assert_eq!(fetched.recv_timeout(Duration::from_secs(60)), Ok(()));
        }
    }

    #[test]
    fn without_a_key_set_nobody_is_judged() {
        let (keys, runtime) = (keys(Told(channel().0, None)), runtime().expect("a runtime"));
        let error = with_keys(&keys, &runtime, |_| Ok(())).unwrap_err();
        assert_eq!((error.reason(), authcore::Refusal::from(&error).code()), ("unavailable", "auth_unavailable"));
    }
}
