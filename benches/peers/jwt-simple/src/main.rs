//! `jwt-simple` on the RustCrypto crates and its own Ed25519.

#[path = "../../turns.rs"]
mod turns;

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jwt_simple::prelude::*;
use turns::{Case, Claims};

type Verify = Box<dyn Fn(&str, Option<VerificationOptions>) -> Result<JWTClaims<Claims>, jwt_simple::Error>>;

fn main() {
    turns::serve(|Case { algorithm, token, jwk, origin }| {
        let part = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect("a part")).expect("base64url");
        let verify: Verify = match algorithm.as_str() {
            "HS256" => {
                let key = HS256Key::from_bytes(&part("k"));
                Box::new(move |token, options| key.verify_token(token, options))
            }
            "EdDSA" => {
                let key = Ed25519PublicKey::from_bytes(&part("x")).expect("a key");
                Box::new(move |token, options| key.verify_token(token, options))
            }
            "ES256" => {
                let point = [&[4], part("x").as_slice(), &part("y")].concat();
                let key = ES256PublicKey::from_bytes(&point).expect("a key");
                Box::new(move |token, options| key.verify_token(token, options))
            }
            "RS256" => {
                let key = RS256PublicKey::from_components(&part("n"), &part("e")).expect("a key");
                Box::new(move |token, options| key.verify_token(token, options))
            }
            other => panic!("{other} is not measured"),
        };
        let options = VerificationOptions {
            allowed_issuers: Some(HashSet::from([origin.clone()])),
            allowed_audiences: Some(HashSet::from([origin])),
            time_tolerance: Some(Duration::from_secs(30)),
            ..VerificationOptions::default()
        };
        move || {
            let claims = verify(&token, Some(options.clone())).expect("a good token");
            assert!(claims.subject.is_some());
            claims.custom
        }
    });
}
