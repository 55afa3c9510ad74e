use std::net::SocketAddr;

use authcore::RequestHead as _;
use authcore_axum::{Head, Peer};
use authcore_testkit::{HeadSpec, suites};
use http::{Request, Version};

fn head(spec: &HeadSpec) -> Head<'static> {
    let mut request = Request::builder().method(spec.method.as_str()).uri(&spec.target);
    for (name, value) in &spec.headers {
        request = request.header(name, value.as_slice());
    }
    if let Some(peer) = spec.peer {
        request = request.extension(Peer(SocketAddr::new(peer, 5000)));
    }
    // The suite takes heads that own what they say; a test may leak a few.
    Head::from(&*Box::leak(Box::new(request.body(()).expect("a request"))))
}

#[test]
fn a_head_is_handed_over_as_it_came() {
    suites::request_head(head);
}

#[test]
fn targets_that_are_not_in_origin_form_are_told_apart() {
    suites::request_head_outside_origin_form(head);
}

#[test]
fn http_2_names_the_authority_of_every_request() {
    let mut request = Request::get("https://host/api/tasks?x").body(()).expect("a request");
    assert_eq!(Head::from(&request).path(), "");
    for version in [Version::HTTP_2, Version::HTTP_3] {
        *request.version_mut() = version;
        assert_eq!(Head::from(&request).path(), "/api/tasks");
    }
}

#[test]
fn the_parts_of_a_request_say_the_same() {
    let peer = Peer(SocketAddr::from(([203, 0, 113, 9], 5000)));
    let request = Request::put("/a/b?c").header("x", "y").extension(peer).body(()).expect("a request");
    let (parts, ()) = request.into_parts();
    let head = Head::from(&parts);
    assert_eq!((head.method(), head.path()), ("PUT", "/a/b"));
    assert_eq!(head.peer(), Some(peer.0.ip()));
}
