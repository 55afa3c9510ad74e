//! How a run ends: accepted, refused, or not at all because of how it was asked.

use std::io;

use authcore::ConfigError;

/// What was found, once it could be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Accepted, or all done.
    Accepted,
    Refused,
}

/// Why nothing was found out.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Wrong use or wrong configuration: one line that names the option and the mend.
    Usage(String),
    /// The answer could not be written.
    Output(io::Error),
}

impl Fault {
    /// Wrong use of an option.
    pub(crate) fn of(option: &str, why: impl std::fmt::Display) -> Self {
        Self::Usage(format!("{option}: {why}"))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(line) => f.write_str(line),
            Self::Output(error) => write!(f, "standard output: {error}"),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The libraries name a setting first, `leeway: …`, as the options are called.
impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        let message = error.to_string();
        let options = ["leeway", "algorithms", "issuer", "audience"];
        let named = options.iter().any(|option| message.starts_with(option));
        Self::Usage(if named { format!("--{message}") } else { message })
    }
}

/// Help is written out; what is wrong with the arguments is told in one line, where clap has several.
pub(crate) fn of_arguments(error: &clap::Error) -> Result<Verdict, Fault> {
    use clap::error::ErrorKind;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        error.print()?;
        return Ok(Verdict::Accepted);
    }
    let rendered = error.render().to_string();
    let message = rendered.trim_start_matches("error: ");
    let first = message.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand || line.is_empty() {
        return Err(Fault::Usage("name a command: see authcore --help".to_owned()));
    }
    Err(Fault::Usage(format!("{line}: see authcore --help")))
}
