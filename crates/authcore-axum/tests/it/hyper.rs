//! The layer in front of a bare hyper service: no router, a body type of its own.

use std::convert::Infallible;
use std::net::SocketAddr;

use authcore::{Admission, Isolation};
use authcore_axum::AuthLayer;
use authcore_testkit::{WireAnswer, mint};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tower::{Layer as _, service_fn};

use crate::{guard, key};

async fn whose(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let admission = Admission::left_by_guard(request.extensions().get());
    let owner = admission.and_then(Admission::require_user_scope).map(|scope| scope.owner().to_string());
    Ok(Response::new(Full::from(owner.unwrap_or_else(|refusal| refusal.code().to_owned()))))
}

async fn serve() -> SocketAddr {
    let guard = guard().isolate(Isolation::path("/{user_id}/**")).build().expect("sane settings");
    let service = TowerToHyperService::new(AuthLayer::new(guard).layer(service_fn(whose)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(connection), service.clone());
            tokio::spawn(connection);
        }
    });
    address
}

async fn send(server: SocketAddr, request_line: &str, fields: &[u8]) -> WireAnswer {
    let head = format!("{request_line} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n");
    let request = [head.as_bytes(), fields, b"\r\n"].concat();
    tokio::task::spawn_blocking(move || WireAnswer::to(server, &request)).await.expect("an answer")
}

fn code(answer: &WireAnswer) -> String {
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("a problem");
    body["code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn raw_requests_are_judged_as_they_came() {
    let server = serve().await;
    let line = format!("authorization: Bearer {}\r\n", mint().sign(key()));
    let good = line.as_bytes();

    let answer = send(server, "GET /alice/x", good).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "alice"));
    assert_eq!(answer.field("cache-control").as_deref(), Some("no-store"));

    let refused: [(&str, &[u8], u16, &str); 7] = [
        ("GET /bob/x", good, 403, "not_owner"),
        ("GET http://h/alice/x", good, 400, "bad_request"),
        ("GET http://h/bob/x", good, 400, "bad_request"),
        ("OPTIONS *", good, 400, "bad_request"),
        ("GET /alice/x", &[good, good].concat(), 400, "malformed_credentials"),
        ("GET /alice/x", b"authorization: Bearer a\x80\xff\r\n", 400, "malformed_credentials"),
        ("GET /alice/x", b"authorization: Bearer a.b.c\r\n", 401, "token_invalid"),
    ];
    for (request_line, fields, status, expected) in refused {
        let answer = send(server, request_line, fields).await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected), "{request_line}");
    }
}
