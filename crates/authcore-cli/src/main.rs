//! The `authcore` command: the libraries' own code on one token, cookie or header at a time, saying what happens and why.

mod batch;
mod cli;
mod client_ip;
mod completions;
mod credential;
mod decode;
mod doctor;
mod explain;
mod fault;
mod head;
mod input;
mod json;
mod jws;
mod key_source;
mod keys;
mod man;
mod mint;
mod published;
mod rate;
mod session;
mod store;
mod text;
mod value;
mod verify;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use fault::{Fault, Verdict};

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(error) => cli::misread(&error),
    };
    match outcome {
        Ok(Verdict::Accepted) => ExitCode::SUCCESS,
        Ok(Verdict::Refused) => ExitCode::from(1),
        Err(fault) => {
            // Without a standard error there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "authcore: {}", text::visible(&fault.to_string()));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<Verdict, Fault> {
    match command {
        Command::Verify(args) => verify::run(*args),
        Command::Decode(args) => decode::run(args),
        Command::Jws(args) => jws::run(args),
        Command::Keys(args) => keys::run(args),
        Command::Credential(args) => credential::run(args),
        Command::Session(args) => session::run(*args),
        Command::ClientIp(args) => client_ip::run(args),
        Command::Rate(args) => rate::run(args),
        Command::Mint(args) => mint::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}
