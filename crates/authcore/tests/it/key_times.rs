//! How long keys serve: the bounds of settings, and K-98 and K-99 of docs/security/cases.md.

use std::time::Duration;

use authcore::{JwtVerifier, ManualClock, RemoteKeys, RemoteKeysBuilder, Timestamp};
use authcore_testkit::{Answer, FakeIssuer, jwks, mint};
use tokio::time::advance;

use crate::script::{COOLDOWN, DAY, Script, known, let_refresh, reason, serve_for, strange_token, verifier};

#[test]
fn settings_out_of_bounds_are_refused_at_configuration() {
    let refused =
        |change: fn(RemoteKeysBuilder) -> RemoteKeysBuilder| change(Script::default().builder()).build().is_err();
    assert!(refused(|builder| builder.cooldown(Duration::ZERO)));
    assert!(refused(|builder| builder.cooldown(DAY + COOLDOWN)));
    assert!(refused(|builder| builder.cooldown(Duration::MAX)));
    assert!(refused(|builder| builder.deadline(Duration::ZERO)));
    assert!(refused(|builder| builder.max_bytes(0)));
    assert!(refused(|builder| builder.max_stale(DAY + Duration::from_secs(1))));
    // A set must not grow too old while no fetch is allowed: tokens would be refused that nobody judged.
    assert!(refused(|builder| builder.max_stale(COOLDOWN - Duration::from_secs(1))));
    assert!(!refused(|builder| builder.max_stale(COOLDOWN)));
}

#[test]
fn settings_that_are_printed_hold_nothing_of_the_url() {
    let printed = format!("{:?}", RemoteKeys::builder("https://user:secret@id.example.com/jwks?key=confidential"));
    assert!(printed.starts_with("RemoteKeysBuilder { rules: ") && printed.contains("cooldown: 30s"), "{printed}");
    assert!(!printed.contains("secret") && !printed.contains("confidential"), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn settings_at_their_bounds_do_no_harm() {
    let script = Script::serving(&[known()]);
    let builder = script.builder().deadline(Duration::MAX).refresh_every(Duration::MAX).cooldown(DAY);
    let keys = builder.build().unwrap();
    assert_eq!(reason(&verifier(&keys), &mint().sign(known())).await, "accepted");
    assert_eq!(reason(&verifier(&keys), &strange_token(0)).await, "unknown_key");
    assert!(keys.status().next_refresh <= DAY);
}

#[tokio::test(start_paused = true)]
async fn k98_cache_control_is_kept_between_the_cooldown_and_a_day() {
    // A refresh begins after four fifths of a set's life.
    let expected = [(0, 24), (1, 24), (30, 24), (600, 480), (86_400, 69_120), (31_536_000, 69_120), (u64::MAX, 69_120)];
    for (max_age, seconds) in expected {
        let script = Script::default();
        script.now(serve_for(max_age));
        let keys = script.keys();
        keys.load().await.unwrap();
        let next = keys.status().next_refresh;
        assert!(next.abs_diff(Duration::from_secs(seconds)) < Duration::from_millis(10), "max-age={max_age}: {next:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k98_a_max_age_of_zero_does_not_mean_a_fetch_per_request() {
    let script = Script::default();
    script.now(serve_for(0));
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    for _ in 0..1_000 {
        assert_eq!(reason(&verifier, &token).await, "accepted");
        advance(Duration::from_millis(23)).await;
    }
    assert_eq!(script.fetches(), 1);
    advance(Duration::from_secs(2)).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");
    let_refresh(&keys, 2).await;
    assert_eq!(script.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn k98_a_long_max_age_does_not_outlive_max_stale() {
    let script = Script::default();
    script.now(serve_for(86_400));
    let keys = script.builder().max_stale(Duration::from_secs(600)).build().unwrap();
    keys.load().await.unwrap();
    assert!(keys.status().next_refresh < Duration::from_secs(600), "{:?}", keys.status().next_refresh);
}

#[tokio::test]
async fn k98_the_header_is_read_as_it_comes() {
    let day = 69_120;
    let answers = [
        ("max-age=0", 24),
        ("max-age=31536000", day),
        ("max-age=99999999999999999999999", day),
        ("no-store", 240),
        ("no-cache, private", 240),
    ];
    for (value, seconds) in answers {
        let issuer = FakeIssuer::start(&[known()]).await;
        issuer.answer(Answer::CacheControl(value.to_owned()));
        let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
        keys.load().await.unwrap();
        let next = keys.status().next_refresh;
        assert!(next.abs_diff(Duration::from_secs(seconds)) < Duration::from_secs(5), "{value}: {next:?}");
    }
}

#[tokio::test]
async fn k98_a_set_that_lay_in_a_cache_is_as_old_as_it_says() {
    // 300 s are left, of which four fifths are 240; and none at all, which counts as the cooldown.
    for (age, seconds) in [("300", 240), ("900", 24), ("99999999999999999999", 24)] {
        let issuer = FakeIssuer::start(&[known()]).await;
        let headers = [("cache-control", "public, max-age=600"), ("age", age)];
        issuer.answer(Answer::Body {
            status: 200,
            content_type: "application/json".to_owned(),
            body: jwks([known()]).into_bytes(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        });
        let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
        keys.load().await.unwrap();
        let next = keys.status().next_refresh;
        assert!(next.abs_diff(Duration::from_secs(seconds)) < Duration::from_secs(5), "{age}: {next:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k99_a_jump_of_the_wall_clock_moves_no_key() {
    const NOW: i64 = 1_750_000_000;
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let clock = ManualClock::at(NOW);
    let verifier = JwtVerifier::builder(keys.clone()).clock(clock.clone()).build().unwrap();
    let token = mint().issued_at(NOW).expires_at(NOW + 900).sign(known());
    assert_eq!(reason(&verifier, &token).await, "accepted");

    for (wall, verdict) in [(NOW + 315_360_000, "expired"), (NOW - 315_360_000, "issued_in_future"), (NOW, "accepted")]
    {
        clock.set(Timestamp::from_seconds(wall));
        assert_eq!(reason(&verifier, &token).await, verdict);
        assert_eq!(script.fetches(), 1);
    }
    // And the other way round: keys grow old while the wall clock stands.
    advance(Duration::from_secs(241)).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");
    let_refresh(&keys, 2).await;
    assert_eq!(script.fetches(), 2);
}
