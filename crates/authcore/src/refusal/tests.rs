use super::*;

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
    let bodies = [AuthError::BadSignature, AuthError::UnknownKey, AuthError::WrongIssuer, AuthError::NotCompact]
        .map(|error| Refusal::from(error).body());
    assert!(bodies.iter().all(|body| *body == bodies[0]));
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
