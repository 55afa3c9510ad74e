//! A store that counts how often it is asked, answers what it held when it was asked, and can be made to wait with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use authcore::{Timestamp, Unavailable, UserId};
use authcore_better_auth::{RecentSessions, Session, SessionRecord, SessionStore, SessionToken, User};
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub(crate) struct Scripted(Arc<Script>);

#[derive(Debug)]
struct Script {
    sessions: Mutex<HashMap<String, SessionRecord>>,
    is_down: watch::Sender<bool>,
    is_held: watch::Sender<bool>,
    asked: AtomicU32,
    asked_now: AtomicU32,
}

/// A store with these sessions, `token` of `user`.
pub(crate) fn holding<const N: usize>(sessions: [(&str, &str); N]) -> Scripted {
    let sessions = sessions.map(|(token, user)| (token.to_owned(), record(token, user)));
    Scripted(Arc::new(Script {
        sessions: Mutex::new(sessions.into()),
        is_down: watch::Sender::new(false),
        is_held: watch::Sender::new(false),
        asked: AtomicU32::new(0),
        asked_now: AtomicU32::new(0),
    }))
}

impl Scripted {
    /// Over this one, with default settings.
    pub(crate) fn remembered(&self) -> RecentSessions<Self> {
        RecentSessions::over(self.clone()).build().expect("good settings")
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, HashMap<String, SessionRecord>> {
        self.0.sessions.lock().expect("no test panics in between")
    }

    pub(crate) fn sign_out(&self, token: &str) {
        self.sessions().remove(token).expect("it was there");
    }

    /// From now on nobody can tell, or can again.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.is_down.send_replace(is_down);
    }

    /// Look-ups begin, and do not end until they are let go.
    pub(crate) fn hold(&self) {
        self.0.is_held.send_replace(true);
    }

    pub(crate) fn let_go(&self) {
        self.0.is_held.send_replace(false);
    }

    /// How often it was asked, in either way.
    pub(crate) fn asked(&self) -> u32 {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// How often with nothing to be remembered.
    pub(crate) fn asked_now(&self) -> u32 {
        self.0.asked_now.load(Ordering::Relaxed)
    }
}

impl SessionStore for Scripted {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        assert_ne!(token.expose(), "panics", "as this test wants it");
        let found = self.sessions().get(token.expose()).cloned();
        let is_down = *self.0.is_down.borrow();
        self.0.is_held.subscribe().wait_for(|is_held| !is_held).await.expect("the sender is in the script");
        if is_down { Err(Unavailable::new("out of order", Duration::from_secs(7))) } else { Ok(found) }
    }

    async fn session_now(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        self.0.asked_now.fetch_add(1, Ordering::Relaxed);
        self.session(token).await
    }

    fn source(&self) -> &'static str {
        "scripted"
    }
}

pub(crate) fn token(text: &str) -> SessionToken {
    SessionToken::new(text).expect("visible ASCII")
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).expect("an id")
}

/// The second at which sessions are judged.
pub(crate) const NOW: i64 = 1_795_806_433;

/// A session that ends ten seconds after [`NOW`].
fn record(text: &str, id: &str) -> SessionRecord {
    let session = Session {
        id: Some(format!("id-{text}")),
        token: token(text),
        user_id: user(id),
        expires_at: Timestamp::from_seconds(NOW + 10),
        created_at: None,
        impersonated_by: None,
        active_organization_id: None,
        active_team_id: None,
    };
    let user = User {
        id: user(id),
        email: format!("{id}@example.com"),
        email_verified: true,
        name: id.to_owned(),
        image: None,
        role: None,
        banned: false,
        ban_expires: None,
    };
    SessionRecord::new(session, Some(user))
}
