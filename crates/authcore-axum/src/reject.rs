//! The outward door: the core's refusals and header fields as `http` responses.

use authcore::{AnswerFields, AuthError, Refusal, Unavailable};
use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{Entry, HeaderName, InvalidHeaderValue};
use http::{HeaderValue, StatusCode};

/// A refusal as a response: the error type of handlers, so that `?` works on whatever the core refuses.
///
/// ```
/// use authcore_axum::{CurrentUser, Reject};
///
/// async fn publish(user: CurrentUser) -> Result<&'static str, Reject> {
///     user.require_scope("articles:write")?;
///     Ok("published")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Reject(
    /// What the client is told.
    pub Refusal,
);

impl From<Refusal> for Reject {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<AuthError> for Reject {
    fn from(error: AuthError) -> Self {
        Self(error.into())
    }
}

impl From<Unavailable> for Reject {
    fn from(outage: Unavailable) -> Self {
        Self(outage.into())
    }
}

impl IntoResponse for Reject {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0.body()));
        *response.status_mut() = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.0.fields() {
            // A value that no header field can hold is left out; the rest still says what it says.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// Adds what the answer does not have yet.
pub(crate) fn add_fields<R>(response: &mut http::Response<R>, fields: &AnswerFields) {
    let headers = response.headers_mut();
    for field in fields.iter() {
        let Ok(value) = value_of(field.value()) else { continue };
        match headers.entry(HeaderName::from_static(field.name())) {
            Entry::Occupied(lines) if field.is_settled_by(lines.iter().map(HeaderValue::as_bytes)) => {}
            Entry::Occupied(mut lines) => lines.append(value),
            Entry::Vacant(place) => {
                place.insert(value);
            }
        }
    }
}

/// What most answers say is at hand; other text is checked and copied.
fn value_of(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    match text {
        "no-store" => Ok(const { HeaderValue::from_static("no-store") }),
        "Authorization, Cookie" => Ok(const { HeaderValue::from_static("Authorization, Cookie") }),
        _ => HeaderValue::from_str(text),
    }
}
