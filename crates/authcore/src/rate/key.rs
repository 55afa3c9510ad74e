//! Who is counted, in a form in which no two can be taken for one another.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::address::Address;
use crate::identity::Identity;

/// Whose requests are counted together: an address, a user, both, or something of one's own.
///
/// Kinds and parts never run together: a user called `1.2.3.4` is not that address, and `ab` with `c` is not `a` with
/// `bc`. A user is counted by issuer and id; where one verifier takes several names of an issuer, by the first of them.
#[derive(Clone, PartialEq, Eq)]
pub struct RateKey<'k> {
    kind: Kind,
    address: Option<Address>,
    texts: [Cow<'k, str>; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Nowhere = 0,
    Address = 1,
    User = 2,
    AddressAndUser = 3,
    ApiKey = 4,
    Organization = 5,
    Custom = 6,
}

impl<'k> RateKey<'k> {
    /// All requests from an address: IPv6 by its network.
    #[must_use]
    pub fn address(address: Address) -> Self {
        Self { kind: Kind::Address, address: Some(address), texts: Default::default() }
    }

    /// All requests that come from no address that is known.
    pub(crate) fn nowhere() -> Self {
        Self { kind: Kind::Nowhere, address: None, texts: Default::default() }
    }

    /// All requests of a user, from wherever they come.
    #[must_use]
    pub fn user(identity: &'k Identity) -> Self {
        Self { kind: Kind::User, address: None, texts: user(identity) }
    }

    /// A user's requests from one address.
    #[must_use]
    pub fn address_and_user(address: Address, identity: &'k Identity) -> Self {
        Self { kind: Kind::AddressAndUser, address: Some(address), texts: user(identity) }
    }

    /// The requests with one API key, by its id.
    #[must_use]
    pub fn api_key(id: impl Into<Cow<'k, str>>) -> Self {
        Self { kind: Kind::ApiKey, address: None, texts: [id.into(), Cow::Borrowed("")] }
    }

    /// The requests of an organization's members, together. Whether the caller is a member has to be known.
    #[must_use]
    pub fn organization(id: impl Into<Cow<'k, str>>) -> Self {
        Self { kind: Kind::Organization, address: None, texts: [id.into(), Cow::Borrowed("")] }
    }

    /// The same of a key of this caller's issuer: ids may be numbers, and each issuer's begin anew.
    pub(crate) fn api_key_of(identity: &'k Identity, id: String) -> Self {
        Self { texts: [Cow::Owned(id), of_issuer(identity)], ..Self::api_key("") }
    }

    /// The same of an organization that this caller's issuer names.
    pub(crate) fn organization_of(identity: &'k Identity, id: String) -> Self {
        Self { texts: [Cow::Owned(id), of_issuer(identity)], ..Self::organization("") }
    }

    /// Something of one's own.
    #[must_use]
    pub fn custom(text: impl Into<Cow<'k, str>>) -> Self {
        Self { kind: Kind::Custom, address: None, texts: [text.into(), Cow::Borrowed("")] }
    }

    /// With texts of its own.
    #[must_use]
    pub fn into_owned(self) -> RateKey<'static> {
        let Self { kind, address, texts } = self;
        RateKey { kind, address, texts: texts.map(|text| Cow::Owned(text.into_owned())) }
    }

    /// SHA-256 over the key's parts, each after its length: the same for the same subject everywhere, and nothing of what
    /// users wrote in it. For stores that are shared.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut text = Vec::with_capacity(96);
        text.push(self.kind as u8);
        match self.address {
            Some(Address::V4(octets)) => text.extend([4, 32].into_iter().chain(octets)),
            Some(Address::V6 { network, prefix }) => text.extend([6, prefix].into_iter().chain(network)),
            None => text.push(0),
        }
        for part in &self.texts {
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part.as_bytes());
        }
        crate::digest::sha256(&text)
    }
}

/// Issuer and id: an id means nothing beyond its issuer.
fn user(identity: &Identity) -> [Cow<'_, str>; 2] {
    [of_issuer(identity), Cow::Borrowed(identity.user_id().as_str())]
}

fn of_issuer(identity: &Identity) -> Cow<'_, str> {
    Cow::Borrowed(identity.issuer_by_first_name().unwrap_or_default())
}

impl Hash for RateKey<'_> {
    /// One word for an IPv4 address: this is most of what a count in process costs. The kind, which is in the first word,
    /// says what follows, with a six beside it where that is an IPv6 network.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let kind = self.kind as u64;
        match self.address {
            None => state.write_u64(kind),
            Some(Address::V4(octets)) => state.write_u64(kind | u64::from(u32::from_be_bytes(octets)) << 32),
            Some(Address::V6 { network, prefix }) => {
                state.write_u64(kind | 6 << 8 | u64::from(prefix) << 32);
                state.write(&network);
            }
        }
        let texts = match self.kind {
            Kind::Nowhere | Kind::Address => 0,
            Kind::Custom => 1,
            Kind::User | Kind::AddressAndUser | Kind::ApiKey | Kind::Organization => 2,
        };
        self.texts[..texts].iter().for_each(|text| text.hash(state));
    }
}

impl fmt::Debug for RateKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateKey").field("kind", &self.kind).field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Method, UserId};
    use std::hash::{BuildHasher, RandomState};

    fn identity(issuer: Option<&str>, user: &str) -> Identity {
        let assertion = Identity::assertion(UserId::new(user).expect("an id"), Method::Other("test"));
        match issuer {
            Some(issuer) => assertion.issuer(issuer.into()).into_identity(),
            None => assertion.into_identity(),
        }
    }

    #[test]
    fn no_two_subjects_are_counted_as_one() {
        let address = |text: &str| Address::of(text.parse().expect("an address"), 64);
        let long = "x".repeat(10_240);
        let users = [
            identity(None, "a"),
            identity(Some("a"), "bc"),
            identity(Some("ab"), "c"),
            identity(None, "192.0.2.1"),
            identity(Some("https://a"), "{user}\u{2028}:1"),
        ];
        let mut keys: Vec<RateKey<'_>> = users.iter().map(RateKey::user).collect();
        keys.extend(users.iter().map(|user| RateKey::address_and_user(address("192.0.2.1"), user)));
        keys.extend(users.iter().map(|user| RateKey::address_and_user(address("192.0.2.2"), user)));
        keys.extend(["192.0.2.1", "192.0.2.2", "::1", "2001:db8::1"].map(|text| RateKey::address(address(text))));
        keys.extend([RateKey::nowhere(), RateKey::address(address("0.0.0.0"))]);
        keys.push(RateKey::address(Address::of("2001:db8::1".parse().expect("an address"), 48)));
        // An issuer that goes on after the octets of the other's network.
        let octets = [identity(Some("!A\"B#C$D\0\0\0\0\0\0\0\0https://a"), "a"), identity(Some("https://a"), "a")];
        keys.push(RateKey::address_and_user(address("0.0.0.64"), &octets[0]));
        keys.push(RateKey::address_and_user(address("2141:2242:2343:2444::"), &octets[1]));
        for text in ["", "a", "192.0.2.1", "{a}", "a}{b", "a\nb", "a\0b", long.as_str()] {
            keys.extend([RateKey::api_key(text), RateKey::organization(text), RateKey::custom(text)]);
        }
        type Of = fn(&Identity, &str) -> RateKey<'static>;
        let organization: Of = |user, id| RateKey::organization_of(user, id.to_owned()).into_owned();
        let api_key: Of = |user, id| RateKey::api_key_of(user, id.to_owned()).into_owned();
        for (of, of_nobodys) in [(organization, RateKey::organization("a")), (api_key, RateKey::api_key("a"))] {
            keys.extend(users.iter().filter(|user| user.issuer().is_some()).map(|user| of(user, "a")));
            keys.extend([of(&users[1], "b"), of(&users[2], "")]);
            assert!(of(&users[0], "a") == of_nobodys, "of nobody's issuer");
        }
        let state = RandomState::new();
        for (index, key) in keys.iter().enumerate() {
            for other in &keys[..index] {
                assert!(key != other && key.digest() != other.digest(), "{key:?} {other:?}");
                assert_ne!(state.hash_one(key), state.hash_one(other), "{key:?} {other:?}");
            }
            assert_eq!(key.digest(), key.clone().digest());
            assert_eq!(state.hash_one(key), state.hash_one(key.clone()));
        }
    }

    #[test]
    fn debug_shows_nothing_that_a_user_wrote() {
        let printed = format!("{:?}", RateKey::custom("ann@example.com"));
        assert_eq!(printed, "RateKey { kind: Custom, address: None, .. }");
    }
}
