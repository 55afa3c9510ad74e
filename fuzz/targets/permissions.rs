//! What claims grant. On a line each: a scope that is asked for, a resource, an action; then the claims, as an object.
//! A claim of a wrong type grants nothing, by a plain second reading, and nothing is granted in part.
#![no_main]

use authcore::{Algorithm, Identity, Method, Refusal, UserId, json};
use authcore_fuzz::json::Node;
use authcore_fuzz::{assert_tells_no_secret, first_line, planted};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let (scope, rest) = first_line(&data);
    let (resource, rest) = first_line(rest);
    let (action, claims) = first_line(rest);
    let [Ok(scope), Ok(resource), Ok(action), Ok(text)] = [scope, resource, action, claims].map(std::str::from_utf8)
    else {
        return;
    };
    // No authenticator hands over anything else.
    if json::check(text).is_err() {
        return;
    }
    // What nobody reads may be no text; then there is no second reading of the whole.
    let Some(claims) = Node::read(text.as_bytes()) else { return };
    let by = |method| {
        let user = UserId::new("alice").expect("an id");
        Identity::assertion(user, method).claims(text).into_identity()
    };
    let token = by(Method::Jwt { algorithm: Algorithm::EdDsa, key_id: None });
    let (key, session) = (by(Method::ApiKey { source: "fuzz" }), by(Method::Session { source: "fuzz" }));

    let words = claims.text_of("scope").unwrap_or_default();
    let has_scope = !scope.is_empty() && words.split(' ').any(|word| word == scope);
    for caller in [&token, &key, &session] {
        assert_eq!(caller.has_scope(scope), has_scope, "{scope:?} of {words:?}");
        told(caller.require_scope(scope), has_scope, "insufficient_scope");
        assert!(!caller.has_scope("") && caller.roles().next().is_none());
    }

    let is_permitted = granted(&claims).is_some_and(|granted| granted.contains(&(resource, action)));
    assert_eq!(key.has_permission(resource, action), is_permitted, "{resource}:{action} of {claims:?}");
    told(key.require_permission(resource, action), is_permitted, "insufficient_scope");
    for caller in [&token, &session] {
        assert!(!caller.has_permission(resource, action), "it is for API keys alone");
        told(caller.require_permission(resource, action), false, "insufficient_scope");
    }

    let says_nobody = matches!(claims.member("impersonatedBy"), Some(Node::Null));
    told(token.refuse_impersonation(), says_nobody, "impersonation_refused");
    told(key.refuse_impersonation(), false, "impersonation_refused");
    told(session.refuse_impersonation(), true, "impersonation_refused");
});

/// All pairs of `permissions`, if it is an object of lists of text and of nothing else.
fn granted(claims: &Node) -> Option<Vec<(&str, &str)>> {
    let Some(Node::Object(resources)) = claims.member("permissions") else { return None };
    let mut granted = Vec::new();
    for (resource, actions) in resources {
        let Node::List(actions) = actions else { return None };
        for action in actions {
            granted.push((&**resource, action.text()?));
        }
    }
    Some(granted)
}

fn told(verdict: Result<(), Refusal>, is_granted: bool, code: &str) {
    match verdict {
        Ok(()) => assert!(is_granted),
        Err(refusal) => {
            assert!(!is_granted && (refusal.status(), refusal.code()) == (403, code));
            // The scope that is asked for is the service's own, and told; of the claims nothing is.
            let told = format!("{refusal:?} {}", refusal.body());
            if code != "insufficient_scope" {
                assert_tells_no_secret(&told);
            }
        }
    }
}
