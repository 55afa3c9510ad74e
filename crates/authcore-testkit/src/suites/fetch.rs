//! What a [`Fetch`] must do.

use std::time::Duration;

use authcore::Fetch;
use url::Url;

use crate::issuer::{Answer, FakeIssuer};
use crate::key::{SigningKey, jwks};

/// Checks a way to fetch documents against a [`FakeIssuer`].
///
/// - A document with status 200 comes as it is, with `max-age`; one of exactly `max_bytes` too.
/// - Any other status is an error. A redirect is one as well, and its target is not contacted.
/// - A document that is longer than `max_bytes` is an error, whether its length is announced or not; and one that is
///   longer once inflated never yields more.
/// - An issuer that is down is an error at once, and a fetch that hangs can be dropped.
///
/// # Panics
///
/// When any of it does not hold.
pub async fn fetch<F: Fetch>(fetch: F) {
    let key = SigningKey::fixed(authcore::Algorithm::EdDsa);
    let document = jwks([key]);
    let issuer = FakeIssuer::start(&[key]).await;
    let elsewhere = FakeIssuer::start(&[key]).await;
    let url = Url::parse(&issuer.jwks_url()).expect("a URL");
    let get = |max_bytes| {
        let (fetch, url) = (&fetch, &url);
        async move {
            let patience = tokio::time::timeout(PATIENCE, fetch.fetch(url, max_bytes));
            patience.await.unwrap_or_else(|_| panic!("no end within {} s", PATIENCE.as_secs()))
        }
    };

    let fetched = get(MAX).await.unwrap_or_else(|error| panic!("a good document is refused: {error}"));
    assert_eq!(fetched.body, document.as_bytes(), "the document comes as it is");
    assert_eq!(fetched.max_age, None, "no `max-age` is made up");
    assert_eq!(issuer.targets(), ["/api/auth/jwks"], "one request, for the path of the URL");
    assert!(get(document.len()).await.is_ok(), "a document of exactly `max_bytes` is good");
    assert!(get(document.len() - 1).await.is_err(), "a document one byte too long is refused");

    issuer.answer(Answer::CacheControl("public, max-age=60".to_owned()));
    let max_age = get(MAX).await.ok().and_then(|fetched| fetched.max_age);
    assert_eq!(max_age, Some(Duration::from_secs(60)), "`max-age` is handed over");

    for status in [201, 203, 204, 206, 304, 400, 401, 404, 429, 500, 503] {
        let body = if matches!(status, 204 | 304) { "" } else { &document };
        issuer.answer(Answer::body(status, "application/json", body));
        assert!(get(MAX).await.is_err(), "status {status} is an error");
    }
    issuer.answer(Answer::Redirect(elsewhere.jwks_url()));
    assert!(get(MAX).await.is_err(), "a redirect is an error");
    assert_eq!(elsewhere.requests(), 0, "the target of a redirect is not contacted");

    issuer.answer(Answer::Oversized(MAX + 1));
    assert!(get(MAX).await.is_err(), "a document that is too long is refused, announced or not");
    issuer.answer(Answer::GzipBomb);
    if let Ok(fetched) = get(MAX).await {
        assert!(fetched.body.len() <= MAX, "`max_bytes` is meant once inflated");
    }
    issuer.answer(Answer::Down);
    assert!(get(MAX).await.is_err(), "an issuer that is down is an error");

    issuer.answer(Answer::Hang);
    let before = issuer.requests();
    tokio::select! {
        _ = fetch.fetch(&url, MAX) => panic!("there was no answer"),
        () = issuer.requested(before + 1) => {}
    }
    issuer.answer(Answer::Keys);
    assert!(get(MAX).await.is_ok(), "a fetch that was dropped does not keep the next from succeeding");
}

/// Longer than any document here but the oversized ones.
const MAX: usize = 64 * 1024;

const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use authcore::HttpFetch;

    #[tokio::test]
    async fn http_fetch_passes() {
        let url = url::Url::parse("http://127.0.0.1/").expect("a URL");
        super::fetch(HttpFetch::new(&url).expect("an HTTP client")).await;
    }
}
