//! A session with its user as JSON: what Redis keeps and `/get-session` answers.
#![no_main]

use authcore::{SessionFault, Timestamp};
use authcore_better_auth::{SessionRecord, SessionToken, fuzzing};
use authcore_fuzz::json::{Members, Node};
use authcore_fuzz::{assert_tells_no_secret, planted};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let Ok(text) = std::str::from_utf8(&data) else { return };
    let record = match fuzzing::stored_record(text) {
        Ok(record) => record,
        Err(error) => {
            assert!(error.to_string().starts_with("unreadable session record: "));
            assert_tells_no_secret(&error);
            return;
        }
    };
    let again = fuzzing::stored_record(text).expect("it was read before");
    assert_eq!(format!("{record:?}"), format!("{again:?}"));
    // What is passed over need not be readable, so that each member is read by itself here too.
    let whole = Members::of(text).expect("an accepted record is an object");
    let session = whole.object("session").expect("a session");
    assert_eq!(session.text("token").as_deref(), Some(record.session.token.expose()));
    assert_eq!(session.text("userId").as_deref(), Some(record.session.user_id.as_str()));
    assert_eq!(session.text("id"), record.session.id);
    let administrator = record.session.impersonated_by.as_ref().map(AsRef::as_ref);
    assert_eq!(session.text("impersonatedBy").as_deref(), administrator);
    let user = whole.object("user");
    assert_eq!(user.is_some(), record.user.is_some());
    for object in [Some(&whole), Some(&session), user.as_ref()].into_iter().flatten() {
        assert!(!object.names_twice());
    }
    if let (Some(user), Some(read)) = (user, &record.user) {
        assert_eq!(user.text("id").as_deref(), Some(read.id.as_str()));
        assert_eq!(user.read("banned") == Some(Node::Bool(true)), read.banned);
        assert_eq!(user.text("role"), read.role);
    }
    judge(&record);
});

/// A record is of its own token, of nobody but its own user, and of no time after its end.
fn judge(record: &SessionRecord) {
    let SessionRecord { session, user, .. } = record;
    let before = Timestamp::from_micros(session.expires_at.as_micros() - 1);
    let after = Timestamp::from_micros(session.expires_at.as_micros() + 1);
    let other = SessionToken::new(&format!("{}x", &session.token.expose()[1..])).expect("a token");
    assert!(!format!("{record:?}").contains(&format!("SessionToken({:?}", session.token.expose())));
    let judged = |token, now| record.clone().judge(token, now, "redis");
    if other.expose() != session.token.expose() {
        assert_eq!(judged(&other, before).err(), Some(SessionFault::Unknown));
    }
    assert_eq!(judged(&session.token, after).err(), Some(SessionFault::Expired));
    let verdict = judged(&session.token, before);
    match user.as_ref().filter(|user| user.id == session.user_id) {
        None => assert_eq!(verdict.err(), Some(SessionFault::UserMissing)),
        Some(user) if user.is_banned(before) => assert_eq!(verdict.err(), Some(SessionFault::UserBanned)),
        Some(user) => {
            let identity = verdict.expect("a live session");
            assert_eq!(identity.user_id(), &user.id);
            let claims = Node::read(identity.claims_json().as_bytes()).expect("claims are JSON");
            assert!(claims.text_of("sub") == Some(user.id.as_str()) && !claims.names_twice());
        }
    }
}
