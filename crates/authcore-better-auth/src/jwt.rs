//! The authenticator for Better Auth's session JWTs.

use authcore::{AuthError, Authenticator, BearerToken, Glance, Identity, JwtVerifier, RemoteKeys, RequestHead};

/// Judges the JWTs that Better Auth's jwt plugin gives to signed-in users (`GET /token`, `set-auth-jwt`).
///
/// Other tokens signed with the same keys are refused: OAuth access tokens (`at+jwt`, another issuer), ID tokens (another
/// issuer and audience) and the session cache (its own `typ` and audience). Cloning is cheap.
#[derive(Clone, Debug)]
pub struct BetterAuthJwt {
    verifier: JwtVerifier,
    keys: Option<RemoteKeys>,
    warnings: Vec<String>,
}

impl BetterAuthJwt {
    pub(crate) fn new(verifier: JwtVerifier, keys: Option<RemoteKeys>, warnings: Vec<String>) -> Self {
        Self { verifier, keys, warnings }
    }

    /// The verifier inside, for tokens that do not come in a request.
    #[must_use]
    pub fn verifier(&self) -> &JwtVerifier {
        &self.verifier
    }

    /// The key set that is fetched, if there is one: load it at start, show its status in a readiness check.
    #[must_use]
    pub fn keys(&self) -> Option<&RemoteKeys> {
        self.keys.as_ref()
    }

    /// What is allowed but unwise in the settings, a line each, for the log at start.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Authenticator for BetterAuthJwt {
    type Credential = BearerToken;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<BearerToken>, AuthError> {
        self.verifier.credential(head)
    }

    async fn verify(&self, credential: BearerToken) -> Result<Identity, AuthError> {
        self.verifier.verify(credential).await
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<BearerToken> {
        self.verifier.glance(head)
    }
}
