//! `authcore doctor`: the environment, checked part by part as a server would read it.

mod check;
mod edge;
mod issuer;
mod secrets;
mod shown;
mod stores;
mod token;

use authcore_better_auth::BetterAuthSettings;
use clap::Args;

use crate::cli::{At, Output};
use crate::fault::{Fault, Verdict};
use crate::key_source::runtime;
use crate::text::Page;
use check::{Check, Level};

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// A credential to judge by these settings: a JWT, or the value of a session cookie; `-` for standard input
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    output: Output,
}

/// The variables that are set. One that is empty counts as unset, and what is not text is kept as something no setting
/// takes.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    value.filter(|value| !value.trim().is_empty())
}

pub(crate) fn run(args: DoctorArgs) -> Result<Verdict, Fault> {
    let token = args.token.as_deref().map(|token| crate::input::token(Some(token))).transpose()?;
    let checks = runtime()?.block_on(examine(token.as_deref(), args.at));
    let sound = checks.iter().all(|check| check.level != Level::Fail);
    let mut page = Page::stdout();
    if args.output.json {
        page.line(&check::tell(&checks, sound).end())?;
    } else {
        check::table(&mut page, &checks)?;
    }
    Ok(if sound { Verdict::Accepted } else { Verdict::Refused })
}

async fn examine(token: Option<&[u8]>, at: At) -> Vec<Check> {
    let mut checks = secrets::checks();
    let settings = match BetterAuthSettings::from_vars(variable) {
        Ok(settings) => settings,
        Err(error) => {
            let told = Check::of_config(&error);
            // The secret has been told about already.
            if !checks.iter().any(|check| check.what == told.what && check.level == Level::Fail) {
                checks.push(told);
            }
            checks.extend(issuer::stated());
            stores::checks(&mut checks).await;
            checks.extend(edge::checks());
            checks.extend(token.map(|_| token::not_judged("a server with these settings does not start")));
            return checks;
        }
    };
    let Some(settings) = settings else {
        let demo =
            Check::warn("settings", "nothing names a Better Auth server: a server starts in demo mode, on loopback");
        checks.push(demo.mend("set BETTER_AUTH_URL to the base URL of the Better Auth server"));
        checks.extend(edge::checks());
        let mend = "set BETTER_AUTH_URL to the server that issued it";
        checks.extend(token.map(|_| token::not_judged("nothing says by whose keys or sessions").mend(mend)));
        return checks;
    };
    checks.extend(issuer::expected(&settings));
    issuer::keys(&settings, at, &mut checks).await;
    stores::checks(&mut checks).await;
    checks.extend(edge::checks());
    token::judge(settings, token, at.time(), &mut checks).await;
    checks
}
