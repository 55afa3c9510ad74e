//! The signed session cookie. The first byte says what the rest is: `r` the value of the cookie, `s` a token to be signed,
//! `e` one to be signed and escaped, `o` one to be signed under another secret, `l` whole `Cookie` lines. In a value the byte
//! 2 stands for a good one.
#![no_main]

use std::borrow::Cow;

use authcore::SessionFault;
use authcore_better_auth::SessionToken;
use authcore_fuzz::cookies::{COOKIE, OTHER_SECRET, SECRET, TOKEN, escaped, signed};
use authcore_fuzz::{assert_tells_no_secret, planted, replaced};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, data @ ..] = data else { return };
    let data = planted(data);
    let good = String::from_utf8(escaped(&signed(TOKEN.as_bytes(), SECRET))).expect("ASCII");
    let with_good = || replaced(&data, |byte| (byte == 2).then_some(&*good));
    let value = match kind {
        b's' => signed(&data, SECRET),
        b'e' => escaped(&signed(&data, SECRET)),
        b'o' => escaped(&signed(&data, OTHER_SECRET)),
        b'l' => return lines(&with_good(), &good),
        _ => with_good(),
    };
    let found = read([[b"better-auth.session_token=", &*value].concat()]);
    if *kind == b'e' {
        let is_token = std::str::from_utf8(&data).ok().and_then(SessionToken::new).is_some();
        assert_eq!(found.is_ok(), is_token, "what was signed is taken, when it is a token");
    }
    assert!(*kind != b'o' || found.is_err(), "signed by somebody else");
    if let Ok(Some(token)) = found {
        // A cookie's value ends at a semicolon, and white space around it does not count.
        let sent = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let sent = sent.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(sent);
        assert_eq!(unescaped(sent).as_deref(), Some(&*signed(token.as_bytes(), SECRET)));
    }
});

/// Lines of any form: only the one good value yields a token.
fn lines(data: &[u8], good: &str) {
    if let Ok(Some(token)) = read(data.split(|byte| *byte == b'\n')) {
        let text = String::from_utf8_lossy(data);
        assert!(token == TOKEN && text.contains(good) && text.contains("better-auth.session_token"));
    }
}

fn read<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> Result<Option<String>, SessionFault> {
    let head = lines.into_iter().fold(TestHead::get("/"), |head, line| head.header("cookie", line));
    let exposed = |token: Option<SessionToken>| {
        token.map(|token| {
            assert_tells_no_secret(&format!("{token:?}"));
            assert!((1..=SessionToken::MAX_BYTES).contains(&token.expose().len()));
            assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
            token.expose().to_owned()
        })
    };
    let found = COOKIE.read(&head).map(exposed);
    assert_eq!(found, COOKIE.read(&head).map(exposed));
    if let Err(fault) = &found {
        assert!(matches!(fault, SessionFault::Malformed | SessionFault::BadSignature));
        assert_tells_no_secret(fault);
    }
    if let Ok(Some(token)) = &found {
        let again = [b"better-auth.session_token=".as_slice(), &escaped(&signed(token.as_bytes(), SECRET))].concat();
        let head = TestHead::get("/").header("cookie", again);
        assert_eq!(COOKIE.read(&head).map(exposed).as_ref(), Ok(&Some(token.clone())));
    }
    found
}

/// `decodeURIComponent` over bytes, where there is a `%`.
fn unescaped(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut pieces = text.split(|byte| *byte == b'%');
    let mut decoded = pieces.next()?.to_vec();
    for piece in pieces {
        let digits = std::str::from_utf8(piece.get(..2)?).ok()?;
        let digits = Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(&piece[2..]);
    }
    Some(decoded.into())
}
