//! The commands of the README run, and say what it says.

use std::process::Command;

use crate::support::{Folder, run};

#[test]
fn the_commands_of_the_readme_run_and_print_what_it_shows() {
    let readme = include_str!("../../README.md");
    let folder = Folder::new();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_authcore")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut ran = 0;
    for block in readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()) {
        // One shell for a block; after each command a mark tells answers apart.
        let commands: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        let script = commands.iter().map(|command| format!("{command}\necho '=='\n")).collect::<String>();
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(folder.path()).env_clear().env("PATH", &path);
        let output = shell.output().expect("a shell");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let shown: Vec<_> =
            block.split("$ ").skip(1).map(|part| part.split_once('\n').map_or("", |(_, answer)| answer)).collect();
        for ((command, expected), answer) in commands.iter().zip(shown).zip(out.split("==\n")) {
            assert_eq!(answer.trim(), expected.trim(), "{command}\n{err}");
            ran += 1;
        }
    }
    assert!(ran >= 8, "{ran} commands were found");
}

#[test]
fn help_manual_and_completions_name_every_command() {
    let commands = [
        "verify",
        "decode",
        "jws",
        "keys",
        "credential",
        "session",
        "client-ip",
        "rate",
        "mint",
        "doctor",
        "completions",
    ];
    let pages = [
        run(&["--help"]),
        run(&["man"]),
        run(&["completions", "bash"]),
        run(&["completions", "zsh"]),
        run(&["completions", "fish"]),
    ];
    for page in pages {
        assert_eq!(page.code, Some(0));
        for command in commands {
            assert!(page.out.replace("\\-", "-").contains(command), "{command}");
        }
    }
    for command in commands {
        assert!(run(&["man", command]).out.contains("NAME"), "{command}");
        assert!(run(&[command, "--help"]).out.contains("Usage: authcore"), "{command}");
    }
    assert_eq!(run(&["--version"]).out, format!("authcore {}\n", env!("CARGO_PKG_VERSION")));
}
