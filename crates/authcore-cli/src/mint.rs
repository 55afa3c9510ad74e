//! `authcore mint`: a token for local trials.

use std::path::PathBuf;
use std::time::Duration;

use authcore::{Algorithm, Key};
use authcore_testkit::SigningKey;
use clap::Args;
use serde_json::Value;

use crate::cli::{At, Output};
use crate::fault::{Fault, Verdict};
use crate::input;
use crate::json::Object;
use crate::key_source::secret;
use crate::text::Page;

/// What the token says, and who signs it.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("signer").required(true).args(["jwk", "secret_file", "secret_env"]))]
pub(crate) struct MintArgs {
    /// The private key as JWK, or a symmetric one
    #[arg(long, value_name = "FILE")]
    jwk: Option<PathBuf>,
    /// A file with the shared secret: its bytes, less one line end at the end
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The environment variable that holds the shared secret
    #[arg(long, value_name = "VAR")]
    secret_env: Option<String>,
    /// The algorithm under a shared secret: HS256, HS384 or HS512
    #[arg(long, value_name = "NAME", default_value = "HS256", conflicts_with = "jwk")]
    algorithm: Algorithm,
    /// Whom the token is about
    #[arg(long, value_name = "USER")]
    sub: String,
    /// Who vouches for it
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Whom it is meant for; may be repeated
    #[arg(long)]
    audience: Vec<String>,
    /// How long it is good for
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = crate::value::duration)]
    #[arg(allow_hyphen_values = true)]
    expires_in: Duration,
    /// A further claim, its value in JSON: role='"admin"'; may be repeated
    #[arg(long, value_name = "KEY=JSON", value_parser = claim)]
    claim: Vec<(String, Value)>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: MintArgs) -> Result<Verdict, Fault> {
    let key = signer(&args)?;
    let now = args.at.time().as_seconds();
    let until = now.saturating_add(i64::try_from(args.expires_in.as_secs()).unwrap_or(i64::MAX));
    let mut token = authcore_testkit::mint().without("iss").without("aud").subject(args.sub.as_str());
    token = token.issued_at(now).expires_at(until);
    if let Some(issuer) = &args.issuer {
        token = token.issuer(issuer.as_str());
    }
    token = match args.audience.as_slice() {
        [] => token,
        [one] => token.audience(one.as_str()),
        several => token.claim("aud", several.to_vec()),
    };
    let token = args.claim.into_iter().fold(token, |token, (name, value)| token.claim(name, value)).sign(&key);
    let mut page = Page::stdout();
    if args.output.json {
        page.line(&Object::new().with("token", token).with("expires_at", until).end())?;
    } else {
        page.line(&token)?;
    }
    Ok(Verdict::Accepted)
}

fn signer(args: &MintArgs) -> Result<SigningKey, Fault> {
    if let Some(path) = &args.jwk {
        let key = SigningKey::from_jwk(&input::file("--jwk", path)?);
        let takes = "it takes a private key as JWK";
        return key.map_err(|why| Fault::of("--jwk", format!("{}: {why}: {takes}", path.display())));
    }
    let (option, secret) = secret(args.secret_file.as_deref(), args.secret_env.as_deref())?
        .ok_or_else(|| Fault::Usage("no key to sign with: name --jwk, --secret-file or --secret-env".to_owned()))?;
    if !args.algorithm.is_symmetric() {
        return Err(Fault::of("--algorithm", "a shared secret signs HS256, HS384 or HS512; for others name --jwk"));
    }
    // What no server would verify by is not signed with.
    Key::hmac(args.algorithm, &secret).map_err(|why| Fault::of(option, why))?;
    Ok(SigningKey::hmac(args.algorithm, secret.expose_bytes()))
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let takes = "takes a name and JSON, as in role='\"admin\"' or level=3";
    let (name, json) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(takes)?;
    let value = serde_json::from_str(json).map_err(|_| takes)?;
    Ok((name.to_owned(), value))
}
