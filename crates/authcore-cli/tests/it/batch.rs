//! Lines that are no questions, and streams that end or break.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use serde_json::{Value, json};

use crate::support::{SECRET, run_with, spawn};

const CREDENTIAL: &[&str] = &["credential", "--batch"];

/// Asks raw bytes.
fn ask(input: &[u8]) -> Vec<Value> {
    let ran = run_with(CREDENTIAL, &[], input);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    ran.lines()
}

fn is_bad(answer: &Value, id: Value) {
    assert_eq!(
        (&answer["id"], &answer["ok"], &answer["code"]),
        (&id, &json!(false), &json!("bad_request")),
        "{answer}"
    );
    assert!(answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer}");
}

const GOOD: &str = r#"{"id":"good","headers":[]}"#;

fn is_good(answer: &Value) {
    assert_eq!(answer, &json!({ "id": "good", "ok": true, "kind": "none" }));
}

#[test]
fn a_bad_line_is_answered_and_the_next_one_is_served() {
    let unknown: &[&[u8]] = &[
        b"",
        b"  \t",
        b"\r",
        b"nonsense",
        b"[]",
        b"null",
        b"{",
        b"{\"id\":1,\"headers\":[]",
        b"{\"id\":1}{\"id\":2}",
        b"{\"id\":1,}",
        b"{\"id\":01}",
        b"{\"id\":\"a\0b\"}",
        b"\xef\xbb\xbf{\"id\":1,\"headers\":[]}",
        b"\xff\xfe",
        b"{\"id\":\"\xc3\x28\"}",
        b"\0\0\0",
        b"{\"id\":1,\"id\":2,\"headers\":[]}",
    ];
    for bad in unknown {
        let answers = ask(&[bad, &b"\n"[..], GOOD.as_bytes(), b"\n"].concat());
        assert_eq!(answers.len(), 2, "{bad:?}");
        is_bad(&answers[0], Value::Null);
        is_good(&answers[1]);
    }
    let known = [
        r#"{"id":7}"#,
        r#"{"id":7,"headers":{}}"#,
        r#"{"id":7,"headers":[["a"]]}"#,
        r#"{"id":7,"headers":[["a",1]]}"#,
        r#"{"id":7,"headers":[["a",{"b64":"%"}]]}"#,
        r#"{"id":7,"headers":[["a",{"b64":"","x":1}]]}"#,
        r#"{"id":7,"headers":[],"headers":[]}"#,
        r#"{"id":7,"headers":[],"x":{"a":1,"a":2}}"#,
        r#"{"id":7,"headers":[["a","\ud800"]]}"#,
    ];
    for bad in known {
        let answers = ask(format!("{bad}\n{GOOD}\n").as_bytes());
        assert_eq!(answers.len(), 2, "{bad}");
        is_bad(&answers[0], json!(7));
        is_good(&answers[1]);
    }
}

#[test]
fn an_id_goes_back_as_it_came() {
    for id in
        ["null", "true", "\"\u{e9}\\n\\u0000\"", "[1,{\"a\":[]}]", "{}", "1.50", "123456789012345678901234567890", "-0"]
    {
        let ran = run_with(CREDENTIAL, &[], format!("{{\"headers\":[],\"id\":{id}}}").as_bytes());
        assert_eq!(ran.out, format!("{{\"id\":{id},\"ok\":true,\"kind\":\"none\"}}\n"));
    }
    let ran = run_with(CREDENTIAL, &[], b"{\"headers\":[]}\r\n{\"id\":[1 ,\r2],\"headers\":[]}\r\n");
    assert_eq!(ran.out, "{\"id\":null,\"ok\":true,\"kind\":\"none\"}\n{\"id\":[1,2],\"ok\":true,\"kind\":\"none\"}\n");
}

#[test]
fn the_last_line_needs_no_end_and_nothing_needs_no_answer() {
    let answers = ask(format!("{GOOD}\n{GOOD}").as_bytes());
    assert_eq!(answers.len(), 2);
    answers.iter().for_each(is_good);
    assert!(ask(b"").is_empty());
}

#[test]
fn a_line_of_ten_megabytes_is_refused_and_a_token_of_one_is_judged() {
    let long = format!(r#"{{"id":"long","headers":[["a","{}"]]}}"#, "x".repeat(10_000_000));
    let answers = ask(format!("{long}\n{GOOD}").as_bytes());
    is_bad(&answers[0], Value::Null);
    assert_eq!(answers[0]["detail"], "the line is longer than 4194304 bytes");
    is_good(&answers[1]);

    let line = format!(r#"{{"id":1,"token":"{}"}}"#, ".".repeat(1_000_000));
    let ran = run_with(&["verify", "--batch", "--secret-env", "SECRET"], &[("SECRET", SECRET)], line.as_bytes());
    assert_eq!((&ran.lines()[0]["code"], &ran.lines()[0]["reason"]), (&json!("token_invalid"), &json!("too_long")));
}

/// By a generator of its own, so that a failure can be had again.
#[test]
fn random_bytes_get_one_answer_a_line_whatever_they_are() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut input = Vec::new();
    for _ in 0..60_000 {
        let bytes = random().to_le_bytes();
        match bytes[0] % 4 {
            0 => input.extend_from_slice(&bytes[1..]),
            1 => input
                .extend_from_slice(&br#"{"id":1,"headers":[["authorization","Bearer "#[..usize::from(bytes[1] % 44)]),
            2 => input.push(b"\n\"{}[]:,\\"[usize::from(bytes[1] % 9)]),
            _ => input.extend_from_slice(GOOD.as_bytes()),
        }
    }
    let lines = input.split(|byte| *byte == b'\n').count() - usize::from(input.last() == Some(&b'\n'));
    for command in [CREDENTIAL, &["client-ip", "--batch"], &["jws", "--batch"], &["keys", "--batch"]] {
        let ran = run_with(command, &[], &input);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{command:?}");
        assert_eq!(ran.lines().len(), lines, "{command:?}");
    }
}

#[test]
fn each_answer_comes_before_the_next_question() {
    let mut child = spawn(CREDENTIAL, &[]);
    let (mut input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let mut output = BufReader::new(output);
    for _ in 0..3 {
        writeln!(input, "{GOOD}").expect("it reads");
        let mut line = String::new();
        output.read_line(&mut line).expect("it answers");
        is_good(&serde_json::from_str(&line).expect("JSON"));
    }
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut child = spawn(CREDENTIAL, &[]);
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("a pipe");
    // It may have ended before all of them are written.
    let _ = (0..10_000).try_for_each(|_| writeln!(input, "{GOOD}"));
    drop(input);
    let mut told = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut told).expect("text");
    assert_eq!((child.wait().expect("it ends").code(), told.as_str()), (Some(0), ""));

    let mut child = spawn(&["completions", "bash"], &[]);
    drop(child.stdout.take());
    assert!(matches!(child.wait().expect("it ends").code(), Some(0)));
}

#[test]
fn a_refusal_stays_one_when_nobody_reads_it() {
    for (command, code) in [("verify", 1), ("decode", 1), ("jws", 1), ("mint", 0)] {
        for json in [&["--json"][..], &[]] {
            let options = match command {
                "decode" => &[][..],
                "mint" => &["--secret-env", "SECRET", "--sub", "ann"],
                _ => &["--secret-env", "SECRET"],
            };
            let mut child = spawn(&[&[command][..], options, json].concat(), &[("SECRET", SECRET)]);
            // Before there is a question, so that the answer finds the pipe closed.
            drop(child.stdout.take());
            let mut input = child.stdin.take().expect("a pipe");
            // What is minted asks for nothing and may have ended.
            let _ = input.write_all(b"no.token.at-all");
            drop(input);
            let mut told = String::new();
            child.stderr.take().expect("a pipe").read_to_string(&mut told).expect("text");
            assert_eq!((child.wait().expect("it ends").code(), told.as_str()), (Some(code), ""), "{command} {json:?}");
        }
    }
}
