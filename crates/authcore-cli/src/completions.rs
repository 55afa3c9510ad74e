//! `authcore completions`: a script for a shell.

use clap::{Args, CommandFactory as _};

use crate::cli::Cli;
use crate::fault::{Fault, Verdict, is_read};

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: CompletionsArgs) -> Result<Verdict, Fault> {
    use std::io::Write as _;
    // Into memory first: whoever reads the script may stop early.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "authcore", &mut script);
    is_read(std::io::stdout().write_all(&script))?;
    Ok(Verdict::Accepted)
}
