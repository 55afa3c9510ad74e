//! Settings of a verifier.

use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::cache::TokenCache;
use super::expectations::{Expectations, MAX_LEEWAY};
use super::trust::Trust;
use super::verifier::{Inner, JwtVerifier};
use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::jwks::KeyResolver;
use crate::revocation::Revocation;

/// Settings of a [`JwtVerifier`]. Stating an expectation makes the claim required; `exp` always is.
#[must_use]
pub struct JwtVerifierBuilder {
    keys: Box<dyn KeyResolver>,
    expectations: Expectations,
    clock: Box<dyn Clock>,
    cache: Option<TokenCache>,
    revocation: Option<Box<dyn Revocation>>,
    others: Vec<JwtVerifierBuilder>,
}

impl JwtVerifierBuilder {
    pub(super) fn new(keys: impl KeyResolver) -> Self {
        Self {
            keys: Box::new(keys),
            expectations: Expectations::default(),
            clock: Box::new(SystemClock),
            cache: Some(TokenCache::default()),
            revocation: None,
            others: Vec::new(),
        }
    }

    /// An issuer that is believed, compared byte for byte with `iss`. Call it again for another name of the same issuer:
    /// users of two that share an id would share their rows. By default the one whose keys these are, if they know
    /// ([`RemoteKeys::discover`](crate::RemoteKeys::discover)), or else none, and then `iss` is not asked for: sensible only
    /// when nobody else signs with these keys.
    pub fn issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        self.expectations.issuers.push(issuer.into());
        self
    }

    /// An audience this service goes by; `aud` must hold it. Call it again for another, of which one must be held.
    /// None by default, and then `aud` is not asked for.
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.expectations.audiences.push(audience.into());
        self
    }

    /// The algorithms that are allowed. All by default, which is safe, since each key is pinned to its own.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.expectations.algorithms = algorithms.into_iter().collect();
        self
    }

    /// The most that [`leeway`](Self::leeway) may be: who keeps what was taken back keeps it for this long after `exp`.
    pub const MAX_LEEWAY: Duration = MAX_LEEWAY;

    /// How far clocks may differ: `nbf - leeway <= now < exp + leeway`. 30 s by default, at most 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.expectations.leeway = leeway;
        self
    }

    /// The one `typ` that is accepted, `application/` left out; `"JWT"` also stands for a token without one. By default
    /// any but those that announce another kind of token (`dpop+jwt`, `logout+jwt` and the like, RFC 8725 §3.11). Building
    /// fails for an empty one and for one with a `/`.
    pub fn typ(mut self, typ: impl Into<Box<str>>) -> Self {
        self.expectations.typ = Some(typ.into());
        self
    }

    /// Takes OAuth 2.0 access tokens alone, by their profile (RFC 9068): `typ` has to be `at+jwt`, and `sub`, `client_id`,
    /// `iat` and `jti` have to be there. Issuer and audience have to be stated, or building fails.
    pub fn access_tokens(mut self) -> Self {
        self.expectations.access_tokens = true;
        self
    }

    /// Refuses tokens that name no key. Off by default: a token without `kid` is taken when exactly one key fits it.
    /// HMAC tokens are not asked, since a shared secret has no id.
    pub fn require_key_id(mut self) -> Self {
        self.expectations.key_id_required = true;
        self
    }

    /// The claim that names the user: `sub` by default; `id`, `userId` and `user_id` are seen in the wild.
    pub fn user_claim(mut self, claim: impl Into<Box<str>>) -> Self {
        self.expectations.user_claim = claim.into();
        self
    }

    /// The claim that lists the user's roles, as a string separated by commas or as an array: `role` by default.
    pub fn role_claim(mut self, claim: impl Into<Box<str>>) -> Self {
        self.expectations.role_claim = claim.into();
        self
    }

    /// The claim that names the session a token belongs to, a string: `sid` by default. A token may go without; see
    /// [`Identity::session_id`](crate::Identity::session_id).
    pub fn session_claim(mut self, claim: impl Into<Box<str>>) -> Self {
        self.expectations.session_claim = claim.into();
        self
    }

    /// A further claim that must be there and not be null. At most 15, with the four of [`access_tokens`](Self::access_tokens).
    pub fn require(mut self, claim: impl Into<Box<str>>) -> Self {
        self.expectations.required.push(claim.into());
        self
    }

    /// The longest token that is looked at: 16 KiB by default, at most 1 GiB.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.expectations.max_bytes = bytes;
        self
    }

    /// The clock tokens are judged by: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// How much room verified tokens get that are remembered, so that they need not be verified again: 20 000 tokens in
    /// 32 MiB by default. Keys and times are asked for at each request all the same.
    pub fn cache(mut self, cache: TokenCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Verifies every token every time.
    pub fn without_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Asks this of every token that verifies, remembered ones too: was it taken back? By default nothing is asked. Of an
    /// issuer that goes by several names it is asked by each: what is taken back under one is taken back under all.
    pub fn revocation(mut self, revocation: impl Revocation) -> Self {
        self.revocation = Some(Box::new(revocation));
        self
    }

    /// Takes the tokens of other issuers too, each by its own keys and expectations. A token's `iss` says which of them
    /// judges it, all of it, so that none relaxes what another asks. Clock, cache and revocation are those of this one, and a
    /// revocation stated at another is refused on building.
    ///
    /// ```
    /// use authcore::{Algorithm, JwtVerifier, KeySet};
    /// # let (ours, theirs) = (KeySet::default(), KeySet::default());
    ///
    /// let partner = JwtVerifier::builder(theirs)
    ///     .issuer("https://partner.example")
    ///     .audience("tasks-for-partners")
    ///     .algorithms([Algorithm::Es256]);
    /// let verifier = JwtVerifier::builder(ours)
    ///     .issuer("https://app.example.com")
    ///     .audience("tasks")
    ///     .or(partner)
    ///     .build()?;
    /// # Ok::<(), authcore::ConfigError>(())
    /// ```
    pub fn or(mut self, other: Self) -> Self {
        self.others.push(other);
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the settings contradict each other or leave their bounds; of several issuers, when one is not
    /// named or is named by two.
    pub fn build(self) -> Result<JwtVerifier, ConfigError> {
        let Self { keys, expectations, clock, cache, revocation, others } = self;
        let mut trusts = vec![trust(keys, expectations)?];
        let mut others = others;
        while let Some(other) = others.pop() {
            if other.revocation.is_some() {
                let why = "it is asked for all issuers, so state it at the first";
                return Err(ConfigError::new(format!("revocation: {why}")));
            }
            trusts.push(trust(other.keys, other.expectations)?);
            others.extend(other.others);
        }
        if trusts.len() > 1 {
            check_told_apart(&trusts)?;
        }
        let cache = cache.map(TokenCache::prepare).transpose()?;
        Ok(JwtVerifier(Arc::new(Inner { trusts: trusts.into(), clock, cache, revocation })))
    }
}

fn trust(keys: Box<dyn KeyResolver>, mut expectations: Expectations) -> Result<Trust, ConfigError> {
    if expectations.issuers.is_empty() {
        expectations.issuers.extend(keys.issuer());
    }
    Ok(Trust::new(keys, expectations.prepare()?))
}

/// Whether the issuer of a token says which one judges it.
fn check_told_apart(trusts: &[Trust]) -> Result<(), ConfigError> {
    if trusts.iter().any(|trust| trust.issuers().is_empty()) {
        return Err(ConfigError::new("issuer: each of several has to be named"));
    }
    for (index, trust) in trusts.iter().enumerate() {
        let named = |issuer: &&Arc<str>| trusts[..index].iter().any(|other| other.issuers().contains(issuer));
        if let Some(issuer) = trust.issuers().iter().find(named) {
            return Err(ConfigError::new(format!(
                "issuer: {issuer:?} is named by two, and only one can judge its tokens"
            )));
        }
    }
    Ok(())
}
