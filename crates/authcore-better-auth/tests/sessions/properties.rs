//! Readers of hostile bytes: they never panic, and a changed byte is never accepted.

use std::collections::BTreeMap;

use authcore_better_auth::{BearerSessions, CacheFault};
use authcore_testkit::TestHead;
use proptest::prelude::*;

use crate::support::{SECRET, STRATEGIES, Strategy, TOKEN, escaped, head, payload, read, secrets, signed, token};

fn strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop::sample::select(&STRATEGIES)
}

/// Better Auth's `decodeURIComponent` over ASCII, written the plain way.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let plain = if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte };
        decoded.push(plain);
    }
    Some(decoded)
}

proptest! {
    #[test]
    fn any_cookie_line_is_judged_without_a_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..3)) {
        prop_assert_eq!(read(&head(&lines)), Ok(None));
    }

    #[test]
    fn any_value_is_judged_without_a_panic(value: Vec<u8>) {
        let session = [b"better-auth.session_token=".as_slice(), &value].concat();
        let cache = [b"better-auth.session_data=".as_slice(), &value].concat();
        let chunk = [b"better-auth.session_data.0=".as_slice(), &value].concat();
        prop_assert!(read(&head([&session])).is_err());
        for strategy in STRATEGIES {
            for line in [&cache, &chunk] {
                prop_assert!(strategy.cache().read(&head([line]), &token()).is_err());
            }
        }
    }

    #[test]
    fn any_bearer_token_is_judged_without_a_panic(value: Vec<u8>) {
        let value = [b"Bearer ".as_slice(), &value].concat();
        let found = BearerSessions::Signed.read(&TestHead::get("/").header("authorization", value), &secrets());
        prop_assert!(!matches!(found, Ok(Some(_))));
    }

    /// One changed byte anywhere: refused, or it was no change.
    #[test]
    fn no_other_spelling_of_a_signed_value_is_accepted(at: prop::sample::Index, to: u8) {
        let good = signed(TOKEN, SECRET).into_bytes();
        let mut changed = good.clone();
        changed[at.index(good.len())] = to;
        let line = [b"better-auth.session_token=".as_slice(), &changed].concat();
        prop_assert_eq!(read(&head([line])).is_ok_and(|token| token.is_some()), changed == good);
        let bearer = [b"Bearer ".as_slice(), &changed].concat();
        let found = BearerSessions::Raw.read(&TestHead::get("/").header("authorization", bearer), &secrets());
        // Without its dot it is a raw token, and no longer this one.
        let same = matches!(&found, Ok(Some(token)) if token.expose() == TOKEN);
        prop_assert_eq!(same, changed == good);
    }

    #[test]
    fn no_other_spelling_of_a_cache_is_accepted(strategy in strategy(), at: prop::sample::Index, to: u8) {
        let good = strategy.write(&payload()).into_bytes();
        let mut changed = good.clone();
        changed[at.index(good.len())] = to;
        let line = [b"better-auth.session_data=".as_slice(), &changed].concat();
        let found = strategy.cache().read(&head([line]), &token());
        prop_assert_eq!(found.is_ok_and(|cached| cached.is_some()), changed == good);
    }

    #[test]
    fn escapes_are_decoded_as_javascript_does(text in "[a-f0-9.%=]{0,24}") {
        // What decodes to a signed value is one, and nothing else is.
        let all: String = signed(TOKEN, SECRET).bytes().map(|byte| format!("%{byte:02X}")).collect();
        let value = format!("{text}{all}");
        let plain = unescaped(&value).is_some_and(|decoded| {
            let decoded = String::from_utf8_lossy(&decoded);
            decoded.rsplit_once('.').is_some_and(|(value, _)| decoded == signed(value, SECRET))
        });
        prop_assert_eq!(read(&head([format!("better-auth.session_token={value}")])).is_ok(), plain);
    }

    #[test]
    fn tokens_come_back_as_they_were_signed(token in "[!-~]{1,40}") {
        let value = escaped(&signed(&token, SECRET)).replace(';', "%3B").replace('"', "%22");
        prop_assert_eq!(read(&head([format!("better-auth.session_token={value}")])), Ok(Some(token)));
    }

    /// A second, plain reading of the chunks: a map by number, without gaps.
    #[test]
    fn chunks_are_joined_as_a_map_would(parts in prop::collection::vec(("[0-3]|0[01]|x|100", "[a-c]{0,3}"), 0..5)) {
        let lines = parts.iter().map(|(index, value)| format!("better-auth.session_data.{index}={value}"));
        let taken = Strategy::Jwt.cache().take(&head(lines));
        let mut map = BTreeMap::new();
        let sound = parts.iter().all(|(index, value)| {
            let number = index.parse::<usize>().ok().filter(|number| number.to_string() == *index && *number < 100);
            number.is_some_and(|number| map.insert(number, value).is_none())
        });
        match sound && map.keys().copied().eq(0..map.len()) {
            true => prop_assert_eq!(taken.map(|taken| taken.is_some()), Ok(!parts.is_empty())),
            false => prop_assert!(matches!(taken, Err(CacheFault::Ambiguous | CacheFault::TooLong))),
        }
    }

    #[test]
    fn any_signed_payload_is_judged_without_a_panic(payload in "\\PC{0,60}", header in "\\PC{0,20}") {
        for cookie in [
            crate::support::compact(&format!("{{{payload}}}"), 1_795_202_200_000, SECRET),
            crate::support::hs256(r#"{"alg":"HS256"}"#, &payload, SECRET),
            crate::support::hs256(&header, &payload, SECRET),
            crate::support::jwe(&payload, SECRET),
            crate::support::published(&payload),
        ] {
            for strategy in STRATEGIES {
                prop_assert!(strategy.judge(&cookie).is_err());
            }
        }
    }
}
