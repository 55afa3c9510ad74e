//! The tables as a real Better Auth server makes and fills them.

use std::time::Duration;

use authcore::{Clock as _, Identity, SessionFault, SystemClock, UserId};
use authcore_better_auth::{SessionStore as _, SessionToken, SqlSessions, UserStore as _};
use better_auth_harness::{Answer, BetterAuthServer, Request};
use serde_json::{Value, json};

use crate::database::{Database, SqliteFile};
use crate::engines::Engine;

/// One server over one database, and the database as a Rust service reads it.
struct Both {
    server: BetterAuthServer,
    sessions: SqlSessions,
}

/// Somebody signed in.
struct Person {
    id: UserId,
    cookie: String,
    token: SessionToken,
}

impl Both {
    async fn start(is_latest: bool, database: (&str, &str), url: &str) -> Self {
        let settings = [database, ("ORGANIZATIONS", "on"), ("ADMIN_EMAILS", "root@example.com")];
        let start = if is_latest { BetterAuthServer::start_latest } else { BetterAuthServer::start };
        let server = start(&settings).expect("a Better Auth server");
        let sessions = SqlSessions::connect(url).await.expect("Better Auth's own tables fit");
        assert!(sessions.absent().is_empty(), "{sessions:?}");
        Self { server, sessions }
    }

    fn post(&self, path: &str, cookie: &str, body: Value) -> Answer {
        let request = Request::new("POST", format!("/api/auth/{path}")).field("Origin", self.server.url());
        let answer = request.field("Cookie", cookie).json(body).send_to(self.server.authority());
        let answer = answer.expect("the server answers");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }

    fn sign_up(&self, name: &str) -> Person {
        let member = self.server.sign_up(&format!("{name}@example.com")).expect("an account");
        let id = UserId::new(&member.id).expect("an id");
        Person { id, token: token_in(&member.cookie), cookie: member.cookie }
    }

    async fn verdict(&self, token: &SessionToken) -> Result<Identity, SessionFault> {
        let found = self.sessions.session(token).await.expect("the database answers");
        found.ok_or(SessionFault::Unknown)?.judge(token, SystemClock.now(), self.sessions.source())
    }

    async fn holds(&self) {
        let ada = self.sign_up("ada");
        let root = self.sign_up("root");
        self.a_session_lives_until_sign_out(&ada).await;
        self.an_administrator_acts_as_a_user_and_bans_them(&root).await;
        self.a_membership_is_looked_up(&root).await;
    }

    async fn a_session_lives_until_sign_out(&self, ada: &Person) {
        let now = SystemClock.now();
        let record = self.sessions.session(&ada.token).await.expect("it answers").expect("signed in");
        let left = record.session.expires_at.since(now);
        let week = Duration::from_secs(7 * 86_400);
        assert!(left.abs_diff(week) < Duration::from_secs(60), "seven days, whatever the zones: {left:?}");
        let began = record.session.created_at.expect("always there");
        assert!(now.since(began) < Duration::from_secs(60) && began <= now, "{began:?}");
        let user = record.user.expect("the user is there");
        assert_eq!((user.email.as_str(), user.role.as_deref()), ("ada@example.com", Some("user")));
        assert_eq!(self.verdict(&ada.token).await.expect("a live session").user_id(), &ada.id);
        let known = self.sessions.users().user(&ada.id).await.expect("it answers").expect("there");
        assert_eq!(known.name, "ada");

        self.post("sign-out", &ada.cookie, json!({}));
        assert_eq!(self.verdict(&ada.token).await.err(), Some(SessionFault::Unknown));
    }

    async fn an_administrator_acts_as_a_user_and_bans_them(&self, root: &Person) {
        let bob = self.sign_up("bob");
        assert!(self.verdict(&root.token).await.expect("a live session").has_role("admin"));
        let answer = self.post("admin/impersonate-user", &root.cookie, json!({"userId": bob.id.as_str()}));
        let fields = answer.fields_without(&[]);
        let mut cookies = fields.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str());
        let acting = token_in(cookies.rfind(|cookie| cookie.contains("session_token=")).expect("a session"));
        let identity = self.verdict(&acting).await.expect("a live session");
        assert_eq!((identity.user_id(), identity.impersonated_by()), (&bob.id, Some(&root.id)));

        let spell = json!({"userId": bob.id.as_str(), "banExpiresIn": 3600});
        self.post("admin/ban-user", &root.cookie, spell);
        assert_eq!(self.verdict(&bob.token).await.err(), Some(SessionFault::Unknown));
        let banned = self.sessions.users().user(&bob.id).await.expect("it answers").expect("there");
        let left = banned.ban_expires.expect("not for ever").since(SystemClock.now());
        assert!(banned.banned && left.abs_diff(Duration::from_secs(3600)) < Duration::from_secs(60), "{left:?}");
    }

    async fn a_membership_is_looked_up(&self, root: &Person) {
        let created = self.post("organization/create", &root.cookie, json!({"name": "Acme", "slug": "acme"}));
        let organization = created.json()["id"].as_str().expect("an id").to_owned();
        let identity = self.verdict(&root.token).await.expect("a live session");
        let claims: Value = identity.claims().expect("JSON");
        assert_eq!(claims["activeOrganizationId"], organization, "making one chooses it");
        let team = claims["activeTeamId"].as_str().expect("the first team is chosen too");

        let members = self.sessions.memberships().expect("the organization plugin is on");
        let owner = members.of(&organization, &root.id).await.expect("it answers").expect("a member");
        assert_eq!(owner.roles().collect::<Vec<_>>(), ["owner"]);
        assert!(members.in_team(&organization, team, &root.id).await.expect("it answers").is_some());
        let stranger = self.sign_up("eve");
        assert_eq!(members.of(&organization, &stranger.id).await.expect("it answers"), None);
        assert_eq!(members.in_team(&organization, team, &stranger.id).await.expect("it answers"), None);
    }
}

/// The session token of a cookie field: up to the signature.
fn token_in(cookie: &str) -> SessionToken {
    let (_, value) = cookie.split_once("session_token=").expect("a session cookie");
    SessionToken::new(value.split('.').next().unwrap_or_default()).expect("a token")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_better_auth_on_sqlite() {
    for is_latest in [false, true] {
        let file = SqliteFile::new(if is_latest { "real-latest" } else { "real" });
        Both::start(is_latest, ("DATABASE_PATH", file.path()), &file.url()).await.holds().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_better_auth_on_postgres() {
    on(&Engine::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_better_auth_on_mariadb() {
    on(&Engine::mariadb()).await;
}

async fn on(engine: &Engine) {
    let first = Database::at(&engine.first_database()).await;
    for is_latest in [false, true] {
        let name = if is_latest { "latest" } else { "pinned" };
        first.run(&format!("CREATE DATABASE \"{name}\"")).await;
        let url = engine.url(name);
        Both::start(is_latest, ("DATABASE_URL", &url), &url).await.holds().await;
    }
}
