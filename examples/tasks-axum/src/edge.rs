//! The outermost middleware: request id, CORS, and one spelling of the path.

use authcore::Refusal;
use authcore_axum::{Head, Reject};
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::http::header::VARY;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tasks_domain::{Backend, Panicked, normal_target, unless_it_panics};
use tracing::Instrument as _;

use crate::json::{Answer, set_fields};

pub(crate) async fn edge(State(backend): State<Backend>, mut request: Request, next: Next) -> Response {
    let visit = backend.edge().arrive(&Head::from(&request));
    let span = visit.span(request.method().as_str(), request.uri().path());
    let mut response = match visit.preflight() {
        Some(reply) => Answer(reply).into_response(),
        None => {
            straighten(request.uri_mut());
            let served = unless_it_panics(next.run(request)).instrument(span).await;
            served.unwrap_or_else(|Panicked| Reject(Refusal::internal()).into_response())
        }
    };
    let vary = response.headers().get_all(VARY).iter().filter_map(|line| line.to_str().ok());
    let fields = visit.answer_fields(vary);
    set_fields(&mut response, fields);
    response
}

/// axum matches paths as they were sent, percent-encoded letters and all.
fn straighten(uri: &mut Uri) {
    let Some(target) = normal_target(uri.path(), uri.query()) else { return };
    let Ok(target) = target.parse() else { return };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target);
    if let Ok(straight) = Uri::from_parts(parts) {
        *uri = straight;
    }
}
