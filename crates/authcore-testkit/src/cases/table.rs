//! The table itself.

use authcore::Algorithm;

use super::refusals::{AMBIGUOUS, EXPIRED, INVALID, MALFORMED, MISSING, NOT_OWNER, NOT_YET, REPEATED, ROLE, SCOPE};
use super::{Case, LEEWAY, NOW, alice, key, token_of};
use crate::SigningKey;

/// The table. The application under test is behind [`cases_guard`](crate::cases_guard) and answers [`cases_answer`](crate::cases_answer) on
///
/// | route | methods | with |
/// |---|---|---|
/// | `/api/{user_id}/tasks`, `/api/user/tasks`, `/api/tasks` | `GET`, `HEAD`, `POST` | the caller, who must be there, and the scope |
/// | `/api/{user_id}/tasks` | `OPTIONS` | the caller if there is one, no scope: it stands for a CORS layer |
/// | `/optional` | `GET` | the caller if there is one, no scope |
/// | `/health` | `GET` | nothing |
/// | `/needs/scope` | `GET` | the caller, who must have the scope `articles:write` |
/// | `/needs/role` | `GET` | the caller, who must have the role `editor` |
/// | `/needs/permission` | `GET` | the caller, who must be permitted to `update` an `article` |
/// | `/optional/needs/role` | `GET` | as `/needs/role` |
///
/// Targets are such that a URI type takes them; for what only a socket does, see [`wire_cases`].
#[must_use]
pub fn cases() -> Vec<Case> {
    [ordinary(), credentials(), tokens(), isolation(), requirements()].concat()
}

fn ordinary() -> Vec<Case> {
    let admin = token_of("root").claim("role", "admin");
    let auditor = token_of("aud").claim("role", "auditor");
    let preflight = |id| {
        Case::new(id, "OPTIONS", "/api/bob/tasks")
            .field("origin", "https://app.example.com")
            .field("access-control-request-method", "POST")
    };
    vec![
        Case::get("H-01-own-path", "/api/alice/tasks").signed(&alice()).serves_own("alice"),
        Case::get("H-02-no-user-in-path", "/api/tasks").signed(&alice()).serves_own("alice"),
        Case::get("H-03-static-beats-parameter", "/api/user/tasks").signed(&alice()).serves_own("alice"),
        Case::new("H-04-post", "POST", "/api/alice/tasks").signed(&alice()).serves_own("alice"),
        Case::new("H-05-head", "HEAD", "/api/alice/tasks").signed(&alice()).serves_own("alice"),
        Case::new("H-06-head-refused", "HEAD", "/api/bob/tasks").signed(&alice()).refused(NOT_OWNER),
        Case::get("H-07-admin-reads", "/api/bob/tasks").signed(&admin).serves("root", "bob", "full"),
        Case::new("H-08-admin-writes", "POST", "/api/bob/tasks").signed(&admin).serves("root", "bob", "full"),
        Case::get("H-09-auditor-reads", "/api/bob/tasks").signed(&auditor).serves("aud", "bob", "read"),
        Case::new("H-10-auditor-head", "HEAD", "/api/bob/tasks").signed(&auditor).serves("aud", "bob", "read"),
        Case::new("H-11-auditor-writes", "POST", "/api/bob/tasks").signed(&auditor).refused(ROLE),
        Case::new("H-12-auditor-own", "POST", "/api/aud/tasks").signed(&auditor).serves_own("aud"),
        Case::get("H-13-open", "/health").serves_caller(None, false),
        Case::get("H-14-open-looks-at-nothing", "/health").bearer("broken").serves_caller(None, false),
        Case::get("H-15-optional-anonymous", "/optional").serves_caller(None, true),
        Case::get("H-16-optional-caller", "/optional").signed(&alice()).serves_caller(Some("alice"), true),
        Case::get("H-17-optional-other-scheme", "/optional").authorization("Basic YTpi").serves_caller(None, true),
        Case::get("H-18-unknown-route", "/nowhere").refused(MISSING),
        Case::new("H-19-options", "OPTIONS", "/api/alice/tasks").refused(MISSING),
        Case::new("H-20-options-caller", "OPTIONS", "/api/alice/tasks")
            .signed(&alice())
            .serves_caller(Some("alice"), true),
        preflight("C-19-preflight").serves_caller(None, true),
        preflight("C-19-preflight-with-token").signed(&alice()).serves_caller(None, true),
    ]
}

fn requirements() -> Vec<Case> {
    let editor = alice().claim("role", "reader,editor");
    let scoped = |scope: serde_json::Value| alice().claim("scope", scope);
    let served = |case: Case| case.serves_caller(Some("alice"), true);
    let (scope, role, permission) = ("/needs/scope", "/needs/role", "/needs/permission");
    vec![
        served(Case::get("P-01-scope", scope).signed(&scoped("articles:read articles:write".into()))),
        Case::get("P-02-no-scope", scope).signed(&alice()).refused(SCOPE),
        Case::get("L-83-other-scope", scope).signed(&scoped("articles:write2 articles".into())).refused(SCOPE),
        Case::get("L-82-scope-of-a-list", scope).signed(&scoped(["articles:write"][..].into())).refused(SCOPE),
        Case::get("P-03-nobody", scope).refused(MISSING),
        served(Case::get("P-04-role", role).signed(&editor)),
        Case::get("P-05-no-role", role).signed(&alice()).refused(ROLE),
        Case::get("P-06-other-role", role).signed(&alice().claim("role", "Editor")).refused(ROLE),
        Case::get("L-82-role-of-a-mixed-list", role)
            .signed(&alice().claim("role", serde_json::json!(["editor", 7])))
            .refused(ROLE),
        Case::get("L-82-role-of-an-object", role)
            .signed(&alice().claim("role", serde_json::json!({ "editor": true })))
            .refused(ROLE),
        served(Case::get("P-07-permission", permission).signed(&editor)),
        Case::get("P-08-no-permission", permission).signed(&alice()).refused(ROLE),
        Case::new("P-10-other-method", "POST", role).signed(&alice()).refused(ROLE),
        Case::new("P-11-other-method-nobody", "OPTIONS", role).refused(MISSING),
        Case::get("P-09-optional-nobody", "/optional/needs/role").refused(MISSING),
    ]
}

fn credentials() -> Vec<Case> {
    let token = alice().sign(key());
    let get = |id| Case::get(id, "/api/alice/tasks");
    let authorization = |id, value: &str| get(id).authorization(value);
    let beside = |before: &[u8], after: &[u8]| [before, token.as_bytes(), after].concat();
    vec![
        get("C-01-nothing").refused(MISSING),
        authorization("C-02-lower", &format!("bearer {token}")).serves_own("alice"),
        authorization("C-02-upper", &format!("BEARER {token}")).serves_own("alice"),
        authorization("C-02-mixed", &format!("bEaReR {token}")).serves_own("alice"),
        authorization("C-03-basic", "Basic YWxpY2U6c2VjcmV0").refused(MISSING),
        authorization("C-03-digest", "Digest username=\"alice\"").refused(MISSING),
        authorization("C-03-negotiate", "Negotiate YII=").refused(MISSING),
        authorization("C-03-longer-name", &format!("Bearers {token}")).refused(MISSING),
        authorization("C-04-scheme-alone", "Bearer").refused(MALFORMED),
        authorization("C-04-only-spaces", "Bearer   ").refused(MALFORMED),
        authorization("C-05-tab", &format!("Bearer\t{token}")).refused(MALFORMED),
        get("C-05-nbsp").authorization(beside(b"Bearer\xC2\xA0", b"")).refused(MALFORMED),
        get("C-05-zero-width-space").authorization(beside(b"Bearer\xE2\x80\x8B", b"")).refused(MALFORMED),
        authorization("C-06-two-spaces", &format!("Bearer  {token}")).serves_own("alice"),
        get("C-07-two-lines").bearer(&token).bearer(&token).refused(REPEATED),
        get("C-07-two-different-lines").bearer(&token).authorization("Basic YTpi").refused(REPEATED),
        get("C-07-bad-before-good").bearer("broken").bearer(&token).refused(REPEATED),
        authorization("C-08-list", &format!("Bearer {token}, Bearer {token}")).refused(MALFORMED),
        authorization("C-09-scheme-twice", &format!("Bearer Bearer {token}")).refused(MALFORMED),
        authorization("C-09-quoted", &format!("Bearer \"{token}\"")).refused(MALFORMED),
        authorization("C-09-parameter", &format!("Bearer token=\"{token}\"")).refused(MALFORMED),
        authorization("C-09-inner-space", "Bearer ab cd").refused(MALFORMED),
        get("C-10-byte-80").authorization(beside(b"Bearer ", b"\x80")).refused(MALFORMED),
        get("C-10-byte-ff").authorization(b"Bearer \xFF".as_slice()).refused(MALFORMED),
        get("C-10-bytes-in-scheme").authorization(b"B\xE9arer x".as_slice()).refused(MISSING),
        get("C-12-20-kilobytes").bearer(&"a".repeat(20_000)).refused(INVALID),
        get("C-13-dots").bearer(&".".repeat(100_000)).refused_by_server_or(INVALID),
        get("C-13-megabyte").bearer(&"a".repeat(1_000_000)).refused_by_server_or(INVALID),
        Case::get("C-14-query", format!("/api/alice/tasks?access_token={token}&token={token}")).refused(MISSING),
        get("C-15-cookie-beside-token")
            .bearer(&token)
            .field("cookie", "better-auth.session_token=b.b")
            .serves_own("alice"),
        get("C-16-cookie-beside-bad-token")
            .bearer("a.b.c")
            .field("cookie", "better-auth.session_token=b.b")
            .refused(INVALID),
        Case::get("C-17-optional-bad-token", "/optional").bearer("a.b.c").refused(INVALID),
        Case::get("C-17-optional-malformed", "/optional").authorization("Bearer").refused(MALFORMED),
        Case::get("C-17-optional-two-lines", "/optional").bearer(&token).bearer(&token).refused(REPEATED),
        get("C-18-user-header").field("x-user-id", "alice").field("x-forwarded-user", "alice").refused(MISSING),
        get("C-18-forwarded-authorization")
            .field("x-forwarded-authorization", format!("Bearer {token}"))
            .refused(MISSING),
        get("C-18-user-header-beside-token").bearer(&token).field("x-user-id", "bob").serves_own("alice"),
        authorization("C-20-dpop", &format!("DPoP {token}")).refused(MISSING),
    ]
}

fn tokens() -> Vec<Case> {
    let good = alice().sign(key());
    let get = |id| Case::get(id, "/api/alice/tasks");
    let structure = |id, token: &str| get(id).bearer(token).refused(INVALID);
    let alg = |id, alg: &str| structure(id, &alice().header("alg", alg).sign(key()));
    let claim = |id, name: &str, value: serde_json::Value| get(id).signed(&alice().claim(name, value)).refused(INVALID);
    vec![
        structure("T-21-one-segment", "abc"),
        structure("T-21-two-segments", "abc.def"),
        structure("T-21-four-segments", &format!("{good}.abc")),
        structure("T-21-five-segments", &format!("{good}.abc.def")),
        structure("T-21-leading-dot", &format!(".{good}")),
        structure("T-21-trailing-dot", &format!("{good}.")),
        structure("T-21-only-dots", ".."),
        structure("T-25-padding", &format!("{good}=")),
        structure("A-37-none-unsigned", &alice().unsigned()),
        structure("A-37-none-with-signature", &alice().with_signature([0; 64])),
        alg("A-37-none-signed", "none"),
        alg("A-37-none-capital", "None"),
        alg("A-37-none-mixed", "nOnE"),
        alg("A-37-none-padded", "none "),
        alg("A-37-none-cyrillic", "non\u{435}"),
        alg("A-37-none-nul", "none\0"),
        alg("A-39-other-case", "eddsa"),
        alg("A-43-other-algorithm", "HS256"),
        structure("A-50-other-key", &alice().sign(SigningKey::fixed(Algorithm::Es256))),
        get("L-65-a-second-ago").signed(&alice().expires_at(NOW - 1)).serves_own("alice"),
        get("L-65-inside-leeway").signed(&alice().expires_at(NOW - LEEWAY + 1)).serves_own("alice"),
        get("L-66-at-the-leeway").signed(&alice().expires_at(NOW - LEEWAY)).refused(EXPIRED),
        get("L-66-long-ago").signed(&alice().issued_at(NOW - 7200).expires_at(NOW - 3600)).refused(EXPIRED),
        get("L-64-no-exp").signed(&alice().without("exp")).refused(INVALID),
        claim("L-63-exp-string", "exp", (NOW + 900).to_string().into()),
        claim("L-63-exp-bool", "exp", true.into()),
        claim("L-63-exp-null", "exp", serde_json::Value::Null),
        claim("L-63-exp-array", "exp", serde_json::json!([NOW + 900])),
        claim("L-63-exp-object", "exp", serde_json::json!({ "at": NOW + 900 })),
        get("L-70-nbf-inside-leeway").signed(&alice().not_before(NOW + LEEWAY)).serves_own("alice"),
        get("L-70-nbf-ahead").signed(&alice().not_before(NOW + LEEWAY + 1)).refused(NOT_YET),
        get("L-72-iat-ahead").signed(&alice().issued_at(NOW + LEEWAY + 1)).refused(NOT_YET),
        claim("L-74-other-audience", "aud", "other-api".into()),
        claim("L-77-other-issuer", "iss", "https://id.example.com/".into()),
        claim("L-78-empty-subject", "sub", "".into()),
        get("L-82-role-number").signed(&alice().claim("role", 1)).serves_own("alice"),
        Case::get("L-82-role-object", "/api/bob/tasks")
            .signed(&alice().claim("role", serde_json::json!({ "admin": true })))
            .refused(NOT_OWNER),
    ]
}

fn isolation() -> Vec<Case> {
    let at = |id, path: &str| Case::get(id, path).signed(&alice());
    let within = |id, segment: &str| at(id, &format!("/api/{segment}/tasks"));
    let dashed = |id, path: &str| Case::get(id, path).signed(&token_of("user-1"));
    let override_method = |id, method, to: &str| {
        Case::new(id, method, "/api/bob/tasks")
            .signed(&token_of("aud").claim("role", "auditor"))
            .field("x-http-method-override", to)
            .field("x-http-method", to)
            .field("x-method-override", to)
    };
    vec![
        within("I-117-somebody-else", "bob").refused(NOT_OWNER),
        Case::new("I-117-somebody-elses-post", "POST", "/api/bob/tasks").signed(&alice()).refused(NOT_OWNER),
        Case::get("I-117-credential-first", "/api/bob/tasks").refused(MISSING),
        dashed("I-119-escaped-own-id", "/api/user%2D1/tasks").serves_own("user-1"),
        dashed("I-119-escaped-lower-case", "/api/user%2d1/tasks").serves_own("user-1"),
        within("I-119-escaped-letter", "%61lice").serves_own("alice"),
        dashed("I-120-escaped-twice", "/api/user%252D1/tasks").refused(NOT_OWNER),
        within("I-120-escaped-slash", "alice%2Fx").refused(AMBIGUOUS),
        within("I-120-escaped-backslash", "alice%5Cx").refused(AMBIGUOUS),
        within("I-120-nul", "alice%00").refused(AMBIGUOUS),
        within("I-120-crlf", "alice%0d%0a").refused(AMBIGUOUS),
        within("I-120-byte-ff", "%ff").refused(AMBIGUOUS),
        within("I-120-overlong", "%c0%af").refused(AMBIGUOUS),
        within("I-120-no-escape", "%zz").refused(AMBIGUOUS),
        at("I-120-cut-escape", "/api/alice/tasks/%2").refused(AMBIGUOUS),
        within("I-121-dot-segments", "alice/../bob").refused(AMBIGUOUS),
        within("I-121-escaped-dot-segments", "alice/%2e%2e/bob").refused(AMBIGUOUS),
        within("I-121-half-escaped-dot-segments", "alice/.%2e/bob").refused(AMBIGUOUS),
        within("I-121-one-dot", "./alice").refused(AMBIGUOUS),
        at("I-121-empty-segment", "/api//alice/tasks").refused(AMBIGUOUS),
        at("I-121-two-slashes-first", "//api/alice/tasks").refused(AMBIGUOUS),
        within("I-121-path-parameter", "alice;x=y").refused(AMBIGUOUS),
        within("I-121-backslash", "alice\\..\\bob").refused(AMBIGUOUS),
        at("I-121-absolute-form", "http://cases/api/alice/tasks").refused(AMBIGUOUS),
        at("I-121-absolute-form-somebody-else", "http://cases/api/bob/tasks").refused(AMBIGUOUS),
        at("I-121-absolute-form-open", "http://cases/health").refused(AMBIGUOUS),
        Case::new("I-121-asterisk-form", "OPTIONS", "*").refused(AMBIGUOUS),
        // A router that decodes finds the word `user` here; one that does not finds somebody of that name.
        at("I-121-escaped-literal", "/api/%75ser/tasks").refused(AMBIGUOUS),
        // A router that decodes finds `/health` here; one that does not might find `/{anything}`.
        Case::get("I-121-escaped-open-path", "/%68ealth").refused(MISSING),
        within("I-122-other-case", "Alice").refused(NOT_OWNER),
        Case::get("I-122-nfd", "/api/ame%CC%81lie/tasks").signed(&token_of("am\u{e9}lie")).refused(NOT_OWNER),
        Case::get("I-122-nfc", "/api/am%C3%A9lie/tasks").signed(&token_of("am\u{e9}lie")).serves_own("am\u{e9}lie"),
        within("I-122-homoglyph", "%D0%B0lice").refused(NOT_OWNER),
        Case::get("I-122-kelvin-sign", "/api/%E2%84%AAim/tasks").signed(&token_of("kim")).refused(NOT_OWNER),
        Case::get("I-122-long-s", "/api/%C5%BFam/tasks").signed(&token_of("sam")).refused(NOT_OWNER),
        within("I-122-full-width", "%EF%BD%81lice").refused(NOT_OWNER),
        at("I-123-query", "/api/tasks?user_id=bob&userId=bob&sort=user_id").serves_own("alice"),
        override_method("I-124-override-to-read", "POST", "GET").refused(ROLE),
        override_method("I-124-override-to-write", "GET", "DELETE").serves("aud", "bob", "read"),
    ]
}

/// What no URI or header value type takes, so that it can only be sent over a socket. Servers refuse most of it before
/// any adapter sees it; then the status alone is compared.
#[must_use]
pub fn wire_cases() -> Vec<Case> {
    let token = alice().sign(key());
    let value = |id, value: &[u8]| Case::get(id, "/api/alice/tasks").authorization(value);
    let around = |byte: &[u8]| [b"Bearer ", token.as_bytes(), byte, b"x"].concat();
    vec![
        value("C-11-nul", &around(b"\0")).refused_by_server_or(MALFORMED),
        value("C-11-carriage-return", &around(b"\r")).refused_by_server_or(MALFORMED),
        value("C-11-line-feed", &around(b"\n")).refused_by_server_or(MALFORMED),
        Case::get("I-120-raw-bytes", "/api/\u{e9}/tasks").bearer(&token).refused_by_server_or(AMBIGUOUS),
        Case::new("I-121-authority-form", "CONNECT", "cases:80").bearer(&token).refused_by_server_or(AMBIGUOUS),
    ]
}
