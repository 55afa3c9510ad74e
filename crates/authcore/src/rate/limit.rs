//! A limit: what it is called, how much it allows, whom it counts and where it holds.

use std::fmt;
use std::sync::Arc;

use super::quota::Quota;
use crate::head::RequestHead;
use crate::identity::Identity;

/// A named limit on some paths. Put together with others in [`RateLimits`](super::RateLimits).
///
/// ```
/// use authcore::rate::{Limit, Outage};
///
/// let general = Limit::new("general", "100/15min".parse()?).on("/api/**");
/// let data = Limit::new("data", "10/minute".parse()?)
///     .per_user()
///     .for_role("premium", "100/minute".parse()?)
///     .on("/api/data")
///     .when_store_fails(Outage::Local);
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[must_use]
pub struct Limit {
    pub(super) name: Arc<str>,
    pub(super) quota: Quota,
    pub(super) templates: Vec<String>,
    pub(super) per: Per,
    pub(super) grades: Vec<(Applies, Quota)>,
    pub(super) cost: Cost,
    pub(super) outage: Outage,
    pub(super) shadow: bool,
}

/// Whom a limit counts.
pub(super) enum Per {
    Address,
    User,
    AddressAndUser,
    ApiKey,
    Organization,
    Custom(Box<CustomKey>),
}

pub(super) type CustomKey = dyn Fn(&Identity) -> Option<String> + Send + Sync;

pub(super) type CostOf = dyn Fn(&dyn RequestHead) -> u32 + Send + Sync;

/// Who has another quota.
pub(super) type Applies = Box<dyn Fn(&Identity) -> bool + Send + Sync>;

pub(super) enum Cost {
    Fixed(u32),
    Of(Box<CostOf>),
}

/// What becomes of a request when its limit's store cannot be asked in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// It is let through uncounted: an outage of the store is none of the service.
    #[default]
    Open,
    /// It is refused with 503: for what must not be unlimited even for a moment.
    Closed,
    #[cfg(feature = "in-process-limits")]
    #[cfg_attr(docsrs, doc(cfg(feature = "in-process-limits")))]
    /// It is counted in this process alone, so that of n instances each lets the whole quota through.
    Local,
}

impl Limit {
    /// A limit of this name, which clients are shown, per client address and on every path.
    pub fn new(name: impl Into<Arc<str>>, quota: Quota) -> Self {
        Self {
            name: name.into(),
            quota,
            templates: Vec::new(),
            per: Per::Address,
            grades: Vec::new(),
            cost: Cost::Fixed(1),
            outage: Outage::default(),
            shadow: false,
        }
    }

    /// Holds on paths of this template only (see [`Isolation`](crate::Isolation) for how they are written), in any
    /// spelling of them. Call it again for others.
    pub fn on(mut self, template: impl Into<String>) -> Self {
        self.templates.push(template.into());
        self
    }

    /// Counts each user apart, from wherever they call: after the credential is verified. Who calls without one, where that
    /// is allowed, is counted by address.
    pub fn per_user(mut self) -> Self {
        self.per = Per::User;
        self
    }

    /// Counts each user at each address apart: after the credential is verified.
    pub fn per_address_and_user(mut self) -> Self {
        self.per = Per::AddressAndUser;
        self
    }

    /// Counts each API key apart; other credentials by their user.
    pub fn per_api_key(mut self) -> Self {
        self.per = Per::ApiKey;
        self
    }

    /// Counts the members of an organization together: by issuer and the caller's active organization, where a verified
    /// claim `activeOrganizationId` names it, as in the sessions of Better Auth's organization plugin; by user where there is
    /// none, or it is no text. After the credential is verified.
    ///
    /// The claim says what its user chose last, and stays there after they were removed: such a session still takes of the
    /// organization's quota. Whoever may make organizations has a quota with each: a limit per user beside this one bounds
    /// that. For an organization that is looked up, use [`Self::per`].
    pub fn per_organization(mut self) -> Self {
        self.per = Per::Organization;
        self
    }

    /// Counts by something of one's own that follows from who is calling, such as the tenant; by user where it gives
    /// nothing.
    pub fn per(mut self, key: impl Fn(&Identity) -> Option<String> + Send + Sync + 'static) -> Self {
        self.per = Per::Custom(Box::new(key));
        self
    }

    /// Another quota for callers with this role, counted apart from the others'. Of several that apply the one that was named first counts. For limits that
    /// know who is calling: not for those per address.
    pub fn for_role(self, role: impl Into<String>, quota: Quota) -> Self {
        let role = role.into();
        self.for_callers(move |identity| identity.has_role(&role), quota)
    }

    /// Another quota for the callers that this is true of, such as those whose claims name a plan.
    pub fn for_callers(mut self, applies: impl Fn(&Identity) -> bool + Send + Sync + 'static, quota: Quota) -> Self {
        self.grades.push((Box::new(applies), quota));
        self
    }

    /// What a request takes of the quota: 1 by default. More than the burst is refused on building.
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = Cost::Fixed(cost);
        self
    }

    /// What a request takes of the quota, by its head. One that takes more than the quota ever holds is refused without a
    /// time to come back. It is 1 at least: what costs nothing would pass however often it came.
    pub fn cost_by(mut self, cost: impl Fn(&dyn RequestHead) -> u32 + Send + Sync + 'static) -> Self {
        self.cost = Cost::Of(Box::new(cost));
        self
    }

    /// What happens when the store cannot be asked: requests are let through by default.
    pub fn when_store_fails(mut self, outage: Outage) -> Self {
        self.outage = outage;
        self
    }

    /// Counts, and tells the log what it would have refused, but lets everything through and shows clients nothing: for
    /// trying a limit out.
    pub fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, quota, templates, outage, shadow, .. } = self;
        f.debug_struct("Limit")
            .field("name", name)
            .field("quota", quota)
            .field("on", templates)
            .field("outage", outage)
            .field("shadow", shadow)
            .finish_non_exhaustive()
    }
}
