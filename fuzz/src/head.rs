//! Request heads out of hostile bytes: what a server's own parser lets through, and no more.

use authcore_testkit::TestHead;

/// A head of lines: method and target, then header fields with a colon each. `None` where no server would hand it over:
/// a method or a name that is no token, a target that is no visible ASCII, a value with a control character.
#[must_use]
pub fn read(lines: &[u8]) -> Option<TestHead> {
    let mut lines = lines.split(|byte| *byte == b'\n');
    let line = std::str::from_utf8(lines.next()?).ok()?;
    let (method, target) = line.split_once(' ')?;
    let is_target =
        !target.is_empty() && target.bytes().all(|byte| matches!(byte, b'!'..=b'~')) && !target.contains('#');
    if !is_token(method.as_bytes()) || !is_target {
        return None;
    }
    let head = TestHead::new(method, target).peer("203.0.113.7");
    lines.filter(|line| !line.is_empty()).try_fold(head, |head, line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], trimmed(&line[colon + 1..]));
        let fits = is_token(name) && value.iter().all(|byte| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f);
        fits.then(|| head.header(String::from_utf8_lossy(name), value))
    })
}

/// The lines of a field, in order.
pub fn values<'h>(head: &'h TestHead, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let lines = head.spec().headers.iter().filter(move |(given, _)| given.eq_ignore_ascii_case(name));
    lines.map(|(_, value)| &**value)
}

/// The elements of a field that holds a list.
pub fn elements<'h>(head: &'h TestHead, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    values(head, name).flat_map(|line| line.split(|byte| *byte == b',').map(trimmed))
}

/// Whether it opens a WebSocket (RFC 6455 §4.1).
#[must_use]
pub fn is_handshake(head: &TestHead) -> bool {
    let lists = |name, element: &[u8]| elements(head, name).any(|given| given.eq_ignore_ascii_case(element));
    head.spec().method == "GET" && lists("upgrade", b"websocket") && lists("connection", b"upgrade")
}

/// The cookies of a head, as pairs.
#[must_use]
pub fn cookies(head: &TestHead) -> Vec<(&[u8], &[u8])> {
    let pairs = values(head, "cookie").flat_map(|line| line.split(|byte| *byte == b';'));
    let split = |pair: &'_ [u8]| pair.iter().position(|byte| *byte == b'=');
    pairs.filter_map(|pair| split(pair).map(|at| (trimmed(&pair[..at]), trimmed(&pair[at + 1..])))).collect()
}

/// The token of `Authorization` in a line that has one (RFC 6750 §2.1).
#[must_use]
pub fn bearer(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?.trim_matches([' ', '\t']);
    let (scheme, rest) = text.split_at_checked(6)?;
    let token = rest.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && rest.starts_with(' ') && is_b64token(token)).then_some(token)
}

/// `b64token` of RFC 6750 §2.1.
#[must_use]
pub fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._~+/".contains(letter))
}

fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

fn trimmed(text: &[u8]) -> &[u8] {
    let from = text.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(text.len());
    let to = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(from, |last| last + 1);
    &text[from..to]
}
