//! Keys that have to be fetched first.

use actix_web::http::{StatusCode, header};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};
use authcore::{Guard, JwtVerifier, RemoteKeys};
use authcore_actix::{AuthMiddleware, CurrentUser};
use authcore_testkit::{Answer, FakeIssuer, mint};

use crate::{bearer, key};

fn middleware(issuer: &FakeIssuer) -> AuthMiddleware {
    let keys = RemoteKeys::at(&issuer.jwks_url()).expect("loopback");
    let guard = Guard::builder().authenticator(JwtVerifier::builder(keys).build().expect("sane settings"));
    AuthMiddleware::new(guard.build().expect("sane settings"))
}

#[actix_web::test]
async fn the_first_requests_wait_for_the_keys_and_share_one_fetch() {
    let issuer = FakeIssuer::start(&[key()]).await;
    let who = async |user: CurrentUser| user.user_id().to_string();
    let app = init_service(App::new().route("/", web::get().to(who)).wrap(middleware(&issuer))).await;
    let ask = |user| TestRequest::with_uri("/").insert_header(bearer(&mint().subject(user))).to_request();

    let (ann, bob) = tokio::join!(call_service(&app, ask("ann")), call_service(&app, ask("bob")));

    assert_eq!((&*read_body(ann).await, &*read_body(bob).await), (&b"ann"[..], &b"bob"[..]));
    assert_eq!(read_body(call_service(&app, ask("eve")).await).await, "eve");
    assert_eq!(issuer.requests(), 1);
}

#[actix_web::test]
async fn while_no_keys_can_be_had_nobody_is_judged() {
    let issuer = FakeIssuer::start(&[key()]).await;
    issuer.answer(Answer::Down);
    let app = init_service(App::new().wrap(middleware(&issuer))).await;

    for _ in 0..2 {
        let request = TestRequest::with_uri("/").insert_header(bearer(&mint()));
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().get(header::WWW_AUTHENTICATE).is_none());
        let after = response.headers().get(header::RETRY_AFTER).expect("when to try again").to_str().expect("digits");
        assert!((1..=30).contains(&after.parse::<u64>().expect("a number")), "{after} s");
        let body = read_body(response).await;
        assert!(std::str::from_utf8(&body).expect("text").contains(r#""code":"auth_unavailable""#));
    }
}
