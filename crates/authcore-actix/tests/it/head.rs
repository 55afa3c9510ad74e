use std::net::SocketAddr;

use actix_web::http::{Method, Version};
use actix_web::test::TestRequest;
use authcore::RequestHead as _;
use authcore_actix::Head;
use authcore_testkit::{HeadSpec, suites};

fn head(spec: &HeadSpec) -> Head<'static> {
    let method = Method::from_bytes(spec.method.as_bytes()).expect("a method");
    let mut request = TestRequest::with_uri(&spec.target).method(method);
    for (name, value) in &spec.headers {
        request = request.append_header((name.as_str(), value.as_slice()));
    }
    if let Some(peer) = spec.peer {
        request = request.peer_addr(SocketAddr::new(peer, 5000));
    }
    // The suite takes heads that own what they say; a test may leak a few.
    Head::from(&*Box::leak(Box::new(request.to_http_request())))
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
    let request = TestRequest::with_uri("https://host/api/tasks?x").version(Version::HTTP_2).to_srv_request();
    assert_eq!(Head::from(&request).path(), "/api/tasks");
}
