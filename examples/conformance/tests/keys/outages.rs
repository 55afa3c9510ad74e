//! The issuer is away, floods of strangers come, keys rotate: K-84, K-85 and K-88 to K-91.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use authcore::Algorithm;
use authcore_testkit::{Answer as Says, SigningKey, mint};
use tasks_conformance::{Answer, Example, Request, Server, connect};

use crate::{Issuer, assert_accepted, assert_refused, assert_unavailable, send};

fn known() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

fn another() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es256)
}

/// A token of a key that nobody has heard of. Its signature is not even looked at.
fn strange(number: usize) -> String {
    mint().header("alg", "EdDSA").header("kid", format!("stranger-{number}")).with_signature([7; 64])
}

/// Sends a request whose answer is awaited later, or not at all.
fn ask(server: &Server, token: &str) -> TcpStream {
    let mut stream = connect(server.authority()).expect("the server listens");
    ask_on(&mut stream, server, token);
    stream
}

fn ask_on(stream: &mut TcpStream, server: &Server, token: &str) {
    let head =
        format!("GET /api/tasks HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n", server.authority());
    stream.write_all(head.as_bytes()).expect("the request is sent");
}

fn status(reader: &mut BufReader<TcpStream>) -> u16 {
    Answer::read(reader, "GET").expect("an answer").status
}

#[test]
fn k84_k85_while_the_issuer_is_down_known_keys_serve_and_others_are_not_judged() {
    for example in Example::ALL {
        let case = example.name();
        let issuer = Issuer::publishing(&[known()]);
        let server = issuer.ready(example);
        issuer.fake.answer(Says::Down);
        for number in 0..3 {
            assert_unavailable(&server, &strange(number), case);
            assert_accepted(&server, &mint().sign(known()), case);
        }
        assert_eq!(issuer.fake.requests(), 2, "{case}: one for the keys, one for all strangers");
        assert_eq!(send(&server, Request::new("GET", "/ready")).status, 200, "{case}: it can still serve");

        let cold = Issuer::answering(Says::Down);
        let server = cold.server(example, &[]);
        for _ in 0..3 {
            assert_unavailable(&server, &mint().sign(known()), case);
        }
        let bare = send(&server, Request::new("GET", "/api/tasks"));
        assert_eq!(bare.status, 401, "{case}: nothing to judge is still nothing");
        assert_eq!(send(&server, Request::new("GET", "/ready")).status, 503, "{case}");
        assert_eq!(cold.fake.requests(), 1, "{case}: after a fetch that failed there is a pause");
    }
}

#[test]
fn k88_ten_thousand_key_ids_are_one_fetch() {
    const THREADS: usize = 4;
    // While fetches succeed the ids are unknown, while they fail nobody can tell.
    for (says, expected) in [(Says::Keys, 401), (Says::Down, 503)] {
        for example in Example::ALL {
            let case = example.name();
            let issuer = Issuer::publishing(&[known()]);
            let server = issuer.ready(example);
            issuer.fake.answer(says.clone());
            let good = mint().sign(known());
            thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (server, good) = (&server, &good);
                    scope.spawn(move || {
                        let mut stream = connect(server.authority()).expect("the server listens");
                        let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
                        for number in (thread..10_000).step_by(THREADS) {
                            ask_on(&mut stream, server, &strange(number));
                            assert_eq!(status(&mut answers), expected, "{case}: stranger {number}");
                            if number % 1_000 == thread {
                                ask_on(&mut stream, server, good);
                                assert_eq!(status(&mut answers), 200, "{case}: known keys are not affected");
                            }
                        }
                    });
                }
            });
            assert_eq!(issuer.fake.requests(), 2, "{case}: one for the keys, one for all strangers");
        }
    }
}

#[test]
fn k89_a_thousand_requests_at_a_cold_start_share_one_fetch() {
    for example in Example::ALL {
        let case = example.name();
        let issuer = Issuer::publishing(&[known()]);
        issuer.fake.answer(Says::Delay(Duration::from_secs(1)));
        let server = issuer.server(example, &[]);
        let token = mint().sign(known());
        // Those who asked first do not wait for the answer.
        let leaving: Vec<_> = (0..100).map(|_| ask(&server, &token)).collect();
        let asked: Vec<_> = (0..900).map(|_| ask(&server, &token)).collect();
        drop(leaving);
        for stream in asked {
            assert_eq!(status(&mut BufReader::new(stream)), 200, "{case}");
        }
        assert_eq!(issuer.fake.requests(), 1, "{case}");
    }
}

#[test]
fn k90_k91_a_new_key_counts_at_once_and_one_that_is_gone_no_more() {
    for example in Example::ALL {
        let case = example.name();
        let issuer = Issuer::publishing(&[known()]);
        let server = issuer.ready(example);
        let (old, new) = (mint().sign(known()), mint().sign(another()));
        assert_accepted(&server, &old, case);

        issuer.fake.publish(&[another()]);
        assert_accepted(&server, &old, &format!("{case}: nobody has looked yet"));
        assert_accepted(&server, &new, case);
        assert_refused(&server, &old, &format!("{case}: though it was remembered"));
        assert_eq!(issuer.fake.requests(), 2, "{case}: one fetch for the new key");
    }
}
