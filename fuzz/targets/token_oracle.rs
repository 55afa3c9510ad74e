//! Tokens, against a second opinion: `jsonwebtoken`, handed the same keys. The first byte says what the rest is: below 64 a
//! JOSE header on the first line and claims after it, signed by the key that it chooses; else a whole token, in which the
//! bytes 2 to 5 stand for good ones and 16 to 27 for their segments.
#![no_main]

use std::sync::LazyLock;

use authcore::Algorithm;
use authcore_fuzz::json::{Members, Node};
use authcore_fuzz::{NOW, first_line, jwt, planted, replaced};
use authcore_testkit::{AUDIENCE, ISSUER, SigningKey, unb64};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::value::RawValue;

/// Keys as the other library has them, in the order of [`jwt::ALGORITHMS`].
static THEIRS: LazyLock<Vec<(DecodingKey, Validation)>> = LazyLock::new(|| {
    let keys = jwt::ALGORITHMS.into_iter().enumerate().map(|(choice, algorithm)| {
        let jwk = jwt::key(choice).public_jwk();
        let key = match algorithm {
            Algorithm::Hs256 => DecodingKey::from_secret(&unb64(jwk["k"].as_str().expect("a secret"))),
            _ => DecodingKey::from_jwk(&serde_json::from_value(jwk).expect("a JWK")).expect("a key"),
        };
        let mut validation = Validation::new(algorithm.name().parse().expect("an algorithm that it knows"));
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // It asks the system's clock, and ours stands: times are judged below.
        validation.validate_exp = false;
        (key, validation)
    });
    keys.collect()
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, rest @ ..] = data else { return };
    let token = match kind {
        0..64 => {
            let (header, claims) = first_line(rest);
            let token = jwt::good().raw_header(planted(header)).raw_payload(planted(claims));
            token.sign(jwt::key(usize::from(*kind))).into_bytes()
        }
        _ => replaced(rest, jwt::part),
    };
    let Ok(token) = std::str::from_utf8(&token) else { return };
    let (ours, theirs) = (jwt::check(token), opinion(token));
    match (ours, theirs) {
        (Ok(ours), Ok((theirs, _))) => {
            // Blanks around the object are no part of it there (RFC 8259 §2).
            let blanks = [' ', '\t', '\n', '\r'];
            assert_eq!(ours.claims_json().trim_matches(blanks), theirs, "other claims");
        }
        (Ok(_), Err(why)) => assert!(is_theirs_alone(token, &why), "accepted, and refused there: {why:?}"),
        (Err(error), Ok((claims, signer))) => assert!(
            is_stricter(error.reason(), token, &claims, signer),
            "{} is no reason of ours alone: {claims}",
            error.reason()
        ),
        (Err(_), Err(_)) => {}
    }
});

/// The claims and the key, if one of the keys verifies the token and the claims are what is expected.
fn opinion(token: &str) -> Result<(String, &'static SigningKey), ErrorKind> {
    let mut why = ErrorKind::InvalidToken;
    for (choice, (key, validation)) in THEIRS.iter().enumerate() {
        #[expect(clippy::disallowed_methods, reason = "the second opinion")]
        match jsonwebtoken::decode::<Box<RawValue>>(token, key, validation) {
            Ok(decoded) => return in_force(decoded.claims.get()).map(|claims| (claims, jwt::key(choice))),
            // Of several keys, the error of the one that the algorithm fits.
            Err(error) if !matches!(error.kind(), ErrorKind::InvalidAlgorithm) => why = error.into_kind(),
            Err(_) => {}
        }
    }
    Err(why)
}

/// `exp` is ahead and `nbf` is not (RFC 7519 §4.1.4, §4.1.5).
fn in_force(claims: &str) -> Result<String, ErrorKind> {
    let read = Members::of(claims);
    let number = |name| read.as_ref().and_then(|claims| claims.number(name));
    let now = NOW as f64;
    match (number("exp"), number("nbf")) {
        (Some(exp), _) if exp <= now => Err(ErrorKind::ExpiredSignature),
        (_, Some(nbf)) if nbf > now + 1e-6 => Err(ErrorKind::ImmatureSignature),
        _ => Ok(claims.to_owned()),
    }
}

/// What it refuses and need not: all of the header is read there at its type, also what nobody here asks for, and under its
/// older names alone; times are whole and not before 1970.
fn is_theirs_alone(token: &str, why: &ErrorKind) -> bool {
    let part = |place| token.split('.').nth(place).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let [header, claims] = [0, 1].map(|place| part(place).and_then(|json| Node::read(&json)));
    let unread =
        ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "nonce", "url", "iv", "tag", "epk", "apu", "apv", "p2s"];
    let in_header = match &header {
        Some(header) => {
            header.text_of("alg") == Some("Ed25519") || unread.iter().any(|name| header.member(name).is_some())
        }
        // Text that is none, in a member that is not read here.
        None => true,
    };
    let in_claims = claims.is_none_or(|claims| {
        ["exp", "nbf", "iat"].iter().any(|name| !matches!(claims.member(name), None | Some(Node::Integer(0..))))
    });
    match why {
        ErrorKind::Json(_) => in_header || in_claims,
        ErrorKind::InvalidAlgorithmName | ErrorKind::InvalidToken | ErrorKind::InvalidAlgorithm => in_header,
        ErrorKind::InvalidClaimFormat(_) | ErrorKind::MissingRequiredClaim(_) => in_claims,
        _ => false,
    }
}

/// What it takes and is refused here, on purpose, and has to be so by a second reading.
fn is_stricter(reason: &str, token: &str, claims: &str, signer: &SigningKey) -> bool {
    // A member by itself can also be read where another is beyond all range.
    let (read, members) = (Node::read(claims.as_bytes()), Members::of(claims));
    let segment = token.split('.').next().unwrap_or_default();
    // Of a header it reads all, so that a second reading can.
    let header = URL_SAFE_NO_PAD.decode(segment).ok().and_then(|json| Node::read(&json)).expect("it took the header");
    let kid = header.text_of("kid");
    let is_known = |kid| (0..jwt::ALGORITHMS.len()).any(|choice| jwt::key(choice).kid() == Some(kid));
    match reason {
        "too_long" => token.len() > 16 * 1024 || segment.len() > 4096,
        // It reads a list as if its values were the members, in their order, and passes over what it does not look for.
        "payload_not_json" => !read.is_some_and(|claims| claims.is_object()),
        // RFC 8725 §2.4: a name stands once. That may be met before what is no JSON.
        "header_duplicate_member" => header.names_twice(),
        "payload_duplicate_member" => read.is_none_or(|claims| claims.names_twice()),
        // What changes the rules (RFC 7515 §4.1.11, RFC 7797, RFC 7516, RFC 7519 §5.2), or is of a wrong type.
        "header_parameter_refused" => {
            let changes_rules = ["crit", "b64", "zip", "enc"].iter().any(|name| header.member(name).is_some());
            let is_no_text = |name: &&str| header.member(name).is_some_and(|value| value.text().is_none());
            changes_rules
                || ["kid", "typ", "cty"].iter().any(is_no_text)
                || kid.is_some_and(|kid| kid.len() > 256)
                || header.text_of("cty").is_some_and(|cty| media_type(cty) == "jwt")
        }
        // RFC 8725 §3.11: of the types that tell tokens apart only the access token is for calling an API (RFC 9068).
        "wrong_type" => {
            header.text_of("typ").map(media_type).is_some_and(|typ| typ.ends_with("+jwt") && typ != "at+jwt")
        }
        // A key that is named is the key that signed; one that has no id goes by any name that is not another's.
        "unknown_key" => kid.is_some_and(|kid| !is_known(kid)) && signer.kid().is_some(),
        "key_mismatch" => kid.is_some_and(|kid| is_known(kid) && signer.kid() != Some(kid)),
        // All of the registered claims have the type that RFC 7519 gives them, and users have ids that can be told apart.
        "claim_malformed" => members.is_some_and(|claims| is_odd(&claims)),
        // RFC 7519 §4.1.6 lets us: it is not looked at there.
        "issued_in_future" => members.and_then(|claims| claims.number("iat")).is_some_and(|iat| iat > NOW as f64),
        _ => false,
    }
}

/// In lower case, without the `application/` that may be left out (RFC 7515 §4.1.9).
fn media_type(value: &str) -> String {
    let value = value.to_ascii_lowercase();
    value.strip_prefix("application/").map(str::to_owned).unwrap_or(value)
}

fn is_odd(claims: &Members<'_>) -> bool {
    let text = |name| claims.count(name) == 0 || claims.text(name).is_some();
    let time = |name| {
        let is_one = |time| (-62_135_596_800.0..253_402_300_800.0).contains(&time);
        claims.count(name) == 0 || claims.number(name).is_some_and(is_one)
    };
    let user = claims
        .text("sub")
        .is_some_and(|id| !id.is_empty() && id.len() <= 255 && id.trim() == id && !id.contains(char::is_control));
    let after_end = claims.number("nbf") > claims.number("exp");
    !(["iss", "sub", "jti", "sid"].into_iter().all(text) && ["exp", "nbf", "iat"].into_iter().all(time) && user)
        || after_end
}
