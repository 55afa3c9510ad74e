//! Configuration: cheap to clone, knows nothing of requests.

use authcore::Guard;
use tower_layer::Layer;

use crate::service::AuthService;

/// Puts a [`Guard`] in front of a service: an axum router, or any other tower service of HTTP requests.
///
/// The guard's path templates are compared with the path the layer sees. Put the layer around the outermost router:
/// inside `Router::nest`, axum has taken the prefix off already.
#[derive(Clone, Debug)]
pub struct AuthLayer {
    guard: Guard,
}

impl AuthLayer {
    /// A layer that asks this guard.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService::new(self.guard.clone(), inner)
    }
}
