//! Whose address counts. The first byte says who is trusted and which header is read; the rest are its lines.
#![no_main]

use std::net::IpAddr;

use authcore::rate::{ClientAddresses, ForwardingHeader};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [mode, lines @ ..] = data else { return };
    let (header, name) = match mode & 1 {
        0 => (ForwardingHeader::XForwardedFor, "x-forwarded-for"),
        _ => (ForwardingHeader::Forwarded, "forwarded"),
    };
    let peer: IpAddr = "10.0.0.1".parse().expect("an address");
    let head = |lines: &[u8]| {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.contains(&b'\r'));
        lines.fold(TestHead::get("/").peer("10.0.0.1"), |head, line| head.header(name, line))
    };
    let trusting = match mode >> 1 & 3 {
        0 => ClientAddresses::peer(),
        1 => ClientAddresses::hops(1).expect("one"),
        2 => ClientAddresses::hops(2).expect("two"),
        _ => ClientAddresses::trusting(["10.0.0.0/8", "2001:db8::/32"]).expect("networks"),
    };
    let addresses = trusting.header(header);
    let found = addresses.client(&head(lines)).expect("there is a peer");
    assert_eq!(addresses.client(&head(lines)), Some(found));
    assert!(found.to_canonical() == found, "IPv4 in IPv6 is IPv4");
    let at_all = |network: &str| found.to_string().starts_with(network);
    match mode >> 1 & 3 {
        0 => assert_eq!(found, peer, "nobody is believed"),
        kind if found != peer => {
            // What a client puts in front of what the proxies wrote changes nothing.
            let chosen = kind != 3 || !at_all("10.") && !at_all("2001:db8:");
            if chosen && !lines.is_empty() {
                let prefixed =
                    [if mode & 1 == 0 { &b"203.0.113.7\n"[..] } else { b"for=203.0.113.7\n" }, lines].concat();
                assert_eq!(addresses.client(&head(&prefixed)), Some(found));
            }
            // It stands there.
            let text = String::from_utf8_lossy(lines);
            let digits = found.to_string();
            let first = digits.split(['.', ':']).find(|part| !part.is_empty()).unwrap_or("").to_owned();
            assert!(
                text.to_lowercase().contains(&first) || found.is_ipv6() || text.contains("::"),
                "{found} of {text}"
            );
        }
        _ => {}
    }
    // The other header is never read.
    let other = if mode & 1 == 0 { "forwarded" } else { "x-forwarded-for" };
    let beside = TestHead::get("/").peer("10.0.0.1").header(other, "203.0.113.9");
    assert_eq!(addresses.client(&beside), Some(peer));
});
