//! What the command takes: its subcommands, one file each.

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::fault::{self, Fault, Verdict};

/// Why is a request refused? Runs the code of the authcore libraries on a token, a cookie, a forwarding header or a rate
/// limit, and says what happens and why.
///
/// Exit status: 0 accepted or all done, 1 refused, 2 wrong use or wrong configuration.
#[derive(Debug, Parser)]
#[command(name = "authcore", version, propagate_version = true, arg_required_else_help = false)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judges a JWT by keys and expectations
    Verify(Box<crate::verify::VerifyArgs>),
    /// Shows what a token says, without verifying anything
    Decode(crate::decode::DecodeArgs),
    /// Judges the signature of a token alone, and no claim
    Jws(crate::jws::JwsArgs),
    /// Lists the keys of a key set, and why some are of no use
    Keys(crate::keys::KeysArgs),
    /// Tells how the credential in a request's header fields is read
    Credential(crate::credential::CredentialArgs),
    /// Judges a session of Better Auth: its cookie, its cookie cache, and where it is looked up
    Session(Box<crate::session::SessionArgs>),
    /// Tells by which address a request is counted
    ClientIp(crate::client_ip::ClientIpArgs),
    /// Replays arrivals against a quota
    Rate(crate::rate::RateArgs),
    /// Makes a token from a private key or a secret, for local trials
    Mint(crate::mint::MintArgs),
    /// Checks the environment part by part, as a server would read it
    Doctor(crate::doctor::DoctorArgs),
    /// Writes a completion script for a shell
    Completions(crate::completions::CompletionsArgs),
    /// Writes the manual page
    #[command(hide = true)]
    Man(crate::man::ManArgs),
}

/// How a command answers.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Output {
    /// Answers with one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a command that takes many questions is asked, and answers.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Asking {
    /// Answers with one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Reads JSON lines from standard input and answers each with one, in order; see the README for their members
    #[arg(long)]
    pub(crate) batch: bool,
}

/// By which time is judged.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct At {
    /// The time to judge by, in Unix seconds, fractions allowed [default: the clock's]
    #[arg(long, value_name = "SECONDS", value_parser = crate::value::unix_seconds, allow_negative_numbers = true)]
    pub(crate) now: Option<authcore::Timestamp>,
}

impl At {
    /// The time stated, else the clock's.
    pub(crate) fn time(self) -> authcore::Timestamp {
        use authcore::Clock as _;
        self.now.unwrap_or_else(|| authcore::SystemClock.now())
    }
}

/// Help is written out; what is wrong with the arguments is told in one line, where clap has several.
pub(crate) fn misread(error: &clap::Error) -> Result<Verdict, Fault> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        fault::is_read(error.print())?;
        return Ok(Verdict::Accepted);
    }
    let rendered = error.render().to_string();
    let message = rendered.trim_start_matches("error: ");
    let first = message.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand || line.is_empty() {
        return Err(Fault::Usage("name a command: see authcore --help".to_owned()));
    }
    if error.kind() == ErrorKind::InvalidUtf8 {
        let line = "an argument is not UTF-8: what need not be text is piped into standard input";
        return Err(Fault::Usage(line.to_owned()));
    }
    Err(Fault::Usage(format!("{line}: see authcore {}--help", command().unwrap_or_default())))
}

/// The command that was named, which has a help of its own.
fn command() -> Option<String> {
    let name = std::env::args_os().nth(1)?.into_string().ok()?;
    Cli::command().find_subcommand(&name).map(|_| format!("{name} "))
}
