//! `authcore man`: the manual page, in roff.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};

use crate::cli::Cli;
use crate::fault::{Fault, Verdict, is_read};

/// Which page.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The page of this subcommand instead of the whole command's
    page: Option<String>,
}

pub(crate) fn run(args: ManArgs) -> Result<Verdict, Fault> {
    let mut command = Cli::command();
    command.build();
    let page = match &args.page {
        None => command,
        Some(name) => {
            let found = command.find_subcommand(name).cloned();
            let found = found.ok_or_else(|| Fault::of("PAGE", format!("there is no subcommand {name}")))?;
            // clap takes a name that lives on; so does the process, not for long.
            found.name(format!("authcore-{name}").leak() as &'static str)
        }
    };
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff)?;
    is_read(std::io::stdout().write_all(&roff))?;
    Ok(Verdict::Accepted)
}
