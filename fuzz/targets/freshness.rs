//! For how long an answer is fresh: lines that begin with `c` are of `Cache-Control`, all others of `Age`.
#![no_main]

use authcore::fuzzing::freshness;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let lines = data.split(|byte| *byte == b'\n').filter(|line| line.iter().all(|byte| is_in_field(*byte)));
    let (mut control, mut age) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            [b'c', rest @ ..] => control.push(rest),
            [_, rest @ ..] => age.push(rest),
            [] => {}
        }
    }
    let found = freshness(&control, &age);
    assert_eq!(found, freshness(&control, &age));

    let max_age = control.iter().find_map(|line| max_age(std::str::from_utf8(line).ok()?));
    // A first line that is no number says nothing of the time that is used up.
    let used = age.first().and_then(|line| number(std::str::from_utf8(line).ok()?.trim_matches([' ', '\t'])));
    let left = max_age.map(|max_age| max_age.saturating_sub(used.unwrap_or(0)));
    assert_eq!(found.map(|found| (u128::from(found.as_secs()), found.subsec_nanos())), left.map(|left| (left, 0)));
});

/// The first directive of this name that has a number, by the grammar of RFC 9111 §5.2: commas in quotes separate nothing.
fn max_age(line: &str) -> Option<u128> {
    let (mut directives, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for letter in line.chars() {
        if letter == ',' && !quoted {
            directives.push(String::new());
            continue;
        }
        quoted ^= letter == '"' && !escaped;
        escaped = quoted && letter == '\\' && !escaped;
        directives.last_mut().expect("one at least").push(letter);
    }
    directives.iter().find_map(|directive| {
        let (name, value) = directive.trim_matches([' ', '\t']).split_once('=')?;
        let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        if name.eq_ignore_ascii_case("max-age") { number(inside.unwrap_or(value)) } else { None }
    })
}

/// Delta-seconds, of which those beyond the largest that is held are that (RFC 9111 §1.2.2).
fn number(digits: &str) -> Option<u128> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse::<u128>().unwrap_or(u128::MAX).min(u128::from(u32::MAX)))
}

fn is_in_field(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}
