//! All limits of a service, and where they are counted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::client_addr::ClientAddresses;
use super::limit::{Applies, Cost, Limit, Outage, Per};
#[cfg(feature = "in-process-limits")]
use super::memory::InProcess;
use super::quota::Quota;
use super::store::{Counter, RateStore};
use crate::error::ConfigError;
use crate::policy::template::Template;

/// The limits that a [`Guard`](crate::Guard) holds requests to.
///
/// Those that count addresses come before the credential is looked at, so that a flood of bad tokens costs little; those that
/// count users after it is verified, so that nobody uses up somebody else's. Where several hold on a path, a request has to
/// be within each; a refusal by one gives nothing back of those before it. A store that could not be asked in time is not
/// waited for again by the same request: what its other limits do then is what they do in an outage.
///
/// ```
/// use authcore::rate::{ClientAddresses, Limit, RateLimits};
///
/// let limits = RateLimits::in_process()
///     .client_addresses(ClientAddresses::trusting(["10.0.0.0/8"])?)
///     .failed_authentications("20/minute".parse()?)
///     .limit(Limit::new("general", "100/15min".parse()?).on("/api/**"));
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[must_use]
pub struct RateLimits {
    store: Box<dyn RateStore>,
    addresses: ClientAddresses,
    limits: Vec<Limit>,
    failures: Option<(Quota, Outage)>,
}

impl RateLimits {
    /// Counted in this process, by [`InProcess`] as it is by default.
    #[cfg(feature = "in-process-limits")]
    #[cfg_attr(docsrs, doc(cfg(feature = "in-process-limits")))]
    pub fn in_process() -> Self {
        Self::counted_in(InProcess::new())
    }

    /// Counted in this store, which instances may share.
    pub fn counted_in(store: impl RateStore) -> Self {
        Self { store: Box::new(store), addresses: ClientAddresses::peer(), limits: Vec::new(), failures: None }
    }

    /// Which address counts as the client's: by default the peer's own, and no header is believed.
    pub fn client_addresses(mut self, addresses: ClientAddresses) -> Self {
        self.addresses = addresses;
        self
    }

    /// One more limit.
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    /// How many credentials from one address may turn out bad. Beyond that, requests from there that need one are refused
    /// before it is looked at, good ones too. A request without a credential does not count, nor one that nobody could
    /// judge, nor a genuine one that is over. Credentials that are being judged at the same time are not counted yet: a
    /// limit per address beside this one bounds these too.
    pub fn failed_authentications(mut self, quota: Quota) -> Self {
        self.failures = Some((quota, Outage::Open));
        self
    }

    pub(crate) fn prepare(self) -> Result<Prepared, ConfigError> {
        let Self { store, addresses, limits, failures } = self;
        let mut prepared: Vec<PreparedLimit> = Vec::new();
        for limit in limits {
            let name = Arc::clone(&limit.name);
            let refused = |why: &str| ConfigError::new(format!("limit `{name}`: {why}"));
            if prepared.iter().any(|other| other.name == name) || *name == *FAILURES {
                return Err(refused("the name is taken: choose another"));
            }
            prepared.push(prepare(limit, &*store).map_err(|error| refused(&error.to_string()))?);
        }
        let failures = failures.map(|(quota, outage)| {
            let mut limit = Limit::new(FAILURES, quota);
            limit.outage = outage;
            prepare(limit, &*store)
        });
        let told_of_no_address = AtomicBool::new(false);
        Ok(Prepared { addresses, limits: prepared, failures: failures.transpose()?, told_of_no_address })
    }
}

/// What the limit on failed authentications is called where it is counted. Clients are not shown it.
pub(super) const FAILURES: &str = "failed-authentications";

/// Limits ready to be counted.
pub(crate) struct Prepared {
    pub(crate) addresses: ClientAddresses,
    pub(crate) limits: Vec<PreparedLimit>,
    pub(crate) failures: Option<PreparedLimit>,
    pub(super) told_of_no_address: AtomicBool,
}

pub(crate) struct PreparedLimit {
    pub(crate) name: Arc<str>,
    pub(crate) templates: Vec<Template>,
    pub(super) per: Per,
    pub(super) cost: Cost,
    pub(super) shadow: bool,
    pub(super) outage: Outage,
    /// Whether it could not be counted when last it should have been.
    pub(super) is_out: AtomicBool,
    /// Of those who have another quota, in this order; the last one is everybody's.
    pub(super) grades: Vec<Grade>,
}

pub(super) struct Grade {
    pub(super) applies: Option<Applies>,
    pub(super) counter: Arc<dyn Counter>,
    /// For when the store cannot be asked.
    pub(super) local: Option<Arc<dyn Counter>>,
}

fn prepare(limit: Limit, store: &dyn RateStore) -> Result<PreparedLimit, ConfigError> {
    let Limit { name, quota, mut templates, per, grades, cost, outage, shadow } = limit;
    let nameable = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    if name.is_empty() || !name.chars().all(nameable) {
        return Err(ConfigError::new("a name is printable ASCII without quotes and backslashes"));
    }
    if matches!(per, Per::Address) && !grades.is_empty() {
        return Err(ConfigError::new("quotas by caller are for limits per user: an address has no role"));
    }
    let quotas = grades.into_iter().map(|(applies, quota)| (Some(applies), quota)).chain([(None, quota)]);
    let mut prepared = Vec::new();
    for (applies, quota) in quotas {
        if matches!(cost, Cost::Fixed(cost) if cost == 0 || cost > quota.burst_size()) {
            return Err(ConfigError::new("the cost is between 1 and the burst, or nothing would ever pass or count"));
        }
        let local = local_counter(outage, &name, quota);
        prepared.push(Grade { applies, counter: store.counter(&name, quota), local });
    }
    if templates.is_empty() {
        templates.push("/**".to_owned());
    }
    let templates = templates.iter().map(|text| Template::parse(text)).collect::<Result<_, _>>()?;
    Ok(PreparedLimit { name, templates, per, cost, shadow, outage, is_out: AtomicBool::new(false), grades: prepared })
}

#[cfg(feature = "in-process-limits")]
fn local_counter(outage: Outage, name: &str, quota: Quota) -> Option<Arc<dyn Counter>> {
    (outage == Outage::Local).then(|| InProcess::new().counter(name, quota))
}

#[cfg(not(feature = "in-process-limits"))]
fn local_counter(_: Outage, _: &str, _: Quota) -> Option<Arc<dyn Counter>> {
    None
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limits, failures, .. } = self;
        f.debug_struct("RateLimits")
            .field("limits", limits)
            .field("failed_authentications", &failures.map(|(quota, _)| quota))
            .finish_non_exhaustive()
    }
}
