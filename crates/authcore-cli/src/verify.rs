//! `authcore verify`: a JWT against keys and expectations.

use std::time::Duration;

use authcore::{Algorithm, AuthError, Clock as _, Identity, JwtVerifier, ManualClock, Method, Refusal};
use clap::Args;

use crate::batch;
use crate::cli::{Asking, At};
use crate::explain::{self, Expected};
use crate::fault::{Fault, Verdict};
use crate::input;
use crate::json::Object;
use crate::key_source::{AlgorithmArgs, KeyArgs, runtime};
use crate::text::{Page, Tone};

/// What is expected of a token.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The token; `-` or nothing for standard input
    #[arg(conflicts_with = "batch")]
    token: Option<String>,
    #[command(flatten)]
    keys: KeyArgs,
    /// An issuer that is believed, byte for byte; may be repeated [default: any]
    #[arg(long, value_name = "URL")]
    issuer: Vec<String>,
    /// An audience that the service goes by; may be repeated, one has to be named [default: any]
    #[arg(long)]
    audience: Vec<String>,
    #[command(flatten)]
    algorithms: AlgorithmArgs,
    /// How far clocks may differ, at most 60s
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = crate::value::duration)]
    #[arg(allow_hyphen_values = true)]
    leeway: Duration,
    /// The claim that names the user
    #[arg(long, value_name = "CLAIM", default_value = "sub")]
    user_claim: String,
    /// The longest token that is looked at
    #[arg(long, value_name = "BYTES", default_value_t = 16_384, value_parser = crate::value::whole::<usize>)]
    #[arg(allow_negative_numbers = true)]
    max_token_bytes: usize,
    /// The `typ` that is accepted [default: any but those of other kinds of token]
    #[arg(long, value_name = "TYPE")]
    typ: Option<String>,
    /// A claim that has to be there; may be repeated
    #[arg(long, value_name = "CLAIM")]
    require: Vec<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(args: VerifyArgs) -> Result<Verdict, Fault> {
    let runtime = runtime()?;
    let clock = ManualClock::at(0);
    let verifier = {
        let _entered = runtime.enter();
        verifier(&args, clock.clone())?
    };
    let judge = |token: &[u8]| {
        // As a server does, which takes text.
        let token = std::str::from_utf8(token).map_err(|_| AuthError::NotCompact)?;
        runtime.block_on(verifier.verify_token(token))
    };
    if args.asking.batch {
        return batch::run(|line, answer| {
            let now = line.now()?;
            let token = line.bytes("token")?;
            clock.set(now.unwrap_or_else(|| args.at.time()));
            Ok(tell(judge(&token), answer))
        });
    }
    let token = input::token(args.token.as_deref())?;
    clock.set(args.at.time());
    let verdict = judge(&token);
    let outcome = if verdict.is_ok() { Verdict::Accepted } else { Verdict::Refused };
    let mut page = Page::stdout();
    if args.asking.json {
        page.line(&tell(verdict, Object::new()).end())?;
        return Ok(outcome);
    }
    match verdict {
        Ok(identity) => accepted(&mut page, &identity, clock.now())?,
        Err(error) => {
            let expected = Expected { issuers: &args.issuer, audiences: &args.audience };
            refused(&mut page, &error, &String::from_utf8_lossy(&token), &expected)?;
        }
    }
    Ok(outcome)
}

fn verifier(args: &VerifyArgs, clock: ManualClock) -> Result<JwtVerifier, Fault> {
    let allowed = args.algorithms.allowed();
    // Judged anew each time: what is remembered would hide nothing, but would say nothing either.
    let builder = JwtVerifier::builder(args.keys.required(&allowed)?).clock(clock).without_cache();
    let builder = builder.algorithms(allowed).leeway(args.leeway).max_token_bytes(args.max_token_bytes);
    let builder = builder.user_claim(args.user_claim.as_str());
    let builder = args.issuer.iter().fold(builder, |builder, issuer| builder.issuer(issuer.as_str()));
    let builder = args.audience.iter().fold(builder, |builder, audience| builder.audience(audience.as_str()));
    let builder = args.require.iter().fold(builder, |builder, claim| builder.require(claim.as_str()));
    let builder = args.typ.iter().fold(builder, |builder, typ| builder.typ(typ.as_str()));
    Ok(builder.build()?)
}

/// A verdict as JSON.
pub(crate) fn tell(verdict: Result<Identity, AuthError>, answer: Object) -> Object {
    let identity = match verdict {
        Ok(identity) => identity,
        Err(error) => return answer.refused(&error),
    };
    let (algorithm, kid) = signed_by(&identity);
    answer
        .with("ok", true)
        .with("user_id", identity.user_id().as_str())
        .with("issuer", identity.issuer())
        .with("algorithm", algorithm.map(Algorithm::name))
        .with("kid", kid)
        .time("expires_at", identity.expires_at())
        .raw("claims", identity.claims_json())
}

fn signed_by(identity: &Identity) -> (Option<Algorithm>, Option<&str>) {
    match identity.method() {
        Method::Jwt { algorithm, key_id } => (Some(*algorithm), key_id.as_deref()),
        _ => (None, None),
    }
}

fn accepted(page: &mut Page, identity: &Identity, now: authcore::Timestamp) -> Result<(), Fault> {
    let word = page.mark(Tone::Good, "accepted");
    page.line(&word)?;
    let (algorithm, kid) = signed_by(identity);
    page.row("user", identity.user_id().as_str())?;
    page.row("issuer", identity.issuer().unwrap_or("not stated"))?;
    page.row("algorithm", algorithm.map_or("", Algorithm::name))?;
    page.row("key", kid.unwrap_or("without kid"))?;
    if let Some(until) = identity.expires_at() {
        page.row("expires", &format!("{} ({})", until.as_seconds(), crate::decode::from_now(until, now)))?;
    }
    let roles: Vec<&str> = identity.roles().collect();
    if !roles.is_empty() {
        page.row("roles", &roles.join(", "))?;
    }
    page.row("claims", identity.claims_json())?;
    Ok(())
}

/// A refusal for people: what the client would hear, why, and what to do about it.
pub(crate) fn refused(page: &mut Page, error: &AuthError, token: &str, expected: &Expected<'_>) -> Result<(), Fault> {
    let refusal = Refusal::from(error);
    let word = page.mark(Tone::Bad, "refused");
    page.line(&format!("{word}: {} ({})", refusal.code(), error.reason()))?;
    page.row("why", &error.to_string())?;
    if let AuthError::Unavailable(cause) = error {
        page.row("cause", &cause.to_string())?;
    }
    if let Some(hint) = explain::hint(error.reason(), token, expected) {
        page.row("hint", &hint)?;
    }
    page.row("status", &format!("{} to the client: {}", refusal.status(), refusal.detail()))?;
    Ok(())
}
