//! What the servers wrote down: nothing that somebody could sign in with, and no panic.

use std::time::Duration;

use tasks_conformance::Server;

use crate::judge::Judge;
use crate::world::{Site, User};

/// What nobody may read in a log: of each token the signature, of each cookie the session's token.
pub(crate) struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// Of all users, and this token of another Better Auth.
    pub(crate) fn of(sites: &[Site], foreign: &str) -> Self {
        let users = sites.iter().flat_map(|site| [&site.ada, &site.bob]);
        let mut secrets: Vec<_> = users.flat_map(of_user).collect();
        secrets.push(("a stranger's token", signature(foreign)));
        assert!(secrets.iter().all(|(_, secret)| secret.len() >= 32), "a search for less finds too much");
        Self(secrets)
    }

    /// Ends the server, so that nothing is still to be written, and looks for them in its log.
    pub(crate) fn look_for(&self, judge: &Judge, name: &str, server: &mut Server) {
        server.signal("TERM");
        if !server.ended_within(DRAINED).is_some_and(|status| status.success()) {
            judge.complain(format!("{name} does not end well when it is asked to"));
        }
        let log = server.log();
        for line in log.lines().filter(|line| line.contains("panicked")) {
            judge.complain(format!("{name}: {line}"));
        }
        for (what, _) in self.0.iter().filter(|(_, secret)| log.contains(secret)) {
            judge.complain(format!("{name}: its log holds {what}"));
        }
    }
}

fn of_user(user: &User) -> [(&'static str, String); 4] {
    let session = |cookie: &str| {
        let (_, value) = cookie.split_once("session_token=").expect("a session's cookie");
        value.split(['.', ';']).next().unwrap_or_default().to_owned()
    };
    [
        ("a token", signature(&user.token)),
        ("an expired token", signature(&user.expired)),
        ("a session's cookie", session(&user.cookie)),
        ("the cookie of a session that was left", session(&user.old_cookie)),
    ]
}

fn signature(token: &str) -> String {
    token.rsplit('.').next().unwrap_or_default().to_owned()
}

/// Longer than a server waits for requests that are under way.
const DRAINED: Duration = Duration::from_secs(15);
