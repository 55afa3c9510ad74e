//! The tokens of one issuer: whose keys sign them, and what is expected of them.

use std::sync::{Arc, LazyLock};

use super::cache::{Basis, Verified};
use super::compact::{Compact, SignatureRoom, decode_text};
use super::expectations::{Expectations, InForce};
use super::header::Header;
use super::known_headers::{KnownHeaders, find};
use crate::clock::Timestamp;
use crate::error::{AuthError, Part};
use crate::identity::Origin;
use crate::json::{self, Json, Wanted};
use crate::jwks::{Fetching, Key, KeyResolver, KeySnapshot, Miss};

/// Keys and expectations, put together.
pub(crate) struct Trust {
    pub(crate) keys: Box<dyn KeyResolver>,
    pub(crate) expectations: Expectations,
    known_headers: KnownHeaders,
}

impl Trust {
    pub(crate) fn new(keys: Box<dyn KeyResolver>, expectations: Expectations) -> Self {
        Self { keys, expectations, known_headers: KnownHeaders::default() }
    }

    /// Header, key, signature, claims.
    pub(crate) fn judge(&self, compact: &Compact<'_>, now: Timestamp) -> Result<Verified, Unjudged> {
        let lead = match self.recall(compact.header) {
            Some(known) => known,
            None => Lead::New(self.read_header(compact.header)?),
        };
        let mut room = SignatureRoom::new();
        let signature = room.decode(compact.signature)?;
        let (found, known_origin) = match lead {
            Lead::Known(found, origin) => (found, Some(origin)),
            Lead::New(header) => (self.find(header)?, None),
        };
        let key = found.key()?;
        if !key.verifies(compact.signing_input.as_bytes(), signature) {
            return Err(AuthError::BadSignature.into());
        }
        let origin = known_origin.unwrap_or_else(|| {
            let origin = self.expectations.usual_origin(key);
            self.known_headers.remember(compact.header, key.algorithm(), &found.set, found.place, Arc::clone(&origin));
            origin
        });
        let payload = decode_text(compact.payload, Part::Payload)?;
        let (identity, in_force) = self.expectations.judge(payload, now, origin)?;
        let basis = Basis { keys: found.set.fingerprint(), algorithm: key.algorithm(), trust: 0 };
        Ok(Verified { identity, in_force, basis })
    }

    /// Whether judging it anew would end the same: by the same keys, which may be used now, and at this time.
    pub(crate) fn still_stands(&self, basis: &Basis, in_force: InForce, now: Timestamp) -> bool {
        let by_same_keys = |keys: KeySnapshot<'_>| keys.fingerprint() == basis.keys;
        self.keys.current(basis.algorithm).is_some_and(by_same_keys) && in_force.holds(now, self.expectations.leeway)
    }

    /// Only a key that is not known is worth asking the resolver about.
    pub(crate) fn after(&self, error: AuthError, key_id: Option<&str>) -> Next {
        if !matches!(error, AuthError::UnknownKey) {
            return Next::Refuse(error);
        }
        match self.keys.after_miss(key_id) {
            Miss::Unknown => Next::Refuse(error),
            Miss::Unavailable(cause) => Next::Refuse(AuthError::Unavailable(cause)),
            Miss::Fetch(fetched) => Next::Fetch(fetched),
        }
    }

    fn is_of(&self, issuer: &str) -> bool {
        self.issuers().iter().any(|known| **known == *issuer)
    }

    pub(crate) fn issuers(&self) -> &[Arc<str>] {
        &self.expectations.issuers
    }

    /// The key that a header of the same bytes led to, if that is still among those in use.
    fn recall(&self, segment: &str) -> Option<Lead<'_>> {
        let headers = self.known_headers.load();
        let known = find(&headers, segment)?;
        let set = self.keys.current(known.algorithm)?;
        known.is_of(&set).then(|| Lead::Known(Found { set, place: known.place }, Arc::clone(&known.origin)))
    }

    /// A header that is new, judged by itself.
    fn read_header(&self, segment: &str) -> Result<Header, AuthError> {
        let header = Header::parse(segment)?;
        self.expectations.check_header(&header)?;
        Ok(header)
    }

    /// The key that a header asks for.
    fn find(&self, header: Header) -> Result<Found<'_>, Unjudged> {
        let Header { algorithm, key_id, .. } = header;
        let chosen = self.keys.current(algorithm).ok_or(AuthError::UnknownKey).and_then(|set| {
            // Where keys have to be named, one without a name serves nobody.
            let must_be_known = self.expectations.key_id_required && !algorithm.is_symmetric();
            if must_be_known && !key_id.as_deref().is_some_and(|id| set.knows(id)) {
                return Err(AuthError::UnknownKey);
            }
            let place = set.place_of(key_id.as_deref(), algorithm)?;
            Ok(Found { set, place })
        });
        chosen.map_err(|error| Unjudged { error, key_id, trust: 0 })
    }
}

/// Which of several the token says it is for, by its `iss`. Nothing is believed yet: whichever it is judges all of it,
/// `iss` included.
pub(crate) fn chosen_by(compact: &Compact<'_>, trusts: &[Trust]) -> Result<usize, AuthError> {
    static ISSUER: LazyLock<Wanted> = LazyLock::new(|| Wanted::new(["iss"]));
    if trusts.len() == 1 {
        return Ok(0);
    }
    // What none of them would take is not worth reading on, and the first says why.
    let header = Header::parse(compact.header)?;
    let mut verdicts = trusts.iter().map(|trust| trust.expectations.check_header(&header));
    if let Some(first @ Err(_)) = verdicts.next()
        && verdicts.all(|other| other.is_err())
    {
        first?;
    }
    let payload = decode_text(compact.payload, Part::Payload)?;
    let mut taken = [None];
    json::walk(&payload, &ISSUER, &mut taken).map_err(|fault| Part::Payload.fault(fault))?;
    let issuer = taken[0].and_then(Json::string).ok_or_else(|| match taken[0] {
        Some(_) => AuthError::MalformedClaim("iss".into()),
        None => AuthError::MissingClaim("iss".into()),
    })?;
    trusts.iter().position(|trust| trust.is_of(&issuer)).ok_or(AuthError::WrongIssuer)
}

/// What a token's header leads to.
enum Lead<'k> {
    /// A key, as one of the same bytes did before.
    Known(Found<'k>, Arc<Origin>),
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

/// A token that yielded no identity, with the key id it named, and whose token it said it was.
pub(crate) struct Unjudged {
    pub(crate) error: AuthError,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) trust: usize,
}

impl From<AuthError> for Unjudged {
    fn from(error: AuthError) -> Self {
        Self { error, key_id: None, trust: 0 }
    }
}

/// What to do about a token that yielded no identity.
pub(crate) enum Next {
    Refuse(AuthError),
    Fetch(Fetching),
}
