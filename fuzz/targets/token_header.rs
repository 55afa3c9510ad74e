//! The JOSE header: the input, signed by a key that its first byte chooses, over good claims.
#![no_main]

use authcore_fuzz::json::Node;
use authcore_fuzz::{jwt, planted};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [choice, header @ ..] = data else { return };
    let key = jwt::key(usize::from(*choice));
    let header = planted(header);
    let token = jwt::good().raw_header(header.clone()).sign(key);
    let Ok(identity) = jwt::check(&token) else { return };

    assert_eq!(identity.user_id().as_str(), "alice");
    let header = Node::read(&header).expect("an accepted header is JSON");
    assert!(header.is_object() && !header.names_twice(), "{header:?}");
    let algorithm = header.text_of("alg").expect("an accepted header names an algorithm");
    assert!(algorithm == key.algorithm().name() || (key.algorithm().name(), algorithm) == ("EdDSA", "Ed25519"));
    if let Some(kid) = header.member("kid") {
        let kid = kid.text().expect("a key id is text");
        assert!(key.kid().is_none_or(|known| known == kid), "the key named is the key used");
    }
    for refused in ["crit", "b64", "zip", "enc"] {
        assert!(header.member(refused).is_none(), "`{refused}` changes the rules");
    }
    let names = |name, media_type: &str| {
        let named = header.text_of(name).unwrap_or_default().to_ascii_lowercase();
        named.strip_prefix("application/").unwrap_or(&named) == media_type
    };
    assert!(!names("typ", "dpop+jwt") && !names("typ", "logout+jwt") && !names("cty", "jwt"), "another kind of token");
});
