//! Checks, their outcomes, and the report they add up to.

use std::borrow::Cow;
use std::fmt;

use crate::Target;
use crate::case::{Case, Exchange};

/// One thing the contract says, put to a server.
pub struct Check {
    id: Cow<'static, str>,
    needs: Needs,
    body: Box<dyn Fn(&mut Case<'_>)>,
}

impl Check {
    /// A check by its id, such as `tasks.create.own`.
    pub fn new(id: impl Into<Cow<'static, str>>, body: impl Fn(&mut Case<'_>) + 'static) -> Self {
        Self { id: id.into(), needs: Needs::Nothing, body: Box::new(body) }
    }

    /// The same check, skipped where this is not known.
    #[must_use]
    pub fn needing(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// The check's name in reports.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn run(&self, target: &Target) -> (Outcome, Vec<Exchange>) {
        if let Some(missing) = self.needs.missing(target) {
            return (self.outcome(Verdict::Skipped(missing)), Vec::new());
        }
        let mut case = Case::new(target);
        (self.body)(&mut case);
        let (differences, exchanges) = case.into_parts();
        let verdict = if differences.is_empty() { Verdict::Passed } else { Verdict::Failed(differences) };
        (self.outcome(verdict), exchanges)
    }

    fn outcome(&self, verdict: Verdict) -> Outcome {
        Outcome { id: self.id.clone().into_owned(), verdict }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.id).finish()
    }
}

/// What a check must know of the server to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Its URL.
    Nothing,
    /// The secret it verifies tokens with.
    Secret,
    /// The secret, and the issuer it expects.
    Issuer,
    /// The secret, and the audience it expects.
    Audience,
}

impl Needs {
    fn missing(self, target: &Target) -> Option<&'static str> {
        let signer = target.signer.as_ref();
        match self {
            Self::Nothing => None,
            _ if signer.is_none() => Some("needs the server's secret"),
            Self::Issuer if signer?.issuer().is_none() => Some("needs a server that expects an issuer"),
            Self::Audience if signer?.audience().is_none() => Some("needs a server that expects an audience"),
            _ => None,
        }
    }
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The check's name.
    pub id: String,
    /// Passed, or why not.
    pub verdict: Verdict,
}

/// The three ways a check can end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All as the contract says.
    Passed,
    /// What differed, a line each.
    Failed(Vec<String>),
    /// Not run, and why.
    Skipped(&'static str),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Passed => write!(f, "ok    {}", self.id),
            Verdict::Skipped(why) => write!(f, "skip  {}: {why}", self.id),
            Verdict::Failed(differences) => write!(f, "FAIL  {}: {}", self.id, differences.join("\n      ")),
        }
    }
}

/// All outcomes of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order they were run.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// How many checks failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// How many checks were not run.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Skipped(_)))
    }

    /// How many checks passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.count(|verdict| *verdict == Verdict::Passed)
    }

    /// The last line of a run.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut summary = format!("{} passed, {} failed", self.passed(), self.failed());
        if self.skipped() > 0 {
            summary += &format!(", {} skipped", self.skipped());
        }
        summary
    }

    fn count(&self, of: impl Fn(&Verdict) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| of(&outcome.verdict)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.outcomes {
            writeln!(f, "{outcome}")?;
        }
        f.write_str(&self.summary())
    }
}
