//! What a [`KeyResolver`] must do.

use std::time::Duration;

use authcore::{JwtVerifier, KeyResolver, Miss};

use crate::ISSUER;
use crate::key::SigningKey;
use crate::mint::mint;

/// Checks a source of keys against the keys that it should offer.
///
/// - Keys that are there from the start or after one fetch are found by id, each with its algorithm.
/// - Tokens that they signed are accepted, and then also without waiting.
/// - Tokens that name other keys are refused, a hundred different ones within ten seconds, and never for good: the keys
///   that are known stay so.
/// - A source without any key never claims to be up to date, since tokens would be refused that nobody judged.
///
/// # Panics
///
/// When any of it does not hold.
pub async fn key_resolver<R: KeyResolver>(resolver: R, known: &[&SigningKey]) {
    for key in known {
        let (algorithm, id) = (key.algorithm(), key.kid());
        if resolver.current(algorithm).is_none() {
            match resolver.after_miss(id) {
                Miss::Unknown => panic!("there are no keys at all, yet `{algorithm}` counts as unknown"),
                Miss::Unavailable(cause) => panic!("keys cannot be had: {cause}"),
                Miss::Fetch(fetched) => fetched.await.unwrap_or_else(|cause| panic!("keys cannot be had: {cause}")),
            }
        }
        let keys = resolver.current(algorithm).unwrap_or_else(|| panic!("no keys after a fetch for `{algorithm}`"));
        let found = keys.keys().any(|found| found.id().map(|id| &**id) == id && found.algorithm() == algorithm);
        assert!(found, "no key {id:?} for `{algorithm}`");
    }

    let verifier = JwtVerifier::builder(resolver).issuer(ISSUER).build().expect("the defaults make a verifier");
    let judged = tokio::time::timeout(Duration::from_secs(10), strangers(&verifier, known)).await;
    assert!(judged.is_ok(), "tokens that name other keys hold everything up");
    for key in known {
        let token = mint().sign(key);
        let verdict = verifier.verify_token(&token).await;
        assert!(verdict.is_ok(), "{key:?} is known but refused: {verdict:?}");
        let verdict = verifier.check(&token);
        assert!(verdict.is_ok(), "{key:?} is known but not without waiting: {verdict:?}");
    }
}

async fn strangers(verifier: &JwtVerifier, known: &[&SigningKey]) {
    for key in known {
        for number in 0..100 {
            let stranger = (*key).clone().with_kid(format!("nobody-{number}").as_str());
            match verifier.verify_token(&mint().sign(&stranger)).await {
                // A key without an id may serve tokens that name one.
                Ok(_) if key.kid().is_none() => {}
                Ok(_) => panic!("a token that names another key than {key:?} was accepted"),
                Err(error) if matches!(error.reason(), "unknown_key" | "ambiguous_key" | "unavailable") => {}
                Err(error) => panic!("a token that names an unknown key was refused as {}", error.reason()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use authcore::{Algorithm, KeySet, RemoteKeys};

    use crate::{FakeIssuer, SigningKey};

    #[tokio::test]
    async fn static_and_remote_keys_pass() {
        let keys = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256].map(SigningKey::fixed);
        super::key_resolver(KeySet::new(keys.map(SigningKey::key)), &keys).await;

        let issuer = FakeIssuer::start(&keys).await;
        super::key_resolver(RemoteKeys::at(&issuer.jwks_url()).expect("a loopback URL"), &keys).await;
        assert_eq!(issuer.requests(), 2, "one for the keys, one for the first stranger");
    }
}
