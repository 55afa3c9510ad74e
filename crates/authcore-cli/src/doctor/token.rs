//! Why one credential would be refused, by the authenticator that the settings make.

use authcore::{AuthError, Authenticator as _, Glance, Identity, ManualClock, RequestHead, Timestamp};
use authcore_better_auth::{BetterAuth, BetterAuthSettings};

use super::check::Check;
use super::shown;
use crate::explain::{self, Expected};
use crate::head;

/// A clock that stands still.
fn at(now: Timestamp) -> ManualClock {
    let clock = ManualClock::at(0);
    clock.set(now);
    clock
}

/// Puts everything together as a server does, and has it judge.
pub(super) async fn judge(settings: BetterAuthSettings, token: Option<&[u8]>, now: Timestamp, checks: &mut Vec<Check>) {
    let owned = |of: Vec<&str>| of.into_iter().map(shown::name).collect::<Vec<_>>();
    let (issuers, audiences) = (owned(settings.issuers()), owned(settings.audiences()));
    let cookie = settings.session_cookie();
    let auth = match settings.clock(at(now)).connect().await {
        Ok(auth) => auth,
        Err(error) => {
            let told = Check::of_config(&error);
            if !checks.iter().any(|check| check.what == told.what) {
                checks.push(told);
            }
            checks.extend(token.map(|_| not_judged("a server with these settings does not start")));
            return;
        }
    };
    for warning in auth.warnings() {
        let (what, found) = warning.split_once(": ").unwrap_or(("settings", warning));
        if !checks.iter().any(|check| check.what == what) {
            checks.push(Check::warn(what, found));
        }
    }
    let Some(token) = token else { return };
    let Ok(token) = std::str::from_utf8(token) else {
        return checks.push(Check::fail("token", "is not text").mend("send the token as the client has it"));
    };
    let as_cookie = token.matches('.').count() == 1;
    let field = match cookie.filter(|_| as_cookie) {
        Some(name) => ("cookie".to_owned(), format!("{name}={token}")),
        None => ("authorization".to_owned(), format!("Bearer {token}")),
    };
    let verdict = verdict(&auth, &head::of_fields(&[field], None)).await;
    checks.push(match verdict {
        Ok(identity) => accepted(&identity, now),
        Err(error) => {
            let hint = explain::hint(error.reason(), token, &Expected { issuers: &issuers, audiences: &audiences });
            let secret = matches!(error.reason(), "session_bad_signature" | "bad_signature")
                .then(|| "compare BETTER_AUTH_SECRET with that of the Better Auth server, and its URL".to_owned());
            let told = Check::fail("token", format!("refused: {} ({error})", error.reason()));
            match secret.or(hint) {
                Some(mend) => told.mend(mend),
                None => told,
            }
        }
    });
}

/// A token that nobody could judge is not accepted.
pub(super) fn not_judged(why: &str) -> Check {
    Check::fail("token", format!("not judged: {why}"))
}

async fn verdict(auth: &BetterAuth, head: &dyn RequestHead) -> Result<Identity, AuthError> {
    match auth.glance(head) {
        Glance::Absent => Err(AuthError::UnreadBearer),
        Glance::Judged(verdict) => verdict,
        Glance::Pending(credential) => auth.verify(credential).await,
    }
}

fn accepted(identity: &Identity, now: Timestamp) -> Check {
    let until = identity.expires_at().map(|until| format!(", expires {}", crate::decode::from_now(until, now)));
    Check::ok("token", format!("accepted for {}{}", identity.user_id().as_str(), until.unwrap_or_default()))
}
