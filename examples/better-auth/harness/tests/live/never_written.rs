//! Looking sessions up changes nothing: what databases and Redis hold is the same before and after hundreds of look-ups.

use std::process::Command;
use std::time::Duration;

use authcore::{Secret, UserId};
use authcore_better_auth::{
    CookieNames, Forward, HttpSessions, RedisSessions, Secrets, SessionStore, SessionToken, SqlSessions,
};
use better_auth_harness::{BetterAuthServer, Browser};
use serde_json::json;

use crate::database::{Database, SqliteFile};
use crate::engines::{Engine, find};
use crate::redis_server::RedisServer;

const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

/// How late an answer may be: on a busy machine later than a service would wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often each token is looked up.
const ROUNDS: usize = 40;

/// A token of every kind, and whose sessions they are.
struct Cast {
    tokens: Vec<SessionToken>,
    /// Its row is there, and its time is over.
    expired: SessionToken,
    user: UserId,
    organization: String,
}

fn start(settings: &[(&str, &str)]) -> BetterAuthServer {
    let shared = [("BETTER_AUTH_SECRET", SECRET), ("ORGANIZATIONS", "on"), ("ADMIN_EMAILS", "root@example.com")];
    BetterAuthServer::start(&[&shared, settings].concat()).unwrap_or_else(|error| panic!("{error}"))
}

fn token(text: &str) -> SessionToken {
    SessionToken::new(text).expect("a token")
}

fn cast(server: &BetterAuthServer) -> Cast {
    let sign_up = |name: &str| -> (Browser, String, String) {
        let mut browser = server.browser();
        let id = browser.sign_up(&format!("{name}@example.com")).unwrap_or_else(|error| panic!("{error}"));
        let token = browser.session_token().expect("a session cookie");
        (browser, id, token)
    };
    let (mut ada, id, good) = sign_up("ada");
    let organization = ada.create_organization("acme").expect("an organization");
    let mut brief = server.browser();
    let brief = brief.sign_in_with("ada@example.com", json!({"rememberMe": false})).expect("a session");
    let (mut leaving, _, ended) = sign_up("leaving");
    leaving.sign_out().expect("a sign-out");
    let (mut root, _, administrator) = sign_up("root");
    let (_, banned, of_banned) = sign_up("banned");
    root.ban(&banned, None).expect("a ban");
    let (_, _, expired) = sign_up("late");
    let junk = ["unknown", "0", "x.y", "../../etc", "' OR 1=1 --", "active-sessions-1"];
    let known = [&good, &brief, &ended, &administrator, &of_banned, &good.to_lowercase()];
    Cast {
        tokens: known.into_iter().map(String::as_str).chain(junk).filter_map(SessionToken::new).collect(),
        expired: token(&expired),
        user: UserId::new(&id).expect("an id"),
        organization,
    }
}

/// Gives how many look-ups found something.
async fn look_up(sessions: &impl SessionStore, tokens: &[SessionToken]) -> usize {
    let mut found = 0;
    for token in tokens.iter().cycle().take(tokens.len() * ROUNDS) {
        found += usize::from(sessions.session(token).await.expect("the store answers").is_some());
    }
    assert!(found >= 3 * ROUNDS, "the good ones are found: {found}");
    found
}

/// Everything that can be read from a database, asked for by a connection string.
async fn nothing_is_written_to(database: &Database, server: &BetterAuthServer, url: &str, dump: impl Fn() -> Vec<u8>) {
    let cast = cast(server);
    let expired = cast.expired.expose();
    let past = if url.starts_with("mysql") { "2020-01-01 00:00:00.000" } else { "2020-01-01T00:00:00.000Z" };
    database.run(&format!("UPDATE \"session\" SET \"expiresAt\" = '{past}' WHERE token = '{expired}'")).await;
    let sessions = SqlSessions::builder().deadline(PATIENCE).connect(url).await.expect("the tables fit");

    let before = dump();
    look_up(&sessions, &cast.tokens).await;
    for _ in 0..ROUNDS {
        assert!(sessions.session(&cast.expired).await.expect("it answers").is_some(), "the row is there, and stays");
        let users = sessions.users().get_many(std::slice::from_ref(&cast.user)).await.expect("it answers");
        assert!(users[0].is_some());
        let memberships = sessions.memberships().expect("the organization plugin is on");
        assert!(memberships.of(&cast.organization, &cast.user).await.expect("it answers").is_some());
        assert!(memberships.of("unknown", &cast.user).await.expect("it answers").is_none());
    }
    let after = dump();
    assert!(before.len() > 1000, "the dump holds something");
    assert!(before == after, "{}\n---\n{}", String::from_utf8_lossy(&before), String::from_utf8_lossy(&after));
}

/// The tables as text; the tool's own marks, which are random, left out.
fn dumped(tool: &str, package: &str, arguments: &[&str]) -> Vec<u8> {
    let tool = find(tool).unwrap_or_else(|| panic!("{tool} is missing: apt-get install {package}"));
    let output = Command::new(&tool).args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{}: {}", tool.display(), String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let is_mark = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
    text.lines().filter(|line| !is_mark(line)).flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn never_written_to_sqlite_nor_by_asking_the_server() {
    let file = SqliteFile::new("never-written");
    let server = start(&[("DATABASE_PATH", file.path())]);
    let database = Database::sqlite(&file).await;
    // Byte for byte, and nothing beside the file.
    let bytes = || {
        let beside = ["-wal", "-shm", "-journal"].map(|suffix| std::fs::exists(format!("{}{suffix}", file.path())));
        assert!(beside.into_iter().all(|there| matches!(there, Ok(false))), "no log and no journal");
        std::fs::read(file.path()).expect("the file")
    };
    nothing_is_written_to(&database, &server, &file.url(), bytes).await;

    let secrets = Secrets::new(&Secret::new(SECRET)).expect("a good secret");
    let forward = Forward::cookie(&CookieNames::at(server.url()), &secrets).expect("good names");
    let asked = HttpSessions::at(server.url(), forward).expect("a loopback URL");
    let mut ada = server.browser();
    let tokens = ["ada", "root"].map(|name| ada.sign_in(&format!("{name}@example.com")).expect("a session"));
    let brief = ada.sign_in_with("ada@example.com", json!({"rememberMe": false})).expect("a session");
    let ended = ada.sign_in("ada@example.com").expect("a session");
    ada.sign_out().expect("a sign-out");
    let known = [&tokens[0], &tokens[1], &brief, &ended].map(|text| token(text));
    let tokens: Vec<_> = known.into_iter().chain(["unknown", "0"].map(token)).collect();
    // The jwt plugin makes its first key for the first answer, whoever asks.
    server.browser().get("jwks").expect("a key set");
    let before = bytes();
    look_up(&asked, &tokens).await;
    assert!(before == bytes(), "asking the server extends nothing");
}

/// What the server deletes by itself when it is asked for it, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_drops_an_expired_session_that_it_is_asked_for() {
    let file = SqliteFile::new("drops-expired");
    let server = start(&[("DATABASE_PATH", file.path())]);
    let database = Database::sqlite(&file).await;
    let member = server.sign_up("late@example.com").unwrap_or_else(|error| panic!("{error}"));
    let text = server.browser().with_cookie(&member.cookie).session_token().expect("a session cookie");
    database.run("UPDATE \"session\" SET \"expiresAt\" = '2020-01-01T00:00:00.000Z'").await;
    let sql = SqlSessions::connect(&file.url()).await.expect("the tables fit");
    let secrets = Secrets::new(&Secret::new(SECRET)).expect("a good secret");
    let forward = Forward::cookie(&CookieNames::at(server.url()), &secrets).expect("good names");
    let asked = HttpSessions::at(server.url(), forward).expect("a loopback URL");

    assert!(sql.session(&token(&text)).await.expect("it answers").is_some());
    assert!(asked.session(&token(&text)).await.expect("it answers").is_none());
    assert!(sql.session(&token(&text)).await.expect("it answers").is_none(), "the server has deleted the row");
}

#[tokio::test(flavor = "multi_thread")]
async fn never_written_to_postgres() {
    let engine = Engine::postgres();
    let first = Database::at(&engine.first_database()).await;
    first.run("CREATE DATABASE \"auth_data\"").await;
    let url = engine.url("auth_data");
    let server = start(&[("DATABASE_URL", &url)]);
    let dump = || dumped("pg_dump", "postgresql", &["--inserts", "--dbname", &url]);
    nothing_is_written_to(&Database::at(&url).await, &server, &url, dump).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn never_written_to_mariadb() {
    let engine = Engine::mariadb();
    let database = Database::at(&engine.first_database()).await;
    let url = engine.url("auth");
    let server = start(&[("DATABASE_URL", &url)]);
    let port = engine.port().to_string();
    let login = ["--no-defaults", "--host=127.0.0.1", "--user=auth", "--password=pa55word", "--port", &port];
    let what = ["--skip-dump-date", "--skip-extended-insert", "auth"];
    let dump = || dumped("mariadb-dump", "mariadb-client", &[&login[..], &what].concat());
    nothing_is_written_to(&database, &server, &url, dump).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn never_written_to_redis() {
    for (setting, prefix) in [("better-auth:", "better-auth:"), ("none", "")] {
        let redis = RedisServer::start();
        let server = start(&[("REDIS_URL", &redis.url()), ("REDIS_PREFIX", setting)]);
        let mut cast = cast(&server);
        let key = format!("{prefix}{}", cast.expired.expose());
        let late = redis.run(&["GET", &key]);
        let mut late: serde_json::Value = serde_json::from_str(&late).expect("JSON");
        late["session"]["expiresAt"] = "2020-01-01T00:00:00.000Z".into();
        redis.run(&["SET", &key, &late.to_string(), "KEEPTTL"]);
        cast.tokens.push(cast.expired);
        let sessions = RedisSessions::connect(&redis.url()).await.expect("Redis listens").prefix(prefix);
        let sessions = sessions.deadline(PATIENCE);

        let before = everything(&redis);
        look_up(&sessions, &cast.tokens).await;
        assert!(before.lines().count() >= 6, "{before}");
        assert_eq!(before, everything(&redis));
        for command in ["set", "del", "expire", "unlink", "getdel"] {
            let calls = redis.calls(command);
            look_up(&sessions, &cast.tokens[..4]).await;
            assert_eq!(redis.calls(command), calls, "{command}");
        }
    }
}

/// Each key with its value, and whether it ends.
fn everything(redis: &RedisServer) -> String {
    let script = "local keys = redis.call('KEYS', '*') table.sort(keys) local all = {} \
                  for _, key in ipairs(keys) do \
                    local ends = redis.call('PTTL', key) > 0 and ' ends ' or ' stays ' \
                    all[#all + 1] = key .. ends .. redis.call('GET', key) \
                  end return table.concat(all, '\\n')";
    redis.run(&["EVAL", script, "0"])
}
