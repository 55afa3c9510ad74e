//! The outward door: the core's refusals and header fields as actix-web responses.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use actix_web::{HttpResponse, ResponseError};
use authcore::{AnswerFields, AuthError, Refusal, Unavailable};

/// A refusal as a response: the error type of handlers, so that `?` works on whatever the core refuses.
///
/// ```
/// use authcore_actix::{CurrentUser, Reject};
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

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status(), self.0.code())
    }
}

impl ResponseError for Reject {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::with_body(self.status_code(), self.0.body()).map_into_boxed_body();
        for (name, value) in self.0.fields() {
            // A value that no header field can hold is left out; the rest still says what it says.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// An error of a service behind the guard: its own answer, with the fields that every answer has.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) error: actix_web::Error,
    pub(crate) fields: AnswerFields,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Answered {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        add_fields(response.headers_mut(), &self.fields);
        response
    }
}

/// Adds what the answer does not have yet.
pub(crate) fn add_fields(headers: &mut HeaderMap, fields: &AnswerFields) {
    for field in fields.iter() {
        let name = HeaderName::from_static(field.name());
        if !field.is_settled_by(headers.get_all(&name).map(HeaderValue::as_bytes))
            && let Ok(value) = value_of(field.value())
        {
            headers.append(name, value);
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
