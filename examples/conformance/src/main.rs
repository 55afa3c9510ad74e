//! `tasks-conformance`: one line per check, exit status 1 when one failed, 2 when asked wrongly.

use std::env;
use std::process::ExitCode;

use tasks_conformance::{Outcome, Signer, Target, Verdict, run, run_against};

const USAGE: &str = "usage: tasks-conformance --url http://HOST:PORT [--against http://HOST:PORT] [--origin ORIGIN]
                         [--secret-env VAR [--issuer ISS] [--audience AUD]]

  --url         the server to check; without --secret-env it must be in demo mode and hand out tokens
  --against     a second server, which must answer the same
  --origin      an origin of the server's CORS allow-list (http://localhost:3000)
  --secret-env  the environment variable that holds the server's HS256 secret: tokens are signed with it
  --issuer, --audience
                what the server expects for `iss` and `aud`, if anything

In demo mode the tasks of the demo users are deleted. With a secret the suite makes up users of its own.";

#[derive(Default)]
struct Options {
    url: Option<String>,
    against: Option<String>,
    origin: Option<String>,
    secret_env: Option<String>,
    issuer: Option<String>,
    audience: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| matches!(&**argument, "--help" | "-h")) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match Options::parse(arguments).and_then(|options| options.run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("tasks-conformance: {error}");
            ExitCode::from(2)
        }
    }
}

impl Options {
    fn parse(arguments: Vec<String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let place = match &*name {
                "--url" => &mut options.url,
                "--against" => &mut options.against,
                "--origin" => &mut options.origin,
                "--secret-env" => &mut options.secret_env,
                "--issuer" => &mut options.issuer,
                "--audience" => &mut options.audience,
                _ => return Err(format!("unknown argument `{name}`\n{USAGE}")),
            };
            let value = arguments.next().filter(|value| !value.is_empty() && !value.starts_with("--"));
            let value = value.ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
            if place.replace(value).is_some() {
                return Err(format!("{name} is given twice\n{USAGE}"));
            }
        }
        if options.secret_env.is_none() && (options.issuer.is_some() || options.audience.is_some()) {
            return Err(format!("--issuer and --audience go with --secret-env\n{USAGE}"));
        }
        Ok(options)
    }

    /// Whether every check passed.
    fn run(&self) -> Result<bool, String> {
        let url = self.url.as_deref().ok_or_else(|| format!("--url is missing\n{USAGE}"))?;
        let signer = self.signer()?;
        let target = self.target(url, signer.as_ref())?;
        let print = |outcome: &Outcome| println!("{outcome}");
        let report = match &self.against {
            Some(other) => run_against(&target, &self.target(other, signer.as_ref())?, print),
            None => run(&target, print),
        };
        println!("{}", report.summary());
        Ok(!report.outcomes.iter().any(|outcome| matches!(outcome.verdict, Verdict::Failed(_))))
    }

    fn signer(&self) -> Result<Option<Signer>, String> {
        let Some(name) = &self.secret_env else { return Ok(None) };
        let secret = env::var(name).map_err(|_| format!("--secret-env: {name} is not set"))?;
        Ok(Some(Signer::new(&secret, self.issuer.clone(), self.audience.clone())))
    }

    fn target(&self, url: &str, signer: Option<&Signer>) -> Result<Target, String> {
        let mut target = match signer {
            Some(signer) => Target::with_secret(url, signer.clone())?,
            None => Target::in_demo_mode(url)?,
        };
        if let Some(origin) = &self.origin {
            target.origin.clone_from(origin);
        }
        Ok(target)
    }
}
