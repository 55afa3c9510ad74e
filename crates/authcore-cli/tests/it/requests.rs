//! `credential` and `client-ip`.

use serde_json::{Value, json};

use crate::support::{batch, run};

#[test]
fn a_credential_is_read_or_refused_with_its_status() {
    let cases = [
        (json!([]), json!({ "ok": true, "kind": "none" })),
        (json!([["Authorization", "bEaReR abc.def"]]), json!({ "ok": true, "kind": "bearer", "token": "abc.def" })),
        (json!([["authorization", "Bearer  a"]]), json!({ "ok": true, "kind": "bearer", "token": "a" })),
        (json!([["authorization", "Basic YTpi"], ["cookie", "a=b"]]), json!({ "ok": true, "kind": "none" })),
        (json!([["authorization", "DPoP a.b.c"]]), json!({ "ok": true, "kind": "none" })),
        (json!([["authorization", { "b64": "QmVhcmVyIGE=" }]]), json!({ "ok": true, "kind": "bearer", "token": "a" })),
    ];
    let refused = [
        (json!([["authorization", "Bearer"]]), "malformed_bearer"),
        (json!([["authorization", "Bearer\ta"]]), "malformed_bearer"),
        (json!([["authorization", "Bearer a, Bearer b"]]), "malformed_bearer"),
        (json!([["authorization", "Bearer \"a\""]]), "malformed_bearer"),
        (json!([["authorization", "Bearer a\u{200b}"]]), "malformed_bearer"),
        (json!([["authorization", { "b64": "QmVhcmVyIP8=" }]]), "malformed_bearer"),
        (json!([["authorization", "Bearer a\r\nx: y"]]), "malformed_bearer"),
        (json!([["authorization", "Bearer a"], ["Authorization", "Bearer a"]]), "repeated_authorization"),
    ];
    let line = |(at, headers): (usize, &Value)| json!({ "id": at, "headers": headers });
    let asked = cases.iter().map(|(headers, _)| headers).chain(refused.iter().map(|(headers, _)| headers));
    let answers = batch(&["credential", "--batch"], &asked.enumerate().map(line).collect::<Vec<_>>());
    for (at, (_, expected)) in cases.iter().enumerate() {
        let mut expected = expected.clone();
        expected["id"] = json!(at);
        assert_eq!(answers[at], expected);
    }
    for (answer, (headers, reason)) in answers[cases.len()..].iter().zip(&refused) {
        let told = (&answer["ok"], &answer["code"], &answer["reason"], &answer["status"]);
        assert_eq!(told, (&json!(false), &json!("malformed_credentials"), &json!(reason), &json!(400)), "{headers}");
    }
    let ran = run(&["credential", "-H", "Authorization: Bearer a.b.c"]);
    assert!(ran.code == Some(0) && ran.out.contains("read as a JWT") && !ran.out.contains("a.b.c"), "{ran:?}");
    assert_eq!(run(&["credential", "-H", "Authorization: Bearer a b"]).code, Some(1));
    assert_eq!(run(&["credential", "--json"]).lines(), [json!({ "ok": true, "kind": "none" })]);
}

#[test]
fn a_client_is_told_by_whom_the_options_or_the_line_believe() {
    let xff = |value: &str| json!([["X-Forwarded-For", value]]);
    let cases = [
        (json!({ "peer": "203.0.113.9:5000", "headers": xff("1.1.1.1") }), "1.1.1.1", "1.1.1.1/32"),
        (json!({ "peer": "10.0.0.1:1", "headers": xff("6.6.6.6, 1.1.1.1"), "hops": 1 }), "1.1.1.1", "1.1.1.1/32"),
        (json!({ "peer": "10.0.0.1:1", "headers": xff("6.6.6.6"), "trust": [] }), "10.0.0.1", "10.0.0.1/32"),
        (json!({ "peer": "9.9.9.9:1", "headers": xff("6.6.6.6"), "trust": ["10.0.0.0/8"] }), "9.9.9.9", "9.9.9.9/32"),
        (json!({ "peer": "[::ffff:9.9.9.9]:1", "headers": [], "trust": [] }), "9.9.9.9", "9.9.9.9/32"),
        (json!({ "peer": "[2001:db8:1:2:3::4]:1", "headers": [] }), "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (
            json!({ "peer": "10.0.0.1", "headers": [["Forwarded", "for=\"[2001:db8::9]:1\""]], "header": "forwarded" }),
            "2001:db8::9",
            "2001:db8::/64",
        ),
        (json!({ "peer": "10.0.0.1", "headers": xff("unknown") }), "10.0.0.1", "10.0.0.1/32"),
    ];
    let lines: Vec<_> = cases.iter().map(|(line, ..)| line.clone()).collect();
    for (answer, (line, client, key)) in batch(&["client-ip", "--batch", "--hops", "1"], &lines).iter().zip(&cases) {
        assert_eq!(answer, &json!({ "id": null, "client": client, "rate_key": key }), "{line}");
    }
    let bad = [
        json!({ "peer": "x", "headers": [] }),
        json!({ "peer": "1.1.1.1", "headers": [], "trust": ["0.0.0.0/0"] }),
        json!({ "peer": "1.1.1.1", "headers": [], "trust": ["10.0.0.1/8"] }),
        json!({ "peer": "1.1.1.1", "headers": [], "hops": 0 }),
        json!({ "peer": "1.1.1.1", "headers": [], "hops": 1, "trust": [] }),
        json!({ "peer": "1.1.1.1", "headers": [], "header": "x-real-ip" }),
        json!({ "peer": "1.1.1.1" }),
    ];
    batch(&["client-ip", "--batch"], &bad)
        .iter()
        .for_each(|answer| assert_eq!(answer["code"], "bad_request", "{answer}"));
    let unknown = batch(&["client-ip", "--batch"], &[json!({ "peer": null, "headers": [] })]);
    assert_eq!(unknown, [json!({ "id": null, "client": null, "rate_key": null })]);

    let ran =
        run(&["client-ip", "--peer", "10.0.0.1:80", "--trust", "10.0.0.0/8", "-H", "X-Forwarded-For: 2001:db8::1"]);
    assert!(ran.code == Some(0) && ran.out.starts_with("2001:db8::1\n") && ran.out.contains("/64"), "{ran:?}");
    run(&["client-ip", "--peer", "1.1.1.1", "--trust", "::/0"]).is_usage(&["--trust", "anybody"]);
    run(&["client-ip", "--peer", "1.1.1.1", "--hops", "0"]).is_usage(&["--hops"]);
    run(&["client-ip", "--peer", "1.1.1.1", "--ipv6-prefix", "8"]).is_usage(&["--ipv6-prefix", "32 to 128"]);
    run(&["client-ip", "--peer", "1.1.1.1", "--header", "x-real-ip"]).is_usage(&["--header"]);
}
