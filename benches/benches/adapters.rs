//! What axum's layer and actix-web's middleware cost a request beyond the guard's own decision.
//!
//! `cargo bench -p authcore-benches --bench adapters`
//!
//! Each row is one kind of request, three times: through a service behind the guard, through the same service without, and
//! the core's part alone. What the first takes longer than the other two together is the adapter's own. The three take
//! turns, so that whatever else the machine does meets them alike.

use std::convert::Infallible;
use std::fmt::{Debug, Display, Formatter};
use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{self, ServiceFactory as _, ServiceRequest, ServiceResponse, Transform as _};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, web};
use authcore::{Attempt, AuthError, Authenticator, Glance, Guard, Identity, Method, RequestHead, UserId};
use authcore_actix::AuthMiddleware;
use authcore_axum::AuthLayer;
use authcore_benches::{is_measured, report};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use tower::layer::util::Identity as NoLayer;
use tower::{Layer as _, service_fn};

fn main() {
    let mut rows = in_axum();
    rows.extend(actix_web::rt::System::new().block_on(in_actix()));
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..if is_measured() { 16_001 } else { 1 } {
        rows.iter_mut().zip(&mut times).for_each(|(row, times)| times.push(row.measure()));
    }
    let mut table = format!("{:<32}{:>9}{:>9}{:>9}{:>9}\n", "ns a request, medians", "guarded", "bare", "core", "own");
    for (row, times) in rows.iter().zip(&times) {
        table.push_str(&format!("{:<32}{}\n", row.name, Times::medians(times)));
    }
    print!("{table}");
    if is_measured() {
        report::section("What the adapters add", "adapters", &format!("```text\n{table}```"));
    }
}

fn in_axum() -> Vec<Row> {
    fn answers<S>(mut service: S, path: &'static str, token: &'static str) -> Batch
    where
        S: tower::Service<Request, Response = Response, Error = Infallible> + 'static,
    {
        let request = move || axum_request(path, token);
        timed(request, move |request| drop(black_box(now(service.call(request)).expect("infallible"))))
    }
    let core = |path, token| {
        let guard = guard();
        timed_on(move || axum_request(path, token), move |request| decide(&guard, &authcore_axum::Head::from(request)))
    };
    let service = || service_fn(|_: Request| ready(Ok::<_, Infallible>(Response::new(Body::empty()))));
    let router = || {
        Router::new()
            .route(PLAIN, get(|| ready("ok")))
            .route(OPEN, get(|| ready("ok")))
            .route("/user", get(|user: authcore_axum::CurrentUser| ready(ok(user))))
            .route("/scope", get(|scope: authcore_axum::Scope| ready(ok(scope))))
    };
    let layer = || AuthLayer::new(guard());
    let to_route = |name, path| Row {
        name,
        guarded: answers(layer().layer(router()), path, TOKEN),
        bare: answers(router(), PLAIN, TOKEN),
        core: core(path, TOKEN),
    };
    vec![
        Row {
            name: "axum: a service",
            guarded: answers(layer().layer(service()), PLAIN, TOKEN),
            bare: answers(service(), PLAIN, TOKEN),
            core: core(PLAIN, TOKEN),
        },
        to_route("axum: a route", PLAIN),
        to_route("axum: CurrentUser", "/user"),
        to_route("axum: Scope", "/scope"),
        to_route("axum: an open path", OPEN),
        Row {
            name: "axum: a route, Router::layer",
            guarded: answers(router().layer(layer()), PLAIN, TOKEN),
            bare: answers(router().layer(NoLayer::new()), PLAIN, TOKEN),
            core: core(PLAIN, TOKEN),
        },
        Row {
            name: "axum: 401",
            guarded: answers(layer().layer(service()), PLAIN, ""),
            bare: timed(|| axum_request(PLAIN, ""), drop),
            core: core(PLAIN, ""),
        },
    ]
}

async fn in_actix() -> Vec<Row> {
    fn answers<R: 'static, S>(request: impl Fn() -> R + 'static, service: S) -> Batch
    where
        S: dev::Service<R, Error: Debug> + 'static,
    {
        timed(request, move |request| drop(black_box(now(service.call(request)).expect("answers"))))
    }
    let core = |path, token| {
        let (guard, request) = (guard(), move || actix_request(path, token).to_http_request());
        timed_on(request, move |request| decide(&guard, &authcore_actix::Head::from(request)))
    };
    let service = || {
        let answer = |request: ServiceRequest| request.into_response(HttpResponse::Ok().finish());
        let factory = dev::fn_service(move |request| ready(Ok::<_, actix_web::Error>(answer(request))));
        now(factory.new_service(())).expect("starts")
    };
    let guarded = || now(AuthMiddleware::new(guard()).new_transform(service())).expect("starts");
    let to_service = |token| move || actix_request(PLAIN, token).to_srv_request();
    let to_app = |path| move || actix_request(path, TOKEN).to_request();
    let mut rows = vec![
        Row {
            name: "actix: a service",
            guarded: answers(to_service(TOKEN), guarded()),
            bare: answers(to_service(TOKEN), service()),
            core: core(PLAIN, TOKEN),
        },
        Row {
            name: "actix: 401",
            guarded: answers(to_service(""), guarded()),
            bare: timed(to_service(""), drop),
            core: core(PLAIN, ""),
        },
    ];
    for (name, path) in [
        ("actix: a route", PLAIN),
        ("actix: CurrentUser", "/user"),
        ("actix: Scope", "/scope"),
        ("actix: an open path", OPEN),
    ] {
        let guarded = init_service(with_routes(App::new().wrap(AuthMiddleware::new(guard())))).await;
        let bare = init_service(with_routes(App::new())).await;
        rows.push(Row {
            name,
            guarded: answers(to_app(path), guarded),
            bare: answers(to_app(PLAIN), bare),
            core: core(path, TOKEN),
        });
    }
    rows
}

fn with_routes<T, B>(app: App<T>) -> App<T>
where
    T: dev::ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        >,
    B: MessageBody,
{
    app.route(PLAIN, web::get().to(|| ready("ok")))
        .route(OPEN, web::get().to(|| ready("ok")))
        .route("/user", web::get().to(|user: authcore_actix::CurrentUser| ready(ok(user))))
        .route("/scope", web::get().to(|scope: authcore_actix::Scope| ready(ok(scope))))
}

fn axum_request(path: &str, token: &str) -> Request {
    let request = fields(token).fold(Request::get(path), |request, (name, value)| request.header(name, value));
    request.body(Body::empty()).expect("a good request")
}

fn actix_request(path: &str, token: &str) -> TestRequest {
    fields(token).fold(TestRequest::with_uri(path), TestRequest::insert_header)
}

/// What `curl` sends.
fn fields(token: &str) -> impl Iterator<Item = (&'static str, &str)> {
    let usual = [("host", "app.example.com"), ("user-agent", "curl/8.17.0"), ("accept", "*/*")];
    usual.into_iter().chain(Some(("authorization", token)).filter(|_| !token.is_empty()))
}

const TOKEN: &str = "Bearer known";
const PLAIN: &str = "/plain";
const OPEN: &str = "/open";

fn guard() -> Guard {
    let user = UserId::new("S3NBY4swX9ZsphkeenGjZ2GzaftUItGb").expect("an id");
    let known = Known(Identity::assertion(user, Method::Other("bench")).into_identity());
    Guard::builder().authenticator(known).open(OPEN).build().expect("good settings")
}

/// Whoever sends a token at all is the one user: what is left is the pipeline around it.
struct Known(Identity);

impl Authenticator for Known {
    type Credential = Infallible;

    fn credential(&self, _: &dyn RequestHead) -> Result<Option<Infallible>, AuthError> {
        Ok(None)
    }

    async fn verify(&self, credential: Infallible) -> Result<Identity, AuthError> {
        match credential {}
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<Infallible> {
        match head.sole_field("authorization") {
            Ok(Some(_)) => Glance::Judged(Ok(self.0.clone())),
            _ => Glance::Absent,
        }
    }
}

/// The core's part: the decision, and the words of a refusal.
fn decide(guard: &Guard, head: &dyn RequestHead) {
    match guard.begin(head) {
        Attempt::Ready(Ok(admission)) => drop(black_box(admission)),
        Attempt::Ready(Err(refusal)) => drop(black_box((refusal.fields(), refusal.body()))),
        Attempt::Pending(_) => unreachable!("decides at once"),
    }
}

/// What a handler that was given this answers.
fn ok<T>(_: T) -> &'static str {
    "ok"
}

/// The output of a future that waits for nothing.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("answers at once"),
    }
}

/// Serves some requests and tells how long that took.
type Batch = Box<dyn FnMut() -> Duration>;

/// So few that they stay in the first cache, so many that reading the clock hardly counts.
const BATCH: u32 = 16;

/// Requests are made outside the time that is taken, and dropped in it.
fn timed<R: 'static>(request: impl Fn() -> R + 'static, mut serve: impl FnMut(R) + 'static) -> Batch {
    Box::new(move || {
        let requests: Vec<R> = (0..BATCH).map(|_| request()).collect();
        let start = Instant::now();
        requests.into_iter().for_each(&mut serve);
        start.elapsed()
    })
}

/// Requests are made and dropped outside the time that is taken.
fn timed_on<R: 'static>(request: impl Fn() -> R + 'static, look: impl Fn(&R) + 'static) -> Batch {
    Box::new(move || {
        let requests: Vec<R> = (0..BATCH).map(|_| request()).collect();
        let start = Instant::now();
        requests.iter().for_each(&look);
        start.elapsed()
    })
}

struct Row {
    name: &'static str,
    guarded: Batch,
    bare: Batch,
    core: Batch,
}

/// Nanoseconds a request: guarded, bare, the core's, and what the first takes longer.
#[derive(Clone, Copy)]
struct Times([f64; 4]);

impl Row {
    fn measure(&mut self) -> Times {
        let [guarded, bare, core] = [&mut self.guarded, &mut self.bare, &mut self.core]
            .map(|batch| batch().as_secs_f64() * 1e9 / f64::from(BATCH));
        Times([guarded, bare, core, guarded - bare - core])
    }
}

impl Times {
    fn medians(rounds: &[Self]) -> Self {
        Self(std::array::from_fn(|column| {
            let mut values: Vec<f64> = rounds.iter().map(|Self(times)| times[column]).collect();
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        }))
    }
}

impl Display for Times {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|time| write!(f, "{time:>9.0}"))
    }
}
