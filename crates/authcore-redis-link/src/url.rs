//! The URL of a Redis: where it is, and how to be let in.

use std::fmt;

use authcore::ConfigError;
use redis::{ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo};
use url::Url;

/// What a Redis URL says.
#[derive(Clone)]
pub struct RedisUrl {
    /// Name or address, without brackets.
    pub host: String,
    /// 6379 unless said otherwise.
    pub port: u16,
    /// Whether it is `rediss://`.
    pub tls: bool,
    /// User, password and database.
    pub login: RedisConnectionInfo,
}

impl RedisUrl {
    /// Reads `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for another kind of URL, without showing it: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut url = Url::parse(text).map_err(|_| refused("not a URL"))?;
        let tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(refused("must begin with redis:// or rediss://")),
        };
        // Elsewhere `#insecure` means a certificate that nobody checks, and queries choose protocols.
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("takes no query and no fragment"));
        }
        // TLS is ours to do: the redis crate's would use the process-wide provider.
        url.set_scheme("redis").map_err(|()| refused("not a URL"))?;
        let info = url.into_connection_info().map_err(|_| refused("names no host, or no number of a database"))?;
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { return Err(refused("names no host")) };
        Ok(Self { host, port, tls, login: info.redis_settings().clone() })
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, login: _ } = self;
        f.debug_struct("RedisUrl").field("host", host).field("port", port).field("tls", tls).finish_non_exhaustive()
    }
}

/// Never with the text: it may hold a password.
fn refused(why: &str) -> ConfigError {
    ConfigError::new(format!("Redis URL: {why}, as in redis://127.0.0.1:6379"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_where_and_how() {
        let url = RedisUrl::parse("redis://ada:p%40ss@[::1]:7000/3").expect("a good URL");
        assert_eq!((url.host.as_str(), url.port, url.tls), ("::1", 7000, false));
        assert_eq!((url.login.username(), url.login.password(), url.login.db()), (Some("ada"), Some("p@ss"), 3));
        let url = RedisUrl::parse("rediss://cache.example.com").expect("a good URL");
        assert_eq!((url.host.as_str(), url.port, url.tls), ("cache.example.com", 6379, true));
        assert!(!format!("{:?}", RedisUrl::parse("redis://:secret@h")).contains("secret"));
    }

    #[test]
    fn what_is_no_redis_url_is_refused_without_being_shown() {
        for bad in [
            "",
            "secret.example.com:6379",
            "http://secret",
            "redis:///secret",
            "redis://u:secret@/0",
            "redis://u:secret@h/zero",
            "rediss://u:secret@h/#insecure",
            "redis://u:secret@h/?protocol=resp3",
            "unix:///secret",
        ] {
            let message = RedisUrl::parse(bad).expect_err(bad).to_string();
            assert!(message.starts_with("Redis URL: ") && !message.contains("secret"), "{bad}: {message}");
        }
    }
}
