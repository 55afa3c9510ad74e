//! The outermost layer's decisions: request ids, CORS, and the fields that every answer carries.

use std::borrow::Cow;
use std::sync::Arc;

use authcore::RequestHead;
use uuid::Uuid;

use crate::reply::Reply;

/// The outermost layer of a server, without the server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Edge {
    origins: Arc<[String]>,
}

impl Edge {
    pub(crate) fn new(origins: Vec<String>) -> Self {
        Self { origins: origins.into() }
    }

    /// Looks at a request as it comes in.
    #[must_use]
    pub fn arrive(&self, head: &dyn RequestHead) -> Visit {
        let text = |name| head.sole_field(name).ok().flatten().and_then(|value| std::str::from_utf8(value).ok());
        let request_id = text("x-request-id").filter(|id| is_request_id(id)).map(str::to_owned);
        let origin = text("origin").filter(|origin| self.origins.iter().any(|allowed| allowed == origin));
        Visit {
            request_id: request_id.unwrap_or_else(|| Uuid::new_v4().to_string()),
            origin: origin.map(str::to_owned),
            is_preflight: head.is_preflight(),
        }
    }
}

/// One request, as the outermost layer sees it.
#[derive(Clone, Debug)]
pub struct Visit {
    request_id: String,
    /// The origin of the request, if it is one of those configured.
    origin: Option<String>,
    is_preflight: bool,
}

impl Visit {
    /// The caller's own id, or a fresh one.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The span that the request's log events belong to: of the highest level, so that no filter takes the id away.
    #[must_use]
    pub fn span(&self, method: &str, path: &str) -> tracing::Span {
        tracing::error_span!("request", id = self.request_id, method, path)
    }

    /// The answer to a CORS preflight, which needs no credential and goes no further. An origin that is not configured
    /// is answered too: without the fields that would allow it anything.
    #[must_use]
    pub fn preflight(&self) -> Option<Reply> {
        self.is_preflight.then(Reply::no_content)
    }

    /// The fields to set on the answer, in place of what it has under these names. `vary` are its `Vary` lines.
    #[must_use]
    pub fn answer_fields<'r>(&self, vary: impl IntoIterator<Item = &'r str>) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("x-request-id", self.request_id.clone()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("vary", merged(vary.into_iter().chain(["Origin"]))),
        ];
        let Some(origin) = &self.origin else { return fields };
        fields.push(("access-control-allow-origin", origin.clone()));
        fields.push(("access-control-allow-credentials", "true".to_owned()));
        if self.is_preflight {
            fields.push(("access-control-allow-methods", METHODS.to_owned()));
            fields.push(("access-control-allow-headers", HEADERS.to_owned()));
        } else {
            fields.push(("access-control-expose-headers", EXPOSED.to_owned()));
        }
        fields
    }
}

/// A path with the escapes undone that need not be there: letters, digits, `-`, `.`, `_`, `~` (RFC 3986 §6.2.2.2).
/// Routers differ in whether they match `/t%61sks` with `/tasks`; after this they cannot.
///
/// A path with a bad escape is left as it is, for the guard to refuse: undoing the good one in `%6%31` would make `%61`.
#[must_use]
pub(crate) fn normal_path(path: &str) -> Cow<'_, str> {
    if path.contains('%') { straightened(path).map_or(Cow::Borrowed(path), Cow::Owned) } else { Cow::Borrowed(path) }
}

/// What to ask for instead of a path with escapes that need not be there (RFC 3986 §6.2.2.2), query and all.
#[must_use]
pub fn normal_target(path: &str, query: Option<&str>) -> Option<String> {
    let Cow::Owned(path) = normal_path(path) else { return None };
    Some(query.map(|query| format!("{path}?{query}")).unwrap_or(path))
}

fn straightened(path: &str) -> Option<String> {
    let mut straight = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        let (digits, after) = after.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        straight.push_str(before);
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            straight.push(char::from(byte));
        } else {
            straight.extend(["%", digits]);
        }
        rest = after;
    }
    straight.push_str(rest);
    Some(straight)
}

fn is_request_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The members of several `Vary` lines as one, each once.
fn merged<'r>(lines: impl Iterator<Item = &'r str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    names.join(", ")
}

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "Authorization, Content-Type, X-Request-Id";
const EXPOSED: &str = "Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Location, WWW-Authenticate";

#[cfg(test)]
mod tests {
    use authcore_testkit::TestHead;

    use super::*;

    const APP: &str = "https://app.example.com";

    fn visit(method: &str, fields: &[(&str, &str)]) -> Visit {
        let edge = Edge::new(vec![APP.to_owned(), "http://localhost:3000".to_owned()]);
        let head = TestHead::new(method, "/api/tasks");
        edge.arrive(&fields.iter().fold(head, |head, (name, value)| head.header(*name, *value)))
    }

    fn field(visit: &Visit, name: &str) -> Option<String> {
        visit.answer_fields([]).into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    #[test]
    fn a_request_keeps_its_id_when_it_is_visible_ascii() {
        assert_eq!(visit("GET", &[("x-request-id", "a-1/~!")]).request_id(), "a-1/~!");
        assert_eq!(visit("GET", &[("x-request-id", &"x".repeat(128))]).request_id().len(), 128);
        for bad in ["", "a b", "ü", "a\tb", &"x".repeat(129)] {
            let id = visit("GET", &[("x-request-id", bad)]).request_id().to_owned();
            assert_eq!(Uuid::parse_str(&id).map(|id| id.get_version_num()), Ok(4), "{bad}");
        }
        let twice = visit("GET", &[("x-request-id", "one"), ("x-request-id", "one")]);
        assert_ne!(twice.request_id(), "one");
    }

    #[test]
    fn only_a_configured_origin_is_let_in_and_byte_for_byte() {
        let allowed = visit("GET", &[("origin", APP)]);
        assert_eq!(field(&allowed, "access-control-allow-origin").as_deref(), Some(APP));
        assert_eq!(field(&allowed, "access-control-allow-credentials").as_deref(), Some("true"));
        assert_eq!(field(&allowed, "access-control-expose-headers").as_deref(), Some(EXPOSED));
        assert_eq!(field(&allowed, "access-control-allow-methods"), None);
        for other in ["null", "*", "https://app.example.com.evil", "https://APP.example.com", "http://app.example.com"]
        {
            let refused = visit("GET", &[("origin", other)]);
            assert_eq!(field(&refused, "access-control-allow-origin"), None, "{other}");
            assert_eq!(field(&refused, "vary").as_deref(), Some("Origin"), "{other}");
        }
        let twice = visit("GET", &[("origin", APP), ("origin", APP)]);
        assert_eq!(field(&twice, "access-control-allow-origin"), None);
    }

    #[test]
    fn a_preflight_is_answered_and_nothing_else_is() {
        let ask = ("access-control-request-method", "PUT");
        let preflight = visit("OPTIONS", &[("origin", APP), ask]);
        assert_eq!(preflight.preflight().map(|reply| reply.status), Some(204));
        assert_eq!(field(&preflight, "access-control-allow-methods").as_deref(), Some(METHODS));
        assert_eq!(field(&preflight, "access-control-allow-headers").as_deref(), Some(HEADERS));
        assert_eq!(field(&preflight, "access-control-expose-headers"), None);

        let stranger = visit("OPTIONS", &[("origin", "https://evil.example"), ask]);
        assert_eq!(stranger.preflight().map(|reply| reply.status), Some(204));
        assert_eq!(field(&stranger, "access-control-allow-methods"), None);

        assert_eq!(visit("OPTIONS", &[("origin", APP)]).preflight(), None);
        assert_eq!(visit("OPTIONS", &[ask]).preflight(), None);
        assert_eq!(visit("GET", &[("origin", APP), ask]).preflight(), None);
    }

    #[test]
    fn vary_lines_are_merged_into_one() {
        let visit = visit("GET", &[]);
        let vary = |lines: &[&str]| visit.answer_fields(lines.iter().copied())[2].1.clone();
        assert_eq!(vary(&[]), "Origin");
        assert_eq!(vary(&["Authorization, Cookie"]), "Authorization, Cookie, Origin");
        assert_eq!(vary(&["Accept", "authorization,Accept", "origin"]), "Accept, authorization, origin");
    }

    #[test]
    fn escapes_that_need_not_be_there_are_undone_once() {
        for (path, normal) in [
            ("/api/tasks", "/api/tasks"),
            ("/api/t%61sks/%37", "/api/tasks/7"),
            ("/api/user%2D1/tasks", "/api/user-1/tasks"),
            ("/a%2561", "/a%2561"),
            ("/%C3%BC%2f%3B%20", "/%C3%BC%2f%3B%20"),
            ("/%", "/%"),
            ("/%4", "/%4"),
            ("/%+1", "/%+1"),
            ("/%ü", "/%ü"),
            // What is bad stays bad.
            ("/%zz%41", "/%zz%41"),
            ("/%6%31", "/%6%31"),
            ("/%%36%31", "/%%36%31"),
        ] {
            assert_eq!(normal_path(path), normal);
        }
    }
}
