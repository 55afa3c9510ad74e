#![doc = include_str!("../README.md")]

mod case;
mod check;
mod checks;
mod compare;
mod example;
mod people;
mod proxy;
mod signer;

pub use better_auth_harness::{Answer, NotStarted, Request, Server, connect};
pub use case::{Case, Exchange, Expectation};
pub use check::{Check, Needs, Outcome, Report, Verdict};
pub use checks::all_checks;
pub use example::Example;
pub use people::{People, Person};
pub use proxy::CountingProxy;
pub use signer::Signer;

/// A server under test: where it is and who may ask it.
#[derive(Clone, Debug)]
pub struct Target {
    /// `host:port`.
    pub authority: String,
    /// An origin of the server's CORS allow-list.
    pub origin: String,
    /// Tokens for four users.
    pub people: People,
    /// Where the server's shared secret is known: signs what no issuer would.
    pub signer: Option<Signer>,
}

/// The allowed origin of a server that was told nothing about origins.
pub const DEFAULT_ORIGIN: &str = "http://localhost:3000";

impl Target {
    /// A server in demo mode: it hands out tokens itself.
    ///
    /// # Errors
    ///
    /// When the URL is not `http://host:port`, or there is no token to be had.
    pub fn in_demo_mode(url: &str) -> Result<Self, String> {
        let authority = authority_of(url)?;
        let people = People::of_demo(&authority)?;
        Ok(Self { authority, origin: DEFAULT_ORIGIN.to_owned(), people, signer: None })
    }

    /// A server whose HS256 secret is known: nothing is skipped.
    ///
    /// # Errors
    ///
    /// When the URL is not `http://host:port`.
    pub fn with_secret(url: &str, signer: Signer) -> Result<Self, String> {
        let (authority, people) = (authority_of(url)?, People::of_secret(&signer));
        Ok(Self { authority, origin: DEFAULT_ORIGIN.to_owned(), people, signer: Some(signer) })
    }

    /// A server that trusts an issuer of its own, with tokens from there.
    ///
    /// # Errors
    ///
    /// When the URL is not `http://host:port`.
    pub fn with_people(url: &str, people: People) -> Result<Self, String> {
        Ok(Self { authority: authority_of(url)?, origin: DEFAULT_ORIGIN.to_owned(), people, signer: None })
    }
}

/// Runs every check against one server, showing each outcome as it comes.
pub fn run(target: &Target, mut show: impl FnMut(&Outcome)) -> Report {
    let mut report = Report::default();
    for check in all_checks() {
        let (outcome, _) = check.run(target);
        show(&outcome);
        report.outcomes.push(outcome);
    }
    report
}

/// Runs every check against both servers, and compares what they answered to the same requests.
///
/// A check passes when both servers pass it and their answers agree in status, in the header fields that matter and in
/// the body, once ids, times, request ids and tokens are masked.
pub fn run_against(target: &Target, other: &Target, mut show: impl FnMut(&Outcome)) -> Report {
    let mut report = Report::default();
    for check in all_checks() {
        let outcome = compare::compared(check.run(target), check.run(other), target, other);
        show(&outcome);
        report.outcomes.push(outcome);
    }
    report
}

fn authority_of(url: &str) -> Result<String, String> {
    let authority = url.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let good = authority.filter(|text| !text.is_empty() && !text.contains(['/', '?', '#', '@', ' ']));
    let good = good.ok_or_else(|| format!("`{url}` is not of the form http://host:port"))?;
    let has_port = good.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port { good.to_owned() } else { format!("{good}:80") })
}
