//! Text for people: nothing that others wrote may steer their terminal.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write};

use crate::fault::is_read;

/// With control characters, and those that reorder or hide text, escaped as `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            letter if is_hidden(letter) => _ = write!(shown, "\\u{{{:x}}}", u32::from(letter)),
            letter => shown.push(letter),
        }
    }
    shown
}

/// Whether it shows as nothing, or changes how the rest shows.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Standard output, with colours where a person looks at it and wants them.
pub(crate) struct Page {
    out: std::io::StdoutLock<'static>,
    colours: bool,
}

/// What a mark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Doubtful,
    Bad,
}

impl Page {
    pub(crate) fn stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colours = std::io::stdout().is_terminal() && !unwanted;
        Self { out: std::io::stdout().lock(), colours }
    }

    /// A word that a glance should find.
    pub(crate) fn mark(&self, tone: Tone, word: &str) -> String {
        let colour = match tone {
            Tone::Good => 32,
            Tone::Doubtful => 33,
            Tone::Bad => 31,
        };
        if self.colours { format!("\u{1b}[1;{colour}m{word}\u{1b}[0m") } else { word.to_owned() }
    }

    /// A line of ours; nothing where nobody reads on.
    pub(crate) fn line(&mut self, line: &str) -> std::io::Result<()> {
        is_read(writeln!(self.out, "{line}")).map(drop)
    }

    /// A name and a value that others may have written.
    pub(crate) fn row(&mut self, name: &str, value: &str) -> std::io::Result<()> {
        self.line(&format!("  {name:<11} {}", visible(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_escaped() {
        assert_eq!(visible("a\u{1b}[31mb\r\n\u{9b}\u{202e}\u{7f}é"), "a\\u{1b}[31mb\\u{d}\\n\\u{9b}\\u{202e}\\u{7f}é");
    }
}
