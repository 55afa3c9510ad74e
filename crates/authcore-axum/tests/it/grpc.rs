//! The layer in front of a tonic server.

use std::net::SocketAddr;

use authcore::Isolation;
use authcore_axum::AuthLayer;
use authcore_testkit::mint;
use axum::Router;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::health_reporter;

use crate::{guard, key};

/// The health service, and the same under `/users/{user_id}`.
async fn serve() -> SocketAddr {
    let guard = guard().isolate(Isolation::path("/users/{user_id}/**")).build().expect("sane settings");
    let (_, health) = health_reporter();
    let health = Routes::new(health).prepare().into_axum_router();
    let per_user = Router::new().nest("/users/{user_id}", health.clone()).merge(health.reset_fallback());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = Server::builder().layer(AuthLayer::new(guard)).add_routes(Routes::from(per_user));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

async fn check(server: SocketAddr, prefix: &str, user: Option<&str>) -> Result<i32, Status> {
    let origin = format!("http://{server}{prefix}").parse().expect("a URI");
    let channel: Channel = Endpoint::from_shared(format!("http://{server}")).expect("a URI").connect_lazy();
    let mut request = Request::new(HealthCheckRequest { service: String::new() });
    if let Some(user) = user {
        let token = mint().subject(user).sign(key());
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    }
    let answer = HealthClient::with_origin(channel, origin).check(request).await?;
    Ok(answer.into_inner().status)
}

#[tokio::test]
async fn a_call_without_a_token_is_unauthenticated() {
    let server = serve().await;
    let status = check(server, "", None).await.expect_err("no token");
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");
    assert_eq!(status.message(), "This needs a credential: Authorization: Bearer <token>");
}

#[tokio::test]
async fn a_call_with_a_token_is_served() {
    let server = serve().await;
    assert_eq!(check(server, "", Some("alice")).await.expect("served"), 1);
}

#[tokio::test]
async fn the_users_path_is_the_users_alone() {
    let server = serve().await;
    assert_eq!(check(server, "/users/alice", Some("alice")).await.expect("served"), 1);

    let status = check(server, "/users/bob", Some("alice")).await.expect_err("somebody else's");

    assert_eq!(status.code(), Code::PermissionDenied, "{status}");
}
