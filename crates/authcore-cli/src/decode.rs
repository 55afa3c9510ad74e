//! `authcore decode`: what a token says, believed by nobody.

use authcore::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::Value;

use crate::batch::repeated;
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
    /// What a verifier does not take in them, though it is JSON.
    header_fault: Option<String>,
    claims_fault: Option<String>,
    segments: usize,
}

impl Shown {
    pub(crate) fn of(token: &str) -> Self {
        let mut segments = token.splitn(6, '.');
        let mut next = || {
            let json = segments.next().and_then(|segment| URL_SAFE_NO_PAD.decode(segment).ok());
            let json = json.and_then(|json| String::from_utf8(json).ok()).unwrap_or_default();
            let value: Option<Value> = serde_json::from_str(&json).ok();
            let fault = value.as_ref().and_then(|_| fault(&json));
            (value, fault)
        };
        let ((header, header_fault), (claims, claims_fault)) = (next(), next());
        Self { header, claims, header_fault, claims_fault, segments: token.splitn(6, '.').count() }
    }

    fn whole(&self) -> bool {
        let faults = [&self.header_fault, &self.claims_fault];
        self.header.is_some() && self.claims.is_some() && faults == [&None, &None] && self.segments == 3
    }
}

/// Why a verifier does not take this JSON, and as which text it came, since of two equal names a value keeps the last.
fn fault(json: &str) -> Option<String> {
    let fault = authcore::json::check(json).err()?;
    let names = repeated(json);
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    Some(format!("{fault}{names}: {json}"))
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
        let answer = answer.raw("header", &json(&shown.header)).raw("claims", &json(&shown.claims));
        let faults = [("header_fault", &shown.header_fault), ("claims_fault", &shown.claims_fault)];
        let told = faults.into_iter().filter_map(|(name, fault)| Some((name, fault.as_ref()?)));
        page.line(&told.fold(answer, |answer, (name, fault)| answer.with(name, fault)).end())?;
        return Ok(outcome);
    }
    let warning = page.mark(Tone::Bad, "NOT VERIFIED");
    page.line(&format!("{warning}: anybody may have written this; `authcore verify` says whether it counts"))?;
    match &shown.header {
        Some(header) => object(&mut page, "header", header, shown.header_fault.as_deref())?,
        None => page.line("header: not base64url of JSON")?,
    }
    match &shown.claims {
        Some(claims) => object(&mut page, "claims", claims, shown.claims_fault.as_deref())?,
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

fn object(page: &mut Page, name: &str, value: &Value, fault: Option<&str>) -> Result<(), Fault> {
    page.line(&format!("{name}:"))?;
    if let Some(fault) = fault {
        let word = page.mark(Tone::Bad, "refused");
        page.line(&format!("  {word}: {}", crate::text::visible(fault)))?;
    }
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
