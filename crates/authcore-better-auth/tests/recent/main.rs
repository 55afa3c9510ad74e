//! `RecentSessions` over a store that counts how often it is asked. Time moves only when told to.

mod ages;
mod flights;
mod forgetting;
mod given_up;
mod room;
mod scripted;

use authcore_better_auth::{RecentSessions, SessionStore};
use scripted::token;
use tokio::task::JoinHandle;

/// Whether the session is there.
async fn is_live(sessions: &impl SessionStore, text: &str) -> bool {
    sessions.session(&token(text)).await.expect("the store answers").is_some()
}

/// A request that looks for a session, under way as far as it gets.
async fn begin<S: SessionStore>(sessions: &RecentSessions<S>, text: &'static str) -> JoinHandle<Found> {
    let sessions = sessions.clone();
    let request = tokio::spawn(async move {
        let record = sessions.session(&token(text)).await.map_err(|error| error.to_string())?;
        Ok(record.map(|record| record.session.user_id.to_string()))
    });
    settle().await;
    request
}

/// The user of a session, or why nobody could tell.
type Found = Result<Option<String>, String>;

/// Lets all tasks go on as far as they can. No clock moves, since this task never rests.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}
