//! The lines of the command's `--batch`: as many answers as questions, each one line of JSON that has the question's id, and
//! members that are read as a plain second reading has them.
#![no_main]

#[expect(dead_code, reason = "the command's own files, of which not all is asked here")]
#[path = "../../crates/authcore-cli/src/batch.rs"]
mod batch;
#[expect(dead_code, reason = "as above")]
#[path = "../../crates/authcore-cli/src/fault.rs"]
mod fault;
#[expect(dead_code, reason = "as above")]
#[path = "../../crates/authcore-cli/src/json.rs"]
mod json;
#[expect(dead_code, reason = "as above")]
#[path = "../../crates/authcore-cli/src/text.rs"]
mod text;
#[expect(dead_code, reason = "as above")]
#[path = "../../crates/authcore-cli/src/value.rs"]
mod value;

use std::io::BufReader;

use authcore_fuzz::json::{Members, Node};
use authcore_fuzz::{MARKER, planted};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let mut output = Vec::new();
    // In small pieces, as a pipe may bring them.
    let asked = batch::over(BufReader::with_capacity(7, &*data), &mut output, |line, answer| {
        let (token, now) = (line.bytes("token")?, line.now()?);
        Ok(answer.with("ok", true).with("token", token).time("now", now))
    });
    assert!(matches!(asked, Ok(fault::Verdict::Accepted)));
    let output = String::from_utf8(output).expect("answers are text");
    let mut questions: Vec<_> = data.split(|byte| *byte == b'\n').collect();
    // The last line need not end.
    if questions.last().is_some_and(|last| last.is_empty()) {
        questions.pop();
    }
    assert_eq!(output.lines().count(), questions.len());
    assert!(output.is_empty() || output.ends_with('\n'));
    for (question, answer) in questions.into_iter().zip(output.split('\n')) {
        assert!(
            !answer.contains(char::is_control) && !answer.contains(['\u{202e}', '\u{200b}', '\u{feff}']),
            "{answer}"
        );
        answered(question, answer);
    }
});

fn answered(question: &[u8], answer: &str) {
    let answer = Members::of(answer).expect("an answer is an object");
    assert!(!answer.names_twice());
    let text = std::str::from_utf8(question).unwrap_or_default();
    let asked = Members::of(text);
    let id = asked.as_ref().filter(|asked| asked.count("id") == 1).and_then(|asked| asked.read("id"));
    // An id that holds half a surrogate pair is no text to a second reading, and goes back as it came.
    let has_id = asked.as_ref().is_some_and(|asked| asked.count("id") == 1);
    assert!(id.is_none() && has_id || answer.read("id") == Some(id.unwrap_or(Node::Null)));
    if answer.read("ok") == Some(Node::Bool(false)) {
        assert_eq!(answer.text("code").as_deref(), Some("bad_request"));
        let detail = answer.text("detail").expect("what is wrong is said");
        return assert!(!detail.is_empty() && !detail.contains(MARKER), "a token is told: {detail}");
    }
    assert_eq!(answer.read("ok"), Some(Node::Bool(true)));
    let asked = asked.expect("a question is an object");
    assert!(authcore::json::check(text).is_ok() && !asked.names_twice());
    let given = |name| asked.read(name).filter(|value| *value != Node::Null);
    let token = match (given("token"), given("token_b64")) {
        (Some(Node::Text(token)), None) => token.into_bytes(),
        (None, Some(Node::Text(encoded))) => {
            let inside = encoded.trim_end_matches('=');
            let standard = STANDARD_NO_PAD.decode(inside).or_else(|_| URL_SAFE_NO_PAD.decode(inside));
            standard.expect("base64 in either alphabet")
        }
        other => panic!("no token in {other:?}"),
    };
    let bytes = token.iter().map(|byte| Node::Integer(i64::from(*byte))).collect();
    assert_eq!(answer.read("token"), Some(Node::List(bytes)));
    let (now, told) = (given("now"), answer.read("now"));
    match (number(now.as_ref()), number(told.as_ref())) {
        (Some(now), Some(told)) => assert!((now - told).abs() <= 1e-6 + now.abs() * 1e-15, "{told} of {now}"),
        (None, None) => assert_eq!((now, told), (None, Some(Node::Null))),
        other => panic!("{other:?}"),
    }
}

fn number(node: Option<&Node>) -> Option<f64> {
    match node? {
        Node::Integer(number) => Some(*number as f64),
        Node::Number(number) => Some(*number),
        _ => None,
    }
}
