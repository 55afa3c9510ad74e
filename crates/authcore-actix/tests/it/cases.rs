use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, HttpResponse, HttpServer, rt, web};
use authcore::{Identity, UserScope};
use authcore_actix::{
    AuthMiddleware, CurrentUser, OptionalUser, Scope, require_permission, require_role, require_scope,
};
use authcore_testkit::{Case, cases, cases_answer, cases_guard, wire_cases};

fn app() -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let tasks = |path| {
        web::resource(path).route(web::get().to(tasks)).route(web::head().to(tasks)).route(web::post().to(tasks))
    };
    App::new()
        .service(tasks("/api/user/tasks"))
        .service(tasks("/api/{user_id}/tasks").route(web::method(Method::OPTIONS).to(maybe)))
        .service(tasks("/api/tasks"))
        .route("/optional", web::get().to(maybe))
        .service(web::resource("/needs/scope").wrap(require_scope("articles:write")).route(web::get().to(maybe)))
        .service(web::resource("/needs/role").wrap(require_role("editor")).route(web::get().to(maybe)))
        .service(
            web::resource("/needs/permission")
                .wrap(require_permission("article", "update"))
                .route(web::get().to(maybe)),
        )
        .service(web::resource("/optional/needs/role").wrap(require_role("editor")).route(web::get().to(maybe)))
        .route("/health", web::get().to(async || answer(None, None)))
        .wrap(AuthMiddleware::new(cases_guard()))
}

async fn tasks(user: CurrentUser, scope: Scope) -> HttpResponse {
    answer(Some(&user), Some(&scope))
}

async fn maybe(OptionalUser(user): OptionalUser) -> HttpResponse {
    answer(user.as_ref(), None)
}

fn answer(user: Option<&Identity>, scope: Option<&UserScope>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(cases_answer(user, scope))
}

fn request(case: &Case) -> TestRequest {
    let method = case.method().parse().expect("a method");
    case.fields().fold(TestRequest::with_uri(case.target()).method(method), |request, (name, value)| {
        let value = HeaderValue::from_bytes(value).unwrap_or_else(|error| panic!("{}: {error}", case.id()));
        request.append_header((name, value))
    })
}

fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).map(|line| line.to_str().expect("ASCII")).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

#[actix_web::test]
async fn every_case_has_its_one_right_answer() {
    let app = test::init_service(app()).await;
    for case in cases() {
        let response = test::call_service(&app, request(&case).to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = test::read_body(response).await;
        case.check(status, |name| field(&headers, name), std::str::from_utf8(&body).expect("text"));
    }
}

#[actix_web::test]
async fn every_case_has_it_over_a_socket_too() {
    let server = serve();
    let checked = web::block(move || {
        for case in cases().into_iter().chain(wire_cases()) {
            case.check_over(server);
        }
    });
    checked.await.expect("every case passes");
}

fn serve() -> SocketAddr {
    let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a free port");
    let address = server.addrs()[0];
    rt::spawn(server.run());
    address
}
