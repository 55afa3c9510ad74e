//! The worst that each section sends, with the one answer to it.

use std::time::Duration;

use authcore::rate::{ClientAddresses, ForwardingHeader, InProcess, Limit, Quota, RateLimits};
use authcore::{Algorithm, Authenticator, Guard, Isolation, JwtVerifier, KeySet, Secret, Unavailable};
use authcore_better_auth::{BetterAuth, CookieCache, CookieNames, Secrets, SessionRecord, SessionStore, SessionToken};
use authcore_testkit::{AUDIENCE, ISSUER, Mint, SigningKey, TestHead, b64, mint};
use tokio::runtime::Runtime;

use crate::keys;

/// A request that is refused.
pub(crate) struct Hostile {
    pub(crate) section: &'static str,
    pub(crate) what: String,
    pub(crate) guard: Guard,
    pub(crate) head: TestHead,
    /// The status, and the reason that is logged.
    pub(crate) answer: (u16, &'static str),
}

pub(crate) fn all(runtime: &Runtime) -> Vec<Hostile> {
    let sections = [credentials(), tokens(), signatures(runtime), claims(), sessions(), paths(), addresses()];
    sections.into_iter().flatten().collect()
}

impl Hostile {
    fn new(section: &'static str, what: &str, guard: &Guard, head: TestHead, answer: (u16, &'static str)) -> Self {
        Self { section, what: what.to_owned(), guard: guard.clone(), head, answer }
    }
}

const PATH: &str = "/api/alice/tasks";

const KIB: usize = 1024;

fn key(algorithm: Algorithm) -> &'static SigningKey {
    SigningKey::fixed(algorithm)
}

/// Nothing is remembered: every token is judged anew.
fn verifier(max_token_bytes: usize) -> JwtVerifier {
    let keys = KeySet::new(keys::ALGORITHMS.map(|algorithm| key(algorithm).key()));
    let verifier = JwtVerifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).without_cache();
    verifier.max_token_bytes(max_token_bytes).build().expect("good settings")
}

fn guard(authenticator: impl Authenticator) -> Guard {
    let isolation = Isolation::path("/api/{user_id}/tasks/**");
    Guard::builder().authenticator(authenticator).isolate(isolation).build().expect("good settings")
}

fn usual() -> Guard {
    guard(verifier(16 * KIB))
}

fn bearing(token: &str) -> TestHead {
    TestHead::get(PATH).bearer(token)
}

fn credentials() -> Vec<Hostile> {
    let guard = usual();
    let case = |what: &str, head, answer| Hostile::new("C", what, &guard, head, answer);
    let token = "A".repeat(20_000);
    vec![
        case("nothing", TestHead::get(PATH), (401, "missing")),
        case("a token of 20 KB", bearing(&token), (401, "too_long")),
        case("a token of 1 MB", bearing(&"A".repeat(1_000_000)), (401, "too_long")),
        case("100,000 dots", bearing(&".".repeat(100_000)), (401, "too_long")),
        case("1 MB, the last byte 0xFF", in_bytes(&"A".repeat(1_000_000), 0xff), (400, "malformed_bearer")),
        case("two lines of 20 KB", bearing(&token).bearer(&token), (400, "repeated_authorization")),
        case(
            "1,000 lines of 20 KB",
            (0..1_000).fold(bearing(&token), |head, _| head.bearer(&token)),
            (400, "repeated_authorization"),
        ),
    ]
}

fn in_bytes(token: &str, last: u8) -> TestHead {
    TestHead::get(PATH).header("authorization", [b"Bearer ", token.as_bytes(), &[last]].concat())
}

/// A good token whose claims go on with these members.
fn with_members(members: &str) -> String {
    let exp = 4_102_444_800_u64;
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"alice","exp":{exp},{members}}}"#);
    mint().raw_payload(claims).sign(key(Algorithm::Hs256))
}

/// So many members of different names, and the first once more.
fn members(count: usize) -> String {
    let members: Vec<String> = (0..count).map(|number| format!(r#""{number}":0"#)).collect();
    format!(r#"{},"\u0030":0"#, members.join(","))
}

fn tokens() -> Vec<Hostile> {
    let (usual, roomy) = (usual(), guard(verifier(1024 * KIB)));
    let case =
        |what: &str, guard: &Guard, token: &str, reason| Hostile::new("T", what, guard, bearing(token), (401, reason));
    let header = |text: String| format!("{}.e30.{}", b64(text), b64([7; 32]));
    let many_names = format!(r#"{{"alg":"HS256",{}}}"#, members(340));
    let nested = format!(r#"{{"alg":"HS256","x":{}"#, "[".repeat(3_000));
    let made_up = mint().claim("x", "x".repeat(11_800)).signing_input(key(Algorithm::Hs256));
    let made_up = format!("{made_up}.{}", b64([7; 32]));
    vec![
        case("a header of 4 KB, 340 members, one twice", &usual, &header(many_names), "header_duplicate_member"),
        case("a header of 4 KB, open brackets", &usual, &header(nested), "header_not_json"),
        case("16 KB, a signature made up", &usual, &made_up, "bad_signature"),
        case("signed, 1,200 members, one twice", &usual, &with_members(&members(1_200)), "payload_duplicate_member"),
        case("signed, 1,900 escapes", &usual, &with_members(&escapes(1_900)), "payload_duplicate_member"),
        case(
            "signed, 5,000 members, one twice (*)",
            &roomy,
            &with_members(&members(5_000)),
            "payload_duplicate_member",
        ),
        case("signed, 5,000 nested objects (*)", &roomy, &nested_in("{\"y\":", "0", "}", 5_000), "payload_not_json"),
        case("signed, 20,000 nested arrays (*)", &roomy, &nested_in("[", "", "]", 20_000), "payload_not_json"),
    ]
}

fn escapes(count: usize) -> String {
    format!(r#""x":"{}","sub":"bob""#, r"\u0061".repeat(count))
}

fn nested_in(open: &str, inner: &str, close: &str, depth: usize) -> String {
    with_members(&format!(r#""x":{}{inner}{}"#, open.repeat(depth), close.repeat(depth)))
}

fn signatures(runtime: &Runtime) -> Vec<Hostile> {
    let usual = usual();
    let mut cases = Vec::new();
    for algorithm in keys::ALGORITHMS {
        for (what, token) in key(algorithm).spoilt_tokens(&mint()) {
            if matches!(what, "another last bit" | "S + L" | "s + n" | "r and s swapped") {
                let what = format!("{algorithm}, {what}");
                cases.push(Hostile::new("A", &what, &usual, bearing(&token), (401, "bad_signature")));
            }
        }
    }
    let long = key(Algorithm::Es512).spoilt_tokens(&mint().claim("x", "x".repeat(11_800)));
    let (_, long) = long.into_iter().find(|(what, _)| *what == "another last bit").expect("there is one");
    cases.push(Hostile::new("A", "ES512, 16 KB, another last bit", &usual, bearing(&long), (401, "bad_signature")));
    let kid = |kid: String| mint().header("kid", kid).sign(key(Algorithm::EdDsa));
    let remote = JwtVerifier::builder(keys::remote(runtime)).issuer(ISSUER).audience(AUDIENCE);
    let remote = guard(remote.without_cache().build().expect("good settings"));
    let unknown = bearing(&kid("stranger".to_owned()));
    cases.push(Hostile::new("A", "an unknown `kid`, remote keys", &remote, unknown, (401, "unknown_key")));
    let long = bearing(&kid("k".repeat(5_000)));
    cases.push(Hostile::new("A", "a `kid` of 5,000 bytes", &usual, long, (401, "too_long")));
    cases
}

fn claims() -> Vec<Hostile> {
    let guard = usual();
    let case = |what: &str, mint: Mint, reason| {
        Hostile::new("L", what, &guard, bearing(&mint.sign(key(Algorithm::Hs256))), (401, reason))
    };
    let names: Vec<String> = (0..1_300).map(|number| format!("a{number}")).collect();
    vec![
        case("an `aud` of 1,300 others", mint().claim("aud", names), "wrong_audience"),
        case("an `iss` of 11 KB", mint().issuer(format!("{ISSUER}{}", "/".repeat(11_000))), "wrong_issuer"),
        case("a `sub` of 11 KB", mint().subject("x".repeat(11_000)), "claim_malformed"),
        case("an `exp` that is text of 11 KB", mint().claim("exp", "1".repeat(11_000)), "claim_malformed"),
    ]
}

const SECRET: &str = "a-secret-of-the-benches-with-32-bytes-or-more";

/// Knows nobody, and says so at once.
struct Nobody;

impl SessionStore for Nobody {
    async fn session(&self, _: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        Ok(None)
    }

    fn source(&self) -> &'static str {
        "nowhere"
    }
}

fn sessions() -> Vec<Hostile> {
    let secrets = Secrets::new(&Secret::new(SECRET)).expect("a good secret");
    let auth =
        BetterAuth::builder().without_jwts().secrets(&secrets).cookie_names(CookieNames::new(false)).sessions(Nobody);
    let auth = auth.cookie_cache(CookieCache::compact(&secrets)).build().expect("good settings");
    let guard = guard(auth);
    let case = |what: &str, line: String, reason| {
        Hostile::new("S", what, &guard, TestHead::get(PATH).header("cookie", line), (401, reason))
    };
    let (name, data) = ("better-auth.session_token", "better-auth.session_data");
    let many: Vec<String> = (0..3_000).map(|number| format!("c{number:04}={}", "x".repeat(14))).collect();
    let many = many.join("; ");
    let signature = SigningKey::hmac(Algorithm::Hs256, SECRET).sign(b"token");
    let signature: String = b64(signature).replace('-', "%2B").replace('_', "%2F");
    let ours = format!("{name}=token.{signature}%3D");
    let forged = format!("{name}=token.{}%3D", "A".repeat(43));
    let chunks = |count: usize, each: usize| {
        let chunks: Vec<String> = (0..count).map(|at| format!("{data}.{at}={}", "A".repeat(each))).collect();
        format!("{}; {ours}", chunks.join("; "))
    };
    vec![
        case("3,000 cookies of 64 KB, none of them ours", many.clone(), "missing"),
        case("the same, and a forged one of ours", format!("{many}; {forged}"), "session_bad_signature"),
        case("ours, 64 KB of escapes", format!("{name}={}", "%41".repeat(21_000)), "session_malformed"),
        case("a cache in 500 chunks", chunks(500, 100), "session_unknown"),
        case("a cache in 100 chunks of 16 KB together", chunks(100, 160), "session_unknown"),
    ]
}

fn paths() -> Vec<Hostile> {
    let guard = usual();
    let token = mint().subject("alice").sign(key(Algorithm::Hs256));
    let case = |what: &str, target: String, answer| {
        Hostile::new("I", what, &guard, TestHead::get(target).bearer(&token), answer)
    };
    vec![
        case("somebody else's path", "/api/bob/tasks".to_owned(), (403, "not_owner")),
        case("8 KiB of escapes", format!("/api/{}/tasks", "%61".repeat(2_720)), (403, "not_owner")),
        case(
            "8 KiB of escapes, a bad one last",
            format!("/api/{}%zz/tasks", "%61".repeat(2_720)),
            (400, "ambiguous_path"),
        ),
        case("4,000 segments, dots last", format!("/api{}/..", "/a".repeat(4_000)), (400, "ambiguous_path")),
        case("64 KB of escapes", format!("/api/{}/tasks", "%61".repeat(21_000)), (400, "ambiguous_path")),
    ]
}

fn addresses() -> Vec<Hostile> {
    let limited = |header| {
        let addresses = ClientAddresses::trusting(["10.0.0.0/8"]).expect("a network").header(header);
        let quota = Quota::per(1, Duration::from_secs(24 * 60 * 60)).expect("a quota");
        let limits = RateLimits::counted_in(InProcess::new()).client_addresses(addresses);
        let limits = limits.limit(Limit::new("general", quota).on("/api/**"));
        Guard::builder().authenticator(verifier(16 * KIB)).rate_limits(limits).build().expect("good settings")
    };
    let case = |what: &str, header: ForwardingHeader, name: &str, value: String| {
        let guard = limited(header);
        let head = TestHead::get(PATH).peer("10.0.0.1").header(name, value).bearer("a.b.c");
        // The one request that there is.
        drop(guard.begin(&head));
        Hostile::new("R", what, &guard, head, (429, "rate_limited"))
    };
    let (listed, elements) = (ForwardingHeader::XForwardedFor, ForwardingHeader::Forwarded);
    let quoted = format!(r#"for=192.0.2.1;x="{}""#, r"\a".repeat(4_050));
    vec![
        case(
            "`X-Forwarded-For`, 63 proxies",
            listed,
            "x-forwarded-for",
            format!("192.0.2.1{}", ", 10.0.0.1".repeat(63)),
        ),
        case("`X-Forwarded-For` of 1 MB", listed, "x-forwarded-for", ", 10.0.0.1".repeat(100_000)),
        case("`Forwarded` of 8 KiB, quoted", elements, "forwarded", quoted),
        case(
            "`Forwarded` of 8 KiB, commas in quotes",
            elements,
            "forwarded",
            format!("for=192.0.2.1;x=\"{}\"", ",".repeat(8_100)),
        ),
        case("`Forwarded` of 1 MB", elements, "forwarded", ", for=10.0.0.1".repeat(80_000)),
    ]
}
