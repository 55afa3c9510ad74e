//! `authcore keys`: what a key set holds, and why some of it is of no use.

use std::path::Path;

use authcore::{IgnoredKey, Key, KeySet};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::batch;
use crate::cli::Asking;
use crate::fault::{Fault, Verdict};
use crate::input;
use crate::json::Object;
use crate::key_source::{is_url, runtime};
use crate::published::{self, Unpublished};
use crate::text::{Page, Tone};

/// Which set.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// A JWK Set: a file, or an https URL (http for loopback hosts only)
    #[arg(value_name = "FILE_OR_URL", required_unless_present = "batch", conflicts_with = "batch")]
    place: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(args: KeysArgs) -> Result<Verdict, Fault> {
    if args.asking.batch {
        return batch::run(|line, answer| {
            let body = line.bytes("body")?;
            Ok(match published::set(&body) {
                Ok(set) => summary(&set, answer),
                Err(why) => refused(why.code(), &why, answer),
            })
        });
    }
    let place = args.place.as_deref().unwrap_or_default();
    let loaded = if is_url(place) {
        match runtime()?.block_on(published::fetch(place)) {
            Ok(published) => Ok(published.set),
            Err(Unpublished::Url(why)) => return Err(Fault::of("FILE_OR_URL", why)),
            Err(Unpublished::Refused(why)) => Err((why.code(), why.to_string())),
            Err(Unpublished::Unreachable(why)) => Err(("auth_unavailable", why)),
        }
    } else {
        let body = input::file_bytes("FILE_OR_URL", Path::new(place))?;
        published::set(&body).map_err(|why| (why.code(), why.to_string()))
    };
    let usable = loaded.as_ref().is_ok_and(|set| !set.is_empty());
    let outcome = if usable { Verdict::Accepted } else { Verdict::Refused };
    let mut page = Page::stdout();
    match loaded {
        Ok(set) if args.asking.json => {
            let keys: Vec<_> = set.keys().map(row).collect();
            page.line(&summary(&set, Object::new()).with("keys", keys).end())?;
        }
        Err((code, why)) if args.asking.json => page.line(&refused(code, &why, Object::new()).end())?,
        Ok(set) => table(&mut page, &set)?,
        Err((code, why)) => {
            let word = page.mark(Tone::Bad, "refused");
            page.line(&format!("{word}: {code}"))?;
            page.row("why", &why)?;
        }
    }
    Ok(outcome)
}

/// An entry that is not used.
#[derive(Serialize)]
struct Ignored<'k> {
    kid: Option<&'k str>,
    code: &'static str,
}

fn summary(set: &KeySet, answer: Object) -> Object {
    let usable: Vec<_> = set.keys().map(|key| key.id().map(|id| id.to_string())).collect();
    let ignored: Vec<_> =
        set.ignored().iter().map(|IgnoredKey { id, why }| Ignored { kid: id.as_deref(), code: why.code() }).collect();
    answer.with("ok", true).with("usable", usable).with("ignored", ignored)
}

fn refused(code: &str, why: &dyn std::fmt::Display, answer: Object) -> Object {
    answer.with("ok", false).with("code", code).with("detail", why.to_string())
}

fn row(key: &Key) -> Value {
    json!({
        "kid": key.id().map(|id| id.to_string()),
        "type": key.kind(),
        "algorithm": key.algorithm().name(),
        "bits": key.bits(),
        "thumbprint": key.thumbprint(),
    })
}

fn table(page: &mut Page, set: &KeySet) -> Result<(), Fault> {
    let mut rows = vec![["kid", "type", "algorithm", "bits", "thumbprint"].map(str::to_owned)];
    rows.extend(set.keys().map(|key| {
        let kid = key.id().map_or_else(|| "(none)".to_owned(), |id| crate::text::visible(id));
        let thumbprint = key.thumbprint().unwrap_or_else(|| "(a secret)".to_owned());
        [kid, key.kind().to_owned(), key.algorithm().to_string(), key.bits().to_string(), thumbprint]
    }));
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [wide(0), wide(1), wide(2), wide(3), wide(4)];
    for (at, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let mark = if at == 0 { String::new() } else { page.mark(Tone::Good, "usable") };
        page.line(format!("{}  {mark}", cells.collect::<Vec<_>>().join("  ")).trim_end())?;
    }
    for IgnoredKey { id, why } in set.ignored() {
        let kid = id.as_deref().map_or_else(|| "(none)".to_owned(), crate::text::visible);
        let word = page.mark(Tone::Bad, "ignored");
        page.line(&format!("{kid}  {word}: {} ({why})", why.code()))?;
    }
    if set.is_empty() {
        let word = page.mark(Tone::Bad, "no usable key");
        page.line(&format!("{word}: no token can be verified by this set"))?;
    }
    Ok(())
}
