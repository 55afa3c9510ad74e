//! What a forwarding header lists, from the right: the side on which trusted proxies append.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::ControlFlow;

use super::{ForwardingHeader, forwarded, node};
use crate::credential::trim;
use crate::head::RequestHead;

/// So many entries are looked at, from the right: more than there are proxies in front of anything.
pub(super) const MAX_ENTRIES: usize = 64;

/// So many bytes are looked at, from the right, whatever the HTTP server lets by.
const MAX_BYTES: usize = 8 * 1024;

/// The field's lines as the one list that they are (RFC 9110 §5.3).
pub(super) struct Joined<'h> {
    text: Cow<'h, [u8]>,
    header: ForwardingHeader,
}

impl<'h> Joined<'h> {
    /// `None` when there is no such field.
    pub(super) fn of(head: &'h dyn RequestHead, header: ForwardingHeader) -> Option<Self> {
        let (mut before, mut last) = (Vec::new(), None);
        head.field_lines(header.name(), &mut |line| {
            before.extend(last.replace(line));
            ControlFlow::Continue(())
        });
        let last = last?;
        // One line is the usual case, and needs no copy.
        let text = if before.is_empty() {
            last.into()
        } else {
            before.push(last);
            before.join(&b',').into()
        };
        Some(Self { text, header })
    }

    pub(super) fn entries(&self) -> Entries<'_> {
        let cut = self.text.len().saturating_sub(MAX_BYTES);
        Entries { text: Some(&self.text[cut..]), cut: cut > 0, taken: 0, header: self.header }
    }
}

/// The address in each entry, from the right; `None` for one that cannot be used, or lies beyond what is looked at.
pub(super) struct Entries<'t> {
    /// What is left, without the comma at its end.
    text: Option<&'t [u8]>,
    /// Whether more would stand further left.
    cut: bool,
    taken: usize,
    header: ForwardingHeader,
}

impl Iterator for Entries<'_> {
    type Item = Option<IpAddr>;

    fn next(&mut self) -> Option<Option<IpAddr>> {
        let text = self.text?;
        let comma = match self.header {
            ForwardingHeader::XForwardedFor => text.iter().rposition(|byte| *byte == b','),
            ForwardingHeader::Forwarded => forwarded::last_comma(text),
        };
        self.text = comma.map(|comma| &text[..comma]);
        self.taken += 1;
        let in_part = self.cut && comma.is_none();
        if in_part || self.taken > MAX_ENTRIES {
            return Some(None);
        }
        let entry = trim(&text[comma.map_or(0, |comma| comma + 1)..]);
        let address = match self.header {
            ForwardingHeader::XForwardedFor => std::str::from_utf8(entry).ok().and_then(node::bare_or_with_port),
            ForwardingHeader::Forwarded => forwarded::address(entry),
        };
        Some(address.map(|address| address.to_canonical()))
    }
}
