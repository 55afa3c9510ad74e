//! `Cookie` field lines, one for each line of the input, against a plain list of pairs.
#![no_main]

use std::ops::ControlFlow;

use authcore::RequestHead;
use authcore::credential::cookie;
use authcore_fuzz::{assert_tells_no_secret, planted};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let lines = data.split(|byte| *byte == b'\n');
    let head = lines.clone().fold(TestHead::get("/"), |head, line| head.header("cookie", line));
    let head = &head as &dyn RequestHead;
    let pairs: Vec<_> = lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(pair).collect();

    let mut seen = Vec::new();
    cookie::each(head, &mut |name, value| {
        seen.push((name, value));
        ControlFlow::Continue(())
    });
    assert_eq!(seen, pairs);

    // Each name that is there, and one that mostly is not.
    let names = pairs.iter().map(|(name, _)| *name).chain([b"s".as_slice()]);
    for name in names.take(8).filter_map(|name| std::str::from_utf8(name).ok()) {
        let mut values: Vec<_> = pairs.iter().filter(|(n, _)| *n == name.as_bytes()).map(|(_, v)| *v).collect();
        values.dedup();
        match (cookie::value(head, name), &values[..]) {
            (Ok(None), []) => {}
            (Ok(Some(found)), [only]) => assert_eq!(found, *only),
            (Err(ambiguous), [_, _, ..]) => assert_tells_no_secret(&ambiguous),
            (found, values) => panic!("{found:?} of {values:?}"),
        }
    }
});

fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut halves = text.splitn(2, |byte| *byte == b'=');
    Some((trimmed(halves.next()?), trimmed(halves.next()?)))
}

fn trimmed(text: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
