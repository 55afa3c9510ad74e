//! What a request needs besides the server itself, and so which `503` it may be answered with, and until when.

use std::time::{Duration, Instant};

use crate::judge::{AUTH, STORE};
use crate::outages::{Outages, Part};

/// What has to be there to judge a request and to serve it.
#[derive(Clone, Copy)]
pub(crate) struct Needs {
    /// What a session is looked up in. Without it: `auth_unavailable`.
    session: &'static [Part],
    /// A look at the published keys that went well. Without it: `auth_unavailable`.
    fresh_keys: bool,
    /// Tasks. Without them: `store_unavailable`.
    tasks: bool,
}

/// What gives out the published keys: Better Auth has them in its database.
pub(crate) const KEY_SET: [Part; 2] = [Part::Auth, Part::Postgres];

/// How long after these are back the next look at the keys is over. The last one that failed may end 5 s after that, which is
/// its deadline, and the next begins 30 s later. The other 5 s are for a machine that is busy.
pub(crate) const NEXT_LOOK: Duration = Duration::from_secs(5 + 30 + 5);

impl Needs {
    /// Also where keys are needed, and those that are known do.
    pub(crate) const NOTHING: Self = Self { session: &[], fresh_keys: false, tasks: false };
    pub(crate) const TASKS: Self = Self { tasks: true, ..Self::NOTHING };
    pub(crate) const FRESH_KEYS: Self = Self { fresh_keys: true, ..Self::NOTHING };

    /// A session that is looked up in these.
    pub(crate) fn session(session: &'static [Part]) -> Self {
        Self { session, ..Self::NOTHING }
    }

    pub(crate) fn and_tasks(self) -> Self {
        Self { tasks: true, ..self }
    }

    /// Whether a request sent at this moment may be answered `503` with this code: what was out since is what it says.
    pub(crate) fn excuse(self, code: &str, outages: &Outages, sent: Instant) -> bool {
        match code {
            AUTH => {
                let no_look = || outages.touched(&KEY_SET, NEXT_LOOK, sent);
                outages.touched(self.session, Duration::ZERO, sent) || (self.fresh_keys && no_look())
            }
            STORE => self.tasks && outages.touched(&[Part::Postgres], Duration::ZERO, sent),
            _ => false,
        }
    }

    /// Whether something is looked up for it, by a deadline, without which it is answered with this code.
    pub(crate) fn look_up(self, code: &str) -> bool {
        (code == AUTH && !self.session.is_empty()) || (code == STORE && self.tasks)
    }
}
