//! Cookie caches with something wrong about them: S-110 to S-112. Where the cache is trusted and the session is over, a
//! cache that counts lets its bearer in, and one that is ignored does not, since the store is asked.

use authcore::Algorithm;
use authcore_testkit::{SigningKey, b64, unb64};
use better_auth_harness::Member;
use serde_json::Value;
use tasks_conformance::{Answer, Example, Server};

use crate::{Auth, SECRET, assert_no_session, assert_not_read, assert_user, better_auth, cookie, with_cookies};

const TOKEN: &str = "better-auth.session_token";

const DATA: &str = "better-auth.session_data";

const STRATEGIES: [&str; 4] = ["compact", "jwt", "jwe", "jwks"];

/// A server that trusts caches of this strategy, and has a store to ask.
fn trusting(auth: &Auth, example: Example, strategy: &str, settings: &[(&str, &str)]) -> Server {
    let cache = [("BETTER_AUTH_COOKIE_CACHE", strategy), ("BETTER_AUTH_DATABASE_URL", auth.database.as_str())];
    auth.api(example, &[&cache, settings].concat())
}

/// A member whose session is over, with the cache of it as one cookie.
fn signed_out(auth: &Auth, name: &str) -> (Member, String) {
    let member = auth.sign_up(name);
    let data = cookie(&member, DATA);
    auth.sign_out(&member);
    (member, data)
}

fn ask(server: &Server, member: &Member, data: &str) -> Answer {
    with_cookies(server, format!("{TOKEN}={}; {DATA}={data}", cookie(member, TOKEN)))
}

#[test]
fn s110_s111_a_cache_that_is_not_this_sessions_own_is_ignored() {
    for strategy in STRATEGIES {
        let auth = better_auth(&format!("ignored-{strategy}"), &[("COOKIE_CACHE", strategy)]);
        for example in Example::ALL {
            let case = format!("{}, {strategy}", example.name());
            let server = trusting(&auth, example, strategy, &[]);
            let (gone, data) = signed_out(&auth, &format!("gone-{}", example.name()));
            let live = auth.sign_up(&format!("live-{}", example.name()));
            assert_user(&ask(&server, &gone, &data), &gone, &format!("{case}: believed"));

            assert_not_read(&with_cookies(&server, format!("{DATA}={data}")), &format!("{case}: alone"));
            assert_no_session(&ask(&server, &gone, &cookie(&live, DATA)), &format!("{case}: of another session"));
            // The store knows whose session it is.
            assert_user(&ask(&server, &live, &data), &live, &format!("{case}: of another session"));

            let middle = data.len() / 2;
            let flipped = if &data[middle..=middle] == "A" { "B" } else { "A" };
            let spoilt = [
                format!("{}{flipped}{}", &data[..middle], &data[middle + 1..]),
                data[..data.len() - 4].to_owned(),
                format!("{data}AAAA"),
                format!("{data}=x"),
                "e30".to_owned(),
                "a.b.c".to_owned(),
                String::new(),
            ];
            for spoilt in spoilt {
                assert_no_session(&ask(&server, &gone, &spoilt), &format!("{case}: {spoilt}"));
                assert_user(&ask(&server, &live, &spoilt), &live, &format!("{case}: {spoilt}"));
            }

            let newer = trusting(&auth, example, strategy, &[("BETTER_AUTH_COOKIE_CACHE_VERSION", "2")]);
            assert_no_session(&ask(&newer, &gone, &data), &format!("{case}: another version"));
            for other in STRATEGIES.iter().filter(|other| **other != strategy) {
                let server = trusting(&auth, example, other, &[]);
                assert_no_session(&ask(&server, &gone, &data), &format!("{case}: trusted is {other}"));
            }
        }
    }
}

/// A compact cache with other numbers in it, signed by this secret: `updatedAt` and the end, in ms since the epoch.
fn rewritten(data: &str, updated_at: i64, expires_at: i64, secret: &str) -> String {
    let text = String::from_utf8(unb64(data)).expect("JSON");
    let (payload, _) = text.rsplit_once(",\"expiresAt\":").expect("it ends");
    let payload = payload.strip_prefix("{\"session\":").expect("a session");
    let was = serde_json::from_str::<Value>(payload).expect("an object")["updatedAt"].clone();
    let payload = payload.replace(&format!("\"updatedAt\":{was}"), &format!("\"updatedAt\":{updated_at}"));
    let covered = format!("{},\"expiresAt\":{expires_at}}}", payload.strip_suffix('}').expect("an object"));
    let signature = b64(SigningKey::hmac(Algorithm::Hs256, secret).sign(covered.as_bytes()));
    b64(format!("{{\"session\":{payload},\"expiresAt\":{expires_at},\"signature\":\"{signature}\"}}"))
}

fn milliseconds(from_now: i64) -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since_epoch.as_millis()).expect("before the year 292 million") + from_now
}

#[test]
fn s111_a_cache_that_is_over_or_too_old_is_ignored() {
    let auth = better_auth("over", &[("COOKIE_CACHE", "compact")]);
    for example in Example::ALL {
        let server = trusting(&auth, example, "compact", &[]);
        let (gone, data) = signed_out(&auth, &format!("gone-{}", example.name()));
        let ask = |updated: i64, expires: i64, secret: &str| {
            ask(&server, &gone, &rewritten(&data, milliseconds(updated), milliseconds(expires), secret))
        };
        assert_user(&ask(0, 200_000, SECRET), &gone, "rewritten as it was");
        assert_user(&ask(-200_000, 100_000, SECRET), &gone, "neither over nor too old");
        // Times count to the second.
        assert_no_session(&ask(-200_000, -1_000, SECRET), "over");
        assert_no_session(&ask(-301_000, 100_000, SECRET), "older than 300 s, whatever it says of its end");
        assert_no_session(&ask(0, 200_000, "another-secret-of-the-session-tests-32-bytes"), "another secret");
    }
}

#[test]
fn s112_chunks_are_joined_by_number_or_ignored() {
    let auth = better_auth("chunks", &[("COOKIE_CACHE", "compact")]);
    for example in Example::ALL {
        let server = trusting(&auth, example, "compact", &[]);
        let (gone, data) = signed_out(&auth, &format!("gone-{}", example.name()));
        let size = data.len() / 12 + 1;
        let pieces: Vec<&str> = (0..data.len()).step_by(size).map(|at| &data[at..data.len().min(at + size)]).collect();
        let all: Vec<String> = pieces.iter().enumerate().map(|(at, piece)| format!("{DATA}.{at}={piece}")).collect();
        let ask = |chunks: &[String]| {
            with_cookies(&server, format!("{}; {TOKEN}={}", chunks.join("; "), cookie(&gone, TOKEN)))
        };
        let with = |more: String| ask(&[&all[..], &[more]].concat());
        let case = example.name();

        assert_user(&ask(&all), &gone, case);
        let reversed: Vec<_> = all.iter().rev().cloned().collect();
        assert_user(&ask(&reversed), &gone, &format!("{case}: reversed"));
        for missing in [0, 5, all.len() - 1] {
            let mut gap = all.clone();
            gap.remove(missing);
            assert_no_session(&ask(&gap), &format!("{case}: without {missing}"));
        }
        assert_no_session(&with(all[3].clone()), &format!("{case}: one of them twice"));
        for index in ["", "00", "03", "-1", "+1", "1.0", "x", "0x1", "100", "99999999999999999999"] {
            assert_no_session(&with(format!("{DATA}.{index}=AAAA")), &format!("{case}: index {index}"));
        }
        let many: Vec<_> = (0..500).map(|at| format!("{DATA}.{at}=A")).collect();
        assert_no_session(&ask(&many), &format!("{case}: 500"));
        assert_user(&with(format!("{DATA}={data}")), &gone, &format!("{case}: the one without a number counts alone"));
        assert_no_session(&with(format!("{DATA}=x")), &format!("{case}: the one without a number counts alone"));
    }
}
