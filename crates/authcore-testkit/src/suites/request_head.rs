//! What a [`RequestHead`] must hand over.

use std::net::IpAddr;
use std::ops::ControlFlow;

use authcore::RequestHead;

use crate::head::HeadSpec;

/// Checks that a framework's request hands its head over as it came: method, path and query still percent-encoded, every field line in order and as bytes; and the connection's peer, whatever header fields say of it.
///
/// `make` makes a request from a description; every method and target in it is in origin form and fit for any server.
///
/// # Panics
///
/// When something is lost, joined, decoded or made up.
pub fn request_head<H: RequestHead>(make: impl Fn(&HeadSpec) -> H) {
    for method in ["GET", "POST", "DELETE", "OPTIONS", "PURGE"] {
        let head = make(&spec(method, "/", &[]));
        assert_eq!(head.method(), method, "the method is handed over as it was sent");
    }
    for (target, path) in TARGETS {
        let head = make(&spec("GET", target, &[]));
        assert_eq!(head.path(), path, "the path of `{target}`: percent-encoded as it was sent, without the query");
        let query = target.split_once('?').map(|(_, query)| query);
        assert_eq!(head.query(), query, "the query of `{target}`: as it was sent, without the question mark");
    }

    let peers = ["203.0.113.9", "2001:db8::9", "::ffff:203.0.113.9"].map(|peer| peer.parse::<IpAddr>().ok());
    for peer in peers.into_iter().chain([None]) {
        let head = make(&HeadSpec { peer, ..spec("GET", "/", FORWARDING) });
        assert_eq!(head.peer(), peer, "the peer is the connection's, and no header's");
    }

    let head = make(&spec("GET", "/", FIELDS));
    let head: &dyn RequestHead = &head;
    assert_eq!(lines(head, "x-many"), [&b"one"[..], b"", b"three, four"], "each line is one visit, in order");
    assert_eq!(lines(head, "x-bytes"), [b"a\xe9\xff\x80b"], "values are bytes, also beyond ASCII");
    assert_eq!(lines(head, "authorization"), [b"Bearer a", b"Bearer b"], "lines are never joined");
    assert_eq!(lines(head, "cookie"), [&b"a=1; b=2"[..], b"c=3"], "also those of Cookie");
    assert!(lines(head, "x-none").is_empty(), "an absent field has no line");
    assert!(lines(head, "x-man").is_empty(), "a name is compared whole");

    let mut visits = 0;
    head.field_lines("x-many", &mut |_| {
        visits += 1;
        ControlFlow::Break(())
    });
    assert_eq!(visits, 1, "a visit that breaks is the last");
    assert!(head.sole_field("authorization").is_err(), "two lines of Authorization are noticed");
    assert_eq!(head.sole_field("x-bytes"), Ok(Some(&b"a\xe9\xff\x80b"[..])), "values can be borrowed from the head");
}

/// Checks that targets in absolute form and asterisk form ([RFC 9112 §3.2]) are handed over as something that does not
/// begin with `/`.
///
/// Apart from [`request_head`] because it is about HTTP/1 only: in HTTP/2 every request names its scheme and host.
///
/// # Panics
///
/// When such a target looks like one in origin form.
///
/// [RFC 9112 §3.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2
pub fn request_head_outside_origin_form<H: RequestHead>(make: impl Fn(&HeadSpec) -> H) {
    let targets = [("GET", "http://example.com/api/tasks"), ("GET", "http://example.com"), ("OPTIONS", "*")];
    for (method, target) in targets {
        let head = make(&spec(method, target, &[]));
        assert!(!head.path().starts_with('/'), "`{target}` must not look like origin form, but is `{}`", head.path());
    }
}

const TARGETS: [(&str, &str); 12] = [
    ("/", "/"),
    ("/?", "/"),
    ("/api/tasks", "/api/tasks"),
    ("/api/tasks/", "/api/tasks/"),
    ("/api/tasks?done=true&page=2", "/api/tasks"),
    ("/a?b?c=/d", "/a"),
    ("/a%2Fb/%20/%c3%A9?x=%2F", "/a%2Fb/%20/%c3%A9"),
    ("/user%2D1/%252D", "/user%2D1/%252D"),
    ("/a//b", "/a//b"),
    ("/a/../b/./c/%2e%2e", "/a/../b/./c/%2e%2e"),
    ("/a;x=y/b:c@d", "/a;x=y/b:c@d"),
    ("/A/%7Euser/~user", "/A/%7Euser/~user"),
];

const FIELDS: &[(&str, &[u8])] = &[
    ("X-Many", b"one"),
    ("Authorization", b"Bearer a"),
    ("Cookie", b"a=1; b=2"),
    ("x-many", b""),
    ("X-Bytes", b"a\xe9\xff\x80b"),
    ("cookie", b"c=3"),
    ("AUTHORIZATION", b"Bearer b"),
    ("X-MANY", b"three, four"),
];

const FORWARDING: &[(&str, &[u8])] = &[
    ("Forwarded", b"for=192.0.2.1"),
    ("X-Forwarded-For", b"192.0.2.1"),
    ("X-Real-IP", b"192.0.2.1"),
    ("Client-IP", b"192.0.2.1"),
];

fn spec(method: &str, target: &str, fields: &[(&str, &[u8])]) -> HeadSpec {
    let headers = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
    HeadSpec { method: method.to_owned(), target: target.to_owned(), headers, peer: None }
}

fn lines<'h>(head: &'h dyn RequestHead, name: &str) -> Vec<&'h [u8]> {
    let mut lines = Vec::new();
    head.field_lines(name, &mut |value| {
        lines.push(value);
        ControlFlow::Continue(())
    });
    lines
}
