//! `authcore session`: what a session cookie, or a session token as bearer, stands for.

use std::time::Duration;

use authcore::{AuthError, Authenticator as _, Clock as _, Glance, Identity, ManualClock, Method, SessionFault};
use authcore_better_auth::{
    BearerSessions, BetterAuth, BetterAuthBuilder, CookieCache, CookieCacheBuilder, CookieNames, Forward, HttpSessions,
    RedisSessions, Secrets, SessionToken, SignedCookie, SqlSessions,
};
use authcore_testkit::TestHead;
use clap::{Args, ValueEnum};

use crate::batch;
use crate::cli::{Asking, At};
use crate::explain::Expected;
use crate::fault::{Fault, Verdict};
use crate::head;
use crate::input;
use crate::json::Object;
use crate::key_source::{Keys, keys_at, runtime, secret};
use crate::store::{SIGNATURE, SignatureAlone};
use crate::text::{Page, Tone};

/// Which session, and where it is looked up.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("shared").required(true).args(["secret_file", "secret_env"]))]
#[command(group = clap::ArgGroup::new("place").args(["database_url", "database_url_env", "redis_url", "redis_url_env", "auth_url"]))]
pub(crate) struct SessionArgs {
    /// A header field line of the request; may be repeated
    #[arg(short = 'H', long, value_name = "'NAME: VALUE'", value_parser = crate::value::field, conflicts_with = "batch")]
    field: Vec<(String, String)>,
    /// A file with Better Auth's secret: its bytes, less one line end at the end
    #[arg(long, value_name = "FILE")]
    secret_file: Option<std::path::PathBuf>,
    /// The environment variable that holds Better Auth's secret
    #[arg(long, value_name = "VAR")]
    secret_env: Option<String>,
    /// What the session cookie is called, without __Secure-
    #[arg(long, value_name = "NAME", default_value = "better-auth.session_token")]
    cookie_name: String,
    /// The cookies have __Secure- before their names, as on an https server
    #[arg(long)]
    secure: bool,
    /// The strategy of the cookie cache that is trusted
    #[arg(long, value_enum, default_value_t = Cache::Off)]
    cache: Cache,
    /// The version that the cache has to have
    #[arg(long, value_name = "TEXT", default_value = "1")]
    cache_version: String,
    /// How old a cached session may be
    #[arg(long, value_name = "DURATION", default_value = "300s", value_parser = crate::value::duration)]
    #[arg(allow_hyphen_values = true)]
    cache_max_age: Duration,
    /// The issuer of a cache that is signed with published keys
    #[arg(long, value_name = "URL", required_if_eq("cache", "jwks"))]
    issuer: Option<String>,
    /// The published keys of such a cache: a file, or an https URL (http for loopback hosts only)
    #[arg(long, value_name = "FILE_OR_URL", required_if_eq("cache", "jwks"))]
    jwks: Option<String>,
    /// Which session tokens are read from Authorization: Bearer
    #[arg(long, value_enum, default_value_t = Bearer::Off)]
    bearer: Bearer,
    /// Better Auth's database, to look the session up in
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The environment variable that holds the URL of the database
    #[arg(long, value_name = "VAR")]
    database_url_env: Option<String>,
    /// Better Auth's secondary storage, to look the session up in
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
    /// The environment variable that holds the URL of the secondary storage
    #[arg(long, value_name = "VAR")]
    redis_url_env: Option<String>,
    /// What stands before the keys in the secondary storage
    #[arg(long, value_name = "TEXT", default_value = "better-auth:")]
    redis_prefix: String,
    /// The Better Auth server, to ask it for the session
    #[arg(long, value_name = "URL")]
    auth_url: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Cache {
    Off,
    Compact,
    Jwt,
    Jwe,
    Jwks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bearer {
    Off,
    Signed,
    Raw,
}

pub(crate) fn run(args: SessionArgs) -> Result<Verdict, Fault> {
    let runtime = runtime()?;
    let clock = ManualClock::at(0);
    let judge = runtime.block_on(Judge::of(&args, clock.clone()))?;
    if args.asking.batch {
        return batch::run(|line, answer| {
            let now = line.now()?;
            let head = head::of_line(line, None)?;
            clock.set(now.unwrap_or_else(|| args.at.time()));
            Ok(tell(runtime.block_on(judge.judge(&head)), answer))
        });
    }
    let head = head::of_fields(&args.field, None);
    clock.set(args.at.time());
    let verdict = runtime.block_on(judge.judge(&head));
    let outcome = if verdict.is_ok() { Verdict::Accepted } else { Verdict::Refused };
    let mut page = Page::stdout();
    if args.asking.json {
        page.line(&tell(verdict, Object::new()).end())?;
        return Ok(outcome);
    }
    match verdict {
        Ok(found) => found.show(&mut page, clock.now())?,
        Err(error) => {
            crate::verify::refused(&mut page, &error, "", &Expected { issuers: &[], audiences: &[] })?;
            if let Some(hint) = hint(&error, &args) {
                page.row("hint", &hint)?;
            }
        }
    }
    Ok(outcome)
}

/// A session that is accepted.
struct Found {
    token: SessionToken,
    identity: Identity,
    source: &'static str,
}

/// What judges: the authenticator that a server has, and what names the token it accepted.
struct Judge {
    auth: BetterAuth,
    cookie: SignedCookie,
    bearer: BearerSessions,
    secrets: Secrets,
}

impl Judge {
    async fn of(args: &SessionArgs, clock: ManualClock) -> Result<Self, Fault> {
        let (option, secret) = secret(args.secret_file.as_deref(), args.secret_env.as_deref())?
            .ok_or_else(|| Fault::Usage("no secret: name --secret-file or --secret-env".to_owned()))?;
        let secrets = Secrets::new(&secret).map_err(|why| Fault::of(option, why))?;
        let names = names(args);
        let bearer = match args.bearer {
            Bearer::Off => BearerSessions::Off,
            Bearer::Signed => BearerSessions::Signed,
            Bearer::Raw => BearerSessions::Raw,
        };
        let builder = BetterAuth::builder().secrets(&secrets).cookie_names(names.clone()).clock(clock);
        let builder = match cache(args, &secrets)? {
            Some(cache) => builder.cookie_cache(cache),
            None => builder,
        };
        let builder = look_up(args, builder, &names, &secrets).await?.bearer_sessions(bearer);
        let cookie = SignedCookie::new(&names, &secrets).map_err(|why| Fault::of("--cookie-name", why))?;
        let auth = builder.build().map_err(|why| match args.bearer {
            Bearer::Off => Fault::of("--cache", why),
            _ => Fault::of("--bearer", format!("{why}: add --database-url, --redis-url or --auth-url")),
        })?;
        Ok(Self { auth, cookie, bearer, secrets })
    }

    async fn judge(&self, head: &TestHead) -> Result<Found, AuthError> {
        let identity = match self.auth.glance(head) {
            // A bearer token that is not read is somebody else's, and the cookie beside it does not count.
            Glance::Absent => {
                let presented = authcore::credential::bearer::token(head)?;
                return Err(presented.map_or(AuthError::Missing, |_| AuthError::UnreadBearer));
            }
            Glance::Judged(verdict) => verdict?,
            Glance::Pending(credential) => self.auth.verify(credential).await?,
        };
        let unknown = || AuthError::Session { fault: SessionFault::Malformed, bearer: false };
        let token = match self.bearer.read(head, &self.secrets)? {
            Some(token) => token,
            None => self.cookie.read(head).ok().flatten().ok_or_else(unknown)?,
        };
        let source = if let Method::Session { source } = identity.method() { *source } else { SIGNATURE };
        Ok(Found { token, identity, source })
    }
}

/// The store that the options name. Without any, and without a cache, the signature decides.
async fn look_up(
    args: &SessionArgs,
    builder: BetterAuthBuilder,
    names: &CookieNames,
    secrets: &Secrets,
) -> Result<BetterAuthBuilder, Fault> {
    if let Some((option, url)) = stated("--database-url", &args.database_url, &args.database_url_env)? {
        let store = SqlSessions::connect(&url).await.map_err(|why| Fault::of(option, why))?;
        return Ok(builder.sessions(store));
    }
    if let Some((option, url)) = stated("--redis-url", &args.redis_url, &args.redis_url_env)? {
        let store = RedisSessions::connect(&url).await.map_err(|why| Fault::of(option, why))?;
        return Ok(builder.sessions(store.prefix(args.redis_prefix.as_str())));
    }
    if let Some(url) = &args.auth_url {
        let asking = Forward::cookie(names, secrets).and_then(|forward| HttpSessions::at(url, forward));
        return Ok(builder.sessions(asking.map_err(|why| Fault::of("--auth-url", why))?));
    }
    Ok(if args.cache == Cache::Off { builder.sessions(SignatureAlone) } else { builder })
}

/// A URL that may hold a password, by its option or by a variable.
fn stated(
    option: &'static str,
    url: &Option<String>,
    variable: &Option<String>,
) -> Result<Option<(&'static str, String)>, Fault> {
    match (url, variable) {
        (Some(url), _) => Ok(Some((option, url.clone()))),
        (None, Some(name)) => Ok(Some((option, input::variable(&format!("{option}-env"), name)?))),
        (None, None) => Ok(None),
    }
}

/// A name in Better Auth's own form gives that of the cache too.
fn names(args: &SessionArgs) -> CookieNames {
    let names = CookieNames::new(args.secure);
    match args.cookie_name.strip_suffix(".session_token") {
        Some(prefix) => names.prefix(prefix),
        None => names.custom_session_token(args.cookie_name.as_str()),
    }
}

fn cache(args: &SessionArgs, secrets: &Secrets) -> Result<Option<CookieCacheBuilder>, Fault> {
    let cache = match args.cache {
        Cache::Off => return Ok(None),
        Cache::Compact => CookieCache::compact(secrets),
        Cache::Jwt => CookieCache::jwt(secrets),
        Cache::Jwe => CookieCache::jwe(secrets),
        Cache::Jwks => {
            let needed = |option| Fault::of(option, "is needed with --cache jwks");
            let keys: Keys = keys_at("--jwks", args.jwks.as_deref().ok_or_else(|| needed("--jwks"))?)?;
            CookieCache::published(keys, args.issuer.as_deref().ok_or_else(|| needed("--issuer"))?)
        }
    };
    Ok(Some(cache.version(args.cache_version.as_str()).max_age(args.cache_max_age)))
}

impl Found {
    fn user(&self) -> Option<&str> {
        (self.source != SIGNATURE).then(|| self.identity.user_id().as_str())
    }

    fn show(&self, page: &mut Page, now: authcore::Timestamp) -> Result<(), Fault> {
        let word = page.mark(Tone::Good, "accepted");
        page.line(&word)?;
        page.row("token", &format!("sha256 {}", self.token.sha256_hex()))?;
        page.row("source", self.source)?;
        match self.user() {
            Some(user) => page.row("user", user)?,
            None => page.row("user", "not known: no store was asked, so whether the session lives neither")?,
        }
        if let Some(until) = self.identity.expires_at().filter(|_| self.user().is_some()) {
            page.row("expires", &crate::decode::from_now(until, now))?;
        }
        Ok(())
    }
}

fn tell(verdict: Result<Found, AuthError>, answer: Object) -> Object {
    let found = match verdict {
        Ok(found) => found,
        Err(error) => return answer.refused(&error),
    };
    let answer = answer.with("ok", true).with("session_token_sha256", found.token.sha256_hex());
    let answer = match found.user() {
        Some(user) => answer.with("user_id", user),
        None => answer,
    };
    answer.with("source", found.source)
}

fn hint(error: &AuthError, args: &SessionArgs) -> Option<String> {
    let secure = if args.secure { "__Secure-" } else { "" };
    Some(match error.reason() {
        "missing" => format!("there is no cookie {secure}{}: see --secure and --cookie-name", args.cookie_name),
        "session_malformed" => {
            "the value is not a token, a dot and a signature of 44 characters, or there are two: copy it whole, as the \
             browser sends it"
                .to_owned()
        }
        "session_bad_signature" => "another secret signed it: compare with the server's BETTER_AUTH_SECRET".to_owned(),
        "session_unknown" if args.cache != Cache::Off => {
            "the cache does not count (absent, stale, of another strategy or session), and no store was asked or \
             knows the session"
                .to_owned()
        }
        "session_unknown" => "signed out, expired, or in another database or under another --redis-prefix".to_owned(),
        "bearer_unread" => "there is a bearer token: see --bearer".to_owned(),
        _ => return None,
    })
}
