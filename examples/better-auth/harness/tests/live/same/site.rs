//! One Better Auth server in one configuration, and everything of ours that reads its sessions.

use std::time::Duration;

use authcore::{Authenticator as _, KeyResolver, Secret};
use authcore_better_auth::{
    BearerSessions, BetterAuth, BetterAuthBuilder, CookieCache, CookieCacheBuilder, CookieNames, Forward, HttpSessions,
    Memberships, RedisSessions, Secrets, SessionStore, SqlSessions,
};
use authcore_testkit::TestHead;
use better_auth_harness::{BetterAuthServer, Browser, Release, Request};

use super::differences::DIFFERENCES;
use super::verdict::Verdict;
use crate::database::{Database, SqliteFile};
use crate::engines::Engine;
use crate::redis_server::RedisServer;

pub(crate) const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

/// How late an answer may be: on a busy machine later than a service would wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// A configuration, in the words of the server's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) release: Release,
    pub(crate) storage: Storage,
    /// `COOKIE_CACHE`.
    pub(crate) cache: &'static str,
    /// Whether everybody has a note that does not fit into one cookie.
    pub(crate) chunked: bool,
    /// Whether the base URL is https, as behind a proxy that does TLS.
    pub(crate) https: bool,
    /// `MULTI_SESSION`.
    pub(crate) multi_session: bool,
    /// `BEARER`.
    pub(crate) bearer: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Sqlite,
    Postgres,
    MariaDb,
    Redis {
        /// `REDIS_PREFIX`.
        prefix: &'static str,
        /// `SESSIONS_IN_DATABASE`.
        copies: &'static str,
    },
}

/// A running server, and how its answers compare with ours.
pub(crate) struct Site {
    pub(crate) plan: Plan,
    pub(crate) server: BetterAuthServer,
    pub(crate) names: CookieNames,
    pub(crate) database: Database,
    pub(crate) redis: Option<RedisServer>,
    pub(crate) memberships: Option<Memberships>,
    readers: Vec<Reader>,
    pub(crate) findings: Findings,
    /// Ends after what connects to it.
    _engine: Option<Engine>,
    _file: Option<SqliteFile>,
}

/// What was compared, and what was found wrong.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) comparisons: usize,
    pub(crate) wrong: Vec<String>,
    /// Which of the listed differences occurred, by index.
    pub(crate) occurred: Vec<usize>,
}

impl Findings {
    /// Those of a configuration that ended in a panic, which has told why.
    pub(crate) fn broken(plan: &Plan) -> Self {
        Self { wrong: vec![format!("[{}] panicked: see above", plan.name())], ..Self::default() }
    }
}

/// One way of ours to read sessions.
pub(crate) struct Reader {
    pub(crate) kind: Kind,
    /// What its verdict comes from: `sql`, `redis`, `http`, `http by bearer`.
    pub(crate) source: &'static str,
    auth: BetterAuth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each session is looked up: to be compared with the server when it looks up, too.
    Store,
    /// The cookie cache is believed, and a store asked where there is none.
    Cache,
    /// The cookie cache is believed, and there is nothing else.
    CacheAlone,
    /// The cookie cache is believed for a second.
    Impatient,
}

/// What a request carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presented {
    pub(crate) cookie: Option<String>,
    pub(crate) authorization: Option<String>,
}

impl From<&Browser> for Presented {
    fn from(browser: &Browser) -> Self {
        Self::cookie(browser.cookie())
    }
}

impl Presented {
    pub(crate) fn cookie(field: String) -> Self {
        Self { cookie: Some(field).filter(|field| !field.is_empty()), authorization: None }
    }

    pub(crate) fn bearer(token: &str) -> Self {
        Self { cookie: None, authorization: Some(format!("Bearer {token}")) }
    }

    pub(crate) fn and_cookie_of(self, browser: &Browser) -> Self {
        Self { cookie: Some(browser.cookie()), ..self }
    }

    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let cookie = self.cookie.as_deref().map(|cookie| ("Cookie", cookie));
        cookie.into_iter().chain(self.authorization.as_deref().map(|value| ("Authorization", value)))
    }
}

impl Plan {
    /// `1.7.7, Sqlite, compact, chunked`
    pub(crate) fn name(&self) -> String {
        let Self { release, storage, cache, chunked, https, multi_session, bearer } = self;
        let mut name = format!("{}, {storage:?}, cache {cache}, bearer {bearer}", release.number());
        for (is_so, word) in [(chunked, "chunked"), (https, "https"), (multi_session, "multi-session")] {
            if *is_so {
                name += &format!(", {word}");
            }
        }
        name
    }

    /// What the server is told.
    fn settings<'s>(&self, database: (&'s str, &'s str), redis_url: Option<&'s str>) -> Vec<(&'s str, &'s str)> {
        let on_off = |is_on: bool| if is_on { "on" } else { "off" };
        let mut settings = vec![
            database,
            ("BETTER_AUTH_SECRET", SECRET),
            ("ADMIN_EMAILS", "root@example.com,boss@example.com"),
            ("ORGANIZATIONS", "on"),
            ("DELETE_USER", "on"),
            ("COOKIE_CACHE", self.cache),
            ("USER_NOTES", on_off(self.chunked)),
            ("MULTI_SESSION", on_off(self.multi_session)),
            ("BEARER", self.bearer),
        ];
        if self.https {
            settings.push(("BETTER_AUTH_URL", "https://id.example.com"));
        }
        if let (Some(url), Storage::Redis { prefix, copies }) = (redis_url, self.storage) {
            settings.extend([("REDIS_URL", url), ("REDIS_PREFIX", prefix), ("SESSIONS_IN_DATABASE", copies)]);
        }
        settings
    }
}

impl Site {
    pub(crate) async fn open(plan: Plan, number: usize) -> Self {
        let engine = match plan.storage {
            Storage::Postgres => Some(Engine::postgres()),
            Storage::MariaDb => Some(Engine::mariadb()),
            Storage::Sqlite | Storage::Redis { .. } => None,
        };
        let file = engine.is_none().then(|| SqliteFile::new(&format!("same-{number}")));
        let (setting, place, url) = match (&engine, &file) {
            (Some(engine), _) => {
                Database::at(&engine.first_database()).await.run("CREATE DATABASE \"same\"").await;
                let url = engine.url("same");
                ("DATABASE_URL", url.clone(), url)
            }
            (None, file) => {
                let file = file.as_ref().expect("made without an engine");
                ("DATABASE_PATH", file.path().to_owned(), file.url())
            }
        };
        let redis = matches!(plan.storage, Storage::Redis { .. }).then(RedisServer::start);
        let redis_url = redis.as_ref().map(RedisServer::url);
        let settings = plan.settings((setting, &place), redis_url.as_deref());
        let server = BetterAuthServer::start_release(plan.release, &settings).unwrap_or_else(|error| panic!("{error}"));
        let database = match (&engine, &file) {
            (None, Some(file)) => Database::sqlite(file).await,
            _ => Database::at(&url).await,
        };
        let names = CookieNames::at(server.base_url());
        let mut site = Self {
            plan,
            server,
            names,
            database,
            redis,
            memberships: None,
            readers: Vec::new(),
            findings: Findings::default(),
            _engine: engine,
            _file: file,
        };
        site.read_by_everything(&url).await;
        site
    }

    async fn read_by_everything(&mut self, database: &str) {
        let sql = async || {
            let sessions = SqlSessions::builder().deadline(PATIENCE).connect(database).await;
            sessions.expect("Better Auth's own tables fit")
        };
        match (self.plan.storage, self.redis.as_ref().map(RedisServer::url)) {
            (Storage::Redis { prefix, copies }, Some(url)) => {
                let prefix = if prefix == "none" { "" } else { prefix };
                let redis = RedisSessions::connect(&url).await.expect("Redis listens");
                let redis = redis.prefix(prefix).deadline(PATIENCE);
                if copies == "on" {
                    let sql = sql().await;
                    self.memberships = sql.memberships().ok();
                    self.read_by("redis", redis.or_database(sql));
                } else {
                    self.read_by("redis", redis);
                }
            }
            _ => {
                let sql = sql().await;
                self.memberships = sql.memberships().ok();
                self.read_by("sql", sql);
            }
        }
        let forward = Forward::cookie(&self.names, &secrets()).expect("good names");
        let sessions = HttpSessions::at(self.server.url(), forward).expect("a loopback URL");
        self.read_by("http", sessions.deadline(PATIENCE));
        if self.plan.bearer == "on" {
            let sessions = HttpSessions::at(self.server.url(), Forward::bearer()).expect("a loopback URL");
            self.read_by("http by bearer", sessions.deadline(PATIENCE));
        }
        // Not for chunks: Better Auth's answer to a POST renews the last chunk alone, which spoils them, and whether they
        // differ from the others is a matter of milliseconds. Both sides then ask their store.
        if self.plan.cache != "off" && !self.plan.chunked {
            self.reader(Kind::CacheAlone, "cookie", None::<HttpSessions>);
        }
    }

    fn read_by(&mut self, source: &'static str, store: impl SessionStore + Clone) {
        self.reader(Kind::Store, source, Some(store.clone()));
        // What stands behind a cache matters little: the nearest store will do.
        if self.plan.cache != "off" && !source.starts_with("http") {
            self.reader(Kind::Cache, source, Some(store.clone()));
            self.reader(Kind::Impatient, source, Some(store));
        }
    }

    fn reader(&mut self, kind: Kind, source: &'static str, store: Option<impl SessionStore>) {
        let cache = (kind != Kind::Store).then(|| self.cookie_cache(kind == Kind::Impatient));
        let bearer = match self.plan.bearer {
            "on" if store.is_some() => BearerSessions::Raw,
            "signed" if store.is_some() => BearerSessions::Signed,
            _ => BearerSessions::Off,
        };
        let auth = authenticator(&self.names, &secrets(), store, cache, bearer);
        self.readers.push(Reader { kind, source, auth });
    }

    fn cookie_cache(&self, is_impatient: bool) -> CookieCacheBuilder {
        let secrets = secrets();
        let cache = match self.plan.cache {
            "compact" => CookieCache::compact(&secrets),
            "jwt" => CookieCache::jwt(&secrets),
            "jwe" => CookieCache::jwe(&secrets),
            _ => CookieCache::published(self.keys(), self.server.base_url()),
        };
        if is_impatient { cache.max_age(Duration::from_secs(1)) } else { cache }
    }

    fn keys(&self) -> impl KeyResolver + use<> {
        let jwts = BetterAuth::at(self.server.url()).and_then(BetterAuthBuilder::build).expect("a loopback URL");
        jwts.keys().expect("keys are fetched").clone()
    }

    /// What is before each key in Redis.
    pub(crate) fn redis_prefix(&self) -> &'static str {
        match self.plan.storage {
            Storage::Redis { prefix: "none", .. } => "",
            Storage::Redis { prefix, .. } => prefix,
            _ => panic!("this site has no Redis"),
        }
    }

    /// Whether the server itself looks sessions up in the database.
    pub(crate) fn is_in_database(&self) -> bool {
        !matches!(self.plan.storage, Storage::Redis { .. })
    }

    /// Makes an account, with a note where the cache is to be cut into chunks.
    pub(crate) fn sign_up(&self, name: &str) -> Result<(Browser, String), String> {
        let mut browser = self.server.browser();
        let notes = if self.plan.chunked { "n".repeat(5000) } else { String::new() };
        let fields = if self.plan.chunked { serde_json::json!({"notes": notes}) } else { serde_json::json!({}) };
        let id = browser.sign_up_with(&format!("{name}@example.com"), fields)?;
        Ok((browser, id))
    }

    pub(crate) fn sign_in(&self, name: &str) -> Result<Browser, String> {
        let mut browser = self.server.browser();
        browser.sign_in(&format!("{name}@example.com"))?;
        Ok(browser)
    }

    /// Asks both sides, each of our readers as the server is asked: with or without its cookie cache. Gives what the server
    /// says when it looks the session up.
    pub(crate) async fn ask(&mut self, step: &'static str, presented: impl Into<Presented>) -> Verdict {
        let presented = presented.into();
        let is_impatient = step.starts_with("impatient");
        let has_cache = self.plan.cache != "off";
        let readers: Vec<_> = (0..self.readers.len())
            .filter(|index| {
                let reader = &self.readers[*index];
                // Without a store there is no bearer to compare.
                let fits = presented.authorization.is_none() || reader.kind != Kind::CacheAlone;
                fits && (reader.kind == Kind::Impatient) == is_impatient
            })
            .collect();
        // Ours first: the server deletes what it finds expired.
        let mut ours = Vec::new();
        for index in readers {
            ours.push((index, verdict(&self.readers[index].auth, &presented).await));
        }
        let fresh = self.theirs("?disableCookieCache=true&disableRefresh=true", &presented);
        let plain = if has_cache { self.theirs("?disableRefresh=true", &presented) } else { fresh.clone() };
        for (index, ours) in ours {
            let theirs = if self.readers[index].kind == Kind::Store { &fresh } else { &plain };
            self.compare(step, index, theirs, &ours);
        }
        fresh
    }

    fn theirs(&self, query: &str, presented: &Presented) -> Verdict {
        let request = Request::new("GET", format!("/api/auth/get-session{query}"));
        let request = presented.fields().fold(request, |request, (name, value)| request.field(name, value));
        match request.send_to(self.server.authority()) {
            Ok(answer) if answer.status == 200 => Verdict::of_server(&answer.json()),
            Ok(answer) => Verdict::Failed(format!("{} {}", answer.status, answer.text())),
            Err(error) => Verdict::Failed(error.to_string()),
        }
    }

    fn compare(&mut self, step: &'static str, reader: usize, theirs: &Verdict, ours: &Verdict) {
        let reader = &self.readers[reader];
        let mut listed = (0..).zip(DIFFERENCES).filter(|(_, it)| it.steps.contains(&step) && (it.shows)(self, reader));
        let (listed, more) = (listed.next(), listed.next());
        let wrong = match listed {
            _ if more.is_some() => Some("two differences are listed for it"),
            None if theirs.agrees(ours) => None,
            None => Some("they differ, and no difference is listed"),
            Some(_) if theirs.agrees(ours) => Some("a difference is listed, and they agree"),
            Some((_, it)) if Some(it.theirs) != theirs.says() || Some(it.ours) != ours.says() => {
                Some("they differ otherwise than is listed")
            }
            Some((index, _)) => {
                self.findings.occurred.push(index);
                None
            }
        };
        self.findings.comparisons += 1;
        if let Some(wrong) = wrong {
            let Reader { kind, source, .. } = reader;
            let name = self.plan.name();
            let told = theirs.beside(ours);
            let wrong = format!("[{name}] {step}; {kind:?}, {source}: {wrong}: {told}");
            self.findings.wrong.push(wrong);
        }
    }

    /// What has to hold beside the comparison.
    pub(crate) fn check(&mut self, what: &str, holds: bool) {
        self.findings.comparisons += 1;
        if !holds {
            self.findings.wrong.push(format!("[{}] {what}", self.plan.name()));
        }
    }
}

/// The one place where the authenticator under test is put together.
pub(crate) fn authenticator(
    names: &CookieNames,
    secrets: &Secrets,
    store: Option<impl SessionStore>,
    cache: Option<CookieCacheBuilder>,
    bearer: BearerSessions,
) -> BetterAuth {
    let builder = BetterAuth::builder().cookie_names(names.clone()).secrets(secrets);
    let mut builder = builder.bearer_sessions(bearer);
    if let Some(store) = store {
        builder = builder.sessions(store);
    }
    if let Some(cache) = cache {
        builder = builder.cookie_cache(cache);
    }
    builder.build().expect("good settings")
}

/// What our side says of a request that carries this.
pub(crate) async fn verdict(auth: &BetterAuth, presented: &Presented) -> Verdict {
    let head = presented.fields().fold(TestHead::get("/"), |head, (name, value)| head.header(name, value));
    let answer = match auth.credential(&head) {
        Ok(Some(credential)) => auth.verify(credential).await.map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    Verdict::of_ours(answer)
}

fn secrets() -> Secrets {
    Secrets::new(&Secret::new(SECRET)).expect("a good secret")
}
