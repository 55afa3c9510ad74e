//! The JWT authenticator: keys and expectations put together.

use std::fmt;
use std::iter;
use std::pin::Pin;
use std::sync::Arc;

use super::builder::JwtVerifierBuilder;
use super::cache::{Basis, Remembered, TokenCacheStatus, Verified};
use super::compact::Compact;
use super::trust::{Next, Trust, Unjudged, chosen_by};
use crate::authenticator::{Authenticator, Glance};
use crate::clock::Clock;
use crate::credential::bearer;
use crate::error::{AuthError, Unavailable};
use crate::head::RequestHead;
use crate::identity::Identity;
use crate::jwks::KeyResolver;
use crate::revocation::{Checked, Revocation};
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
pub struct JwtVerifier(pub(super) Arc<Inner>);

pub(super) struct Inner {
    /// One at least; of several, each names its issuers, and none names another's.
    pub(super) trusts: Box<[Trust]>,
    pub(super) clock: Box<dyn Clock>,
    pub(super) cache: Option<Remembered>,
    pub(super) revocation: Option<Box<dyn Revocation>>,
}

/// A token copied out of a request: what [`JwtVerifier`] waits on when keys have to be fetched, or revocations asked for.
#[derive(Debug)]
pub struct BearerToken(Presented);

enum Presented {
    Token(Secret),
    /// It verified, and whether it was taken back is being asked.
    Verified(Identity, Asking),
}

/// Once for each name of its issuer.
type Asking = Vec<Pin<Box<dyn Future<Output = Result<bool, Unavailable>> + Send>>>;

impl JwtVerifier {
    /// Begins with the keys, which have no sane default.
    pub fn builder(keys: impl KeyResolver) -> JwtVerifierBuilder {
        JwtVerifierBuilder::new(keys)
    }

    /// Judges a token by what is known now, without waiting for anything.
    ///
    /// # Errors
    ///
    /// Why the token is not believed. A key that would have to be fetched first is [`AuthError::UnknownKey`]; revocations
    /// that would have to be asked for elsewhere are [`AuthError::Unavailable`].
    pub fn check(&self, token: &str) -> Result<Identity, AuthError> {
        let identity = self.judge(token).map_err(|unjudged| unjudged.error)?;
        match self.standing(identity)? {
            Standing::Known(identity) => Ok(identity),
            Standing::Asked(..) => {
                let cause = "whether the token was taken back has to be waited for";
                Err(AuthError::Unavailable(Unavailable::new(cause, std::time::Duration::ZERO)))
            }
        }
    }

    /// Judges a token, fetching keys and asking for revocations where that is called for.
    ///
    /// # Errors
    ///
    /// Why the token is not believed; [`AuthError::Unavailable`] when its key could not be fetched, or nobody could tell
    /// whether it was taken back.
    pub async fn verify_token(&self, token: &str) -> Result<Identity, AuthError> {
        let identity = match self.judge(token) {
            Ok(identity) => identity,
            Err(unjudged) => match self.after(unjudged) {
                Next::Refuse(error) => return Err(error),
                Next::Fetch(fetched) => {
                    fetched.await.map_err(AuthError::Unavailable)?;
                    self.judge(token).map_err(|unjudged| unjudged.error)?
                }
            },
        };
        match self.standing(identity)? {
            Standing::Known(identity) => Ok(identity),
            Standing::Asked(identity, asking) => stands(identity, asking).await,
        }
    }

    /// How the cache of verified tokens is doing; `None` when it is off.
    #[must_use]
    pub fn cache_status(&self) -> Option<TokenCacheStatus> {
        self.0.cache.as_ref().map(Remembered::status)
    }

    /// The token by itself: remembered, or judged anew.
    fn judge(&self, token: &str) -> Result<Identity, Unjudged> {
        let Inner { trusts, clock, cache, .. } = &*self.0;
        let Some(cache) = cache else { return Ok(self.judge_anew(token)?.identity) };
        let still_stands = |basis: &Basis, in_force| trusts[basis.trust].still_stands(basis, in_force, clock.now());
        if let Some(identity) = cache.recall(token, still_stands) {
            return Ok(identity);
        }
        let verified = self.judge_anew(token)?;
        cache.remember(token, &verified);
        Ok(verified.identity)
    }

    fn judge_anew(&self, token: &str) -> Result<Verified, Unjudged> {
        let Inner { trusts, clock, .. } = &*self.0;
        let longest = trusts.iter().map(|trust| trust.expectations.max_bytes).max().unwrap_or_default();
        let compact = Compact::parse(token, longest)?;
        let chosen = chosen_by(&compact, trusts)?;
        let trust = &trusts[chosen];
        if token.len() > trust.expectations.max_bytes {
            return Err(AuthError::TooLong(trust.expectations.max_bytes).into());
        }
        match trust.judge(&compact, clock.now()) {
            Ok(verified) => Ok(Verified { basis: Basis { trust: chosen, ..verified.basis }, ..verified }),
            Err(unjudged) => Err(Unjudged { trust: chosen, ..unjudged }),
        }
    }

    fn after(&self, Unjudged { error, key_id, trust }: Unjudged) -> Next {
        self.0.trusts[trust].after(error, key_id.as_deref())
    }

    /// What else the issuer of a token goes by: tokens of the same user may say either, and so may who takes them back.
    fn other_names<'v>(&'v self, named: Option<&str>) -> impl Iterator<Item = &'v Arc<str>> {
        let mut names = self.0.trusts.iter().map(Trust::issuers);
        let of_issuer = names.find(|names| names.iter().any(|name| Some(&**name) == named)).unwrap_or_default();
        of_issuer.iter().filter(move |name| Some(&***name) != named)
    }

    /// Whether a genuine token was taken back.
    fn standing(&self, identity: Identity) -> Result<Standing, AuthError> {
        let Some(revocation) = &self.0.revocation else { return Ok(Standing::Known(identity)) };
        let by_other_names = self.other_names(identity.issuer()).map(|name| {
            let renamed = identity.clone().issued_by(Arc::clone(name));
            revocation.check(&renamed)
        });
        let mut asking = Asking::new();
        for asked in iter::once(revocation.check(&identity)).chain(by_other_names) {
            match asked {
                Checked::Now(false) => {}
                Checked::Now(true) => return Err(AuthError::Revoked),
                Checked::Later(answer) => asking.push(answer),
            }
        }
        Ok(if asking.is_empty() { Standing::Known(identity) } else { Standing::Asked(identity, asking) })
    }
}

/// How a genuine token stands.
enum Standing {
    /// It was not taken back.
    Known(Identity),
    Asked(Identity, Asking),
}

async fn stands(identity: Identity, asking: Asking) -> Result<Identity, AuthError> {
    for answer in asking {
        if answer.await.map_err(AuthError::Unavailable)? {
            return Err(AuthError::Revoked);
        }
    }
    Ok(identity)
}

impl Authenticator for JwtVerifier {
    type Credential = BearerToken;

    /// Any `Bearer` token counts as meant for this verifier, whatever its shape.
    fn credential(&self, head: &dyn RequestHead) -> Result<Option<BearerToken>, AuthError> {
        Ok(bearer::token(head)?.map(BearerToken::of))
    }

    async fn verify(&self, credential: BearerToken) -> Result<Identity, AuthError> {
        match credential.0 {
            Presented::Token(token) => {
                let token = std::str::from_utf8(token.expose_bytes()).map_err(|_| AuthError::NotCompact)?;
                self.verify_token(token).await
            }
            Presented::Verified(identity, asking) => stands(identity, asking).await,
        }
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<BearerToken> {
        let token = match bearer::token(head) {
            Ok(Some(token)) => token,
            Ok(None) => return Glance::Absent,
            Err(error) => return Glance::Judged(Err(error)),
        };
        match self.judge(token) {
            Ok(identity) => match self.standing(identity) {
                Ok(Standing::Known(identity)) => Glance::Judged(Ok(identity)),
                Ok(Standing::Asked(identity, asking)) => {
                    Glance::Pending(BearerToken(Presented::Verified(identity, asking)))
                }
                Err(error) => Glance::Judged(Err(error)),
            },
            Err(unjudged) => match self.after(unjudged) {
                Next::Refuse(error) => Glance::Judged(Err(error)),
                Next::Fetch(_) => Glance::Pending(BearerToken::of(token)),
            },
        }
    }
}

impl BearerToken {
    fn of(token: &str) -> Self {
        Self(Presented::Token(Secret::new(token)))
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(token) => f.debug_tuple("Token").field(token).finish(),
            Self::Verified(identity, _) => f.debug_tuple("Verified").field(identity).finish(),
        }
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expectations = self.0.trusts.iter().map(|trust| &trust.expectations);
        f.debug_struct("JwtVerifier")
            .field("expectations", &expectations.collect::<Vec<_>>())
            .field("cache", &self.cache_status())
            .finish_non_exhaustive()
    }
}
