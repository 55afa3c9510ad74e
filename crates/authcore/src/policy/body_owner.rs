//! The owner that a request's body names, read beside its own fields.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::identity::UserScope;
use crate::refusal::Refusal;

/// The owner that a JSON body names in `user_id` or `userId`: read beside the body's own fields, then checked against
/// the scope. Other fields are passed over.
///
/// ```
/// use authcore::{BodyOwner, Identity, Method, UserId};
///
/// let ann = Identity::assertion(UserId::new("ann")?, Method::Other("example")).into_identity();
/// let named: BodyOwner = serde_json::from_str(r#"{"title":"x","userId":"bob"}"#).unwrap();
/// assert_eq!(named.check(&ann.scope()).unwrap_err().code(), "not_owner");
/// # Ok::<(), authcore::InvalidUserId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyOwner {
    named: Vec<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Text")]
enum Named {
    User(Box<str>),
    /// A number, a list: no user's id, so not the owner's either.
    Nobody,
}

/// A string or anything else. [`serde_json::Value`] would take an object with a name of its own for a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Some(Box<str>),
    None(IgnoredAny),
}

impl From<Text> for Named {
    fn from(text: Text) -> Self {
        match text {
            Text::Some(user) => Self::User(user),
            Text::None(_) => Self::Nobody,
        }
    }
}

impl BodyOwner {
    /// Checks that the body names nobody but the owner of the rows. Leaving the field out, or null, names nobody.
    ///
    /// # Errors
    ///
    /// `403 not_owner`.
    pub fn check(&self, scope: &UserScope) -> Result<(), Refusal> {
        let is_owner = |named: &Named| matches!(named, Named::User(user) if **user == *scope.owner().as_str());
        if self.named.iter().all(is_owner) { Ok(()) } else { Err(Refusal::not_owner().for_reason("not_owner_in_body")) }
    }
}

impl<'de> Deserialize<'de> for BodyOwner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OwnerVisitor;

        impl<'de> Visitor<'de> for OwnerVisitor {
            type Value = BodyOwner;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BodyOwner, A::Error> {
                let mut owner = BodyOwner::default();
                while let Some(name) = map.next_key::<String>()? {
                    if !matches!(name.as_str(), "user_id" | "userId") {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    owner.named.extend(map.next_value::<Option<Named>>()?);
                }
                Ok(owner)
            }

            fn visit_unit<E: de::Error>(self) -> Result<BodyOwner, E> {
                Ok(BodyOwner::default())
            }
        }

        deserializer.deserialize_any(OwnerVisitor)
    }
}
