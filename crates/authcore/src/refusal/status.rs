//! Our status codes in the words of others.

/// The status codes of gRPC for ours.
pub(super) fn grpc_code(status: u16) -> u8 {
    match status {
        400 | 422 => 3, // INVALID_ARGUMENT
        401 => 16,      // UNAUTHENTICATED
        403 => 7,       // PERMISSION_DENIED
        404 => 5,       // NOT_FOUND
        429 => 8,       // RESOURCE_EXHAUSTED
        500 => 13,      // INTERNAL
        503 => 14,      // UNAVAILABLE
        _ => 2,         // UNKNOWN
    }
}

/// The status phrases of RFC 9110 §15, which RFC 9457 §4.2.1 wants as the title of `about:blank`.
pub(super) fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
