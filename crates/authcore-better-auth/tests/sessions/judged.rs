//! What a session that was found is worth.

use authcore::{AuthError, Refusal, SessionFault, Timestamp, UserId};
use authcore_better_auth::{SessionRecord, SessionToken};

use crate::support::{NOW, Strategy, TOKEN, payload, token};

fn record() -> SessionRecord {
    let cached = Strategy::Compact.judge(&Strategy::Compact.write(&payload()));
    cached.expect("a good cache").expect("a cache").record
}

fn verdict(record: SessionRecord) -> Result<String, SessionFault> {
    let now = Timestamp::from_seconds(NOW);
    record.judge(&token(), now, "database").map(|identity| identity.user_id().to_string())
}

#[test]
fn s108_a_session_without_its_user_or_with_a_banned_one_is_none() {
    assert_eq!(verdict(record()), Ok("user-1".into()));

    let mut deleted = record();
    deleted.user = None;
    assert_eq!(verdict(deleted), Err(SessionFault::UserMissing));

    let mut of_another = record();
    of_another.user.as_mut().expect("a user").id = UserId::new("user-2").expect("an id");
    assert_eq!(verdict(of_another), Err(SessionFault::UserMissing));

    for (banned, ends, expected) in [
        (true, None, Err(SessionFault::UserBanned)),
        (true, Some(NOW + 1), Err(SessionFault::UserBanned)),
        (true, Some(NOW), Ok("user-1".into())),
        (false, Some(NOW + 1), Ok("user-1".into())),
    ] {
        let mut record = record();
        let user = record.user.as_mut().expect("a user");
        (user.banned, user.ban_expires) = (banned, ends.map(Timestamp::from_seconds));
        assert_eq!(verdict(record), expected);
    }

    for fault in [SessionFault::UserMissing, SessionFault::UserBanned, SessionFault::BadSignature] {
        let refusal = Refusal::from(AuthError::Session { fault, bearer: false });
        assert_eq!(
            (refusal.status(), refusal.code(), refusal.detail()),
            (401, "session_invalid", "There is no such session")
        );
    }
}

#[test]
fn a_session_that_is_over_or_of_another_token_is_none() {
    let at = |seconds| record().judge(&token(), Timestamp::from_seconds(seconds), "database").map(|_| ());
    assert_eq!(at(1_795_806_691), Ok(()));
    assert_eq!(at(1_795_806_692), Err(SessionFault::Expired));
    // As a database that compares without regard to case would find it.
    let other_case = SessionToken::new(&TOKEN.to_lowercase()).expect("a token");
    let fault = record().judge(&other_case, Timestamp::from_seconds(NOW), "database").expect_err("another token");
    assert_eq!(fault, SessionFault::Unknown);
}

#[test]
fn a_session_tells_when_it_began_and_which_it_is() {
    let mut record = record();
    record.session.id = Some("session-1".to_owned());
    record.session.created_at = Some(Timestamp::from_seconds(NOW - 60));
    let identity = record.judge(&token(), Timestamp::from_seconds(NOW), "database").expect("a live session");
    assert_eq!(identity.issued_at(), Some(Timestamp::from_seconds(NOW - 60)));
    assert_eq!((identity.session_id(), identity.token_id()), (Some("session-1"), None));
}
