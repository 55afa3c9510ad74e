//! What an [`Authenticator`] must do.

use std::fmt::Write as _;

use authcore::{AuthError, Authenticator, Glance, Identity};

use crate::head::TestHead;

/// Checks an authenticator on requests it must accept, each with the user they are of, and on requests it must refuse,
/// each with the [`reason`](AuthError::reason).
///
/// - A request that carries nothing is not recognised, neither by `credential` nor by `glance`.
/// - What is accepted is accepted each time, and the short way (`glance`) comes to the same end as the long one
///   (`credential`, then `verify`).
/// - What is refused is recognised all the same: otherwise the next authenticator would be asked, or an optional route
///   would take the caller for anonymous.
/// - No error shows what the request presented in `Authorization` or `Cookie`.
///
/// # Panics
///
/// When any of it does not hold.
pub async fn authenticator<A: Authenticator>(
    authenticator: &A,
    accepted: &[(TestHead, &str)],
    refused: &[(TestHead, &str)],
) {
    let nothing = TestHead::get("/").header("x-request-id", "7");
    assert!(
        matches!(authenticator.credential(&nothing), Ok(None)),
        "a request that carries nothing must not be recognised by `credential`"
    );
    assert!(
        matches!(authenticator.glance(&nothing), Glance::Absent),
        "a request that carries nothing must not be recognised by `glance`"
    );
    for (head, user) in accepted {
        for round in ["at first", "once more"] {
            for (way, verdict) in
                [("long", long_way(authenticator, head).await), ("short", short_way(authenticator, head).await)]
            {
                let verdict = verdict.unwrap_or_else(|| panic!("not recognised the {way} way {round}: {}", name(head)));
                let identity =
                    verdict.unwrap_or_else(|error| panic!("refused the {way} way {round}: {error}: {}", name(head)));
                assert_eq!(identity.user_id().as_str(), *user, "the {way} way {round}: {}", name(head));
            }
        }
    }
    for (head, reason) in refused {
        for (way, verdict) in
            [("long", long_way(authenticator, head).await), ("short", short_way(authenticator, head).await)]
        {
            let verdict = verdict.unwrap_or_else(|| panic!("passed over the {way} way, not refused: {}", name(head)));
            let Err(error) = verdict else { panic!("accepted the {way} way: {}", name(head)) };
            assert_eq!(error.reason(), *reason, "the {way} way: {}", name(head));
            assert_silent(&error, head);
        }
    }
}

type Verdict = Result<Identity, AuthError>;

/// The verdict by `credential` and `verify`; `None` when the request is not recognised.
async fn long_way<A: Authenticator>(authenticator: &A, head: &TestHead) -> Option<Verdict> {
    match authenticator.credential(head) {
        Ok(None) => None,
        Ok(Some(credential)) => Some(authenticator.verify(credential).await),
        Err(error) => Some(Err(error)),
    }
}

/// The verdict by `glance`.
async fn short_way<A: Authenticator>(authenticator: &A, head: &TestHead) -> Option<Verdict> {
    match authenticator.glance(head) {
        Glance::Absent => None,
        Glance::Judged(verdict) => Some(verdict),
        Glance::Pending(credential) => Some(authenticator.verify(credential).await),
    }
}

fn assert_silent(error: &AuthError, head: &TestHead) {
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        write!(shown, " {cause} {cause:?}").expect("writing to a String cannot fail");
        source = cause.source();
    }
    for (name, value) in &head.spec().headers {
        let is_secret = name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("cookie");
        let value = String::from_utf8_lossy(value);
        let parts = value.split([' ', ';', '=', ',']).filter(|part| is_secret && part.len() >= 16);
        for part in parts {
            assert!(!shown.contains(part), "the error shows what {name} held");
        }
    }
}

/// Which request it was, without its secrets.
fn name(head: &TestHead) -> String {
    let spec = head.spec();
    let fields: Vec<_> = spec.headers.iter().map(|(name, value)| format!("{name}: {} bytes", value.len())).collect();
    format!("{} {} [{}]", spec.method, spec.target, fields.join(", "))
}

#[cfg(test)]
mod tests {
    use authcore::{Algorithm, JwtVerifier, KeySet};

    use crate::{SigningKey, TestHead, mint};

    #[tokio::test]
    async fn a_jwt_verifier_passes() {
        let key = SigningKey::fixed(Algorithm::Es256);
        let verifier = JwtVerifier::builder(KeySet::new([key.key()])).build().expect("a verifier");
        let bearer = |token: String| TestHead::get("/").bearer(token);
        let accepted = [(bearer(mint().sign(key)), "alice"), (bearer(mint().subject("bob").sign(key)), "bob")];
        let refused = [
            (bearer("not.a.token".to_owned()), "header_not_base64"),
            (bearer(mint().expires_at(1).sign(key)), "expired"),
            (bearer(String::new()), "malformed_bearer"),
        ];
        super::authenticator(&verifier, &accepted, &refused).await;
    }
}
