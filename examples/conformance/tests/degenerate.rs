//! The suite against servers that give everybody the same answer: a check that any such server passes checks nothing.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use tasks_conformance::{Signer, Target, Verdict, run};

const YES: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n\
                   X-Request-Id: 0f8fad5b-d9cb-469f-a165-70867728950e\r\nCache-Control: no-store\r\n\
                   Vary: Authorization, Cookie, Origin\r\nConnection: close\r\n\r\n{}";

const NO: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\n\
                  X-Content-Type-Options: nosniff\r\nX-Request-Id: 0f8fad5b-d9cb-469f-a165-70867728950e\r\n\
                  WWW-Authenticate: Bearer realm=\"tasks\"\r\nVary: Origin\r\nConnection: close\r\n\r\n\
                  {\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,\"code\":\"missing_credentials\",\"detail\":\"-\"}";

const NOWHERE: &str = "HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\n\
                       X-Content-Type-Options: nosniff\r\nX-Request-Id: 0f8fad5b-d9cb-469f-a165-70867728950e\r\n\
                       Cache-Control: no-store\r\nVary: Authorization, Cookie, Origin\r\nConnection: close\r\n\r\n\
                       {\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"code\":\"not_found\",\"detail\":\"-\"}";

/// What passes against a server that gives this answer to every request.
fn passed_against(answer: &'static str) -> BTreeSet<String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || serve(client, answer));
        }
    });
    let signer = Signer::new("a secret that nobody looks at, here", Some("issuer".into()), Some("audience".into()));
    let target = Target::with_secret(&url, signer).expect("a good URL");
    let report = run(&target, |_| ());
    assert_eq!(report.skipped(), 0);
    let passed = report.outcomes.into_iter().filter(|outcome| outcome.verdict == Verdict::Passed);
    passed.map(|outcome| outcome.id).collect()
}

/// Answers as often as it is asked on this connection, and reads bodies only to throw them away.
fn serve(mut client: TcpStream, answer: &str) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 && line != b"\r\n" {
        line.clear();
    }
    client.write_all(answer.as_bytes())?;
    client.shutdown(Shutdown::Write)?;
    io::copy(&mut reader.take(8 * 1024 * 1024), &mut io::sink())?;
    Ok(())
}

#[test]
fn no_check_passes_whatever_the_server_answers() {
    let (yes, no, nowhere) = (passed_against(YES), passed_against(NO), passed_against(NOWHERE));
    // Any refusal keeps this door shut.
    let is_shut = |id: &&String| *id == "paths.nothing-opens-without-a-credential";
    for (one, other) in [(&yes, &no), (&yes, &nowhere), (&no, &nowhere)] {
        let both: Vec<_> = one.intersection(other).filter(|id| !is_shut(id)).collect();
        assert!(both.is_empty(), "{both:?}");
    }
    let all_of = |passed: &BTreeSet<String>, may_pass: fn(&str) -> bool| {
        let others: Vec<_> = passed.iter().filter(|id| !may_pass(id) && !is_shut(id)).collect();
        assert!(others.is_empty(), "{others:?}");
    };
    // Open routes are open, and the small print of good tokens does not matter to who welcomes everybody.
    all_of(&yes, |id| matches!(id, "routes.health" | "routes.ready") || id.starts_with("tokens."));
    all_of(&no, |id| id.starts_with("credentials.") || id == "accounts.all-need-a-credential");
    all_of(&nowhere, |id| id == "routes.unknown-outside-the-api" || id.starts_with("paths."));
}
