//! When the database behind Redis is asked, and when not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "sqlite")]
use authcore::Authenticator as _;
use authcore::Unavailable;
#[cfg(feature = "sqlite")]
use authcore_better_auth::BetterAuth;
use authcore_better_auth::{BetterAuthSettings, SessionRecord, SessionStore, SessionToken};

#[cfg(feature = "sqlite")]
use authcore_testkit::TestHead;

use super::server::RedisServer;
use super::{sessions, stored};

/// A database that has every session, and counts how often it is asked.
#[derive(Clone, Debug)]
struct Database {
    record: SessionRecord,
    asked: Arc<AtomicU32>,
}

impl SessionStore for Database {
    async fn session(&self, _: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(Some(self.record.clone()))
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

#[tokio::test]
async fn the_database_is_asked_only_for_a_key_that_is_not_there() {
    let mut redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let (token, record) = stored();
    let token = SessionToken::new(&token).expect("a token");
    redis.run(&["SET", token.expose(), &record]);
    let record = sessions.session(&token).await.expect("Redis answers").expect("a session");

    let asked = Arc::new(AtomicU32::new(0));
    let both = sessions.clone().or_database(Database { record, asked: Arc::clone(&asked) });
    assert!(both.session(&token).await.expect("Redis answers").is_some());
    assert_eq!(asked.load(Ordering::Relaxed), 0, "Redis has it");

    let other = SessionToken::new("somebody-elses").expect("a token");
    assert!(both.session(&other).await.expect("the database answers").is_some());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "Redis does not have it");
    assert!(sessions.session(&other).await.expect("Redis answers").is_none(), "and nobody else was told to ask");

    redis.run(&["SET", "revoked-sessions-before-54yoJNSgcI58ahZtxBHfBl3W7UdBsSbb", "9999999999999"]);
    assert!(both.session(&token).await.expect("Redis answers").is_none());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "revoked is not missing");

    redis.run(&["SET", token.expose(), "{}"]);
    assert!(both.session(&token).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "unreadable is not missing");

    redis.stop();
    assert!(both.session(&token).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "an outage is not missing");
}

/// Better Auth marks first and takes the rows away last, and the database may be behind.
#[tokio::test]
async fn a_session_that_the_database_still_has_is_over_once_all_of_its_users_were_ended() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let (token, record) = stored();
    let token = SessionToken::new(&token).expect("a token");
    redis.run(&["SET", token.expose(), &record]);
    let record = sessions.session(&token).await.expect("Redis answers").expect("a session");
    redis.run(&["DEL", token.expose()]);
    let began = record.session.created_at.expect("it says when").as_micros() / 1000;
    let both = sessions.or_database(Database { record, asked: Arc::default() });

    let mark = "revoked-sessions-before-54yoJNSgcI58ahZtxBHfBl3W7UdBsSbb";
    for (before, stands) in [(began, true), (began + 1, false)] {
        redis.run(&["SET", mark, &before.to_string()]);
        assert_eq!(both.session(&token).await.expect("both answer").is_some(), stands, "{before}");
        assert_eq!(both.session_now(&token).await.expect("both answer").is_some(), stands, "{before}");
    }
    redis.run(&["SET", mark, "soon"]);
    let error = both.session(&token).await.expect_err("a mark that cannot be read leaves it open");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("Redis: the revocation mark cannot be read"));
}

#[tokio::test]
async fn a_database_that_fails_behind_redis_is_named_itself() {
    let redis = RedisServer::start();
    let settings = BetterAuthSettings::from_vars(|name| match name {
        "BETTER_AUTH_SECRET" => Some("a-secret-of-the-tests-with-32-bytes-or-more".into()),
        "BETTER_AUTH_REDIS_URL" => Some(redis.url()),
        "BETTER_AUTH_DATABASE_URL" => Some("sqlite:/nowhere/auth.db".into()),
        _ => None,
    });
    let settings = settings.expect("good settings").expect("sessions");
    let message = settings.connect().await.expect_err("no such file").to_string();
    assert!(message.starts_with("BETTER_AUTH_DATABASE_URL: "), "{message}");
}

/// Connects with these, to a database whose tables are made by this.
#[cfg(feature = "sqlite")]
async fn connected(name: &str, tables: &str, more: &[(&str, &str)]) -> BetterAuth {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;

    let file = std::env::temp_dir().join(format!("authcore-settings-{}-{name}.db", std::process::id()));
    let _ = std::fs::remove_file(&file);
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut database = options.connect().await.expect("a new file");
    sqlx::raw_sql(sqlx::AssertSqlSafe(tables)).execute(&mut database).await.expect("good SQL");
    let url = format!("sqlite:{}", file.display());
    let settings = BetterAuthSettings::from_vars(|name| match name {
        "BETTER_AUTH_SECRET" => Some(SECRET.into()),
        "BETTER_AUTH_DATABASE_URL" => Some(url.clone()),
        other => more.iter().find(|(known, _)| *known == other).map(|(_, value)| (*value).to_owned()),
    });
    let connected = settings.expect("good settings").expect("set").connect().await;
    let _ = std::fs::remove_file(&file);
    connected.expect("the tables fit")
}

#[cfg(feature = "sqlite")]
const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

#[cfg(feature = "sqlite")]
const TABLES: &str = "\
    CREATE TABLE user (id TEXT PRIMARY KEY, email TEXT, emailVerified INTEGER, name TEXT);
    CREATE TABLE session (id TEXT PRIMARY KEY, token TEXT, userId TEXT, expiresAt TEXT, createdAt TEXT);
    INSERT INTO user VALUES ('u1', 'ada@example.com', 1, 'Ada');
    INSERT INTO session VALUES ('s1', 'sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E', 'u1', '2999-01-01T00:00:00.000Z',
                                '2026-01-01T00:00:00.000Z');";

/// A row left over from before Redis is no session, unless it is said that the database has them too.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn what_redis_does_not_have_is_looked_up_in_the_database_only_where_that_is_said() {
    let redis = RedisServer::start();
    let url = redis.url();
    for (fallback, verdict) in [("off", Err("session_unknown")), ("on", Ok("u1".to_owned()))] {
        let more = [
            ("BETTER_AUTH_REDIS_URL", url.as_str()),
            ("BETTER_AUTH_SESSIONS_IN_DATABASE", fallback),
            ("BETTER_AUTH_BEARER", "raw"),
        ];
        let auth = connected(&format!("fallback-{fallback}"), TABLES, &more).await;
        let head = TestHead::get("/").bearer("sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E");
        let credential = auth.credential(&head).expect("well-formed").expect("a session token");
        let found = auth.verify(credential).await;
        let found = found.map(|identity| identity.user_id().to_string()).map_err(|error| error.reason());
        assert_eq!(found, verdict, "{fallback}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn columns_whose_absence_lets_somebody_in_are_warned_of() {
    let auth = connected("warned", TABLES, &[]).await;
    for column in ["user.banned", "session.impersonatedBy"] {
        assert!(auth.warnings().iter().any(|warning| warning.contains(&format!("`{column}`"))), "{column}");
    }
    let whole = TABLES.replace("name TEXT)", "name TEXT, banned INTEGER)").replace("'Ada')", "'Ada', 0)");
    let whole = whole.replace("createdAt TEXT)", "createdAt TEXT, impersonatedBy TEXT)");
    let whole = whole.replace("'2026-01-01T00:00:00.000Z')", "'2026-01-01T00:00:00.000Z', NULL)");
    let auth = connected("whole", &whole, &[]).await;
    assert!(auth.warnings().iter().all(|warning| !warning.contains("there is no column")), "{:?}", auth.warnings());
}
