//! What a verifier expects of a token. Stating an expectation makes the claim required.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::claims::{self, malformed, missing};
use super::header::{Header, is_media_type};
use crate::clock::Timestamp;
use crate::error::{AuthError, ConfigError, Part};
use crate::identity::{Claims, Identity, Method, Origin, Parts, UserId};
use crate::json::{self, Json, Wanted};
use crate::jwks::Key;

/// The settings of a verifier, checked and prepared.
#[derive(Clone, Debug)]
pub(crate) struct Expectations {
    pub(crate) issuers: Vec<Arc<str>>,
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) leeway: Duration,
    pub(crate) typ: Option<Box<str>>,
    pub(crate) key_id_required: bool,
    pub(crate) user_claim: Box<str>,
    pub(crate) role_claim: Box<str>,
    pub(crate) session_claim: Box<str>,
    pub(crate) required: Vec<Box<str>>,
    /// Access tokens of RFC 9068 alone.
    pub(crate) access_tokens: bool,
    pub(crate) max_bytes: usize,
    /// The claims to take out of the payload: the registered ones, the chosen ones, `required`.
    wanted: Wanted,
    /// Where the chosen ones are among them: user, role, session.
    chosen: [usize; 3],
}

const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// What an access token has to have (RFC 9068 §2.2), besides `iss`, `aud` and `exp`.
const OF_ACCESS_TOKENS: [&str; 4] = ["sub", "client_id", "iat", "jti"];

/// Registered claims, user, role, session, and what else may be required.
const MAX_NAMES: usize = 25;

pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(60);

impl Default for Expectations {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            algorithms: Algorithm::ALL.to_vec(),
            leeway: Duration::from_secs(30),
            typ: None,
            key_id_required: false,
            user_claim: "sub".into(),
            role_claim: "role".into(),
            session_claim: "sid".into(),
            required: Vec::new(),
            access_tokens: false,
            max_bytes: 16 * 1024,
            wanted: Wanted::default(),
            chosen: [0; 3],
        }
    }
}

impl Expectations {
    /// Checks the settings against each other.
    pub(crate) fn prepare(mut self) -> Result<Self, ConfigError> {
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::new("leeway: at most 60 seconds"));
        }
        if self.max_bytes > Claims::MAX_JSON {
            return Err(ConfigError::new("max_token_bytes: at most 1 GiB"));
        }
        if self.algorithms.is_empty() {
            return Err(ConfigError::new("algorithms: allow at least one"));
        }
        if self.issuers.iter().any(|issuer| issuer.is_empty()) || self.audiences.iter().any(|one| one.is_empty()) {
            return Err(ConfigError::new("issuer, audience: an empty one matches nothing; leave it out"));
        }
        if self.typ.as_deref().is_some_and(|typ| typ.is_empty() || typ.contains('/')) {
            return Err(ConfigError::new(
                "typ: the name alone, as in at+jwt; an empty one, or one with `/`, matches nothing",
            ));
        }
        if self.access_tokens {
            if self.issuers.is_empty() || self.audiences.is_empty() {
                return Err(ConfigError::new("access_tokens: state the issuer and the audience too (RFC 9068 §4)"));
            }
            if self.typ.replace("at+jwt".into()).is_some() {
                return Err(ConfigError::new("access_tokens: they have a typ of their own; leave `typ` out"));
            }
            self.required.extend(OF_ACCESS_TOKENS.map(Box::from));
        }
        let chosen = [&*self.user_claim, &*self.role_claim, &*self.session_claim];
        let required = self.required.iter().map(|name| &**name);
        let names: Vec<&str> = REGISTERED.into_iter().chain(chosen).chain(required).collect();
        if names.iter().any(|name| name.is_empty()) || names.len() > MAX_NAMES {
            return Err(ConfigError::new("claim names: none may be empty, and at most 15 may be required"));
        }
        let wanted = Wanted::new(names);
        self.chosen = chosen.map(|name| wanted.place_of(name).unwrap_or(0));
        self.wanted = wanted;
        Ok(self)
    }

    /// Judges what the header says before any key is looked at.
    pub(crate) fn check_header(&self, header: &Header) -> Result<(), AuthError> {
        if !self.algorithms.contains(&header.algorithm) {
            return Err(AuthError::RefusedAlgorithm);
        }
        // A shared secret has no id to name; sets of public keys do.
        if self.key_id_required && header.key_id.is_none() && !header.algorithm.is_symmetric() {
            return Err(AuthError::MissingKeyId);
        }
        let fits = match (&self.typ, header.typ.as_deref()) {
            (Some(expected), Some(typ)) => is_media_type(typ, expected),
            // Explicit typing is what tells kinds of tokens apart (RFC 8725 §3.11), but plain JWTs go without.
            (Some(expected), None) => expected.eq_ignore_ascii_case("JWT"),
            (None, Some(typ)) => !is_other_kind(typ),
            (None, None) => true,
        };
        if fits { Ok(()) } else { Err(AuthError::WrongType) }
    }

    /// The origin of most tokens that this key signs: they name the first issuer.
    pub(crate) fn usual_origin(&self, key: &Key) -> Arc<Origin> {
        let method = Method::Jwt { algorithm: key.algorithm(), key_id: key.id().cloned() };
        Arc::new(Origin { issuer: self.issuers.first().cloned(), first_name: None, method })
    }

    /// Judges the claims of a payload whose signature has verified, by a key with this [`usual_origin`](Self::usual_origin).
    pub(crate) fn judge(
        &self,
        payload: String,
        now: Timestamp,
        usual: Arc<Origin>,
    ) -> Result<(Identity, InForce), AuthError> {
        let mut taken = [None; MAX_NAMES];
        json::walk(&payload, &self.wanted, &mut taken).map_err(|fault| Part::Payload.fault(fault))?;
        let [iss, sub, aud, exp, nbf, iat, jti, ..] = taken;
        let [user, role, session] = self.chosen.map(|place| taken[place]);

        let (issued_at, in_force) = check_times(exp, nbf, iat, now, self.leeway)?;
        let origin = self.check_issuer(claims::text(iss, "iss")?, usual)?;
        self.check_audience(aud)?;
        claims::text(sub, "sub")?;
        let token_id = claims::kept_text(jti, "jti")?;
        if self.access_tokens {
            let client = self.wanted.place_of("client_id").and_then(|place| taken[place]);
            // RFC 8693 §4.3: a string.
            if claims::text(client, "client_id")?.is_some_and(|client| client.is_empty()) {
                return Err(malformed("client_id"));
            }
        }
        let session_id = claims::kept_text(session, &self.session_claim)?;
        for name in &self.required {
            let found = self.wanted.place_of(name).and_then(|place| taken[place]);
            if found.is_none_or(|json| json.get() == "null") {
                return Err(missing(name));
            }
        }
        let user = claims::text(user, &self.user_claim)?.ok_or_else(|| missing(&self.user_claim))?;
        let user = UserId::new(&user).map_err(|_| malformed(&self.user_claim))?;
        let roles = claims::roles(role);

        let claims = Parts { json: payload, roles, token_id, session_id };
        let identity = Identity::of_token(user, origin, claims, [issued_at, Some(in_force.until)]);
        Ok((identity, in_force))
    }

    fn check_issuer(&self, issuer: Option<Cow<'_, str>>, usual: Arc<Origin>) -> Result<Arc<Origin>, AuthError> {
        // The usual one is none only where none is expected.
        if issuer.as_deref() == usual.issuer.as_deref() {
            return Ok(usual);
        }
        let issuer = if self.issuers.is_empty() {
            issuer.map(Arc::from)
        } else {
            let issuer = issuer.ok_or_else(|| missing("iss"))?;
            let expected = self.issuers.iter().find(|expected| ***expected == *issuer);
            Some(expected.cloned().ok_or(AuthError::WrongIssuer)?)
        };
        let first_name = usual.issuer.clone();
        Ok(Arc::new(Origin { issuer, first_name, method: usual.method.clone() }))
    }

    fn check_audience(&self, aud: Option<Json<'_>>) -> Result<(), AuthError> {
        let is_meant = |one: &str| self.audiences.iter().any(|expected| **expected == *one);
        match claims::any_text(aud, "aud", is_meant)? {
            _ if self.audiences.is_empty() => Ok(()),
            Some(true) => Ok(()),
            Some(false) => Err(AuthError::WrongAudience),
            None => Err(missing("aud")),
        }
    }
}

/// From when until when a token is in force, by its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InForce {
    /// The later of `nbf` and `iat`; the earliest instant if it has neither.
    since: Timestamp,
    /// `exp`.
    until: Timestamp,
}

impl InForce {
    /// Of a token that says so; without an `exp` it never is.
    pub(crate) fn between(since: Timestamp, until: Option<Timestamp>) -> Self {
        Self { since, until: until.unwrap_or(Timestamp::from_micros(i64::MIN)) }
    }

    pub(crate) fn since(self) -> Timestamp {
        self.since
    }

    /// Whether it is in force now, by the same rule by which it was taken.
    pub(crate) fn holds(self, now: Timestamp, leeway: Duration) -> bool {
        now < self.until.saturating_add(leeway) && self.since <= now.saturating_add(leeway)
    }
}

/// Checks the times and hands them back: when the token was issued, if it says so, and when it is in force.
///
/// A token is in force while `nbf - leeway <= now < exp + leeway` (RFC 7519 §4.1.4, §4.1.5). `exp` is required. A token
/// that begins after it ends, or was issued in the future, is refused too.
fn check_times(
    exp: Option<Json<'_>>,
    nbf: Option<Json<'_>>,
    iat: Option<Json<'_>>,
    now: Timestamp,
    leeway: Duration,
) -> Result<(Option<Timestamp>, InForce), AuthError> {
    let exp = claims::time(exp, "exp")?.ok_or_else(|| missing("exp"))?;
    let nbf = claims::time(nbf, "nbf")?;
    let iat = claims::time(iat, "iat")?;
    if now >= exp.saturating_add(leeway) {
        return Err(AuthError::Expired(now.since(exp)));
    }
    if nbf.is_some_and(|nbf| nbf > exp) {
        return Err(malformed("nbf"));
    }
    if let Some(nbf) = nbf.filter(|nbf| *nbf > now.saturating_add(leeway)) {
        return Err(AuthError::NotYetValid(nbf.since(now)));
    }
    match iat.filter(|iat| *iat > now.saturating_add(leeway)) {
        Some(iat) => Err(AuthError::IssuedInFuture(iat.since(now))),
        None => {
            let since = nbf.max(iat).unwrap_or(Timestamp::from_micros(i64::MIN));
            Ok((iat, InForce { since, until: exp }))
        }
    }
}

/// Whether a `typ` announces a kind of token that is made for something else than calling an API.
///
/// RFC 8725 §3.11 types end in `+jwt`; of these only the access token of RFC 9068 is meant for a resource server.
fn is_other_kind(typ: &str) -> bool {
    let suffix = typ.len().checked_sub("+jwt".len()).and_then(|start| typ.get(start..));
    suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+jwt")) && !is_media_type(typ, "at+jwt")
}
