//! Colours: for a person at a terminal, and for nobody else. `script` of util-linux is the terminal.

use std::process::Command;

use crate::support::{SECRET, run};

const TOKEN: &str = "x.y";

/// What a person at a terminal sees.
fn seen(variables: &[(&str, &str)]) -> String {
    let command = format!("{} verify --secret-env SECRET {TOKEN}", env!("CARGO_BIN_EXE_authcore"));
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
    terminal.env_clear().env("SECRET", SECRET).envs(variables.iter().copied());
    let output = terminal.output().expect("install bsdutils, which has `script`");
    assert_eq!(output.status.code(), Some(1), "a refusal: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_refusal_is_coloured_at_a_terminal_alone() {
    let coloured = seen(&[]);
    assert!(coloured.contains("\u{1b}[1;31m"), "{coloured:?}");
    let plain = seen(&[("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}') && plain.contains("token_invalid"), "{plain:?}");
    assert!(seen(&[("NO_COLOR", "")]).contains('\u{1b}'), "an empty one asks for nothing (no-color.org)");
    let piped = run(&["verify", "--secret-env", "SECRET", TOKEN]);
    assert_eq!(piped.code, Some(1));
    assert_eq!(piped.out.trim_end(), plain.replace('\r', "").trim_end());
}
