//! What a command is given: files, environment variables, standard input.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use authcore::Secret;

use crate::batch::MAX_LINE;
use crate::fault::Fault;

/// The text of a file that an option names.
pub(crate) fn file(option: &str, path: &Path) -> Result<String, Fault> {
    let bytes = file_bytes(option, path)?;
    String::from_utf8(bytes).map_err(|_| Fault::of(option, format!("{} is not text", path.display())))
}

pub(crate) fn file_bytes(option: &str, path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|error| Fault::of(option, format!("cannot read {}: {error}", path.display())))
}

/// The bytes of a file, less one line end at its end.
pub(crate) fn secret_file(option: &str, path: &Path) -> Result<Secret, Fault> {
    let mut bytes = file_bytes(option, path)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(Secret::new(bytes))
}

/// The value of an environment variable that an option names.
pub(crate) fn variable(option: &str, name: &str) -> Result<String, Fault> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        // Who wrote `$SECRET` for `SECRET` handed over the secret itself.
        _ if !is_shown(name) => Err(Fault::of(option, "takes the name of a variable that is set, never its value")),
        Err(std::env::VarError::NotUnicode(_)) => Err(Fault::of(option, format!("{name} is not text"))),
        Ok(_) | Err(_) => Err(Fault::of(option, format!("{name} is not set: export it first"))),
    }
}

/// Whether a variable that is not set may be told by what was taken for its name.
fn is_shown(name: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| !first.is_ascii_digit()) && name.len() <= 64 && name.bytes().all(upper)
}

/// A token: the argument, or standard input less the line end at its end. Bytes, since it may be anything.
pub(crate) fn token(argument: Option<&str>) -> Result<Vec<u8>, Fault> {
    if let Some(token) = argument.filter(|token| *token != "-") {
        return Ok(token.as_bytes().to_vec());
    }
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(Fault::of("TOKEN", "name one, or pipe it into standard input"));
    }
    let mut bytes = Vec::new();
    let bound = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let read = input.lock().take(bound.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Fault::of("standard input", error))?;
    if bytes.len() > MAX_LINE {
        let why = format!("is longer than {MAX_LINE} bytes, which no token is: pipe the token alone");
        return Err(Fault::of("standard input", why));
    }
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    bytes.truncate(end);
    Ok(bytes)
}
