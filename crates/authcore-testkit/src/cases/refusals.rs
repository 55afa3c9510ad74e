//! The refusals, word for word.

/// A refusal, word for word.
#[derive(Clone, Copy, Debug)]
pub(super) struct No {
    pub(super) status: u16,
    pub(super) challenge: Option<&'static str>,
    pub(super) body: &'static str,
}
pub(super) const MISSING: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_credentials","detail":"This needs a credential: Authorization: Bearer <token>"}"#,
};

pub(super) const MALFORMED: No = No {
    status: 400,
    challenge: Some(
        r#"Bearer realm="cases", error="invalid_request", error_description="Authorization: Bearer takes exactly one token""#,
    ),
    body: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"malformed_credentials","detail":"Authorization: Bearer takes exactly one token"}"#,
};

pub(super) const REPEATED: No = No {
    status: 400,
    challenge: Some(
        r#"Bearer realm="cases", error="invalid_request", error_description="There is more than one Authorization field""#,
    ),
    body: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"malformed_credentials","detail":"There is more than one Authorization field"}"#,
};

pub(super) const INVALID: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases", error="invalid_token", error_description="Token is not valid""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"token_invalid","detail":"Token is not valid"}"#,
};

pub(super) const EXPIRED: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases", error="invalid_token", error_description="Token has expired""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"token_expired","detail":"Token has expired"}"#,
};

pub(super) const NOT_YET: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases", error="invalid_token", error_description="Token is not valid yet""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"token_not_yet_valid","detail":"Token is not valid yet"}"#,
};

pub(super) const NOT_OWNER: No = No {
    status: 403,
    challenge: None,
    body: r#"{"type":"about:blank","title":"Forbidden","status":403,"code":"not_owner","detail":"This belongs to another user"}"#,
};

pub(super) const ROLE: No = No {
    status: 403,
    challenge: None,
    body: r#"{"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_role","detail":"Your role does not allow this"}"#,
};

/// A scope that a route asks for.
pub(super) const SCOPE: No = No {
    status: 403,
    challenge: Some(r#"Bearer realm="cases", error="insufficient_scope", scope="articles:write""#),
    body: r#"{"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_scope","detail":"The token does not carry the scope this needs"}"#,
};

pub(super) const AMBIGUOUS: No = No {
    status: 400,
    challenge: None,
    body: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"bad_request","detail":"The path is ambiguous"}"#,
};
