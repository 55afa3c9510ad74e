//! Forwarding headers against plain second readings of them: no text makes a client somebody it is not.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use authcore::rate::{ClientAddresses, ForwardingHeader};
use authcore_testkit::TestHead;
use proptest::prelude::*;

const PEER: &str = "10.0.0.1";

fn client(addresses: &ClientAddresses, name: &str, lines: &[String]) -> IpAddr {
    let head = lines.iter().fold(TestHead::get("/").peer(PEER), |head, line| head.header(name, line));
    addresses.client(&head).expect("a peer is known")
}

fn hops(proxies: usize) -> ClientAddresses {
    ClientAddresses::hops(proxies).expect("good settings")
}

/// What `addresses` must say of a list, given what a plain reader makes of each entry: the entry of that number from the
/// right, unless one from there on cannot be read.
fn nth_from_right(entries: &[Option<IpAddr>], proxies: usize) -> Option<IpAddr> {
    let deciding = &entries[entries.len().checked_sub(proxies)?..];
    deciding.iter().copied().collect::<Option<Vec<_>>>()?.first().copied()
}

/// The walk past 10.0.0.0/8 and ::1.
fn first_stranger(entries: &[Option<IpAddr>]) -> Option<IpAddr> {
    let ours =
        |ip: &IpAddr| matches!(ip, IpAddr::V4(ip) if ip.octets()[0] == 10) || *ip == IpAddr::V6(Ipv6Addr::LOCALHOST);
    let strangers = |entry: &Option<IpAddr>| !entry.as_ref().is_some_and(ours);
    match entries.iter().rposition(strangers) {
        Some(at) => entries[at],
        None => entries.first().copied().flatten(),
    }
}

/// An `X-Forwarded-For` entry as the standard library reads addresses, with and without ports.
fn plain_entry(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || entry.parse::<SocketAddr>().ok().filter(|_| !entry.contains('%')).map(|socket| socket.ip());
    entry.parse().ok().or_else(bracketed).or_else(with_port).map(|ip| ip.to_canonical())
}

/// Elements of a `Forwarded` list read from the left, character by character; `None` when a string is left open or a
/// backslash stands outside one.
fn plain_split(text: &str, at: char) -> Option<Vec<String>> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let part = parts.last_mut()?;
        match char {
            '\\' if !quoted => return None,
            '\\' => part.extend([char, chars.next()?]),
            _ if char == at && !quoted => parts.push(String::new()),
            _ => {
                quoted ^= char == '"';
                part.push(char);
            }
        }
    }
    (!quoted).then_some(parts)
}

fn plain_element(element: &str) -> Option<IpAddr> {
    let is_token = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    };
    let mut named = Vec::new();
    for pair in plain_split(element, ';')? {
        let pair = pair.trim_matches([' ', '\t']);
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(quoted) => {
                let inner = quoted.strip_suffix('"')?;
                let plain = inner.replace("\\\\", "").replace("\\\"", "");
                let readable = !plain.contains('"') && !plain.chars().any(|c| c.is_ascii_control() && c != '\t');
                readable.then(|| inner.replace('\\', ""))?
            }
            None => is_token(value).then(|| value.to_owned())?,
        };
        is_token(name).then_some(())?;
        if name.eq_ignore_ascii_case("for") {
            named.push(value);
        }
    }
    let [node] = named.as_slice() else { return None };
    let bare_ipv6 = node.parse::<Ipv6Addr>().is_ok();
    let node = node.strip_suffix(":_x").unwrap_or(node);
    if bare_ipv6 || node.trim() != node { None } else { plain_entry(node) }
}

/// The elements at the end of a list, if it ends in this many good ones after some comma.
fn plain_tail(text: &str, elements: usize) -> Option<Vec<IpAddr>> {
    let starts = text.match_indices(',').map(|(at, _)| at + 1).chain([0]);
    starts.into_iter().find_map(|start| {
        let parts = plain_split(&text[start..], ',').filter(|parts| parts.len() == elements)?;
        parts.iter().map(|part| plain_element(part)).collect()
    })
}

fn x_forwarded_for() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec!["192.0.2.1", "10.0.0.2", "::1", "2001:db8::1", "::ffff:192.0.2.3", "[::1]"]),
        6 => Just(","),
        2 => prop::sample::select(vec![":80", ":", "[", "]", "%1", " ", "\t", "\"", "unknown", "0", "for=", "é", "x"]),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn forwarded() -> impl Strategy<Value = String> {
    let good = [
        "for=192.0.2.1",
        "FOR=10.0.0.2",
        "for=\"[2001:db8::1]:80\"",
        "For=\"192.0.2.2:_x\"",
        "for=\"\\192.0.2.3\"",
        "by=\"a, \\\" for=1.1.1.1; \\\\\"",
        "proto=https",
    ];
    let odd = ["\"", "\\", " ", "=", "for=", "for=\"", "x", "unknown", "_x", "[", "2001:db8::1", ":80", "\0", "é"];
    let piece = prop_oneof![
        6 => prop::sample::select(good.to_vec()),
        4 => prop::sample::select(vec![",", ", ", ";"]),
        2 => prop::sample::select(odd.to_vec()),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn x_forwarded_for_agrees_with_a_plain_reading(lines in prop::collection::vec(x_forwarded_for(), 0..4)) {
        let peer: IpAddr = PEER.parse().expect("an address");
        let joined = lines.join(",");
        let entries: Vec<_> = if lines.is_empty() { Vec::new() } else { joined.split(',').map(plain_entry).collect() };
        for proxies in 1..4 {
            let expected = nth_from_right(&entries, proxies).unwrap_or(peer);
            prop_assert_eq!(client(&hops(proxies), "x-forwarded-for", &lines), expected, "{} of {}", proxies, joined);
        }
        let trusting = ClientAddresses::trusting(["10.0.0.0/8", "::1"]).expect("good settings");
        let expected = first_stranger(&entries).unwrap_or(peer);
        prop_assert_eq!(client(&trusting, "x-forwarded-for", &lines), expected, "{}", joined);
    }

    #[test]
    fn forwarded_agrees_with_a_plain_reading(lines in prop::collection::vec(forwarded(), 0..3)) {
        let peer: IpAddr = PEER.parse().expect("an address");
        let joined = lines.join(",");
        for proxies in 1..4 {
            let expected = plain_tail(&joined, proxies).map_or(peer, |tail| tail[0]);
            let seen = client(&hops(proxies).header(ForwardingHeader::Forwarded), "forwarded", &lines);
            prop_assert_eq!(seen, expected, "{} of {}", proxies, joined);
        }
    }

    /// What a client sends stands to the left of what proxies append, on the same line or on lines before.
    #[test]
    fn nothing_a_client_sends_changes_what_the_proxies_say(
        sent in prop::collection::vec(prop_oneof![x_forwarded_for(), forwarded(), "\\PC{0,40}"], 0..3),
        same_line: bool,
    ) {
        let appended = |proxies: &str| {
            let mut lines = sent.clone();
            match lines.last_mut() {
                Some(last) if same_line => last.push_str(&format!(", {proxies}")),
                _ => lines.push(proxies.to_owned()),
            }
            lines
        };
        let expected: IpAddr = "203.0.113.9".parse().expect("an address");
        let trusting = ClientAddresses::trusting(["10.0.0.0/8"]).expect("good settings");
        for addresses in [hops(2), trusting] {
            let lines = appended("203.0.113.9:50123, 10.0.0.2");
            prop_assert_eq!(client(&addresses, "x-forwarded-for", &lines), expected);
            let lines = appended("for=\"203.0.113.9:50123\";host=\"a, \\\"b\", for=10.0.0.2;proto=https");
            prop_assert_eq!(client(&addresses.header(ForwardingHeader::Forwarded), "forwarded", &lines), expected);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4),
    ) {
        let peer: IpAddr = PEER.parse().expect("an address");
        let trusting = ClientAddresses::trusting(["10.0.0.0/8"]).expect("good settings");
        for name in ["x-forwarded-for", "forwarded"] {
            let header: ForwardingHeader = name.parse().expect("one of the two");
            let head = lines.iter().fold(TestHead::get("/").peer(PEER), |head, line| head.header(name, line));
            for addresses in [hops(1), hops(2), trusting.clone()] {
                let seen = addresses.header(header).client(&head).expect("a peer is known");
                // Of addresses only `::` and its like come about by chance.
                let written = lines.iter().any(|line| String::from_utf8_lossy(line).contains("::"));
                prop_assert!(seen == peer || written, "{seen}");
            }
        }
    }

    #[test]
    fn any_list_of_networks_is_judged_without_a_panic(text in prop_oneof!["\\PC{0,60}", "[0-9a-f:./, ]{0,40}"]) {
        let _ = text.parse::<ClientAddresses>();
    }
}
