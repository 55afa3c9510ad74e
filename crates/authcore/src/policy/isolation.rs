//! From an identity and the owner a request names to a [`UserScope`], or to a refusal.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::path::{AmbiguousPath, RequestPath};
use super::template::Template;
use crate::error::ConfigError;
use crate::identity::{Access, Identity, UserId, UserScope};
use crate::refusal::Refusal;

/// Who may touch whose rows. Deny by default: a path that names a user is that user's alone, until a role is let in.
///
/// Templates are made of literals, one `{owner}` (its name is free), `*` for any one segment and a final `**` for the
/// rest, none included. They are matched on the raw path, decoded once. Where several match, a literal beats a
/// parameter, and a parameter beats `**`, from left to right. A path that none matches concerns the caller's own rows.
/// One whose owner depends on whether a router decodes a literal, or minds a slash at the end, is refused.
///
/// ```
/// use authcore::Isolation;
///
/// let isolation = Isolation::path("/api/{user_id}/tasks/**")
///     .own("/api/user/**")          // `user` is a word here, not somebody's id
///     .allow_role("admin")
///     .allow_role_to_read("auditor");
/// ```
#[must_use]
#[derive(Debug, Default)]
pub struct Isolation {
    rules: Vec<Rule>,
    roles: Vec<(Box<str>, Access)>,
    hide: bool,
    broken: Option<ConfigError>,
}

#[derive(Debug)]
struct Rule {
    template: Template,
    precedence: Vec<u8>,
}

impl Isolation {
    /// Paths of this template belong to the user in its `{…}` segment. A template that cannot be served is reported when
    /// the guard is built.
    pub fn path(template: &str) -> Self {
        Self::default().and_path(template)
    }

    /// A further template.
    pub fn and_path(self, template: &str) -> Self {
        self.with(template, true, "names no owner, as in /api/{user_id}/**")
    }

    /// Paths of this template concern the caller's own rows, though a template with `{…}` would match too.
    pub fn own(self, template: &str) -> Self {
        self.with(template, false, "is for the caller's own rows, so it names no owner")
    }

    /// Lets callers with this role read and write everybody's rows.
    pub fn allow_role(mut self, role: impl Into<Box<str>>) -> Self {
        self.roles.push((role.into(), Access::Full));
        self
    }

    /// Lets callers with this role read everybody's rows: `GET` and `HEAD` pass, other methods are
    /// `403 insufficient_role`.
    pub fn allow_role_to_read(mut self, role: impl Into<Box<str>>) -> Self {
        self.roles.push((role.into(), Access::Read));
        self
    }

    /// Answers `404 not_found` instead of `403` for other users' paths, where their existence is to be hidden.
    pub fn hide(mut self) -> Self {
        self.hide = true;
        self
    }

    fn with(mut self, text: &str, names_owner: bool, otherwise: &str) -> Self {
        match Template::parse(text) {
            Ok(template) if template.names_owner() == names_owner => {
                self.rules.push(Rule { precedence: template.precedence(), template });
            }
            Ok(_) => {
                self.broken = self.broken.or(Some(ConfigError::new(format!("path template `{text}` {otherwise}"))))
            }
            Err(error) => self.broken = self.broken.or(Some(error)),
        }
        self
    }

    pub(crate) fn prepare(mut self) -> Result<Self, ConfigError> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        self.rules.sort_by(|a, b| a.precedence.cmp(&b.precedence));
        Ok(self)
    }

    /// The owner that a path names, if it names one.
    ///
    /// Routers differ in whether `/%61` or `/a/` is `/a`: where one would find another owner than the other, nobody can
    /// tell whose path it is.
    pub(crate) fn owner_named<'r>(&self, path: RequestPath<'r>) -> Result<Option<Cow<'r, str>>, AmbiguousPath> {
        let mut matching = self.rules.iter().filter_map(|rule| Some((rule, rule.template.matches(path)?.owner)));
        let Some((rule, owner)) = matching.next() else { return Ok(None) };
        if rule.template.is_spelt_out_in(path) {
            return Ok(owner);
        }
        match matching.find(|(rule, _)| rule.template.is_spelt_out_in(path)) {
            Some((_, other)) if other != owner => Err(AmbiguousPath),
            _ => Ok(owner),
        }
    }

    /// The decision on rows of `owner`; `None` for the caller's own.
    pub(crate) fn decide(
        &self,
        caller: &Identity,
        owner: Option<&str>,
        only_reads: bool,
    ) -> Result<UserScope, Refusal> {
        let Some(owner) = owner.filter(|owner| *owner != caller.user_id().as_str()) else {
            return Ok(caller.scope());
        };
        let held = self.roles.iter().filter(|(role, _)| caller.has_role(role)).map(|(_, access)| *access);
        let access = held.reduce(|a, b| if a == Access::Full { a } else { b });
        match (access, UserId::new(owner)) {
            (Some(Access::Read), Ok(_)) if !only_reads => Err(Refusal::insufficient_role()),
            (Some(access), Ok(owner)) => Ok(UserScope::granted(owner, caller.user_id().clone(), access)),
            _ if self.hide => Err(Refusal::not_found().for_reason("not_owner")),
            _ => Err(Refusal::not_owner()),
        }
    }
}

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
