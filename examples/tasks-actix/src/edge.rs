//! The outermost middleware: request id, CORS, and one spelling of the path.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse, Url};
use actix_web::error::InternalError;
use actix_web::http::Uri;
use actix_web::http::header::{HeaderMap, VARY};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use authcore::Refusal;
use authcore_actix::{Head, Reject};
use tasks_domain::{Backend, Panicked, Visit, normal_target, unless_it_panics};
use tracing::Instrument as _;

use crate::json::{Answer, set_fields};

pub(crate) async fn edge(
    backend: web::Data<Backend>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let visit = backend.edge().arrive(&Head::from(&request));
    if let Some(reply) = visit.preflight() {
        let mut response = request.into_response(HttpResponse::from(Answer(reply)));
        dress(response.headers_mut(), &visit);
        return Ok(response);
    }
    let span = visit.span(request.method().as_str(), request.uri().path());
    straighten(&mut request);
    let error: Error = match unless_it_panics(next.call(request)).instrument(span).await {
        Ok(Ok(mut response)) => {
            dress(response.headers_mut(), &visit);
            return Ok(response.map_into_boxed_body());
        }
        Ok(Err(error)) => error,
        Err(Panicked) => Reject(Refusal::internal()).into(),
    };
    // The request is gone, so there is no `ServiceResponse` to be made; the error takes the fields along instead.
    let mut response = error.error_response();
    dress(response.headers_mut(), &visit);
    Err(InternalError::from_response(error, response).into())
}

/// The router undoes escapes, the guard looks at what was sent: where these would be two paths, it refuses both.
fn straighten(request: &mut ServiceRequest) {
    let Some(target) = normal_target(request.uri().path(), request.uri().query()) else { return };
    let Ok(target) = target.parse() else { return };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(target);
    if let Ok(straight) = Uri::from_parts(parts) {
        request.match_info_mut().set(Url::new(straight.clone()));
        request.head_mut().uri = straight;
    }
}

fn dress(headers: &mut HeaderMap, visit: &Visit) {
    let fields = visit.answer_fields(headers.get_all(VARY).filter_map(|line| line.to_str().ok()));
    set_fields(headers, fields);
}
