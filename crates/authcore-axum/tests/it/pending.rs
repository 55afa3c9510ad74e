//! Keys that have to be fetched first.

use authcore::{Guard, JwtVerifier, RemoteKeys};
use authcore_axum::{AuthLayer, CurrentUser};
use authcore_testkit::{Answer, FakeIssuer, mint};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode, header};
use tower::ServiceExt as _;

use crate::{key, text};

fn app(issuer: &FakeIssuer) -> Router {
    let keys = RemoteKeys::at(&issuer.jwks_url()).expect("loopback");
    let guard = Guard::builder().authenticator(JwtVerifier::builder(keys).build().expect("sane settings"));
    Router::new()
        .route("/", get(async |user: CurrentUser| user.user_id().to_string()))
        .layer(AuthLayer::new(guard.build().expect("sane settings")))
}

async fn ask(app: &Router, user: &str) -> Response<Body> {
    let token = mint().subject(user).sign(key());
    let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {token}"));
    app.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible")
}

#[tokio::test]
async fn the_first_requests_wait_for_the_keys_and_share_one_fetch() {
    let issuer = FakeIssuer::start(&[key()]).await;
    let app = app(&issuer);

    let (ann, bob) = tokio::join!(ask(&app, "ann"), ask(&app, "bob"));

    assert_eq!((text(ann).await, text(bob).await), ("ann".to_owned(), "bob".to_owned()));
    assert_eq!(text(ask(&app, "eve").await).await, "eve");
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn while_no_keys_can_be_had_nobody_is_judged() {
    let issuer = FakeIssuer::start(&[key()]).await;
    issuer.answer(Answer::Down);
    let app = app(&issuer);

    for _ in 0..2 {
        let response = ask(&app, "ann").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().get(header::WWW_AUTHENTICATE).is_none());
        let after: u64 = response.headers()[header::RETRY_AFTER].to_str().expect("digits").parse().expect("a number");
        assert!((1..=30).contains(&after), "{after} s");
        assert!(text(response).await.contains(r#""code":"auth_unavailable""#));
    }
}
