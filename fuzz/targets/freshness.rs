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
    let found = found.map(|found| (u128::from(found.as_secs()), found.subsec_nanos()));

    // A first line that is no number says nothing of the time that is used up; of a list the first counts (RFC 9111 §5.1).
    let used = age.first().and_then(|line| number(line.split(|byte| *byte == b',').next()?.trim_ascii()));
    let left = |max_age: u128| (max_age.saturating_sub(used.unwrap_or(0)), 0);
    match control.iter().find_map(|line| Reader(line).max_age().transpose()) {
        Some(Ok(max_age)) => assert_eq!(found, Some(left(max_age))),
        None => assert_eq!(found, None),
        // Of lines that are off the grammar, no more than this is promised: a number stands there.
        Some(Err(OffGrammar)) => {
            let plain =
                control.iter().map(|line| line.iter().copied().filter(|byte| *byte != b'\\').collect::<Vec<_>>());
            let mut numbers =
                plain.flat_map(|line| line.split(|byte| !byte.is_ascii_digit()).filter_map(number).collect::<Vec<_>>());
            assert!(found.is_none() || numbers.any(|number| found == Some(left(number))), "{found:?}");
        }
    }
});

/// What is left to read of a line of `Cache-Control`.
struct Reader<'l>(&'l [u8]);

struct OffGrammar;

impl Reader<'_> {
    /// The first `max-age` that has a number. `Cache-Control = #cache-directive` (RFC 9111 §5.2), where
    /// `#element = [ element ] *( OWS "," OWS [ element ] )` for who receives it (RFC 9110 §5.6.1.2).
    fn max_age(mut self) -> Result<Option<u128>, OffGrammar> {
        loop {
            self.white_space();
            let found = self.directive()?;
            self.white_space();
            if !self.0.is_empty() && !self.takes(b',') {
                return Err(OffGrammar);
            }
            if found.is_some() || self.0.is_empty() {
                return Ok(found);
            }
        }
    }

    /// `[ token [ "=" ( token / quoted-string ) ] ]`: its number, if it is a `max-age` that has one.
    fn directive(&mut self) -> Result<Option<u128>, OffGrammar> {
        let name = self.token();
        if name.is_empty() || !self.takes(b'=') {
            return Ok(None);
        }
        let value = if self.takes(b'"') {
            self.rest_of_quoted_string()?
        } else {
            Some(self.token()).filter(|token| !token.is_empty()).ok_or(OffGrammar)?
        };
        Ok(if name.eq_ignore_ascii_case(b"max-age") { number(&value) } else { None })
    }

    /// `1*tchar` (RFC 9110 §5.6.2), or nothing.
    fn token(&mut self) -> Vec<u8> {
        let mut token = Vec::new();
        while let Some((byte, rest)) = self.0.split_first()
            && (byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
        {
            token.push(*byte);
            self.0 = rest;
        }
        token
    }

    /// `*( qdtext / quoted-pair ) DQUOTE` (RFC 9110 §5.6.4): what it stands for.
    fn rest_of_quoted_string(&mut self) -> Result<Vec<u8>, OffGrammar> {
        let mut inside = Vec::new();
        loop {
            let (byte, rest) = match self.0 {
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    return Ok(inside);
                }
                [b'\\', byte, rest @ ..] => (byte, rest),
                [b'\\'] | [] => return Err(OffGrammar),
                [byte, rest @ ..] => (byte, rest),
            };
            inside.push(*byte);
            self.0 = rest;
        }
    }

    /// `OWS` (RFC 9110 §5.6.3).
    fn white_space(&mut self) {
        while self.takes(b' ') || self.takes(b'\t') {}
    }

    fn takes(&mut self, byte: u8) -> bool {
        let Some(rest) = self.0.strip_prefix(&[byte]) else { return false };
        self.0 = rest;
        true
    }
}

/// Delta-seconds, of which those beyond the largest that is held are that (RFC 9111 §1.2.2).
fn number(digits: &[u8]) -> Option<u128> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let add = |sum: u128, digit: &u8| sum.saturating_mul(10).saturating_add(u128::from(digit - b'0'));
    is_number.then(|| digits.iter().fold(0, add).min(u128::from(u32::MAX)))
}

fn is_in_field(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}
