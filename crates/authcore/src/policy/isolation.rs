//! The rules of who may touch what, and whom a path belongs to.

use std::borrow::Cow;
use std::sync::Arc;

use super::audit::{Audit, Decision};
use super::membership::Membership;
use super::path::{AmbiguousPath, RequestPath};
use super::template::Template;
use crate::error::ConfigError;
use crate::identity::{Access, Identity};

/// Who may touch whose rows. Deny by default: what belongs to a user is that user's alone, until a role, the members of
/// its organization or those it was shared with are let in.
///
/// One definition answers for the path of a request (the guard asks), for [one object](Self::judge) and for
/// [rows](Self::rows); handlers find it by [`Guard::isolation`](crate::Guard::isolation).
///
/// Users are told apart by their ids alone: where a verifier trusts several issuers, whose ids may be the same, each needs a
/// guard, and rows, of its own.
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
    /// By role in the organization; `None` is any member's.
    members: Vec<(Option<Box<str>>, Access)>,
    shared: bool,
    hide: bool,
    audit: Option<Arc<dyn Audit>>,
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

    /// Lets members of an organization do this to what belongs to it, whatever their role there.
    pub fn allow_members(mut self, access: Access) -> Self {
        self.members.push((None, access));
        self
    }

    /// Lets members of an organization who have this role there do this to what belongs to it.
    pub fn allow_member_role(mut self, role: impl Into<Box<str>>, access: Access) -> Self {
        self.members.push((Some(role.into()), access));
        self
    }

    /// Lets callers do what was [shared](crate::Sharing) with them.
    pub fn allow_shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Answers `404 not_found` instead of `403` for what is other users', where its existence is to be hidden.
    pub fn hide(mut self) -> Self {
        self.hide = true;
        self
    }

    /// Tells an audit of every decision.
    pub fn audit(mut self, audit: impl Audit) -> Self {
        self.audit = Some(Arc::new(audit));
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

    /// The most that a role lets the caller do to anybody's.
    pub(super) fn by_role(&self, caller: &Identity) -> Option<Access> {
        self.roles.iter().filter(|(role, _)| caller.has_role(role)).map(|(_, access)| *access).max()
    }

    /// The most that a membership lets its user do to what is the organization's.
    pub(super) fn by_membership(&self, membership: &Membership) -> Option<Access> {
        let has = |role: &str| !role.is_empty() && membership.has_role(role);
        let counts = |role: &Option<Box<str>>| role.as_ref().is_none_or(|role| has(role));
        self.members.iter().filter(|(role, _)| counts(role)).map(|(_, access)| *access).max()
    }

    pub(super) fn counts_shared(&self) -> bool {
        self.shared
    }

    pub(super) fn hides(&self) -> bool {
        self.hide
    }

    pub(super) fn tell(&self, decision: &Decision<'_>) {
        decision.trace();
        if let Some(audit) = &self.audit {
            audit.record(decision);
        }
    }
}
