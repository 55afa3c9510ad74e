//! The peer as axum's server knows it: over a real connection, with headers that say otherwise.

use std::net::{Ipv4Addr, SocketAddr};

use authcore::RequestHead as _;
use authcore_axum::{Head, Peer};
use authcore_testkit::WireAnswer;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::routing::get;

async fn peer(request: Request) -> String {
    Head::from(&request).peer().map_or_else(|| "unknown".into(), |peer| peer.to_string())
}

#[tokio::test]
async fn axum_serves_with_the_address_of_the_peer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = listener.local_addr().expect("bound");
    let app = Router::new().route("/", get(peer)).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let request = b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\
        x-forwarded-for: 192.0.2.1\r\nforwarded: for=192.0.2.1\r\n\r\n";
    let answer = tokio::task::spawn_blocking(move || WireAnswer::to(server, request)).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_str()), (200, "127.0.0.1"));
}

#[test]
fn a_peer_of_ones_own_counts_before_connect_info() {
    let mut request = Request::new(());
    assert_eq!(Head::from(&request).peer(), None);
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
    assert_eq!(Head::from(&request).peer(), Some(Ipv4Addr::LOCALHOST.into()));
    request.extensions_mut().insert(Peer(SocketAddr::from(([203, 0, 113, 9], 1))));
    assert_eq!(Head::from(&request).peer(), Some(Ipv4Addr::new(203, 0, 113, 9).into()));
}
