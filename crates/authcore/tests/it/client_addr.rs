//! Whose request it is, by network address: of docs/security/cases.md.

use authcore::rate::{ClientAddresses, ForwardingHeader};
use authcore_testkit::TestHead;

const XFF: &str = "X-Forwarded-For";

/// A request from this peer with these lines of one field.
fn head(peer: &str, name: &str, lines: &[&str]) -> TestHead {
    lines.iter().fold(TestHead::get("/").peer(peer), |head, line| head.header(name, line))
}

#[track_caller]
fn client(addresses: &ClientAddresses, head: &TestHead) -> String {
    addresses.client(head).expect("a peer is known").to_string()
}

fn hops(proxies: usize) -> ClientAddresses {
    ClientAddresses::hops(proxies).expect("good settings")
}

fn trusting(networks: &[&str]) -> ClientAddresses {
    ClientAddresses::trusting(networks).expect("good settings")
}

/// What one proxy's `X-Forwarded-For` entry comes to; `10.0.0.1` is the peer.
#[track_caller]
fn x_forwarded_for(entry: &str) -> String {
    client(&hops(1), &head("10.0.0.1", XFF, &[entry]))
}

/// What one proxy's `Forwarded` element comes to; `10.0.0.1` is the peer.
#[track_caller]
fn forwarded(element: &str) -> String {
    client(&hops(1).header(ForwardingHeader::Forwarded), &head("10.0.0.1", "Forwarded", &[element]))
}

#[test]
fn r130_nothing_is_believed_unless_somebody_is_trusted() {
    let head = head("203.0.113.9", XFF, &["192.0.2.1"])
        .header("Forwarded", "for=192.0.2.1")
        .header("X-Real-IP", "192.0.2.1")
        .header("CF-Connecting-IP", "192.0.2.1")
        .header("True-Client-IP", "192.0.2.1");
    let nobody = [ClientAddresses::peer(), ClientAddresses::default(), trusting(&[]), "".parse().expect("nobody")];
    for addresses in nobody {
        for addresses in [addresses.clone(), addresses.header(ForwardingHeader::Forwarded)] {
            assert_eq!(client(&addresses, &head), "203.0.113.9");
            assert_eq!(addresses.address(&head).expect("a peer").to_string(), "203.0.113.9/32");
        }
    }
}

#[test]
fn r131_what_stands_left_of_the_trusted_hops_does_not_matter() {
    for spoofed in
        ["", "1.1.1.1, ", "1.1.1.1, 2.2.2.2, ", "garbage, ", ",,,", "\", ", "\u{e9}, ", "10.0.0.3, 10.0.0.2, "]
    {
        let head = head("10.0.0.3", XFF, &[&format!("{spoofed}203.0.113.9, 10.0.0.1, 10.0.0.2")]);
        assert_eq!(client(&hops(1), &head), "10.0.0.2", "{spoofed}");
        assert_eq!(client(&hops(2), &head), "10.0.0.1", "{spoofed}");
        assert_eq!(client(&hops(3), &head), "203.0.113.9", "{spoofed}");
        assert_eq!(client(&trusting(&["10.0.0.0/8"]), &head), "203.0.113.9", "{spoofed}");
    }
}

#[test]
fn r132_with_fewer_entries_than_hops_it_is_the_peer() {
    for (proxies, lines) in [
        (1, &[][..]),
        (1, &[""]),
        (1, &[" \t"]),
        (2, &["1.1.1.1"]),
        (3, &["1.1.1.1, 2.2.2.2"]),
        (3, &["1.1.1.1", "2.2.2.2"]),
        (64, &["1.1.1.1"]),
    ] {
        assert_eq!(client(&hops(proxies), &head("10.0.0.3", XFF, lines)), "10.0.0.3", "{proxies} {lines:?}");
    }
}

#[test]
fn r132_an_entry_that_decides_and_cannot_be_read_makes_it_the_peer() {
    for bad in ["", "unknown", "-", "client", "1.1.1", "\"1.1.1.1\"", "1.1.1.1 2.2.2.2", "for=1.1.1.1", "\u{e9}"] {
        for list in
            [format!("1.1.1.1, {bad}, 10.0.0.2"), format!("1.1.1.1, 2.2.2.2, {bad}"), format!("1.1.1.1, {bad}, {bad}")]
        {
            let head = head("10.0.0.3", XFF, &[&list]);
            assert_eq!(client(&hops(2), &head), "10.0.0.3", "{list}");
            assert_eq!(client(&trusting(&["10.0.0.0/8"]), &head), "10.0.0.3", "{list}");
        }
    }
}

#[test]
fn r132_work_is_bounded_and_beyond_the_bound_it_is_the_peer() {
    let proxies = trusting(&["10.0.0.0/8"]);
    let behind = |trusted: usize| head("10.0.0.3", XFF, &[&format!("192.0.2.1{}", ", 10.0.0.1".repeat(trusted))]);
    assert_eq!(client(&proxies, &behind(63)), "192.0.2.1");
    assert_eq!(client(&hops(64), &behind(63)), "192.0.2.1");
    assert_eq!(client(&proxies, &behind(64)), "10.0.0.3");
    assert_eq!(client(&proxies, &behind(100_000)), "10.0.0.3");

    let padded = |bytes: usize| head("10.0.0.3", XFF, &[&format!("192.0.2.1{}, 10.0.0.1", " ".repeat(bytes))]);
    assert_eq!(client(&proxies, &padded(8_000)), "192.0.2.1");
    assert_eq!(client(&proxies, &padded(8_192)), "10.0.0.3");
    assert_eq!(client(&proxies, &padded(1 << 20)), "10.0.0.3");
    // An address cut in two is not taken for a shorter one.
    let cut = format!("192.0.2.123,{}10.0.0.1", " ".repeat(8 * 1024 - "2.0.2.123,10.0.0.1".len()));
    assert_eq!(client(&proxies, &head("10.0.0.3", XFF, &[&cut])), "10.0.0.3");

    let long = format!("{}, 192.0.2.1", "1.1.1.1, ".repeat(1 << 16));
    assert_eq!(client(&hops(1), &head("10.0.0.3", XFF, &[&long])), "192.0.2.1");
    let many = vec!["1.1.1.1"; 10_000];
    assert_eq!(client(&proxies, &head("10.0.0.3", XFF, &many)), "1.1.1.1");
}

#[test]
fn r133_lines_are_joined_in_order_before_counting() {
    for lines in [
        &["1.1.1.1, 203.0.113.9, 10.0.0.1"][..],
        &["1.1.1.1", "203.0.113.9", "10.0.0.1"],
        &["1.1.1.1, 203.0.113.9", "10.0.0.1"],
        &["1.1.1.1", "203.0.113.9,10.0.0.1"],
        &["", "203.0.113.9\t,\t10.0.0.1"],
    ] {
        let head = head("10.0.0.2", XFF, lines);
        assert_eq!(client(&hops(1), &head), "10.0.0.1", "{lines:?}");
        assert_eq!(client(&hops(2), &head), "203.0.113.9", "{lines:?}");
        assert_eq!(client(&trusting(&["10.0.0.0/8"]), &head), "203.0.113.9", "{lines:?}");
    }
    let elements = head("10.0.0.2", "Forwarded", &["for=1.1.1.1", "for=203.0.113.9", "for=10.0.0.1"]);
    assert_eq!(client(&hops(2).header(ForwardingHeader::Forwarded), &elements), "203.0.113.9");
}

#[test]
fn r134_from_a_peer_that_is_not_trusted_the_header_is_not_read() {
    let proxies = trusting(&["10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48"]);
    for (peer, seen) in [
        ("10.0.0.1", "203.0.113.9"),
        ("10.255.255.255", "203.0.113.9"),
        ("192.0.2.7", "203.0.113.9"),
        ("2001:db8:ffff:1::1", "203.0.113.9"),
        ("11.0.0.0", "11.0.0.0"),
        ("9.255.255.255", "9.255.255.255"),
        ("192.0.2.8", "192.0.2.8"),
        ("2001:db8:fffe::1", "2001:db8:fffe::1"),
        ("::1", "::1"),
        ("::10.0.0.1", "::a00:1"),
    ] {
        assert_eq!(client(&proxies, &head(peer, XFF, &["203.0.113.9, 10.0.0.9"])), seen, "{peer}");
    }
}

#[test]
fn r134_the_walk_ends_at_the_first_address_that_is_not_trusted() {
    let proxies = trusting(&["10.0.0.0/8"]);
    let client = |list: &str| client(&proxies, &head("10.0.0.1", XFF, &[list]));
    assert_eq!(client("1.1.1.1, 203.0.113.9"), "203.0.113.9");
    assert_eq!(client("10.0.0.9, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
    assert_eq!(client("garbage, 203.0.113.9"), "203.0.113.9");
    // When all are trusted, the one that asked first.
    assert_eq!(client("10.0.0.9, 10.0.0.3, 10.0.0.2"), "10.0.0.9");
    assert_eq!(client(", 10.0.0.3"), "10.0.0.1");
}

#[test]
fn r134_networks_that_make_no_sense_or_believe_anybody_are_refused_at_start() {
    for network in ["0.0.0.0/0", "::/0", "::ffff:0:0/96", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0", "a", ""] {
        assert!(ClientAddresses::trusting(["127.0.0.1", network]).is_err(), "{network}");
    }
    let mend = ClientAddresses::trusting(["10.0.0.1/8"]).expect_err("host bits").to_string();
    assert!(mend.contains("10.0.0.0/8"), "{mend}");
    for list in [",", "10.0.0.0/8,", "10.0.0.0/8;127.0.0.1", "10.0.0.0/8 127.0.0.1", "*", "0.0.0.0/0"] {
        assert!(list.parse::<ClientAddresses>().is_err(), "{list}");
    }
    let listed: ClientAddresses = " 10.0.0.0/8, 127.0.0.1,::1\n".parse().expect("a list");
    for peer in ["10.0.0.1", "127.0.0.1", "::1"] {
        assert_eq!(client(&listed, &head(peer, XFF, &["203.0.113.9"])), "203.0.113.9");
    }
    assert_eq!(client(&listed, &head("127.0.0.2", XFF, &["203.0.113.9"])), "127.0.0.2");
    assert!(ClientAddresses::hops(0).is_err() && ClientAddresses::hops(65).is_err());
}

#[test]
fn r135_ipv4_in_ipv6_is_ipv4() {
    let direct = ClientAddresses::peer();
    for peer in ["203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109", "0:0:0:0:0:FFFF:CB00:7109"] {
        let head = TestHead::get("/").peer(peer);
        assert_eq!(client(&direct, &head), "203.0.113.9", "{peer}");
        assert_eq!(direct.address(&head).expect("a peer").to_string(), "203.0.113.9/32", "{peer}");
    }
    for entry in ["::ffff:203.0.113.9", "::ffff:cb00:7109", "[::ffff:203.0.113.9]", "[::FFFF:CB00:7109]:443"] {
        assert_eq!(x_forwarded_for(entry), "203.0.113.9", "{entry}");
    }
    assert_eq!(forwarded("for=\"[::ffff:cb00:7109]:443\""), "203.0.113.9");
    // Proxies are known by either spelling, and so are networks.
    for network in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:a00:0/104"] {
        let head = head("::ffff:10.0.0.1", XFF, &["203.0.113.9, ::ffff:a00:2, 10.0.0.3"]);
        assert_eq!(client(&trusting(&[network]), &head), "203.0.113.9", "{network}");
    }
}

#[test]
fn r136_whoever_holds_a_network_is_counted_once() {
    let counted = |prefix: Option<u8>, peer: &str| {
        let addresses = ClientAddresses::peer();
        let addresses =
            prefix.map_or(Ok(addresses.clone()), |prefix| addresses.ipv6_prefix(prefix)).expect("32 to 128");
        addresses.address(&TestHead::get("/").peer(peer)).expect("a peer").to_string()
    };
    for host in ["::", "::1", "ffff:ffff:ffff:ffff", "dead:beef:0:1"] {
        let peer = format!("2001:db8:1:2{}{host}", if host.starts_with("::") { "" } else { ":" });
        assert_eq!(counted(None, &peer), "2001:db8:1:2::/64", "{peer}");
    }
    assert_eq!(counted(None, "2001:db8:1:3::1"), "2001:db8:1:3::/64");
    assert_eq!(counted(Some(56), "2001:db8:1:2ff::1"), "2001:db8:1:200::/56");
    assert_eq!(counted(Some(48), "2001:db8:1:2ff::1"), "2001:db8:1::/48");
    assert_eq!(counted(Some(32), "2001:db8:1:2ff::1"), "2001:db8::/32");
    assert_eq!(counted(Some(128), "2001:db8:1:2ff::1"), "2001:db8:1:2ff::1/128");
    // IPv4 is counted by itself, in whatever form it came.
    assert_eq!(counted(Some(32), "::ffff:192.0.2.1"), "192.0.2.1/32");
    for prefix in [0, 31, 129, 255] {
        assert!(ClientAddresses::peer().ipv6_prefix(prefix).is_err(), "{prefix}");
    }
}

#[test]
fn r137_an_address_has_one_key_however_it_is_written() {
    for (entry, address) in [
        ("192.0.2.1", "192.0.2.1"),
        (" \t192.0.2.1\t ", "192.0.2.1"),
        ("192.0.2.1:567", "192.0.2.1"),
        ("192.0.2.1:65535", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:0db8::0001", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:567", "2001:db8::1"),
        // Without brackets there is no port to see.
        ("2001:db8::1:567", "2001:db8::1:567"),
    ] {
        assert_eq!(x_forwarded_for(entry), address, "{entry}");
    }
}

#[test]
fn r137_what_is_not_plainly_an_address_is_refused() {
    for entry in [
        "0300.0.2.1",
        "192.0.02.1",
        "0xc0.0.2.1",
        "0xc0000201",
        "3221225985",
        "192.0.513",
        "192.0.2",
        "192.0.2.1.",
        "192.0.2.256",
        "192.0.2.1/32",
        "192.0.2.1:",
        "192.0.2.1:x",
        "192.0.2.1:-1",
        "192.0.2.1:65536",
        "192.0.2.1:000080",
        "192.0.2.1:_x",
        "192.0.2.1 :80",
        "[192.0.2.1]",
        "[192.0.2.1]:80",
        "fe80::1%eth0",
        "[fe80::1%eth0]:80",
        "[fe80::1%25eth0]",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]80",
        "[2001:db8::1]:",
        "[ 2001:db8::1 ]",
        "[[2001:db8::1]]",
        "2001:db8:::1",
        "2001:db8::00001",
        "\"192.0.2.1\"",
        "'192.0.2.1'",
        "192.0.2.1\u{a0}",
        "\u{ff11}92.0.2.1",
        "localhost",
        "unknown",
    ] {
        assert_eq!(x_forwarded_for(entry), "10.0.0.1", "{entry}");
    }
}

#[test]
fn r138_elements_are_read_as_rfc_7239_writes_them() {
    for (element, address) in [
        ("for=192.0.2.43", "192.0.2.43"),
        ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("proto=http; by=203.0.113.43 ;\tFOR=192.0.2.60", "192.0.2.60"),
        ("for=\"192.0.2.43:47011\"", "192.0.2.43"),
        ("for=\"192.0.2.43:_gazonk\"", "192.0.2.43"),
        ("for=\"[2001:db8::1]:_a.b-c_1\"", "2001:db8::1"),
        ("for=\"192.0.2.43\"", "192.0.2.43"),
        ("for=\"\\[2001:db8\\:\\:1\\]\"", "2001:db8::1"),
        (";;for=192.0.2.43;;", "192.0.2.43"),
        ("for=192.0.2.43;ext=\"a, for=1.1.1.1; \\\" for=1.1.1.1, \\\\\";host=\"\"", "192.0.2.43"),
        ("ext=\"for=1.1.1.1\";for=192.0.2.43;before=1.1.1.1", "192.0.2.43"),
        ("for=1.1.1.1, for=192.0.2.43", "192.0.2.43"),
        ("for=1.1.1.1 \t,\t for=192.0.2.43", "192.0.2.43"),
        // What a client left open swallows nothing that the proxy appended.
        ("for=\", for=192.0.2.43", "192.0.2.43"),
        ("for=\"\\, for=192.0.2.43", "192.0.2.43"),
        ("a=\"b\\\", for=\"[2001:db8::1]\"", "2001:db8::1"),
    ] {
        assert_eq!(forwarded(element), address, "{element}");
    }
}

#[test]
fn r138_an_element_that_cannot_be_used_makes_it_the_peer() {
    for element in [
        "",
        ";",
        "for=192.0.2.43,",
        "proto=https;by=192.0.2.43",
        "for=unknown",
        "for=\"unknown\"",
        "for=_hidden",
        "for=\"_hidden:80\"",
        "for=192.0.2.43;for=192.0.2.43",
        "for=192.0.2.43;FOR=unknown",
        "for=192.0.2.43:80",
        "for=2001:db8::1",
        "for=[2001:db8::1]",
        "for=\"2001:db8::1\"",
        "for=\"[192.0.2.43]\"",
        "for=\"[2001:db8::1]:\"",
        "for=\"192.0.2.43:_\"",
        "for=\"192.0.2.43:123456\"",
        "for=\"[fe80::1%eth0]\"",
        "for=\" 192.0.2.43\"",
        "for=\"\"",
        "for=",
        "for",
        "for =192.0.2.43",
        "for= 192.0.2.43",
        "for=192.0.2.43 proto=https",
        "for=192.0.2.43;proto",
        "for=192.0.2.43;=x",
        "for=192.0.2.43;host=a:80",
        "for=\"192.0.2.43",
        "for=192.0.2.43\"",
        "for=192.0.2.43;x=\"a\\\"",
        "for=192.0.2.43;x=\"a\u{0}\"",
        "for=\"192.0.2.43\"x",
        "for='192.0.2.43'",
        "for=0300.0.2.43",
        "192.0.2.43",
    ] {
        assert_eq!(forwarded(element), "10.0.0.1", "{element}");
    }
}

#[test]
fn r138_trusted_proxies_are_walked_past_in_forwarded_too() {
    let proxies = trusting(&["10.0.0.0/8", "fd00::/8"]).header(ForwardingHeader::Forwarded);
    let client = |list: &str| client(&proxies, &head("10.0.0.1", "Forwarded", &[list]));
    assert_eq!(client("for=unknown, for=203.0.113.9;by=\"a, b\", for=\"[fd00::1]:80\", for=10.0.0.2"), "203.0.113.9");
    assert_eq!(client("for=203.0.113.9, for=_hidden, for=10.0.0.2"), "10.0.0.1");
    assert_eq!(client("for=\"[fd00::1]\", for=10.0.0.2"), "fd00::1");
}

#[test]
fn r139_only_the_configured_header_is_read() {
    let head = head("10.0.0.1", "Forwarded", &["for=192.0.2.1"]).header(XFF, "192.0.2.2");
    for addresses in [hops(1), trusting(&["10.0.0.0/8"])] {
        assert_eq!(client(&addresses, &head), "192.0.2.2");
        assert_eq!(client(&addresses.header(ForwardingHeader::Forwarded), &head), "192.0.2.1");
    }
    // Also where the other one is all there is.
    let forwarded = TestHead::get("/").peer("10.0.0.1").header("Forwarded", "for=192.0.2.1");
    assert_eq!(client(&hops(1), &forwarded), "10.0.0.1");
    let other = TestHead::get("/").peer("10.0.0.1").header(XFF, "192.0.2.2");
    assert_eq!(client(&hops(1).header(ForwardingHeader::Forwarded), &other), "10.0.0.1");

    assert_eq!("X-Forwarded-For".parse::<ForwardingHeader>().expect("one"), ForwardingHeader::XForwardedFor);
    assert_eq!("forwarded".parse::<ForwardingHeader>().expect("the other"), ForwardingHeader::Forwarded);
    assert!("x-real-ip".parse::<ForwardingHeader>().is_err());
}

#[test]
fn without_a_peer_there_is_nobody_to_believe() {
    let head = TestHead::get("/").header(XFF, "192.0.2.1").header("Forwarded", "for=192.0.2.1");
    for addresses in [ClientAddresses::peer(), hops(1), trusting(&["10.0.0.0/8"])] {
        assert!(addresses.client(&head).is_none() && addresses.address(&head).is_none());
    }
}
