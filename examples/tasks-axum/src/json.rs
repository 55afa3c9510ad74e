//! Bodies in and out.

use std::future::poll_fn;
use std::pin::Pin;

use authcore_axum::Reject;
use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tasks_domain::{Reply, body};

/// The bytes of a body that says it is JSON and is not too long. Reading them as JSON is the next step.
pub(crate) struct JsonBody(pub(crate) Vec<u8>);

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Reject;

    async fn from_request(request: Request, _: &S) -> Result<Self, Reject> {
        let (head, mut incoming) = request.into_parts();
        let lines = |name: HeaderName| head.headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
        body::require_json(lines(CONTENT_TYPE), lines(CONTENT_ENCODING))?;

        let mut read = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
            let Ok(data) = frame.map_err(|_| body::broken_off())?.into_data() else { continue };
            if read.len() + data.len() > body::MAX_BODY {
                return Err(body::too_large().into());
            }
            read.extend_from_slice(&data);
        }
        Ok(Self(read))
    }
}

/// A [`Reply`] as axum answers it.
pub(crate) struct Answer(pub(crate) Reply);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Reply { status, fields, body } = self.0;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        set_fields(&mut response, fields);
        response
    }
}

/// Sets header fields in place of what the response has under their names.
pub(crate) fn set_fields(response: &mut Response, fields: Vec<(&'static str, String)>) {
    for (name, value) in fields {
        // A value that no header field can hold is left out; the rest still says what it says.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}
