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

/// Whether somebody still reads what was written: one who has seen enough closes the pipe, and that is no fault. It says
/// nothing of the verdict either, which is found out as if all had been read.
pub(crate) fn is_read(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// The libraries name a setting first, `leeway: …`; told is the option that sets it.
impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        let message = error.to_string();
        let told = message.split_once(": ").and_then(|(setting, why)| {
            let (_, option) = OPTIONS.iter().find(|(name, _)| *name == setting)?;
            Some(format!("{option}: {why}"))
        });
        Self::Usage(told.unwrap_or(message))
    }
}

/// Which options set what a verifier calls so.
const OPTIONS: [(&str, &str); 7] = [
    ("leeway", "--leeway"),
    ("algorithms", "--algorithms"),
    ("max_token_bytes", "--max-token-bytes"),
    ("typ", "--typ"),
    ("issuer", "--issuer"),
    ("issuer, audience", "--issuer, --audience"),
    ("claim names", "--require, --user-claim"),
];
