//! What a service publishes about itself (RFC 9728), and its challenges. On a line each: the resource, the realm, a scope
//! that is asked for, an authorization server (none where it is empty), and the scopes that are served.
#![no_main]

use authcore::{Attempt, AuthError, Authenticator, Guard, Identity, Refusal, RequestHead, ResourceMetadata};
use authcore_fuzz::json::Node;
use authcore_testkit::TestHead;
use url::Url;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let [resource, realm, needed, server] = [(); 4].map(|()| lines.next().unwrap_or_default());
    let scopes: Vec<_> = lines.collect();
    challenge_for_scope(needed);

    let builder = ResourceMetadata::of(resource).scopes(scopes.iter().copied()).name(realm);
    let builder = if server.is_empty() { builder } else { builder.authorization_server(server) };
    let metadata = match builder.build() {
        Ok(metadata) => metadata,
        Err(error) => return assert!(error.to_string().contains(": "), "{error}"),
    };
    for url in [resource, server].into_iter().filter(|url| !url.is_empty()) {
        let url = Url::parse(url).expect("clients can read it");
        assert!(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url), "{url}");
        assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
    }
    assert!(scopes.iter().all(|scope| is_scope(scope)), "{scopes:?}");
    let document = Node::read(metadata.json().as_bytes()).expect("the document is JSON");
    assert!(!document.names_twice() && document.text_of("resource") == Some(resource));
    let listed = |name, all: &[&str]| match document.member(name) {
        Some(Node::List(values)) => values.iter().map(Node::text).eq(all.iter().copied().map(Some)),
        other => other.is_none() && all.is_empty(),
    };
    assert!(listed("scopes_supported", &scopes), "{document:?}");
    let servers: Vec<_> = [server].into_iter().filter(|server| !server.is_empty()).collect();
    assert!(listed("authorization_servers", &servers), "{document:?}");

    // It is at the resource's own origin, and its path before the resource's (§3.1), for who reads URLs and who does not.
    let (of, at) = (Url::parse(resource).expect("a URL"), Url::parse(metadata.url()).expect("a URL"));
    let rest = if of.path() == "/" { "" } else { of.path() };
    assert_eq!((at.origin(), at.path(), at.query()), (of.origin(), &*format!("{WELL_KNOWN}{rest}"), of.query()));
    assert_eq!(at.path(), metadata.path());

    let guard = Guard::builder().authenticator(Nobody).realm(realm).resource_metadata(metadata.clone()).build();
    let Ok(guard) = guard else { return };
    let told = |path: &str| match guard.begin(&TestHead::get(path)) {
        Attempt::Ready(verdict) => verdict,
        Attempt::Pending(_) => panic!("nothing to wait for"),
    };
    assert!(told(metadata.path()).is_ok_and(|admission| admission.identity().is_none()), "clients cannot read it");
    let refusal = told("/anything/else").expect_err("nobody calls");
    assert_eq!(refusal.reason(), "missing");
    let challenge = refusal.challenge().expect("a challenge");
    assert_eq!(parameters(&challenge), [("realm", realm), ("resource_metadata", &**metadata.url())]);
});

/// Whatever is asked for, the challenge holds nothing that a scope cannot.
fn challenge_for_scope(needed: &str) {
    let challenge = Refusal::insufficient_scope(needed).challenge().expect("a challenge");
    let kept: String = needed.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    assert_eq!(parameters(&challenge), [("error", "insufficient_scope"), ("scope", &*kept)]);
}

/// The parameters of one `Bearer` challenge whose quoted strings need no escapes (RFC 9110 §11.6.1).
fn parameters(challenge: &str) -> Vec<(&str, &str)> {
    assert!(challenge.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{challenge}");
    let mut rest = challenge.strip_prefix("Bearer ").expect("of this scheme");
    let mut found = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a parameter");
        let (value, after) = after.split_once('"').expect("a quoted string");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !value.contains('\\'));
        found.push((name, value));
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => break assert_eq!(after, "", "{challenge}"),
        }
    }
    found
}

/// RFC 6749 §3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Reads nothing.
struct Nobody;

impl Authenticator for Nobody {
    type Credential = ();

    fn credential(&self, _: &dyn RequestHead) -> Result<Option<()>, AuthError> {
        Ok(None)
    }

    async fn verify(&self, (): ()) -> Result<Identity, AuthError> {
        Err(AuthError::Missing)
    }
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
