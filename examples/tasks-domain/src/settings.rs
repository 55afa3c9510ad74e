//! Settings from the environment. What is malformed, contradicts another setting or is not served by this build stops
//! the server before it listens, in one line that names the variable and the mend.

mod database;

use std::net::SocketAddr;

use authcore::ConfigError;
use authcore_better_auth::BetterAuthSettings;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::demo::Demo;
use crate::limits::LimitSettings;

pub use database::Database;
pub(crate) use database::Place;

/// All that a server is told from outside.
#[derive(Debug)]
pub struct Settings {
    pub(crate) bind: SocketAddr,
    pub(crate) database: Database,
    /// The credentials that are accepted.
    pub(crate) auth: BetterAuthSettings,
    /// Its users and their key, when no Better Auth server is named.
    pub(crate) demo: Option<Demo>,
    pub(crate) origins: Vec<String>,
    /// How often may be asked; `None` for as often as one likes.
    pub(crate) limits: Option<LimitSettings>,
    pub(crate) log: EnvFilter,
}

impl Settings {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable and the mend.
    pub fn from_env() -> Result<Self, ConfigError> {
        // What is not UTF-8 is kept, as something no setting takes.
        Self::from_vars(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// From variables by name. One that is empty, or white space alone, counts as unset.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable and the mend.
    pub fn from_vars(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let (auth, demo) = match BetterAuthSettings::from_vars(variable)? {
            Some(auth) => (auth, None),
            None => {
                let demo = Demo::new(&variable);
                (demo.auth(&variable)?, Some(demo))
            }
        };
        Ok(Self {
            bind: bind(variable("BIND_ADDR"), demo.is_some())?,
            database: Database::parse(variable("DATABASE_URL").as_deref().unwrap_or("sqlite::memory:"))?,
            auth,
            demo,
            origins: origins(variable("CORS_ORIGINS").as_deref().unwrap_or("http://localhost:3000"))?,
            limits: LimitSettings::from_vars(&variable)?,
            log: log(variable("RUST_LOG").as_deref().unwrap_or("info"))?,
        })
    }
}

fn bind(value: Option<String>, is_demo: bool) -> Result<SocketAddr, ConfigError> {
    let text = value.as_deref().unwrap_or("127.0.0.1:8000");
    let takes = "takes an IP address and a port, as in 127.0.0.1:8000 or [::1]:0";
    let address: SocketAddr = text.parse().map_err(|_| ConfigError::new(format!("BIND_ADDR: {takes}")))?;
    if is_demo && !address.ip().to_canonical().is_loopback() {
        let mend = "demo mode listens on a loopback address only; bind 127.0.0.1, or set BETTER_AUTH_URL";
        return Err(ConfigError::new(format!("BIND_ADDR: {mend}")));
    }
    Ok(address)
}

/// Origins as browsers send them (RFC 6454 §6.2), since they are compared byte for byte.
fn origins(list: &str) -> Result<Vec<String>, ConfigError> {
    let exact = |entry: &str| {
        let refused = |mend: &str| Err(ConfigError::new(format!("CORS_ORIGINS: {mend}")));
        match Url::parse(entry) {
            _ if entry == "*" => refused("`*` is never allowed together with credentials; list the origins"),
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                let origin = url.origin().ascii_serialization();
                if origin == entry { Ok(origin) } else { refused(&format!("write {origin}, as browsers send it")) }
            }
            _ => refused("takes origins separated by commas, as in https://app.example.com"),
        }
    };
    list.split(',').map(|entry| exact(entry.trim())).collect()
}

fn log(filter: &str) -> Result<EnvFilter, ConfigError> {
    let mend = "takes a level or a filter, as in info or authcore=debug,info";
    EnvFilter::try_new(filter).map_err(|_| ConfigError::new(format!("RUST_LOG: {mend}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: (&str, &str) = ("BETTER_AUTH_SECRET", "a-secret-of-the-tests-with-32-bytes-or-more");

    fn read(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        Settings::from_vars(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_demo_mode_on_loopback_with_tasks_in_memory() {
        let settings = read(&[]).expect("the defaults");
        assert!(settings.demo.is_some());
        assert_eq!(format!("{:?}", settings.database), "Database(SQLite in memory)");
        assert_eq!(settings.bind.to_string(), "127.0.0.1:8000");
        assert_eq!(settings.origins, ["http://localhost:3000"]);
    }

    #[test]
    fn what_is_empty_or_says_the_default_is_as_good_as_unset() {
        let defaults = [
            ("REDIS_URL", ""),
            ("BIND_ADDR", ""),
            ("RATE_LIMIT", "on"),
            ("BETTER_AUTH_COOKIE_PREFIX", "better-auth"),
            ("BETTER_AUTH_COOKIE_CACHE", "off"),
            ("BETTER_AUTH_BEARER", "off"),
        ];
        assert!(read(&defaults).is_ok());
    }

    #[tokio::test]
    async fn white_space_alone_is_as_good_as_unset() {
        let spaces = [("BIND_ADDR", " "), ("DATABASE_URL", "\t"), ("RATE_LIMIT", " "), ("CORS_ORIGINS", " ")];
        assert!(read(&spaces).is_ok());
        for claim in [" ", " groups "] {
            let settings = read(&[("AUTH_USER_CLAIM", " "), ("AUTH_ROLE_CLAIM", claim)]).expect("good settings");
            let token = settings.demo.expect("demo mode").token("root").expect("a demo user");
            let auth = settings.auth.connect().await.expect("buildable");
            let root = auth.verifier().expect("JWTs").check(&token).expect("its own token");
            assert!(root.has_role("admin"), "{claim:?}");
        }
    }

    #[test]
    fn settings_are_taken_as_they_are_said() {
        let settings = read(&[
            ("BETTER_AUTH_URL", "https://app.example.com"),
            ("BIND_ADDR", "0.0.0.0:80"),
            ("DATABASE_URL", "sqlite:tasks.db"),
            ("CORS_ORIGINS", "https://a.example.com, http://[::1]:3000"),
            ("RUST_LOG", "authcore=debug,warn"),
        ])
        .expect("good settings");
        assert!(settings.demo.is_none());
        assert_eq!(format!("{:?}", settings.database), "Database(SQLite)");
        assert_eq!(settings.origins, ["https://a.example.com", "http://[::1]:3000"]);
    }

    #[test]
    fn a_setting_that_cannot_be_served_is_named_with_its_mend_in_one_line() {
        let refused: &[(&str, &[(&str, &str)])] = &[
            ("REDIS_URL", &[("REDIS_URL", "http://u:hidden@localhost")]),
            ("BETTER_AUTH_DATABASE_URL", &[("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db")]),
            ("BETTER_AUTH_REDIS_URL", &[("BETTER_AUTH_REDIS_URL", "redis://localhost")]),
            ("BETTER_AUTH_SECRETS", &[("BETTER_AUTH_SECRETS", "2:new,1:old")]),
            ("BETTER_AUTH_COOKIE_PREFIX", &[("BETTER_AUTH_COOKIE_PREFIX", "mine")]),
            ("BETTER_AUTH_COOKIE_CACHE", &[("BETTER_AUTH_COOKIE_CACHE", "jwt")]),
            ("BETTER_AUTH_BEARER", &[("BETTER_AUTH_BEARER", "raw")]),
            ("RATE_LIMIT", &[("RATE_LIMIT", "maybe")]),
            ("RATE_LIMIT_WINDOW_MS", &[("RATE_LIMIT_WINDOW_MS", "0")]),
            ("RATE_LIMIT_WINDOW_MS", &[("RATE_LIMIT", "off"), ("RATE_LIMIT_WINDOW_MS", "1m")]),
            ("RATE_LIMIT_MAX_REQUESTS", &[("RATE_LIMIT_MAX_REQUESTS", "+5")]),
            ("RATE_LIMIT_MAX_REQUESTS", &[("RATE_LIMIT_MAX_REQUESTS", "1000000"), ("RATE_LIMIT_WINDOW_MS", "1")]),
            ("RATE_LIMIT_ON_OUTAGE", &[("RATE_LIMIT_ON_OUTAGE", "503")]),
            ("TRUSTED_PROXIES", &[("TRUSTED_PROXIES", "10.0.0.1/8")]),
            ("TRUSTED_PROXIES", &[("TRUSTED_PROXIES", "0.0.0.0/0")]),
            ("DATABASE_URL", &[("DATABASE_URL", "mysql://u:hidden@db/tasks")]),
            ("BIND_ADDR", &[("BIND_ADDR", "8000")]),
            ("BIND_ADDR", &[("BIND_ADDR", "127.0.0.1")]),
            ("BIND_ADDR", &[("BIND_ADDR", "0.0.0.0:8000")]),
            ("BIND_ADDR", &[("BIND_ADDR", "[::]:8000")]),
            ("BIND_ADDR", &[SECRET, ("BIND_ADDR", "here")]),
            ("CORS_ORIGINS", &[("CORS_ORIGINS", "*")]),
            ("CORS_ORIGINS", &[("CORS_ORIGINS", "https://a.example.com,*")]),
            ("CORS_ORIGINS", &[("CORS_ORIGINS", "https://a.example.com,")]),
            ("CORS_ORIGINS", &[("CORS_ORIGINS", "https://a.example.com/")]),
            ("CORS_ORIGINS", &[("CORS_ORIGINS", "https://A.example.com:443")]),
            ("CORS_ORIGINS", &[("CORS_ORIGINS", "null")]),
            ("CORS_ORIGINS", &[("CORS_ORIGINS", "file:///x")]),
            ("RUST_LOG", &[("RUST_LOG", "authcore=loud")]),
            ("BETTER_AUTH_SECRET", &[("BETTER_AUTH_SECRET", "short")]),
            ("BETTER_AUTH_URL", &[("BETTER_AUTH_URL", "app.example.com")]),
            ("BETTER_AUTH_ISSUER", &[("BETTER_AUTH_ISSUER", "https://a")]),
            ("AUTH_LEEWAY", &[("AUTH_LEEWAY", "2m")]),
            ("AUTH_LEEWAY", &[SECRET, ("AUTH_LEEWAY", "2m")]),
        ];
        for (named, variables) in refused {
            let message = read(variables).expect_err(named).to_string();
            assert!(message.starts_with(&format!("{named}: ")), "{variables:?}: {message}");
            assert!(!message.contains('\n') && !message.contains("hidden"), "{message}");
        }
    }

    #[test]
    fn an_origin_that_is_not_exact_is_told_how_it_would_be() {
        let message = read(&[("CORS_ORIGINS", "https://A.example.com:443/x")]).expect_err("not exact").to_string();
        assert_eq!(message, "CORS_ORIGINS: write https://a.example.com, as browsers send it");
    }
}
