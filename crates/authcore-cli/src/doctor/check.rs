//! One finding: what was looked at, how it is, and what to do about it.

use authcore::ConfigError;

use crate::json::Object;
use crate::text::{Page, Tone, visible};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) level: Level,
    pub(crate) found: String,
    pub(crate) mend: Option<String>,
}

impl Check {
    fn new(level: Level, what: &str, found: impl Into<String>) -> Self {
        Self { what: what.to_owned(), level, found: found.into(), mend: None }
    }

    pub(crate) fn ok(what: &str, found: impl Into<String>) -> Self {
        Self::new(Level::Ok, what, found)
    }

    pub(crate) fn warn(what: &str, found: impl Into<String>) -> Self {
        Self::new(Level::Warn, what, found)
    }

    pub(crate) fn fail(what: &str, found: impl Into<String>) -> Self {
        Self::new(Level::Fail, what, found)
    }

    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// A setting that is refused: the libraries name the variable and the mend in one line.
    pub(crate) fn of_config(error: &ConfigError) -> Self {
        let message = error.to_string();
        match message.split_once(": ") {
            Some((variable, why)) => {
                Self::fail(variable, why).mend(format!("change {variable}: a server does not start"))
            }
            None => Self::fail("settings", message),
        }
    }
}

/// One line each: what, how, and the mend.
pub(crate) fn table(page: &mut Page, checks: &[Check]) -> std::io::Result<()> {
    let width = checks.iter().map(|check| check.what.chars().count()).max().unwrap_or_default();
    for Check { what, level, found, mend } in checks {
        let tone = match level {
            Level::Ok => Tone::Good,
            Level::Warn => Tone::Doubtful,
            Level::Fail => Tone::Bad,
        };
        let mark = page.mark(tone, &format!("{:<4}", level.word()));
        let mend = mend.as_ref().map(|mend| format!(" -> {}", visible(mend))).unwrap_or_default();
        page.line(&format!("{mark}  {what:<width$}  {}{mend}", visible(found)))?;
    }
    Ok(())
}

/// The same as JSON.
pub(crate) fn tell(checks: &[Check], sound: bool) -> Object {
    let rows: Vec<String> = checks
        .iter()
        .map(|Check { what, level, found, mend }| {
            Object::new()
                .with("check", what)
                .with("status", level.word())
                .with("detail", found)
                .with("mend", mend)
                .end()
        })
        .collect();
    Object::new().with("ok", sound).raw("checks", &format!("[{}]", rows.join(",")))
}
