//! The JWT authenticator: keys and expectations put together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::compact::{Compact, SignatureRoom, decode_text};
use super::expectations::Expectations;
use super::header::Header;
use super::known_headers::{KnownHeaders, find};
use crate::authenticator::{Authenticator, Glance};
use crate::clock::{Clock, SystemClock};
use crate::credential::bearer;
use crate::error::{AuthError, ConfigError, Part};
use crate::head::RequestHead;
use crate::identity::Identity;
use crate::jwks::{Key, KeyResolver, KeySnapshot, Miss};
use crate::secret::Secret;

/// Verifies JSON Web Tokens against keys and expectations. Cloning is cheap.
///
/// ```
/// use authcore::{Algorithm, JwtVerifier, Key, KeySet, Secret};
///
/// let key = Key::hmac(Algorithm::Hs256, &Secret::new("kept-in-the-environment-32-bytes+"))?;
/// let verifier = JwtVerifier::builder(KeySet::new([key]))
///     .issuer("https://id.example.com")
///     .audience("tasks-api")
///     .build()?;
///
/// assert_eq!(verifier.check("no token").unwrap_err().reason(), "not_compact");
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct JwtVerifier(Arc<Inner>);

struct Inner {
    keys: Box<dyn KeyResolver>,
    expectations: Expectations,
    clock: Box<dyn Clock>,
    known_headers: KnownHeaders,
}

/// A token copied out of a request: what [`JwtVerifier`] waits on when it has to fetch keys.
#[derive(Debug)]
pub struct BearerToken(Secret);

impl JwtVerifier {
    /// Begins with the keys, which have no sane default.
    pub fn builder(keys: impl KeyResolver) -> JwtVerifierBuilder {
        JwtVerifierBuilder { keys: Box::new(keys), expectations: Expectations::default(), clock: Box::new(SystemClock) }
    }

    /// Judges a token by the keys known now, without fetching any.
    ///
    /// # Errors
    ///
    /// Why the token is not believed. A key that would have to be fetched first is [`AuthError::UnknownKey`].
    pub fn check(&self, token: &str) -> Result<Identity, AuthError> {
        self.judge(token).map_err(Unjudged::into_error)
    }

    /// Judges a token, fetching keys where that may help.
    ///
    /// # Errors
    ///
    /// Why the token is not believed; [`AuthError::Unavailable`] when its key could not be fetched.
    pub async fn verify_token(&self, token: &str) -> Result<Identity, AuthError> {
        let Unjudged { error, key_id } = match self.judge(token) {
            Ok(identity) => return Ok(identity),
            Err(unjudged) => unjudged,
        };
        match self.after(error, key_id.as_deref()) {
            Next::Refuse(error) => Err(error),
            Next::Fetch(fetched) => {
                fetched.await.map_err(AuthError::Unavailable)?;
                self.check(token)
            }
        }
    }

    /// Length, segments, header, key, signature, claims.
    fn judge(&self, token: &str) -> Result<Identity, Unjudged> {
        let Inner { expectations, clock, known_headers, .. } = &*self.0;
        let compact = Compact::parse(token, expectations.max_bytes)?;
        let lead = match self.recall(compact.header) {
            Some(found) => Lead::Known(found),
            None => Lead::New(self.read_header(compact.header)?),
        };
        let mut room = SignatureRoom::new();
        let signature = room.decode(compact.signature)?;
        let is_new = matches!(lead, Lead::New(_));
        let found = match lead {
            Lead::Known(found) => found,
            Lead::New(header) => self.find(header)?,
        };
        let key = found.key()?;
        if !key.verifies(compact.signing_input.as_bytes(), signature) {
            return Err(AuthError::BadSignature.into());
        }
        if is_new {
            known_headers.remember(compact.header, key.algorithm(), &found.set, found.place);
        }
        let payload = decode_text(compact.payload, Part::Payload)?;
        Ok(expectations.judge(payload, clock.now(), key.algorithm(), key.id().cloned())?)
    }

    /// The key that a header of the same bytes led to, if that is still among those in use.
    fn recall(&self, segment: &str) -> Option<Found<'_>> {
        let Inner { keys, known_headers, .. } = &*self.0;
        let headers = known_headers.load();
        let known = find(&headers, segment)?;
        let set = keys.current(known.algorithm)?;
        known.is_of(&set).then(|| Found { set, place: known.place })
    }

    /// A header that is new, judged by itself.
    fn read_header(&self, segment: &str) -> Result<Header, AuthError> {
        let header = Header::parse(segment)?;
        self.0.expectations.check_header(&header)?;
        Ok(header)
    }

    /// The key that a header asks for.
    fn find(&self, header: Header) -> Result<Found<'_>, Unjudged> {
        let Header { algorithm, key_id, .. } = header;
        let chosen = self.0.keys.current(algorithm).ok_or(AuthError::UnknownKey).and_then(|set| {
            let place = set.place_of(key_id.as_deref(), algorithm)?;
            Ok(Found { set, place })
        });
        chosen.map_err(|error| Unjudged { error, key_id })
    }

    /// Only a key that is not known is worth asking the resolver about.
    fn after(&self, error: AuthError, key_id: Option<&str>) -> Next {
        if !matches!(error, AuthError::UnknownKey) {
            return Next::Refuse(error);
        }
        match self.0.keys.after_miss(key_id) {
            Miss::Unknown => Next::Refuse(error),
            Miss::Unavailable(cause) => Next::Refuse(AuthError::Unavailable(cause)),
            Miss::Fetch(fetched) => Next::Fetch(fetched),
        }
    }
}

/// What a token's header leads to.
enum Lead<'k> {
    /// A key, as one of the same bytes did before.
    Known(Found<'k>),
    New(Header),
}

/// A key among those in use.
struct Found<'k> {
    set: KeySnapshot<'k>,
    place: usize,
}

impl Found<'_> {
    fn key(&self) -> Result<&Key, AuthError> {
        self.set.key_at(self.place).ok_or(AuthError::UnknownKey)
    }
}

/// A token that yielded no identity, with the key id it named.
struct Unjudged {
    error: AuthError,
    key_id: Option<Box<str>>,
}

impl Unjudged {
    fn into_error(self) -> AuthError {
        self.error
    }
}

impl From<AuthError> for Unjudged {
    fn from(error: AuthError) -> Self {
        Self { error, key_id: None }
    }
}

enum Next {
    Refuse(AuthError),
    Fetch(crate::jwks::Fetching),
}

impl Authenticator for JwtVerifier {
    type Credential = BearerToken;

    /// Any `Bearer` token counts as meant for this verifier, whatever its shape.
    fn credential(&self, head: &dyn RequestHead) -> Result<Option<BearerToken>, AuthError> {
        Ok(bearer::token(head)?.map(|token| BearerToken(Secret::new(token))))
    }

    async fn verify(&self, credential: BearerToken) -> Result<Identity, AuthError> {
        let token = std::str::from_utf8(credential.0.expose_bytes()).map_err(|_| AuthError::NotCompact)?;
        self.verify_token(token).await
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<BearerToken> {
        let token = match bearer::token(head) {
            Ok(Some(token)) => token,
            Ok(None) => return Glance::Absent,
            Err(error) => return Glance::Judged(Err(error)),
        };
        match self.judge(token) {
            Ok(identity) => Glance::Judged(Ok(identity)),
            Err(Unjudged { error, key_id }) => match self.after(error, key_id.as_deref()) {
                Next::Refuse(error) => Glance::Judged(Err(error)),
                Next::Fetch(_) => Glance::Pending(BearerToken(Secret::new(token))),
            },
        }
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier").field("expectations", &self.0.expectations).finish_non_exhaustive()
    }
}

/// Settings of a [`JwtVerifier`]. Stating an expectation makes the claim required; `exp` always is.
#[must_use]
pub struct JwtVerifierBuilder {
    keys: Box<dyn KeyResolver>,
    expectations: Expectations,
    clock: Box<dyn Clock>,
}

impl JwtVerifierBuilder {
    /// An issuer that is believed, compared byte for byte with `iss`. Call it again for another name of the same issuer:
    /// users of two that share an id would share their rows. None by default, and then `iss` is not asked for: sensible
    /// only when nobody else signs with these keys.
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

    /// How far clocks may differ: `nbf - leeway <= now < exp + leeway`. 30 s by default, at most 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.expectations.leeway = leeway;
        self
    }

    /// The one `typ` that is accepted, `application/` left out; `"JWT"` also stands for a token without one. By default
    /// any but those that announce another kind of token (`dpop+jwt`, `logout+jwt` and the like, RFC 8725 §3.11).
    pub fn typ(mut self, typ: impl Into<Box<str>>) -> Self {
        self.expectations.typ = Some(typ.into());
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
    /// [`Identity::session_id`].
    pub fn session_claim(mut self, claim: impl Into<Box<str>>) -> Self {
        self.expectations.session_claim = claim.into();
        self
    }

    /// A further claim that must be there and not be null.
    pub fn require(mut self, claim: impl Into<Box<str>>) -> Self {
        self.expectations.required.push(claim.into());
        self
    }

    /// The longest token that is looked at: 16 KiB by default.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.expectations.max_bytes = bytes;
        self
    }

    /// The clock tokens are judged by: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the settings contradict each other or leave their bounds.
    pub fn build(self) -> Result<JwtVerifier, ConfigError> {
        let expectations = self.expectations.prepare()?;
        Ok(JwtVerifier(Arc::new(Inner {
            keys: self.keys,
            expectations,
            clock: self.clock,
            known_headers: KnownHeaders::default(),
        })))
    }
}
