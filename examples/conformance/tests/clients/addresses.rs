//! Whose request it is behind proxies: of docs/security/cases.md. A server with a limit of one request tells
//! by its second answer whom it counted the first for.

use tasks_conformance::{Example, Request, Server};

use crate::send;

const XFF: &str = "X-Forwarded-For";

/// One request in a quarter of an hour, from each client that it knows.
fn counting(example: Example, proxies: Option<&str>, header: &str) -> Server {
    let settings = [
        ("RATE_LIMIT", "on"),
        ("RATE_LIMIT_MAX_REQUESTS", "1"),
        ("TRUSTED_PROXIES", proxies.unwrap_or_default()),
        ("TRUSTED_PROXIES_HEADER", header),
    ];
    let server = example.start(&settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()));
    // The peer's own is spent.
    assert!(lets_through(&server, &[]));
    server
}

fn lets_through(server: &Server, lines: &[(&str, &str)]) -> bool {
    let request = Request::new("GET", "/api/tasks");
    let request = lines.iter().fold(request, |request, (name, value)| request.field(name, *value));
    match send(server, &request).status {
        401 => true,
        429 => false,
        status => panic!("{status} to {lines:?}"),
    }
}

/// These lines stand for this client, whom nobody has counted for yet.
#[track_caller]
fn counts_for(server: &Server, lines: &[(&str, &str)], client: &str) {
    assert!(lets_through(server, lines), "{lines:?} is somebody of its own");
    assert!(!lets_through(server, &[(XFF, client)]), "{lines:?} is {client}");
}

/// These lines stand for whoever sent them.
#[track_caller]
fn counts_for_the_peer(server: &Server, lines: &[(&str, &str)]) {
    assert!(!lets_through(server, lines), "{lines:?} is the peer");
}

fn each(proxies: Option<&str>, test: impl Fn(&Server)) {
    for example in Example::ALL {
        test(&counting(example, proxies, ""));
    }
}

/// Behind proxies that write `Forwarded` (RFC 7239).
fn each_with_forwarded(test: impl Fn(&Server)) {
    for example in Example::ALL {
        test(&counting(example, LOOPBACK, "forwarded"));
    }
}

/// This element stands for this client, whom nobody has counted for yet.
#[track_caller]
fn element_counts_for(server: &Server, element: &str, client: &str) {
    assert!(lets_through(server, &[("Forwarded", element)]), "{element} is somebody of its own");
    let plain = format!("for=\"{client}\"");
    assert!(!lets_through(server, &[("Forwarded", &plain)]), "{element} is {client}");
}

/// The peer of all these tests.
const LOOPBACK: Option<&str> = Some("127.0.0.0/8, ::1, 10.0.0.0/8, 2001:db8:ffff::/48");

#[test]
fn r130_nothing_is_believed_unless_somebody_is_trusted() {
    each(None, |server| {
        for name in [XFF, "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Client-IP"] {
            counts_for_the_peer(server, &[(name, "198.51.100.1")]);
        }
        counts_for_the_peer(server, &[("Forwarded", "for=198.51.100.1")]);
    });
}

#[test]
fn r134_a_peer_that_is_not_trusted_is_not_believed() {
    each(Some("10.0.0.0/8, 127.0.0.2, ::1"), |server| {
        counts_for_the_peer(server, &[(XFF, "198.51.100.1")]);
        counts_for_the_peer(server, &[(XFF, "198.51.100.1, 10.0.0.1")]);
    });
}

#[test]
fn r131_r134_what_stands_left_of_the_first_untrusted_address_does_not_matter() {
    each(LOOPBACK, |server| {
        let made_up =
            ["", "1.1.1.1, ", "1.1.1.1, 2.2.2.2, ", "garbage, ", ",,,", "\", ", "10.0.0.3, 10.0.0.2, ", "127.0.0.1, "];
        for (number, made_up) in made_up.into_iter().enumerate() {
            let client = format!("198.51.100.{number}");
            counts_for(server, &[(XFF, &format!("{made_up}{client}, 10.0.0.1, 10.0.0.2"))], &client);
        }
        // When all are trusted, the one that asked first.
        counts_for(server, &[(XFF, "10.0.0.9, 10.0.0.3")], "10.0.0.9");
    });
}

#[test]
fn r132_an_entry_that_decides_and_cannot_be_read_makes_it_the_peer() {
    each(LOOPBACK, |server| {
        for bad in ["", "unknown", "-", "client", "1.1.1", "\"1.1.1.1\"", "1.1.1.1 2.2.2.2", "for=1.1.1.1", "\u{e9}"] {
            counts_for_the_peer(server, &[(XFF, &format!("198.51.100.1, {bad}"))]);
            counts_for_the_peer(server, &[(XFF, &format!("198.51.100.1, {bad}, 10.0.0.2"))]);
        }
        counts_for_the_peer(server, &[(XFF, &format!("198.51.100.1{}", ", 10.0.0.1".repeat(64)))]);
        counts_for_the_peer(server, &[(XFF, &format!("198.51.100.1,{}10.0.0.1", " ".repeat(8_192)))]);
    });
}

#[test]
fn r133_lines_are_joined_in_order() {
    each(LOOPBACK, |server| {
        counts_for(server, &[(XFF, "1.1.1.1"), (XFF, "198.51.100.1"), (XFF, "10.0.0.1")], "198.51.100.1");
        counts_for(server, &[(XFF, "1.1.1.1, 198.51.100.2"), ("x-forwarded-for", "10.0.0.1")], "198.51.100.2");
        counts_for(server, &[(XFF, ""), (XFF, "198.51.100.3\t,\t10.0.0.1")], "198.51.100.3");
        counts_for(server, &[(XFF, "198.51.100.3"), (XFF, "198.51.100.4")], "198.51.100.4");
        counts_for_the_peer(server, &[(XFF, "198.51.100.5"), (XFF, "")]);
    });
}

#[test]
fn r135_ipv4_in_ipv6_is_ipv4() {
    each(LOOPBACK, |server| {
        let spellings = ["::ffff:198.51.100.1", "::ffff:c633:6402", "[::ffff:198.51.100.3]", "[::FFFF:C633:6404]:443"];
        for (number, spelling) in spellings.into_iter().enumerate() {
            counts_for(server, &[(XFF, spelling)], &format!("198.51.100.{}", number + 1));
        }
        counts_for(server, &[(XFF, "198.51.100.9, ::ffff:a00:1, ::ffff:10.0.0.2")], "198.51.100.9");
        counts_for_the_peer(server, &[(XFF, "::ffff:127.0.0.1")]);
    });
    each(Some("::ffff:127.0.0.0/104"), |server| counts_for(server, &[(XFF, "198.51.100.1")], "198.51.100.1"));
}

#[test]
fn r136_whoever_holds_a_network_is_counted_once() {
    each(LOOPBACK, |server| {
        counts_for(server, &[(XFF, "2001:db8:1:2::1")], "2001:db8:1:2:dead:beef:0:1");
        for host in ["::", "::2", ":ffff:ffff:ffff:ffff", ":0:0:0:9"] {
            assert!(!lets_through(server, &[(XFF, &format!("2001:db8:1:2{host}"))]), "{host}");
        }
        counts_for(server, &[(XFF, "2001:db8:1:3::1")], "2001:db8:1:3::2");
    });
}

#[test]
fn r137_an_address_has_one_key_however_it_is_written() {
    each(LOOPBACK, |server| {
        for (written, client) in [
            (" \t198.51.100.1\t ", "198.51.100.1"),
            ("198.51.100.2:567", "198.51.100.2"),
            ("[2001:db8:1:1::1]", "2001:db8:1:1::1"),
            ("[2001:db8:1:2::1]:567", "2001:db8:1:2::1"),
            ("2001:DB8:1:3:0:0:0:1", "2001:db8:1:3::1"),
            ("2001:0db8:0001:0004::0001", "2001:db8:1:4::1"),
        ] {
            counts_for(server, &[(XFF, written)], client);
        }
        for odd in [
            "0306.51.100.1",
            "198.51.0144.1",
            "0xc6336401",
            "3325256705",
            "198.51.25601",
            "198.51.100.1:",
            "198.51.100.1:65536",
            "[198.51.100.1]",
            "fe80::1%eth0",
            "[fe80::1%25eth0]:80",
            "[2001:db8::1",
            "'198.51.100.1'",
            "localhost",
        ] {
            counts_for_the_peer(server, &[(XFF, odd)]);
        }
    });
}

#[test]
fn r138_elements_are_read_as_rfc_7239_writes_them() {
    each_with_forwarded(|server| {
        for (element, client) in [
            ("for=198.51.100.1", "198.51.100.1"),
            ("For=\"[2001:db8:1:1::17]:4711\"", "[2001:db8:1:1::17]"),
            ("for=198.51.100.2;proto=http;by=203.0.113.43", "198.51.100.2"),
            ("proto=http; by=203.0.113.43 ;\tFOR=198.51.100.3", "198.51.100.3"),
            ("for=\"198.51.100.4:47011\"", "198.51.100.4"),
            ("for=\"198.51.100.5:_gazonk\"", "198.51.100.5"),
            ("for=\"\\[2001:db8:1:2\\:\\:1\\]\"", "[2001:db8:1:2::1]"),
            ("for=198.51.100.6;ext=\"a, for=1.1.1.1; \\\" for=1.1.1.1, \\\\\";host=\"\"", "198.51.100.6"),
            ("for=1.1.1.1, for=198.51.100.7", "198.51.100.7"),
            ("for=unknown, for=198.51.100.8;by=\"a, b\", for=\"[2001:db8:ffff::1]:80\", for=10.0.0.2", "198.51.100.8"),
            // What a client left open swallows nothing that the proxy appended.
            ("for=\", for=198.51.100.9", "198.51.100.9"),
            ("a=\"b\\\", for=\"[2001:db8:1:3::1]\"", "[2001:db8:1:3::1]"),
        ] {
            element_counts_for(server, element, client);
        }
        let lines = [("Forwarded", "for=1.1.1.1"), ("forwarded", "for=198.51.100.20, for=10.0.0.1")];
        assert!(lets_through(server, &lines) && !lets_through(server, &[("Forwarded", "for=198.51.100.20")]));
    });
}

#[test]
fn r138_an_element_that_cannot_be_used_makes_it_the_peer() {
    each_with_forwarded(|server| {
        for element in [
            "",
            ";",
            "for=198.51.100.1,",
            "proto=https;by=198.51.100.1",
            "for=unknown",
            "for=_hidden",
            "for=198.51.100.1;for=198.51.100.1",
            "for=198.51.100.1:80",
            "for=[2001:db8::1]",
            "for=\"2001:db8::1\"",
            "for=\"[198.51.100.1]\"",
            "for=\"[fe80::1%eth0]\"",
            "for=\"\"",
            "for",
            "for =198.51.100.1",
            "for=198.51.100.1;proto",
            "for=198.51.100.1;=x",
            "for=\"198.51.100.1",
            "for=198.51.100.1;x=\"a\\\"",
            "for='198.51.100.1'",
            "198.51.100.1",
            "for=198.51.100.1, for=_hidden, for=10.0.0.2",
        ] {
            counts_for_the_peer(server, &[("Forwarded", element)]);
        }
    });
}

#[test]
fn r139_the_other_header_is_never_read() {
    each_with_forwarded(|server| {
        counts_for_the_peer(server, &[(XFF, "198.51.100.1")]);
        counts_for_the_peer(server, &[(XFF, "198.51.100.1"), ("Forwarded", "for=unknown")]);
        let both = [("Forwarded", "for=198.51.100.2"), (XFF, "198.51.100.1")];
        assert!(lets_through(server, &both) && !lets_through(server, &[("Forwarded", "for=198.51.100.2")]));
    });
    each(LOOPBACK, |server| {
        counts_for_the_peer(server, &[("Forwarded", "for=198.51.100.1")]);
        counts_for_the_peer(server, &[("Forwarded", "for=198.51.100.1;by=10.0.0.1, for=10.0.0.2")]);
        counts_for(server, &[("Forwarded", "for=198.51.100.1"), (XFF, "198.51.100.2")], "198.51.100.2");
        counts_for(server, &[(XFF, "198.51.100.3"), ("Forwarded", "for=198.51.100.1")], "198.51.100.3");
        assert!(lets_through(server, &[(XFF, "198.51.100.1")]), "nobody was counted for what `Forwarded` said");
    });
}
