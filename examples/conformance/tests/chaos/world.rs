//! Everything that runs: the parts with a proxy before each, six servers that need them, and their users.

use std::time::{Duration, Instant};

use better_auth_harness::{BetterAuthServer, Member};
use tasks_conformance::{Example, Request, Server};
use tokio::runtime::Runtime;

use crate::cluster::Cluster;
use crate::outages::Part;
use crate::proxy::Proxy;
use crate::redis_server::RedisServer;

/// The parts.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    cluster: Cluster,
    redis: RedisServer,
    auth: Option<BetterAuthServer>,
    /// Before the auth server, Redis and PostgreSQL.
    proxies: [Proxy; 3],
    auth_database: String,
}

/// One server, and who asks it.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) example: Example,
    /// Where it looks sessions up.
    pub(crate) sessions: &'static str,
    /// What looking a session up needs.
    pub(crate) needs: &'static [Part],
    pub(crate) ada: User,
    pub(crate) bob: User,
}

/// Somebody with an account, and all that they may send.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) token: String,
    /// Signed by the auth server as well, and over.
    pub(crate) expired: String,
    pub(crate) cookie: String,
    /// Of a session they have signed out of.
    pub(crate) old_cookie: String,
}

/// How a part is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// SIGSTOP: connections stay open, nobody answers.
    Stopped,
    /// SIGKILL; for PostgreSQL SIGQUIT, by which it ends without tidying up. Connections are refused.
    Killed,
    /// SIGTERM. Connections are refused.
    Ended,
    /// Each piece of an answer comes later.
    Slow,
}

impl World {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let cluster = Cluster::new();
        // What a killed Redis has promised to keep, it keeps.
        let redis = RedisServer::start_with(&["--appendonly", "yes"]);
        let proxies = runtime.block_on(async { [Proxy::new().await, Proxy::new().await, Proxy::new().await] });
        proxies[1].lead_to(redis.port());
        proxies[2].lead_to(cluster.engine.port());
        let auth_database = runtime.block_on(cluster.database("auth_server"));
        runtime.block_on(cluster.database("task_servers"));
        let mut world = Self { runtime, cluster, redis, auth: None, proxies, auth_database };
        world.start_auth("1s");
        world
    }

    /// Six servers, one for each framework and each place to look sessions up, and two users of each.
    pub(crate) fn sites(&mut self) -> Vec<Site> {
        let kinds = PLACES.iter().flat_map(|place| Example::ALL.map(|example| (example, place)));
        let kinds: Vec<_> = kinds.collect();
        let members: Vec<_> = (0..kinds.len() * 2).map(|number| self.member(&format!("user{number}"))).collect();
        self.auth.take().expect("it runs").end();
        self.start_auth("7d");
        let mut users = members.into_iter().map(|(member, expired, old)| self.user(member, expired, old));
        let sites = kinds.into_iter().map(|(example, (sessions, variable, needs))| {
            let server = self.ready(example, *variable);
            let (ada, bob) = users.next().zip(users.next()).expect("two for each");
            Site { server, example, sessions, needs, ada, bob }
        });
        sites.collect()
    }

    /// An account, a token of its that is over in a second, and the cookie of a session that is over.
    fn member(&self, name: &str) -> (Member, String, String) {
        let auth = self.auth.as_ref().expect("it runs");
        let email = format!("{name}@example.com");
        let member = auth.sign_up(&email).expect("an account");
        let mut browser = auth.browser();
        browser.sign_in(&email).expect("a session");
        let old_cookie = browser.cookie();
        browser.sign_out().expect("the session's end");
        let expired = auth.jwt(&member).expect("a token");
        (member, expired, old_cookie)
    }

    fn user(&self, member: Member, expired: String, old_cookie: String) -> User {
        let token = self.auth.as_ref().expect("it runs").jwt(&member).expect("a token");
        let Member { id, email, cookie } = member;
        User { id, email, token, expired, cookie, old_cookie }
    }

    /// Of another Better Auth, which judges nobody here.
    pub(crate) fn foreign_token() -> String {
        let other = BetterAuthServer::start(&[]).unwrap_or_else(|error| panic!("{error}"));
        let member = other.sign_up("user0@example.com").expect("an account");
        other.jwt(&member).expect("a token")
    }

    /// The base URL of the auth server: that of the proxy before it.
    pub(crate) fn auth_url(&self) -> String {
        self.proxies[0].url()
    }

    fn server(&self, example: Example, (name, value): (&str, fn(&World) -> String)) -> Server {
        let tasks = format!("postgres://task_servers@127.0.0.1:{}/task_servers", self.proxies[2].port());
        let (auth, redis, place) = (self.auth_url(), self.redis_url(), value(self));
        let settings = [
            ("BETTER_AUTH_URL", auth.as_str()),
            ("BETTER_AUTH_SECRET", SECRET),
            ("AUTH_LEEWAY", "0s"),
            ("DATABASE_URL", &tasks),
            ("REDIS_URL", &redis),
            ("RATE_LIMIT", "on"),
            ("RATE_LIMIT_MAX_REQUESTS", "1000000"),
            (name, &place),
        ];
        example.start(&settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()))
    }

    /// Once it has the keys.
    fn ready(&self, example: Example, place: (&str, fn(&World) -> String)) -> Server {
        let server = self.server(example, place);
        let patience = Instant::now() + START_UP;
        let ready = Request::new("GET", "/ready");
        while ready.send_to(server.authority()).map_or(0, |answer| answer.status) != 200 {
            assert!(Instant::now() < patience, "{} does not get ready: {}", example.name(), server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// A server that starts now, whatever is out.
    pub(crate) fn newcomer(&self, example: Example) -> Server {
        self.server(example, PLACES[0].1)
    }

    fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.proxies[1].port())
    }

    fn start_auth(&mut self, expiration: &str) {
        let (url, redis) = (self.proxies[0].url(), format!("redis://127.0.0.1:{}", self.redis.port()));
        let settings = [
            ("BETTER_AUTH_URL", url.as_str()),
            ("BETTER_AUTH_SECRET", SECRET),
            ("DATABASE_URL", &self.auth_database),
            ("REDIS_URL", &redis),
            ("SESSIONS_IN_DATABASE", "on"),
            ("JWT_EXPIRATION", expiration),
        ];
        let auth = BetterAuthServer::start(&settings).unwrap_or_else(|error| panic!("{error}"));
        let port = auth.authority().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        self.proxies[0].lead_to(port);
        self.auth = Some(auth);
    }

    /// Takes a part out.
    pub(crate) fn fail(&mut self, part: Part, way: Way) {
        let proxy = &self.proxies[part as usize];
        if matches!(way, Way::Killed | Way::Ended) {
            proxy.close();
        }
        match (part, way) {
            (_, Way::Slow) => proxy.slow_down(delay(part)),
            (Part::Auth, Way::Stopped) => self.auth.as_ref().expect("it runs").signal("STOP"),
            (Part::Auth, Way::Killed) => drop(self.auth.take()),
            (Part::Auth, Way::Ended) => self.auth.take().expect("it runs").end(),
            (Part::Redis, Way::Stopped) => self.redis.signal("STOP"),
            (Part::Redis, Way::Killed | Way::Ended) => self.redis.stop(),
            (Part::Postgres, Way::Stopped) => self.cluster.engine.freeze(),
            (Part::Postgres, Way::Killed | Way::Ended) => self.cluster.engine.stop(),
        }
    }

    /// Brings it back, and waits until it answers.
    pub(crate) fn mend(&mut self, part: Part, way: Way) {
        let proxy = &self.proxies[part as usize];
        match (part, way) {
            (_, Way::Slow) => proxy.slow_down(Duration::ZERO),
            (Part::Auth, Way::Stopped) => self.auth.as_ref().expect("it runs").signal("CONT"),
            (Part::Auth, Way::Killed | Way::Ended) => self.start_auth("7d"),
            (Part::Redis, Way::Stopped) => self.redis.signal("CONT"),
            (Part::Redis, Way::Killed | Way::Ended) => {
                self.redis.start_again();
                proxy.lead_to(self.redis.port());
            }
            (Part::Postgres, Way::Stopped) => self.cluster.engine.thaw(),
            (Part::Postgres, Way::Killed | Way::Ended) => {
                self.cluster.engine.start();
                drop(self.runtime.block_on(self.cluster.admin("task_servers")));
                proxy.lead_to(self.cluster.engine.port());
            }
        }
    }
}

/// A place to look sessions up, by the variable that names it; and what that needs.
type Place = (&'static str, (&'static str, fn(&World) -> String), &'static [Part]);

const PLACES: [Place; 3] = [
    ("sessions in the database", ("BETTER_AUTH_DATABASE_URL", database), &[Part::Postgres]),
    ("sessions in Redis", ("BETTER_AUTH_REDIS_URL", World::redis_url), &[Part::Redis]),
    // Better Auth has them in Redis too.
    (
        "sessions by HTTP",
        ("BETTER_AUTH_BASE_PATH", |_| "/api/auth".to_owned()),
        &[Part::Auth, Part::Redis, Part::Postgres],
    ),
];

fn database(world: &World) -> String {
    format!("postgres://auth_server@127.0.0.1:{}/auth_server", world.proxies[2].port())
}

/// Short of what makes a look-up an outage; of a limit, which waits for 20 ms, it is one.
fn delay(part: Part) -> Duration {
    Duration::from_millis(match part {
        Part::Auth => 1000,
        Part::Redis => 100,
        Part::Postgres => 200,
    })
}

const SECRET: &str = "the-secret-of-a-run-with-outages-0123456789";

/// How long a server may take to have its keys.
const START_UP: Duration = Duration::from_secs(60);
