//! Where a token is read from: a request head of lines, for a guard that reads all places there are. The byte 2 stands for
//! `Upgrade: websocket` and `Connection: upgrade` on lines of their own.
#![no_main]

use std::sync::LazyLock;

use authcore::credential::bearer;
use authcore::{
    Attempt, AuthError, Authenticator, Glance, Guard, Identity, Method, RequestHead, TokenSource, TrustedOrigins,
    UserId,
};
use authcore_fuzz::{assert_tells_no_secret, head, planted, replaced};
use authcore_testkit::TestHead;

static GUARD: LazyLock<Guard> = LazyLock::new(|| {
    let origins = TrustedOrigins::new([ORIGIN]).expect("an origin");
    Guard::builder()
        .authenticator(Anything)
        .tokens_from(TokenSource::websocket_protocol("bearer"))
        .tokens_from(TokenSource::handshake_query("access_token"))
        .tokens_from(TokenSource::cookie("token", origins.clone()))
        .tokens_from(TokenSource::cookie("other", origins))
        .build()
        .expect("good settings")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let handshake = "\nUpgrade: websocket\nConnection: upgrade";
    let data = replaced(&planted(data), |byte| (byte == 2).then_some(handshake));
    let Some(head) = head::read(&data) else { return };
    let verdict = || match GUARD.begin(&head) {
        Attempt::Ready(Ok(admission)) => {
            assert_tells_no_secret(&format!("{admission:?}"));
            Ok(admission.identity().map(|caller| caller.token_id().expect("the token").to_owned()))
        }
        Attempt::Ready(Err(refusal)) => {
            assert_tells_no_secret(&format!("{refusal:?} {:?} {}", refusal.fields(), refusal.body()));
            Err(refusal.reason())
        }
        Attempt::Pending(_) => panic!("nothing to wait for"),
    };
    let found = verdict();
    assert_eq!(found, verdict());
    if found == Err("ambiguous_path") {
        return;
    }
    let is_preflight = head.spec().method == "OPTIONS"
        && ["origin", "access-control-request-method"].iter().all(|name| head::values(&head, name).next().is_some());
    let expected = if is_preflight { Ok(None) } else { plain(&head).map(Some) };
    assert_eq!(found, expected);
});

/// The one token that a client can have meant, or why there is none.
fn plain(head: &TestHead) -> Result<String, &'static str> {
    let authorization: Vec<_> = head::values(head, "authorization").collect();
    let in_field = match authorization[..] {
        [] => Ok(None),
        [line] if is_of_another_scheme(line) => Ok(None),
        [line] => head::bearer(line).map(Some).ok_or("malformed_bearer"),
        _ => Err("repeated_authorization"),
    };
    if head::is_handshake(head) {
        let protocol = after_marker(head)?;
        let query = sole(in_query(head))?.map(str::as_bytes).map(token).transpose()?;
        match (protocol, query) {
            (Some(_), Some(_)) => return Err("repeated_token"),
            (None, None) => {}
            (one, other) => {
                let beside = in_field?;
                return if beside.is_some() { Err("repeated_token") } else { Ok(one.or(other).expect("one of them")) };
            }
        }
    }
    if let Some(token) = in_field? {
        return Ok(token.to_owned());
    }
    for name in ["token", "other"] {
        let mut values: Vec<_> =
            head::cookies(head).into_iter().filter(|(given, _)| *given == name.as_bytes()).collect();
        values.dedup();
        match values[..] {
            [] => {}
            [(_, value)] => {
                if !is_from_home(head) {
                    return Err("cross_site");
                }
                return token(value);
            }
            _ => return Err("repeated_token"),
        }
    }
    Err("missing")
}

/// The entry after `bearer`, of those in the places where one may stand.
fn after_marker(head: &TestHead) -> Result<Option<String>, &'static str> {
    let (mut entries, mut found) = (head::elements(head, "sec-websocket-protocol"), Vec::new());
    while let Some(entry) = entries.next() {
        if entry == b"bearer" {
            found.push(entries.next());
        }
    }
    match found[..] {
        [] => Ok(None),
        [Some(entry)] => token(entry).map(Some),
        [None] => Err("malformed_token"),
        [_, None] if found.len() == 2 => Err("malformed_token"),
        _ => Err("repeated_token"),
    }
}

fn in_query(head: &TestHead) -> Vec<&str> {
    let query = head.spec().target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.strip_prefix("access_token=")).collect()
}

fn sole<T>(values: Vec<T>) -> Result<Option<T>, &'static str> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err("repeated_token"),
        (value, None) => Ok(value),
    }
}

fn token(text: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(text).ok().filter(|text| head::is_b64token(text));
    text.map(str::to_owned).ok_or("malformed_token")
}

/// A change by cookie has to come from our own pages; so has a WebSocket.
fn is_from_home(head: &TestHead) -> bool {
    let asks =
        head::elements(head, "upgrade").any(|name| name.len() >= 9 && name[..9].eq_ignore_ascii_case(b"websocket"));
    if matches!(&*head.spec().method, "GET" | "HEAD" | "OPTIONS") && !asks {
        return true;
    }
    let [origins, sites] = ["origin", "sec-fetch-site"].map(|name| head::values(head, name).collect::<Vec<_>>());
    match (&origins[..], &sites[..]) {
        ([origin], _) => *origin == ORIGIN.as_bytes(),
        ([], [site]) => matches!(site, &b"same-origin" | &b"none"),
        _ => false,
    }
}

fn is_of_another_scheme(line: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let scheme: Vec<u8> = line.iter().copied().take_while(is_tchar).collect();
    !scheme.eq_ignore_ascii_case(b"bearer") && (!scheme.is_empty() || line.is_empty())
}

const ORIGIN: &str = "https://app.example.com";

/// Takes every bearer token for one of alice's, and tells which it was.
struct Anything;

impl Authenticator for Anything {
    type Credential = String;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<String>, AuthError> {
        Ok(bearer::token(head)?.map(str::to_owned))
    }

    async fn verify(&self, token: String) -> Result<Identity, AuthError> {
        Ok(alice(token))
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<String> {
        match self.credential(head) {
            Ok(None) => Glance::Absent,
            Ok(Some(token)) => Glance::Judged(Ok(alice(token))),
            Err(error) => Glance::Judged(Err(error)),
        }
    }
}

fn alice(token: String) -> Identity {
    let user = UserId::new("alice").expect("an id");
    Identity::assertion(user, Method::Other("fuzz")).token_id(token).into_identity()
}
