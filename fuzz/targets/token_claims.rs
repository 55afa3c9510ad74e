//! Claims: the input, validly signed. Whoever is let in is who the claims say, by a plain second reading.
#![no_main]

use authcore_fuzz::json::Node;
use authcore_fuzz::{NOW, jwt, planted};
use authcore_testkit::{AUDIENCE, ISSUER};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let claims = planted(data);
    let Ok(identity) = jwt::check(&jwt::good().raw_payload(claims.clone()).sign(jwt::key(0))) else { return };

    assert_eq!(identity.claims_json().as_bytes(), claims, "handlers read what was signed");
    let claims = Node::read(&claims).expect("accepted claims are JSON");
    assert!(claims.is_object() && !claims.names_twice());
    assert_eq!(claims.text_of("sub"), Some(identity.user_id().as_str()));
    assert_eq!(claims.text_of("iss"), Some(ISSUER));
    assert_eq!(identity.issuer(), Some(ISSUER));
    match claims.member("aud") {
        Some(Node::Text(one)) => assert_eq!(one, AUDIENCE),
        Some(Node::List(all)) => {
            assert!(all.iter().all(|one| one.text().is_some()) && all.iter().any(|one| one.text() == Some(AUDIENCE)));
        }
        other => panic!("meant for {other:?}"),
    }
    let now = NOW as f64;
    let expires_at = claims.number_of("exp").expect("`exp` is required");
    assert!(expires_at > now && expires_at < 253_402_300_800.0);
    let kept = identity.expires_at().expect("it is kept").as_micros() as f64;
    assert!((kept - expires_at * 1e6).abs() <= 1.0, "{kept} of {expires_at}");
    for name in ["nbf", "iat"] {
        if claims.member(name).is_some() {
            assert!(claims.number_of(name).expect("a number") <= now + 1e-6, "{name}");
        }
    }
    assert_eq!(identity.issued_at().is_some(), claims.member("iat").is_some());
    assert_eq!((identity.token_id(), identity.session_id()), (claims.text_of("jti"), claims.text_of("sid")));
    assert!(["jti", "sid"].iter().all(|name| claims.member(name).is_none_or(|claim| claim.text().is_some())));
    let granted: Vec<&str> = match claims.member("role") {
        Some(Node::Text(all)) => all.split(',').collect(),
        Some(Node::List(all)) if all.iter().all(|one| one.text().is_some()) => {
            all.iter().filter_map(Node::text).filter(|role| !role.contains(',')).collect()
        }
        _ => Vec::new(),
    };
    assert!(identity.roles().eq(granted.into_iter().map(str::trim).filter(|role| !role.is_empty())));
});
