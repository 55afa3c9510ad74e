//! Bodies in and out.

use std::future::Future;
use std::pin::Pin;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, web};
use authcore_actix::Reject;
use tasks_domain::{Reply, body};

/// The bytes of a body that says it is JSON and is not too long. Reading them as JSON is the next step.
pub(crate) struct JsonBody(pub(crate) Bytes);

impl FromRequest for JsonBody {
    type Error = Reject;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Reject>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let lines = |name: HeaderName| request.headers().get_all(name).map(HeaderValue::as_bytes);
        let checked = body::require_json(lines(CONTENT_TYPE), lines(CONTENT_ENCODING));
        let incoming = web::Payload::from_request(request, payload);
        Box::pin(async move {
            checked?;
            let incoming = incoming.await.map_err(|_| body::broken_off())?;
            let read = incoming.to_bytes_limited(body::MAX_BODY).await.map_err(|_| body::too_large())?;
            Ok(Self(read.map_err(|_| body::broken_off())?))
        })
    }
}

/// A [`Reply`] as actix-web answers it.
pub(crate) struct Answer(pub(crate) Reply);

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into()
    }
}

impl From<Answer> for HttpResponse {
    fn from(Answer(Reply { status, fields, body }): Answer) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::with_body(status, body).map_into_boxed_body();
        set_fields(response.headers_mut(), fields);
        response
    }
}

/// Sets header fields in place of what is there under their names.
pub(crate) fn set_fields(headers: &mut HeaderMap, fields: Vec<(&'static str, String)>) {
    for (name, value) in fields {
        // A value that no header field can hold is left out; the rest still says what it says.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
