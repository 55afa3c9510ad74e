use super::*;
use crate::error::Part;

fn realm() -> Arc<str> {
    Arc::from("tasks")
}

#[test]
fn a_missing_credential_gets_the_bare_challenge() {
    let refusal = Refusal::from(AuthError::Missing).in_realm(&realm());
    assert_eq!((refusal.status(), refusal.code()), (401, "missing_credentials"));
    assert_eq!(refusal.challenge().as_deref(), Some(r#"Bearer realm="tasks""#));
}

#[test]
fn a_refused_token_is_challenged_with_invalid_token() {
    let refusal = Refusal::from(AuthError::Expired(Duration::from_secs(9))).in_realm(&realm());
    let expected = r#"Bearer realm="tasks", error="invalid_token", error_description="Token has expired""#;
    assert_eq!(refusal.challenge().as_deref(), Some(expected));
    let body = r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"token_expired","detail":"Token has expired"}"#;
    assert_eq!(refusal.body(), body);
}

#[test]
fn without_a_realm_the_challenge_is_still_well_formed() {
    assert_eq!(Refusal::from(AuthError::Missing).challenge().as_deref(), Some("Bearer"));
    let refusal = Refusal::insufficient_scope("tasks:write");
    assert_eq!(refusal.challenge().as_deref(), Some(r#"Bearer error="insufficient_scope", scope="tasks:write""#));
}

#[test]
fn retry_after_is_rounded_up_and_at_least_one() {
    for (after, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (29_500, "30")] {
        let refusal = Refusal::unavailable("store_unavailable", "down", Duration::from_millis(after));
        assert!(refusal.fields().contains(&("retry-after", seconds.to_owned())), "{after} ms");
    }
}

#[test]
fn every_token_that_is_not_believed_reads_the_same() {
    let first = Refusal::from(AuthError::BadSignature).body();
    for error in [
        AuthError::UnreadBearer,
        AuthError::TooLong(9),
        AuthError::NotCompact,
        AuthError::NotBase64(Part::Header),
        AuthError::NotJsonObject(Part::Payload),
        AuthError::DuplicateMember(Part::Payload),
        AuthError::RefusedParameter("crit"),
        AuthError::WrongType,
        AuthError::RefusedAlgorithm,
        AuthError::MissingKeyId,
        AuthError::UnknownKey,
        AuthError::AmbiguousKey,
        AuthError::KeyMismatch,
        AuthError::MissingClaim("exp".into()),
        AuthError::MalformedClaim("sub".into()),
        AuthError::WrongIssuer,
        AuthError::WrongAudience,
    ] {
        let reason = error.reason();
        assert_eq!(Refusal::from(error).body(), first, "{reason}");
    }
}

#[test]
fn a_hostile_realm_cannot_break_out_of_the_challenge() {
    let refusal = Refusal::from(AuthError::Missing).in_realm(&Arc::from("a\"\r\nSet-Cookie: b\\"));
    assert_eq!(refusal.challenge().as_deref(), Some(r#"Bearer realm="aSet-Cookie: b""#));
}

#[test]
fn an_answer_that_depends_on_a_credential_belongs_in_no_shared_cache() {
    let has = |refusal: &Refusal, name: &str| refusal.fields().iter().any(|(field, _)| *field == name);
    let refusal = Refusal::from(AuthError::Missing);
    assert!(!has(&refusal, "cache-control") && !has(&refusal, "vary"));
    let refusal = refusal.private(&Arc::from("Authorization, Cookie"));
    assert!(has(&refusal, "cache-control") && has(&refusal, "vary"));
}

#[test]
fn a_handler_may_choose_its_caching_but_not_leave_vary_out() {
    let fields = AnswerFields::new(Some(Arc::from("Authorization, Cookie")));
    let [cache_control, vary] = fields.iter().collect::<Vec<_>>()[..] else { panic!("two fields") };
    let line = |text: &'static str| [text.as_bytes()];
    assert!(!cache_control.is_settled_by([]) && cache_control.is_settled_by(line("private, max-age=5")));
    assert!(!vary.is_settled_by([]) && !vary.is_settled_by(line("Origin")));
    assert!(vary.is_settled_by(line("*")) && vary.is_settled_by(line("Authorization, Cookie")));
}

#[test]
fn a_grpc_client_is_told_in_its_own_words_too() {
    let fields = Refusal::not_owner().over_grpc(true).fields();
    assert!(fields.contains(&("grpc-status", "7".to_owned())));
    assert!(fields.contains(&("grpc-message", "This belongs to another user".to_owned())));
    assert!(Refusal::not_owner().fields().iter().all(|(name, _)| !name.starts_with("grpc")));
}

#[test]
fn a_hostile_scope_cannot_break_out_of_the_challenge() {
    let refusal = Refusal::insufficient_scope("a\" realm=\"x\r\nSet-Cookie: y");
    assert!(refusal.challenge().is_some_and(|text| !text.contains(['\r', '\n']) && text.matches('"').count() == 4));
}

#[test]
fn a_status_reads_as_rfc_9110_and_grpc_name_it() {
    let told = |status: u16| {
        let refusal = Refusal::new(status, "some_code", "Something").over_grpc(true);
        let body: serde_json::Value = serde_json::from_str(&refusal.body()).expect("JSON");
        let grpc = refusal.fields().into_iter().find(|(name, _)| *name == "grpc-status").expect("for gRPC").1;
        assert_eq!((body["status"].as_u64(), body["detail"].as_str()), (Some(status.into()), Some(refusal.detail())));
        (body["title"].as_str().expect("text").to_owned(), grpc)
    };
    for (status, title, grpc) in [
        (400, "Bad Request", "3"),
        (401, "Unauthorized", "16"),
        (403, "Forbidden", "7"),
        (404, "Not Found", "5"),
        (405, "Method Not Allowed", "2"),
        (409, "Conflict", "2"),
        (413, "Content Too Large", "2"),
        (415, "Unsupported Media Type", "2"),
        (422, "Unprocessable Content", "3"),
        (429, "Too Many Requests", "8"),
        (500, "Internal Server Error", "13"),
        (503, "Service Unavailable", "14"),
        // One of an application's own.
        (418, "Error", "2"),
    ] {
        assert_eq!(told(status), (title.to_owned(), grpc.to_owned()), "{status}");
    }
    assert_eq!(Refusal::new(409, "taken", "It is taken").detail(), "It is taken");
}

#[test]
fn a_handler_that_tells_of_limits_of_its_own_is_joined_and_not_repeated() {
    let mut limits = Tally::default();
    let quota = "2/minute".parse().expect("a quota");
    limits.push(&"general".into(), crate::rate::Decision::new(quota, true, 1, 30_000_000));
    let fields = AnswerFields::new(None).measured_by(&limits);
    let [policy, state] = fields.iter().collect::<Vec<_>>()[..] else { panic!("two fields") };
    for (field, same) in [(policy, r#""general";q=2;w=60"#), (state, r#""general";r=1;t=30"#)] {
        assert_eq!(field.value(), same);
        let own = br#""own";q=5;w=1"#;
        assert!(!field.is_settled_by([]) && !field.is_settled_by([&own[..], b"*"]));
        assert!(field.is_settled_by([same.as_bytes()]) && field.is_settled_by([&own[..], same.as_bytes()]));
    }
}

#[test]
fn a_wait_without_end_is_the_longest_there_is() {
    let outage = Refusal::from(Unavailable::new("down", Duration::MAX));
    assert!(outage.fields().contains(&("retry-after", u64::MAX.to_string())), "{:?}", outage.fields());
}
