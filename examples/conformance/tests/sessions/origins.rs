//! From whose pages a cookie changes anything: S-114.

use serde_json::json;
use tasks_conformance::{Example, Request};

use crate::{OUR_ORIGIN, better_auth, cookie, send};

#[test]
fn s114_a_change_by_cookie_comes_from_one_of_our_origins() {
    const SITE: &str = "Sec-Fetch-Site";
    let auth = better_auth("origins", &[]);
    let ada = auth.sign_up("ada");
    let ours = format!("better-auth.session_token={}", cookie(&ada, "better-auth.session_token"));
    let refused: [&[(&str, &str)]; 12] = [
        &[],
        &[("Origin", "null")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "http://localhost:3000.evil.example")],
        &[("Origin", "http://localhost:3001")],
        &[("Origin", "https://localhost:3000")],
        &[("Origin", "http://localhost:3000/")],
        &[("Origin", OUR_ORIGIN), ("Origin", "https://evil.example")],
        // A field that is there decides alone.
        &[("Origin", "https://evil.example"), (SITE, "same-origin")],
        &[(SITE, "cross-site")],
        &[(SITE, "same-site")],
        &[(SITE, "same-origin"), (SITE, "cross-site")],
    ];
    let welcome: [&[(&str, &str)]; 4] = [
        &[("Origin", OUR_ORIGIN)],
        &[("Origin", OUR_ORIGIN), (SITE, "cross-site")],
        &[(SITE, "same-origin")],
        &[(SITE, "none")],
    ];
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        let ask = |method: &str, fields: &[(&str, &str)]| {
            let target = if method == "POST" { "/api/tasks" } else { "/api/tasks/9007199254740991" };
            let request = Request::new(method, target).field("Cookie", ours.as_str());
            let request = fields.iter().fold(request, |request, (name, value)| request.field(name, *value));
            send(&server, request.json(json!({"title": "By cookie"})))
        };
        for fields in refused {
            for method in ["POST", "PUT", "DELETE"] {
                let answer = ask(method, fields);
                let case = format!("{}: {method} {fields:?}", example.name());
                assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("cross_site")), "{case}");
            }
            // Reading changes nothing.
            assert_eq!(ask("GET", fields).json()["code"], "not_found", "{}: {fields:?}", example.name());
        }
        for fields in welcome {
            assert_eq!(ask("POST", fields).status, 201, "{}: {fields:?}", example.name());
            assert_eq!(ask("DELETE", fields).status, 404, "{}: {fields:?}", example.name());
        }
        let list = Request::new("GET", "/api/tasks").field("Cookie", ours.as_str());
        assert_eq!(
            send(&server, list).json()["count"],
            welcome.len(),
            "{}: what was refused is not there",
            example.name()
        );
    }
}
