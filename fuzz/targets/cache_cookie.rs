//! The cookie cache, as bytes on the wire. The first byte chooses the strategy, the rest is `Cookie` lines, in which
//! `@` stands for the cookie's name, the byte 2 for a good cache, 3 to 6 for its quarters, 14 to 17 for good caches of
//! all strategies, and 18 to 22 for the parts of the good one between its dots.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use authcore::RequestHead;
use authcore::credential::cookie;
use authcore_better_auth::{CacheFault, CachedSession};
use authcore_fuzz::cookies::{PAYLOAD, SECRET, STRATEGIES, TOKEN, token};
use authcore_fuzz::{assert_tells_no_secret, planted, replaced};
use authcore_testkit::TestHead;

const NAME: &str = "better-auth.session_data";

static GOOD: LazyLock<[String; 4]> =
    LazyLock::new(|| STRATEGIES.map(|strategy| strategy.write(PAYLOAD.as_bytes(), SECRET)));

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [choice, data @ ..] = data else { return };
    let choice = usize::from(*choice) % STRATEGIES.len();
    let (strategy, good) = (STRATEGIES[choice], &*GOOD[choice]);
    let quarter = good.len().div_ceil(4);
    let data = replaced(&planted(data), |byte| match byte {
        b'@' => Some(NAME),
        2 => Some(good),
        3..=6 => {
            let start = quarter * usize::from(byte - 3);
            Some(&good[start..good.len().min(start + quarter)])
        }
        14..=17 => Some(&*GOOD[usize::from(byte - 14)]),
        18..=22 => good.split('.').nth(usize::from(byte - 18)),
        _ => None,
    });
    let head = data.split(|byte| *byte == b'\n').fold(TestHead::get("/"), |head, line| head.header("cookie", line));

    let found = strategy.cache().read(&head, &token());
    assert_eq!(format!("{found:?}"), format!("{:?}", strategy.cache().read(&head, &token())));
    let taken = strategy.cache().take(&head);
    let joined = joined(&head);
    match &found {
        Ok(Some(CachedSession { record, .. })) => {
            assert_eq!(joined, Ok(Some(good.as_bytes().to_vec())), "nobody signed it");
            assert_eq!(record.session.token.expose(), TOKEN);
        }
        Ok(None) => assert!(joined == Ok(None) && taken.is_ok_and(|taken| taken.is_none())),
        Err(fault) => {
            assert_tells_no_secret(fault);
            assert!(joined != Ok(Some(good.as_bytes().to_vec())), "a good cache is ignored: {fault}");
            if let (Err(()), Err(taken)) = (&joined, &taken) {
                assert!(matches!(taken, CacheFault::Ambiguous | CacheFault::TooLong | CacheFault::Malformed));
            }
            assert!(joined.is_ok() || taken.is_err());
        }
    }
});

/// A plain second reading of the chunks: a map by number, without gaps.
fn joined(head: &dyn RequestHead) -> Result<Option<Vec<u8>>, ()> {
    if let Some(whole) = cookie::value(head, NAME).map_err(|_| ())? {
        return Ok(Some(whole.to_vec()));
    }
    let mut pairs = Vec::new();
    cookie::each(head, &mut |name, value| {
        pairs.push((name, value));
        std::ops::ControlFlow::Continue(())
    });
    let mut chunks = BTreeMap::new();
    for (name, value) in pairs {
        let Some(index) = name.strip_prefix(NAME.as_bytes()).and_then(|rest| rest.strip_prefix(b".")) else { continue };
        let index = std::str::from_utf8(index).map_err(|_| ())?;
        let number: usize = index.parse().map_err(|_| ())?;
        if number.to_string() != index || number >= 100 || chunks.insert(number, value).is_some() {
            return Err(());
        }
    }
    if !chunks.keys().copied().eq(0..chunks.len()) {
        return Err(());
    }
    Ok((!chunks.is_empty()).then(|| chunks.into_values().collect::<Vec<_>>().concat()))
}
