//! One request on its way through the limits: first those of its address, and, once it is known who calls, the others.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::address::Address;
use super::decision::Decision;
use super::key::RateKey;
use super::limit::{Cost, Outage, Per};
use super::limits::{FAILURES, Grade, Prepared, PreparedLimit};
use super::store::Counted;
use super::tally::Tally;
use crate::error::{ApiKeyFault, AuthError, SessionFault, Unavailable};
use crate::head::RequestHead;
use crate::identity::{Identity, Method};
use crate::policy::path::RequestPath;
use crate::refusal::Refusal;

/// The limits that hold on a request, and what was found of those that were counted.
pub(crate) struct Course {
    limits: Arc<Prepared>,
    address: Option<Address>,
    /// Which limits, and what the request costs there.
    holding: Vec<(usize, u32)>,
    tally: Tally,
    /// Why the store could not be asked, once it could not.
    outage: Option<Arc<Unavailable>>,
}

impl Course {
    pub(crate) fn new(limits: &Arc<Prepared>, head: &dyn RequestHead, path: RequestPath<'_>) -> Self {
        let holds = |limit: &PreparedLimit| limit.templates.iter().any(|template| template.matches(path).is_some());
        let numbered = limits.limits.iter().enumerate().filter(|(_, limit)| holds(limit));
        let holding = numbered.map(|(index, limit)| (index, limit.cost_of(head))).collect();
        let address = limits.addresses.address(head);
        Self { limits: Arc::clone(limits), address, holding, tally: Tally::default(), outage: None }
    }

    /// Counts by address. Comes before anything is verified; where no credential is looked at, bad ones have no bearing.
    pub(crate) async fn by_address(&mut self, looks_at_credentials: bool) -> Result<(), Refusal> {
        let failures = self.limits.failures.as_ref().filter(|_| looks_at_credentials);
        let seen = failures.map(|failures| failures.count(&self.key_of_address(), 0, None));
        // One that is used up lets nothing through, whatever it costs.
        if let Some(seen) = seen
            && let Some(seen) = self.known_of_failures(seen).await
            && seen.remaining() == 0
        {
            let refused = Decision::new(seen.quota(), false, 1, micros(&seen));
            tracing::info!(limit = FAILURES, "too many bad credentials from one address");
            return Err(Refusal::rate_limited(refused.retry_after()));
        }
        self.count(None, PreparedLimit::is_by_address).await
    }

    /// Counts what depends on who calls. Comes after they are known and let in.
    pub(crate) async fn by_caller(&mut self, caller: Option<&Identity>) -> Result<(), Refusal> {
        self.count(caller, |limit| !limit.is_by_address()).await
    }

    /// Counts a credential that turned out bad, where that is counted.
    pub(crate) async fn failed(&mut self, error: &AuthError) {
        let failures = self.limits.failures.as_ref().filter(|_| may_be_a_guess(error));
        if let Some(counted) = failures.map(|failures| failures.count(&self.key_of_address(), 1, None)) {
            // Refused it is anyway.
            let _ = self.known_of_failures(counted).await;
        }
    }

    /// For the answer.
    pub(crate) fn tally(&self) -> Tally {
        self.tally.clone()
    }

    async fn count(
        &mut self,
        caller: Option<&Identity>,
        is_due: impl Fn(&PreparedLimit) -> bool,
    ) -> Result<(), Refusal> {
        for (index, cost) in self.holding.clone() {
            let limits = Arc::clone(&self.limits);
            let limit = &limits.limits[index];
            if !is_due(limit) {
                continue;
            }
            let key = self.key(limit, caller);
            match self.wait(limit.count(&key, cost, caller)).await {
                Ok(decision) => {
                    if limit.is_out.swap(false, Ordering::Relaxed) {
                        tracing::warn!(limit = &*limit.name, "a limit is counted again");
                    }
                    self.obey(limit, decision, true)?;
                }
                Err(unavailable) => {
                    // Once for an outage, not once for a request.
                    if !limit.is_out.swap(true, Ordering::Relaxed) {
                        tracing::warn!(limit = &*limit.name, cause = %unavailable, "a limit cannot be counted");
                    }
                    match (limit.outage, limit.grade(caller).local.as_ref()) {
                        // What this process alone has counted is no quota to show.
                        (_, Some(local)) => {
                            let decision = local.count(&key, cost).wait().await;
                            decision.map_or(Ok(()), |decision| self.obey(limit, decision, false))?;
                        }
                        (Outage::Closed, None) if !limit.shadow => {
                            let detail = "How often this was asked cannot be told at the moment";
                            return Err(Refusal::unavailable("store_unavailable", detail, unavailable.retry_after()));
                        }
                        (_, None) => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// What could be told of bad credentials. While it cannot, the log hears of it once.
    async fn known_of_failures(&mut self, counted: Counted) -> Option<Decision> {
        let decision = self.wait(counted).await;
        let failures = self.limits.failures.as_ref()?;
        if failures.is_out.swap(decision.is_err(), Ordering::Relaxed) != decision.is_err() {
            match &decision {
                Ok(_) => tracing::warn!(limit = FAILURES, "a limit is counted again"),
                Err(cause) => tracing::warn!(limit = FAILURES, %cause, "a limit cannot be counted"),
            }
        }
        decision.ok()
    }

    /// The decision. A store that could not be asked once is not waited for again by this request, or each of its limits would
    /// cost the deadline anew.
    async fn wait(&mut self, counted: Counted) -> Result<Decision, Arc<Unavailable>> {
        let decision = match (counted, &self.outage) {
            (Counted::Now(decision), _) => return Ok(decision),
            (Counted::Later(_), Some(outage)) => return Err(Arc::clone(outage)),
            (Counted::Later(decision), None) => decision.await,
        };
        decision.map_err(|unavailable| Arc::clone(self.outage.insert(Arc::new(unavailable))))
    }

    fn obey(&mut self, limit: &PreparedLimit, decision: Decision, shown: bool) -> Result<(), Refusal> {
        if !decision.is_allowed() {
            tracing::info!(limit = &*limit.name, shadow = limit.shadow, "over its limit");
        }
        if limit.shadow {
            return Ok(());
        }
        if shown {
            self.tally.push(&limit.name, decision);
        }
        if decision.is_allowed() {
            return Ok(());
        }
        // Whoever comes back is to find no other limit used up.
        let others = if shown { self.tally.longest_wait() } else { Duration::ZERO };
        Err(Refusal::rate_limited(decision.retry_after().map(|wait| wait.max(others))))
    }

    fn key<'k>(&self, limit: &PreparedLimit, caller: Option<&'k Identity>) -> RateKey<'k> {
        let Some(caller) = caller else { return self.key_of_address() };
        match (&limit.per, self.address) {
            (Per::Address, _) => self.key_of_address(),
            (Per::User, _) | (Per::AddressAndUser, None) => RateKey::user(caller),
            (Per::AddressAndUser, Some(address)) => RateKey::address_and_user(address, caller),
            (Per::ApiKey, _) => match caller.method() {
                Method::ApiKey { .. } => api_key(caller),
                _ => RateKey::user(caller),
            },
            (Per::Organization, _) => organization(caller),
            (Per::Custom(key), _) => key(caller).map_or_else(|| RateKey::user(caller), RateKey::custom),
        }
    }

    /// Requests that come from no address that is known are counted as if from one.
    fn key_of_address<'k>(&self) -> RateKey<'k> {
        self.address.map_or_else(
            || {
                if !self.limits.told_of_no_address.swap(true, Ordering::Relaxed) {
                    tracing::warn!("requests come from no address that is known, and are counted as if from one");
                }
                RateKey::nowhere()
            },
            RateKey::address,
        )
    }
}

impl PreparedLimit {
    fn is_by_address(&self) -> bool {
        matches!(self.per, Per::Address)
    }

    fn cost_of(&self, head: &dyn RequestHead) -> u32 {
        match &self.cost {
            Cost::Fixed(cost) => *cost,
            // What costs nothing would pass however often it came.
            Cost::Of(cost) => cost(head).max(1),
        }
    }

    fn grade(&self, caller: Option<&Identity>) -> &Grade {
        let applies = |grade: &&Grade| match (&grade.applies, caller) {
            (None, _) => true,
            (Some(applies), Some(caller)) => applies(caller),
            (Some(_), None) => false,
        };
        self.grades.iter().find(applies).expect("the last grade applies to everybody")
    }

    fn count(&self, key: &RateKey<'_>, cost: u32, caller: Option<&Identity>) -> Counted {
        self.grade(caller).counter.count(key, cost)
    }
}

/// Whether a credential may have been made up. One that is genuine, and only over or its user's no more, is nobody's
/// attempt at anything: a forgotten page that goes on asking must not lock its neighbours out.
fn may_be_a_guess(error: &AuthError) -> bool {
    match error {
        AuthError::Missing | AuthError::Unavailable(_) | AuthError::OverQuota { .. } | AuthError::CrossSite => false,
        AuthError::InCookie(error) => may_be_a_guess(error),
        AuthError::Expired(_) | AuthError::NotYetValid(_) | AuthError::IssuedInFuture(_) | AuthError::Revoked => false,
        AuthError::Session { fault, .. } => {
            !matches!(fault, SessionFault::Expired | SessionFault::UserMissing | SessionFault::UserBanned)
        }
        AuthError::ApiKey { fault, .. } => matches!(fault, ApiKeyFault::Malformed | ApiKeyFault::Unknown),
        _ => true,
    }
}

/// By issuer and the id of the key where its claims name it, else by its owner.
fn api_key(caller: &Identity) -> RateKey<'_> {
    #[derive(serde::Deserialize)]
    struct Claims {
        #[serde(rename = "apiKeyId")]
        id: String,
    }
    caller.claims::<Claims>().map_or_else(|_| RateKey::user(caller), |claims| RateKey::api_key_of(caller, claims.id))
}

/// By the active organization where the claims name it, else by user.
fn organization(caller: &Identity) -> RateKey<'_> {
    #[derive(serde::Deserialize)]
    struct Claims {
        #[serde(rename = "activeOrganizationId")]
        id: String,
    }
    let named = caller.claims::<Claims>().ok().filter(|claims| !claims.id.is_empty());
    named.map_or_else(|| RateKey::user(caller), |claims| RateKey::organization_of(caller, claims.id))
}

fn micros(decision: &Decision) -> u64 {
    u64::try_from(decision.reset_after().as_micros()).unwrap_or(u64::MAX)
}
