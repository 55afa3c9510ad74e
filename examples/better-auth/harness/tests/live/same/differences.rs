//! Where ours answers otherwise than Better Auth's own server, on purpose: all of it.
//!
//! A listed difference that does not occur fails the suite, and so does one that occurs and is not listed. The reasons are
//! in `docs/better-auth.md`, one row for each of these.

use better_auth_harness::Release::Older;

use super::site::{Kind, Reader, Site};
use super::verdict::Says::{self, Nobody, Session};

/// Some steps at which the two differ alike.
pub(crate) struct Difference {
    /// The row of `docs/better-auth.md` that tells users of it.
    pub(crate) row: &'static str,
    /// Steps of scenarios.
    pub(crate) steps: &'static [&'static str],
    /// Which readers, where.
    pub(crate) shows: fn(&Site, &Reader) -> bool,
    /// What Better Auth says.
    pub(crate) theirs: Says,
    /// What we say.
    pub(crate) ours: Says,
}

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        row: "A banned user",
        steps: &["ban flag set by hand, without an end", "ban flag set by hand, still in force"],
        shows: |_, reader| reader.kind == Kind::Store,
        theirs: Session,
        ours: Nobody("user_banned"),
    },
    Difference {
        row: "A stale cookie cache",
        steps: &["impatient: a cache older than ours may be, after the sign-out"],
        shows: |_, reader| reader.kind == Kind::Impatient,
        theirs: Session,
        ours: Nobody("session_unknown"),
    },
    Difference {
        row: "A text that looks like a date",
        steps: &["a name that looks like a date, after the sign-out"],
        shows: |site, reader| is_cache(reader) && (site.plan.release != Older || site.plan.cache == "compact"),
        theirs: Nobody("null"),
        ours: Session,
    },
    Difference {
        row: "A text that looks like a date",
        steps: &["a name that looks like a date"],
        // Written in another way: `.000Z`.
        shows: |site, reader| !site.is_in_database() && (is_cache(reader) || reader.source == "redis"),
        theirs: Session,
        ours: Session,
    },
    Difference {
        row: "A text that looks like a date",
        steps: &["a name that looks like a date"],
        // It spoils the cache, and a spoilt cache ends the request there, also where no cache is wanted.
        shows: |site, _| site.plan.release == Older && site.plan.cache == "compact",
        theirs: Nobody("null"),
        ours: Session,
    },
    Difference {
        row: "The cookie cache of another session",
        steps: &["the cache of another session"],
        // Theirs is the session in the cache, ours the one of the session cookie.
        shows: |site, reader| site.plan.release == Older && reader.kind == Kind::Cache,
        theirs: Session,
        ours: Session,
    },
    Difference {
        row: "A request without a cookie cache, where no store is configured",
        steps: &[
            "the session cookie alone",
            "the cache of another session",
            "two session cookies that are alike",
            "a session cookie in quotes",
            "a session cookie without escapes",
        ],
        shows: |_, reader| reader.kind == Kind::CacheAlone,
        theirs: Session,
        ours: Nobody("session_unknown"),
    },
    Difference {
        row: "Two session cookies that contradict each other",
        steps: &["two session cookies that contradict each other"],
        shows: |_, _| true,
        theirs: Session,
        ours: Nobody("session_malformed"),
    },
    Difference {
        row: "A session cookie that Better Auth did not write so",
        steps: &["a session cookie in half a pair of quotes", "a signature in its other spelling"],
        shows: |_, _| true,
        theirs: Session,
        ours: Nobody("session_malformed"),
    },
    Difference {
        row: "A bearer token with a wrong signature, beside a good cookie",
        steps: &["bearer: signed wrongly beside a good cookie"],
        shows: |_, _| true,
        theirs: Session,
        ours: Nobody("session_bad_signature"),
    },
    Difference {
        row: "A bearer token that is not read, beside a good cookie",
        steps: &[
            "bearer: a JWT beside a good cookie",
            "bearer: a session token that nobody reads beside a good cookie",
        ],
        shows: |_, _| true,
        theirs: Session,
        ours: Nobody("nothing presented"),
    },
    Difference {
        row: "A bearer token that is not read, beside a good cookie",
        steps: &["bearer: raw, unknown, beside a good cookie"],
        shows: |site, _| site.plan.bearer == "signed",
        theirs: Session,
        ours: Nobody("nothing presented"),
    },
    Difference {
        row: "A percent-encoded bearer token",
        steps: &["bearer: signed and percent-encoded"],
        shows: |_, _| true,
        theirs: Session,
        ours: Nobody("malformed_bearer"),
    },
    Difference {
        row: "A percent-encoded bearer token",
        steps: &["bearer: set-auth-token as it came"],
        shows: |site, _| site.plan.release == Older,
        theirs: Session,
        ours: Nobody("malformed_bearer"),
    },
    Difference {
        row: "A percent-encoded bearer token",
        steps: &["bearer: signed"],
        shows: |site, _| site.plan.release == Older,
        theirs: Nobody("null"),
        ours: Session,
    },
    Difference {
        row: "A bearer token that is unknown, beside a good cookie",
        steps: &["bearer: raw, unknown, beside a good cookie"],
        shows: |site, _| site.plan.release == Older && site.plan.bearer == "on",
        theirs: Session,
        ours: Nobody("session_unknown"),
    },
];

fn is_cache(reader: &Reader) -> bool {
    matches!(reader.kind, Kind::Cache | Kind::CacheAlone)
}
