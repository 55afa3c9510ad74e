//! Which methods a path takes: for `Allow`, and for telling `404` from `405` alike in every server.

use authcore::Refusal;

use crate::edge::normal_path;
use crate::reply::Reply;

/// The answer to a request that no route took: `204` to `OPTIONS` on a path there is, `405` to another method there,
/// `404` elsewhere.
///
/// # Errors
///
/// `404 not_found` or `405 method_not_allowed`.
pub(crate) fn no_route(method: &str, path: &str) -> Result<Reply, Refusal> {
    let allow = methods(&normal_path(path)).ok_or_else(Refusal::not_found)?;
    match method {
        "OPTIONS" => Ok(Reply::no_content().with_field("allow", allow)),
        _ => Err(Refusal::method_not_allowed(allow)),
    }
}

/// The methods of a path, as in `Allow`. A static segment beats `{user_id}`.
fn methods(path: &str) -> Option<&'static str> {
    const READ: &str = "GET, HEAD, OPTIONS";
    const SEND: &str = "OPTIONS, POST";
    const LIST: &str = "GET, HEAD, OPTIONS, POST";
    const ONE: &str = "DELETE, GET, HEAD, OPTIONS, PUT";
    const TOGGLE: &str = "OPTIONS, PATCH";

    if path == "/" {
        return Some(READ);
    }
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if segments.contains(&"") {
        return None;
    }
    Some(match segments.as_slice() {
        ["health" | "ready"] | ["demo", "token"] => READ,
        ["api", "protected-data" | "data"] | ["api", "user", "profile"] | ["api", "users", _] => READ,
        ["api", "messages"] | ["api", "user", "action"] => SEND,
        ["api", "tasks"] | ["api", "user", "tasks"] => LIST,
        ["api", "tasks", _] | ["api", "user", "tasks", _] => ONE,
        ["api", "tasks", _, "complete"] | ["api", "user", "tasks", _, "complete"] => TOGGLE,
        ["api", _, "tasks"] => LIST,
        ["api", _, "tasks", _] => ONE,
        ["api", _, "tasks", _, "complete"] => TOGGLE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_is_in_alphabetical_order_and_names_head_and_options() {
        let paths = ["/health", "/api/messages", "/api/tasks", "/api/ann/tasks/7", "/api/user/tasks/7/complete"];
        for path in paths {
            let allow: Vec<&str> = methods(path).expect(path).split(", ").collect();
            assert!(allow.is_sorted() && allow.contains(&"OPTIONS"), "{path}");
            assert_eq!(allow.contains(&"GET"), allow.contains(&"HEAD"), "{path}");
        }
    }

    #[test]
    fn a_static_segment_beats_a_user_id() {
        assert_eq!(methods("/api/users/tasks"), Some("GET, HEAD, OPTIONS"));
        assert_eq!(methods("/api/tasks/tasks"), methods("/api/tasks/7"));
        assert_eq!(methods("/api/%75sers/%74asks"), None, "decoding comes first");
    }

    #[test]
    fn a_trailing_slash_makes_another_path() {
        for path in ["//", "/api", "/api/", "/api/tasks/", "/health/", "/api/ann/tasks/7/", "/api/users/", "/API/tasks"]
        {
            assert_eq!(methods(path), None, "{path}");
        }
    }

    #[test]
    fn options_is_answered_and_other_methods_are_told_which() {
        assert_eq!(no_route("OPTIONS", "/api/t%61sks").map(|reply| reply.status).ok(), Some(204));
        assert_eq!(no_route("OPTIONS", "/nowhere").expect_err("unknown").status(), 404);
        let refusal = no_route("PATCH", "/api/tasks").expect_err("not a method of a list");
        assert!(refusal.fields().contains(&("allow", "GET, HEAD, OPTIONS, POST".to_owned())));
    }
}
