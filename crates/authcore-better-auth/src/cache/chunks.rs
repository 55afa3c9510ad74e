//! One cookie, or its chunks `name.0`, `name.1` and so on, put together.

use std::borrow::Cow;
use std::ops::ControlFlow;

use authcore::RequestHead;
use authcore::credential::cookie;

use super::fault::CacheFault;

/// As many chunks as Better Auth writes at the most.
const MAX_CHUNKS: usize = 100;

/// The text of the cookie; `Ok(None)` when it is not there. The cookie without an index is used alone if it is there. Chunks
/// are joined by number, whatever their order: a gap, a repetition and an index that is none spoil them all.
pub(super) fn collect<'h>(
    head: &'h dyn RequestHead,
    name: &str,
    max_bytes: usize,
) -> Result<Option<Cow<'h, str>>, CacheFault> {
    let whole = cookie::value(head, name).map_err(|_| CacheFault::Ambiguous)?;
    let text = match whole {
        Some(value) if value.len() > max_bytes => return Err(CacheFault::TooLong),
        Some(value) => Cow::Borrowed(super::text_of(value)?),
        None => match Chunks::of(head, name)?.joined(max_bytes)? {
            Some(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| CacheFault::Malformed)?),
            None => return Ok(None),
        },
    };
    Ok(Some(text))
}

/// Chunks by number.
struct Chunks<'h>([Option<&'h [u8]>; MAX_CHUNKS]);

impl<'h> Chunks<'h> {
    fn of(head: &'h dyn RequestHead, name: &str) -> Result<Self, CacheFault> {
        let mut chunks = [None; MAX_CHUNKS];
        let mut fault = None;
        cookie::each(head, &mut |given, value| {
            let suffix = given.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"."));
            let Some(suffix) = suffix else { return ControlFlow::Continue(()) };
            match index(suffix).map(|index| chunks.get_mut(index)) {
                Some(Some(free @ None)) => {
                    *free = Some(value);
                    return ControlFlow::Continue(());
                }
                Some(None) => fault = Some(CacheFault::TooLong),
                Some(Some(_)) | None => fault = Some(CacheFault::Ambiguous),
            }
            ControlFlow::Break(())
        });
        fault.map_or(Ok(Self(chunks)), Err)
    }

    fn joined(&self, max_bytes: usize) -> Result<Option<Vec<u8>>, CacheFault> {
        let count = self.0.iter().take_while(|chunk| chunk.is_some()).count();
        let (present, absent) = self.0.split_at(count);
        if absent.iter().any(Option::is_some) {
            return Err(CacheFault::Ambiguous);
        }
        if present.iter().flatten().map(|chunk| chunk.len()).sum::<usize>() > max_bytes {
            return Err(CacheFault::TooLong);
        }
        Ok((count > 0).then(|| present.iter().flatten().copied().collect::<Vec<_>>().concat()))
    }
}

/// A decimal number in its one spelling. Three digits are too many already, and more are not read.
fn index(digits: &[u8]) -> Option<usize> {
    match digits {
        [b'0'] => Some(0),
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
            Some(digits.iter().take(3).fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
        }
        _ => None,
    }
}
