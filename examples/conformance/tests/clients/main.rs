//! Who is counted for a request, through both example servers: of docs/security/cases.md. What each route lets
//! through, and what becomes of it without Redis, is in `tests/limits.rs`.

mod addresses;
mod counts;
#[expect(dead_code, reason = "shared with the tests of authcore-redis")]
#[path = "../../../../crates/authcore-redis/tests/it/server.rs"]
mod redis_server;

use tasks_conformance::{Answer, Request, Server};

fn send(server: &Server, request: &Request) -> Answer {
    request.clone().send_to(server.authority()).expect("an answer")
}
