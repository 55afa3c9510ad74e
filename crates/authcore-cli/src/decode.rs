//! `authcore decode`: what a token says, believed by nobody.

use authcore::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::Value;

use crate::cli::{At, Output};
use crate::fault::{Fault, Verdict};
use crate::input;
use crate::json::Object;
use crate::text::{Page, Tone};

/// What is shown.
#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// The token; `-` or nothing for standard input
    token: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    output: Output,
}

/// The first two segments as JSON, as far as they are.
pub(crate) struct Shown {
    pub(crate) header: Option<Value>,
    pub(crate) claims: Option<Value>,
    segments: usize,
}

impl Shown {
    pub(crate) fn of(token: &str) -> Self {
        let mut segments = token.splitn(6, '.');
        let mut next =
            || URL_SAFE_NO_PAD.decode(segments.next()?).ok().and_then(|json| serde_json::from_slice(&json).ok());
        let (header, claims) = (next(), next());
        Self { header, claims, segments: token.splitn(6, '.').count() }
    }

    fn whole(&self) -> bool {
        self.header.is_some() && self.claims.is_some() && self.segments == 3
    }
}

pub(crate) fn run(args: DecodeArgs) -> Result<Verdict, Fault> {
    let token = input::token(args.token.as_deref())?;
    let token = String::from_utf8_lossy(&token);
    let shown = Shown::of(&token);
    let outcome = if shown.whole() { Verdict::Accepted } else { Verdict::Refused };
    let mut page = Page::stdout();
    if args.output.json {
        let json = |value: &Option<Value>| value.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
        let answer = Object::new().with("ok", shown.whole()).with("verified", false);
        page.line(&answer.raw("header", &json(&shown.header)).raw("claims", &json(&shown.claims)).end())?;
        return Ok(outcome);
    }
    let warning = page.mark(Tone::Bad, "NOT VERIFIED");
    page.line(&format!("{warning}: anybody may have written this; `authcore verify` says whether it counts"))?;
    match &shown.header {
        Some(header) => object(&mut page, "header", header)?,
        None => page.line("header: not base64url of JSON")?,
    }
    match &shown.claims {
        Some(claims) => object(&mut page, "claims", claims)?,
        None if shown.segments == 5 => page.line("claims: encrypted (five segments make a JWE)")?,
        None => page.line("claims: not base64url of JSON")?,
    }
    if shown.segments != 3 {
        page.line(&format!("segments: {}, where a JWT has 3", count(shown.segments)))?;
    }
    times(&mut page, shown.claims.as_ref(), args.at.time())?;
    Ok(outcome)
}

fn count(segments: usize) -> String {
    if segments > 5 { "more than 5".to_owned() } else { segments.to_string() }
}

fn object(page: &mut Page, name: &str, value: &Value) -> Result<(), Fault> {
    page.line(&format!("{name}:"))?;
    match value.as_object() {
        Some(members) => {
            for (name, value) in members {
                page.row(&crate::text::visible(name), &value.to_string())?;
            }
        }
        None => page.row("(no object)", &value.to_string())?,
    }
    Ok(())
}

fn times(page: &mut Page, claims: Option<&Value>, now: Timestamp) -> Result<(), Fault> {
    let told = [("iat", "issued"), ("nbf", "not before"), ("exp", "expires")];
    let of = |name: &str| claims.and_then(|claims| claims.get(name)).and_then(Value::as_f64);
    if told.iter().all(|(name, _)| of(name).is_none()) {
        return Ok(());
    }
    page.line("times:")?;
    for (name, word) in told {
        let Some(seconds) = of(name) else { continue };
        let told = crate::value::of_seconds(seconds).map(|at| from_now(at, now));
        page.row(word, &told.unwrap_or_else(|_| "no time up to the year 9999; milliseconds?".to_owned()))?;
    }
    Ok(())
}

/// `in 15 min`, `3 d ago`.
pub(crate) fn from_now(at: Timestamp, now: Timestamp) -> String {
    let (ahead, behind) = (at.since(now).as_secs(), now.since(at).as_secs());
    let span = |seconds: u64| match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    };
    if at >= now { format!("in {}", span(ahead)) } else { format!("{} ago", span(behind)) }
}
