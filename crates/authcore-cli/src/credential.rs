//! `authcore credential`: how the credential in a request's header fields is read.

use authcore::credential::bearer;
use authcore::{AuthError, Refusal};
use clap::Args;

use crate::batch;
use crate::cli::Asking;
use crate::explain::Expected;
use crate::fault::{Fault, Verdict};
use crate::head;
use crate::json::Object;
use crate::text::{Page, Tone};

/// Which request.
#[derive(Debug, Args)]
pub(crate) struct CredentialArgs {
    /// A header field line of the request; may be repeated, and order counts
    #[arg(short = 'H', long, value_name = "'NAME: VALUE'", value_parser = crate::value::field, conflicts_with = "batch")]
    field: Vec<(String, String)>,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(args: CredentialArgs) -> Result<Verdict, Fault> {
    if args.asking.batch {
        return batch::run(|line, answer| {
            let head = head::of_line(line, None)?;
            Ok(tell(bearer::token(&head), answer))
        });
    }
    let head = head::of_fields(&args.field, None);
    let read = bearer::token(&head);
    let outcome = if read.is_ok() { Verdict::Accepted } else { Verdict::Refused };
    let mut page = Page::stdout();
    if args.asking.json {
        page.line(&tell(read, Object::new()).end())?;
        return Ok(outcome);
    }
    match read {
        Ok(Some(token)) => {
            let word = page.mark(Tone::Good, "bearer");
            page.line(&format!("{word}: one token of {} characters", token.len()))?;
            page.row("dots", &format!("{}: {}", token.matches('.').count(), kind(token)))?;
        }
        Ok(None) => {
            let word = page.mark(Tone::Doubtful, "none");
            page.line(&format!("{word}: no Bearer credential; where one is needed the answer is a bare 401"))?;
        }
        Err(error) => {
            let expected = Expected { issuers: &[], audiences: &[] };
            crate::verify::refused(&mut page, &error, "", &expected)?;
        }
    }
    Ok(outcome)
}

fn kind(token: &str) -> &'static str {
    match token.matches('.').count() {
        2 => "read as a JWT",
        1 => "read as a signed session token, where these are taken",
        0 => "read as a session token or an API key, where these are taken",
        _ => "read by nothing here",
    }
}

fn tell(read: Result<Option<&str>, AuthError>, answer: Object) -> Object {
    match read {
        Ok(Some(token)) => answer.with("ok", true).with("kind", "bearer").with("token", token),
        Ok(None) => answer.with("ok", true).with("kind", "none"),
        Err(error) => {
            let status = Refusal::from(&error).status();
            answer.refused(&error).with("status", status)
        }
    }
}
