//! What every place that knows sessions has to hold to: one table of cases, run against the real thing.

pub(crate) mod given_up;

use std::time::{Duration, Instant};

use authcore::{Identity, SessionFault, Timestamp, UserId};
use authcore_better_auth::{SessionRecord, SessionStore, SessionToken};

/// The moment at which everything is judged: 2026-11-27T19:07:13Z.
pub(crate) const NOW: i64 = 1_795_806_433;

/// A session and its user, as the auth server would have written them. Times are milliseconds from [`NOW`].
#[derive(Clone)]
pub(crate) struct Seed {
    pub(crate) token: String,
    /// Which user; their id is the store's affair.
    pub(crate) user: u32,
    pub(crate) expires: i64,
    pub(crate) role: Option<&'static str>,
    pub(crate) banned: bool,
    pub(crate) ban_expires: Option<i64>,
    /// Which administrator acts as the user.
    pub(crate) impersonated_by: Option<u32>,
    pub(crate) organization: Option<&'static str>,
}

impl Seed {
    /// A live session of this user.
    pub(crate) fn live(token: &str, user: u32) -> Self {
        let token = token.to_owned();
        let (role, ban_expires, impersonated_by, organization) = (None, None, None, None);
        Self { token, user, expires: 3_600_000, role, banned: false, ban_expires, impersonated_by, organization }
    }
}

/// A store with the means to change what is in it.
pub(crate) trait Bench {
    type Store: SessionStore + Clone;

    fn store(&self) -> &Self::Store;

    /// The deadline of a look-up.
    fn deadline(&self) -> Duration;

    /// The id of this user.
    fn user_id(&self, user: u32) -> String;

    /// Whether there is room for what plugins add.
    fn has_plugins(&self) -> bool;

    async fn insert(&self, seed: &Seed);

    async fn delete_session(&self, token: &str);

    /// The user goes, the session stays.
    async fn delete_user(&self, user: u32);

    /// Makes the store unable to answer, until [`Self::resume`].
    async fn interrupt(&mut self);

    async fn resume(&mut self);
}

/// Runs all cases but the interruption, which takes long.
pub(crate) async fn run(bench: &impl Bench) {
    live_session(bench).await;
    unknown_token(bench).await;
    other_case(bench).await;
    expiry(bench).await;
    ended_session(bench).await;
    deleted_user(bench).await;
    given_up::anywhere(bench.store().clone(), "TokenOfAda", &bench.user_id(1)).await;
    if bench.has_plugins() {
        bans(bench).await;
        impersonation(bench).await;
        organization_hint(bench).await;
    }
}

/// While the store cannot answer nothing is judged, within the deadline; afterwards all is as before.
pub(crate) async fn run_interrupted(bench: &mut impl Bench) {
    bench.insert(&Seed::live("SurvivesTheOutage", 90)).await;
    for round in 0..2 {
        judged(bench, "SurvivesTheOutage", 0).await.expect("a live session");
        bench.interrupt().await;
        let began = Instant::now();
        let tokens = ["SurvivesTheOutage", "NobodysToken"].map(token);
        for token in &tokens {
            let found = bench.store().session(token).await;
            assert!(found.is_err(), "round {round}: nobody could tell, and yet it says {found:?}");
        }
        let limit = bench.deadline() * 2 + Duration::from_secs(1);
        assert!(began.elapsed() < limit, "round {round}: two look-ups took {:?}", began.elapsed());
        bench.resume().await;
        recovered(bench).await;
    }
}

async fn recovered(bench: &impl Bench) {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match bench.store().session(&token("SurvivesTheOutage")).await {
            Ok(found) => return assert!(found.is_some(), "the session is gone after the outage"),
            Err(error) => assert!(Instant::now() < patience, "still {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn live_session(bench: &impl Bench) {
    let mut seed = Seed::live("TokenOfAda", 1);
    if bench.has_plugins() {
        seed.role = Some("user,admin");
    }
    bench.insert(&seed).await;
    let record = found(bench, "TokenOfAda").await.expect("the session is there");
    assert_eq!(record.session.token.expose(), "TokenOfAda");
    assert_eq!(record.session.user_id.as_str(), bench.user_id(1));
    assert_eq!(record.session.expires_at, at(3_600_000));
    assert_eq!(record.session.created_at, Some(at(-60_000)));
    assert!(record.session.id.as_deref().is_some_and(|id| !id.is_empty()));
    let user = record.user.as_ref().expect("the user is there");
    assert_eq!((user.email.as_str(), user.name.as_str()), ("user1@example.com", "User 1 ü"));
    assert_eq!((user.email_verified, user.banned, user.ban_expires), (true, false, None));

    let identity = judge(record, "TokenOfAda", 0, bench).expect("a live session");
    assert_eq!(identity.user_id().as_str(), bench.user_id(1));
    assert_eq!(identity.expires_at(), Some(at(3_600_000)));
    assert_eq!(identity.has_role("admin"), bench.has_plugins());
    assert_eq!(identity.impersonated_by(), None);
}

async fn unknown_token(bench: &impl Bench) {
    for unknown in ["NobodysToken", "' OR '1'='1", "%", "TokenOfAd_", "00000000-0000-0000-0000-000000000000"] {
        let Some(unknown) = SessionToken::new(unknown) else { continue };
        let found = bench.store().session(&unknown).await.expect("the store answers");
        assert!(found.is_none(), "{}: {found:?}", unknown.expose());
    }
}

async fn other_case(bench: &impl Bench) {
    for other in ["tokenofada", "TOKENOFADA"] {
        let fault = judged(bench, other, 0).await.expect_err("another token");
        assert_eq!(fault, SessionFault::Unknown);
    }
}

async fn expiry(bench: &impl Bench) {
    bench.insert(&Seed { expires: 0, ..Seed::live("TokenAtItsEnd", 2) }).await;
    judged(bench, "TokenAtItsEnd", 0).await.expect("live to the last millisecond");
    let fault = judged(bench, "TokenAtItsEnd", 1).await.expect_err("over by a millisecond");
    assert_eq!(fault, SessionFault::Expired);
}

async fn ended_session(bench: &impl Bench) {
    bench.insert(&Seed::live("TokenSignedOut", 3)).await;
    judged(bench, "TokenSignedOut", 0).await.expect("a live session");
    bench.delete_session("TokenSignedOut").await;
    assert!(found(bench, "TokenSignedOut").await.is_none(), "signed out and still there");
}

async fn deleted_user(bench: &impl Bench) {
    bench.insert(&Seed::live("TokenOfNobody", 4)).await;
    bench.delete_user(4).await;
    let fault = judged(bench, "TokenOfNobody", 0).await.expect_err("no user");
    assert_eq!(fault, SessionFault::UserMissing);
}

async fn bans(bench: &impl Bench) {
    let banned = |token, user, ban_expires| Seed { banned: true, ban_expires, ..Seed::live(token, user) };
    bench.insert(&banned("BannedForEver", 5, None)).await;
    bench.insert(&banned("BannedForAMinute", 6, Some(60_000))).await;
    bench.insert(&Seed { ban_expires: Some(60_000), ..Seed::live("NotBannedAtAll", 7) }).await;
    let verdict = async |token, later| judged(bench, token, later).await.err();
    assert_eq!(verdict("BannedForEver", 0).await, Some(SessionFault::UserBanned));
    assert_eq!(verdict("BannedForAMinute", 59_999).await, Some(SessionFault::UserBanned));
    assert_eq!(verdict("BannedForAMinute", 60_000).await, None);
    assert_eq!(verdict("NotBannedAtAll", 0).await, None);
}

async fn impersonation(bench: &impl Bench) {
    bench.insert(&Seed { impersonated_by: Some(1), ..Seed::live("AdaAsBob", 8) }).await;
    let identity = judged(bench, "AdaAsBob", 0).await.expect("a live session");
    assert_eq!(identity.user_id().as_str(), bench.user_id(8));
    assert_eq!(identity.impersonated_by().map(UserId::as_str), Some(bench.user_id(1).as_str()));
}

async fn organization_hint(bench: &impl Bench) {
    bench.insert(&Seed { organization: Some("acme"), ..Seed::live("AtAcme", 9) }).await;
    let record = found(bench, "AtAcme").await.expect("the session is there");
    assert_eq!(record.session.active_organization_id.as_deref(), Some("acme"));
    assert_eq!(record.session.active_team_id, None);
}

async fn found(bench: &impl Bench, text: &str) -> Option<SessionRecord> {
    bench.store().session(&token(text)).await.expect("the store answers")
}

/// The verdict so many milliseconds after [`NOW`].
async fn judged(bench: &impl Bench, text: &str, later: i64) -> Result<Identity, SessionFault> {
    let record = found(bench, text).await.ok_or(SessionFault::Unknown)?;
    judge(record, text, later, bench)
}

fn judge(record: SessionRecord, text: &str, later: i64, bench: &impl Bench) -> Result<Identity, SessionFault> {
    record.judge(&token(text), at(later), bench.store().source())
}

pub(crate) fn token(text: &str) -> SessionToken {
    SessionToken::new(text).expect("visible ASCII")
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW * 1_000_000 + milliseconds * 1000)
}
