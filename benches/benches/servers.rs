//! What authentication costs a whole server: requests a second over the loopback, guarded and not.
//!
//! `cargo bench -p authcore-benches --bench servers`; it needs two cores, `taskset` and `wrk`.
//!
//! Each server has one thread, all of them on one core, `wrk` is on another. Every server gets the very same requests, tokens
//! included, whether it reads them or not. Rounds take turns, so that whatever else the machine does meets all alike. `wrk`
//! takes about as long for a request as a server without a guard, so the rates may be its own; the share of processor time
//! is what is left of the rate where the servers have always enough to do.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, future, thread};

use actix_web::dev::Server as ActixServer;
use actix_web::{App, HttpServer, web};
use authcore::{Algorithm, Guard, JwtVerifier};
use authcore_actix::AuthMiddleware;
use authcore_axum::AuthLayer;
use authcore_benches::load::{Answers, Load, SERVERS_CORE, pin_to, processor_times};
use authcore_benches::report::section;
use authcore_benches::{
    PeerClaims, authcore_builder, authcore_verifier, is_measured, peer_validation, token, token_of,
};
use authcore_testkit::{SigningKey, unb64};
use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

const ROUNDS: usize = 9;

fn main() {
    if is_measured() {
        pin_to(SERVERS_CORE);
    }
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let tokens = [Tokens::new("1 token", vec![token(key)]), Tokens::new("many tokens", many(key))];
    let verifier = remembering(&tokens, key);
    let rows = rows(key, &verifier, &tokens);
    rows.iter().for_each(Row::check);
    if is_measured() {
        compare(&rows);
        println!("{:?}", verifier.cache_status().expect("a cache"));
    }
}

fn many(key: &SigningKey) -> Vec<String> {
    let count = if is_measured() { 10_000 } else { 10 };
    (0..count).map(|number| token_of(&format!("{number:032}"), key)).collect()
}

/// A verifier that has seen all of them twice, and knows them from then on.
fn remembering(tokens: &[Tokens], key: &SigningKey) -> JwtVerifier {
    let verifier = authcore_builder(key).build().expect("good settings");
    for token in tokens.iter().flat_map(|tokens| tokens.list.iter().chain(&tokens.list)) {
        verifier.check(token).expect("a good token");
    }
    verifier
}

fn rows<'t>(key: &SigningKey, remembering: &JwtVerifier, [one, many]: &'t [Tokens; 2]) -> Vec<Row<'t>> {
    let cached = || guard(remembering.clone());
    let uncached = || guard(authcore_verifier(key));
    let in_axum = |name, app| Server { name, is_guarded: name != AXUM, address: serve_axum(app) };
    let in_actix = |name, guard: Option<Guard>| Server {
        name,
        is_guarded: guard.is_some(),
        address: serve(move |listener| actix_web::rt::System::new().block_on(actix(listener, guard))),
    };
    let axum = in_axum(AXUM, axum_app());
    let axum_cached = in_axum("axum, guarded", axum_guarded(cached()));
    let actix = in_actix("actix, no auth", None);
    let actix_cached = in_actix("actix, guarded", Some(cached()));
    vec![
        Row::new(axum, one, 0),
        Row::new(axum_cached, one, 0),
        Row::new(in_axum("axum, guarded, no cache", axum_guarded(uncached())), one, 0),
        Row::new(in_axum("axum, signature alone", axum_with_bare_check(key)), one, 0),
        Row::new(in_axum("axum, jsonwebtoken", axum_with_peer(key)), one, 0),
        Row::new(axum, many, 5),
        Row::new(axum_cached, many, 5),
        Row::new(actix, one, 7),
        Row::new(actix_cached, one, 7),
        Row::new(in_actix("actix, guarded, no cache", Some(uncached())), one, 7),
        Row::new(actix, many, 10),
        Row::new(actix_cached, many, 10),
    ]
}

fn guard(verifier: JwtVerifier) -> Guard {
    Guard::builder().authenticator(verifier).build().expect("good settings")
}

const AXUM: &str = "axum, no auth";

fn axum_app() -> Router {
    Router::new().route("/", get(|| future::ready("ok")))
}

fn axum_guarded(guard: Guard) -> Router {
    let handler = |user: authcore_axum::CurrentUser| future::ready(answer_to(user.user_id().as_str()));
    Router::new().route("/", get(handler)).layer(AuthLayer::new(guard))
}

/// The least that a server can do that verifies at all: the backend's own check of the signature, by a key prepared once, and
/// not a claim looked at.
fn axum_with_bare_check(key: &SigningKey) -> Router {
    let key = Arc::new(ParsedPublicKey::new(&ED25519, key.public_der()).expect("a good key"));
    Router::new().route("/", get(|| future::ready("ok"))).layer(from_fn_with_state(key, check_signature))
}

async fn check_signature(
    State(key): State<Arc<ParsedPublicKey>>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let field = request.headers().get(header::AUTHORIZATION).and_then(|field| field.to_str().ok());
    let token = field.and_then(|field| field.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
    let (message, signature) = token.rsplit_once('.').ok_or(StatusCode::UNAUTHORIZED)?;
    key.verify_sig(message.as_bytes(), &unb64(signature)).map_err(|_| StatusCode::UNAUTHORIZED)?;
    Ok(next.run(request).await)
}

/// As the field does it: a middleware that leaves the claims with the request.
fn axum_with_peer(key: &SigningKey) -> Router {
    let jwk = serde_json::from_value(key.public_jwk()).expect("a JWK that jsonwebtoken knows");
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key that jsonwebtoken takes");
    let peer = Arc::new((key, peer_validation(jsonwebtoken::Algorithm::EdDSA)));
    let handler = |Extension(claims): Extension<PeerClaims>| future::ready(answer_to(&claims.sub));
    Router::new().route("/", get(handler)).layer(from_fn_with_state(peer, decode))
}

type Peer = Arc<(jsonwebtoken::DecodingKey, jsonwebtoken::Validation)>;

async fn decode(State(peer): State<Peer>, mut request: Request, next: Next) -> Result<Response, StatusCode> {
    let field = request.headers().get(header::AUTHORIZATION).and_then(|field| field.to_str().ok());
    let token = field.and_then(|field| field.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
    let (key, validation) = &*peer;
    #[expect(clippy::disallowed_methods, reason = "the peer that is measured")]
    let decoded = jsonwebtoken::decode::<PeerClaims>(token, key, validation).map_err(|_| StatusCode::UNAUTHORIZED)?;
    request.extensions_mut().insert(decoded.claims);
    Ok(next.run(request).await)
}

fn actix(listener: TcpListener, guard: Option<Guard>) -> ActixServer {
    let listens = "a listener that is bound";
    match guard {
        None => HttpServer::new(|| App::new().route("/", web::get().to(|| future::ready("ok"))))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .expect(listens)
            .run(),
        Some(guard) => HttpServer::new(move || {
            let handler = |user: authcore_actix::CurrentUser| future::ready(answer_to(user.user_id().as_str()));
            App::new().wrap(AuthMiddleware::new(guard.clone())).route("/", web::get().to(handler))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect(listens)
        .run(),
    }
}

/// The same to everybody: answers are to differ in nothing but what the guard adds.
fn answer_to(user_id: &str) -> &'static str {
    black_box(user_id);
    "ok"
}

fn serve_axum(app: Router) -> SocketAddr {
    serve(move |listener| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await })
    })
}

/// On a thread of its own, till the process ends.
fn serve(server: impl FnOnce(TcpListener) -> std::io::Result<()> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || server(listener).expect("serves"));
    address
}

#[derive(Clone, Copy)]
struct Server {
    name: &'static str,
    is_guarded: bool,
    address: SocketAddr,
}

struct Tokens {
    name: &'static str,
    list: Vec<String>,
    /// Where `wrk` finds them.
    file: PathBuf,
}

impl Tokens {
    fn new(name: &'static str, list: Vec<String>) -> Self {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("servers, {name}"));
        fs::write(&file, list.join("\n")).expect("a file");
        Self { name, list, file }
    }
}

/// One server under one kind of load.
struct Row<'t> {
    server: Server,
    tokens: &'t Tokens,
    /// Which row it is a share of.
    whole: usize,
}

impl<'t> Row<'t> {
    fn new(server: Server, tokens: &'t Tokens, whole: usize) -> Self {
        Self { server, tokens, whole }
    }

    /// What is about to be measured is what it is meant to be.
    fn check(&self) {
        let Server { name, is_guarded, address } = self.server;
        for token in self.tokens.list.iter().take(10) {
            assert_eq!(status(address, &format!("Authorization: Bearer {token}\r\n")), 200, "{name}");
        }
        assert_eq!(status(address, ""), if is_guarded { 401 } else { 200 }, "{name} without a token");
    }

    /// One second of load.
    fn measure(&self) -> Figures {
        let load = Load { url: format!("http://{}/", self.server.address), tokens: &self.tokens.file, seconds: 1 };
        let before = processor_times("self");
        let Answers { count, failures, micros, .. } = load.run();
        let after = processor_times("self");
        assert!(count > 0.0 && failures == 0.0, "{}: {failures} of {count} failed", self.server.name);
        let [had, awaited] = [after[0] - before[0], after[1] - before[1]].map(|time| time.as_secs_f64() * 1e6);
        Figures { rate: count * 1e6 / micros, processor: had / count, busy: had / micros, kept: awaited / micros }
    }
}

/// Answers a second, the servers' processor time for each in microseconds, and which part of the time they had the processor
/// and were kept from it by others.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    processor: f64,
    busy: f64,
    kept: f64,
}

fn compare(rows: &[Row<'_>]) {
    let mut rounds = Vec::new();
    for number in 0..=ROUNDS {
        let round: Vec<Figures> = rows.iter().map(Row::measure).collect();
        // The first is for warming up.
        if number > 0 {
            rounds.push(round);
        }
    }
    let columns = ["each s", "share", "least", "most", "us each", "share", "busy", "kept"];
    let mut table = format!("{:<40}", format!("median of {ROUNDS} rounds"));
    let _ = writeln!(table, "{}", columns.map(|column| format!("{column:>9}")).concat());
    for (index, row) in rows.iter().enumerate() {
        let sorted = |figure: &dyn Fn(&[Figures]) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(|round| figure(round)).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let median = |figure: &dyn Fn(&[Figures]) -> f64| sorted(figure)[ROUNDS / 2];
        let shares = sorted(&|round| round[index].rate / round[row.whole].rate);
        let name = format!("{}, {}", row.server.name, row.tokens.name);
        let _ = write!(table, "{name:<40}{:>9.0}", median(&|round| round[index].rate));
        let _ = write!(table, "{:>9.3}{:>9.3}{:>9.3}", shares[ROUNDS / 2], shares[0], shares[ROUNDS - 1]);
        let _ = write!(table, "{:>9.2}", median(&|round| round[index].processor));
        let _ = write!(table, "{:>9.3}", median(&|round| round[row.whole].processor / round[index].processor));
        let (busy, kept) = (median(&|round| round[index].busy), median(&|round| round[index].kept));
        let _ = writeln!(table, "{busy:>9.2}{kept:>9.2}");
    }
    print!("{table}");
    section("What authentication costs a whole server", "servers", &format!("```text\n{table}```"));
}

fn status(address: SocketAddr, fields: &str) -> u16 {
    let mut stream = TcpStream::connect(address).expect("listens");
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{fields}\r\n").expect("takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}
