//! Tasks, and the rules for what clients send of them.

use authcore::{Refusal, UserScope};
use serde::{Deserialize, Serialize};

use crate::body::JsonObject;
use crate::edge::normal_path;

/// A task as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Task {
    /// Unique in the store, never used again.
    pub id: i64,
    /// The owner.
    pub user_id: String,
    /// 1 to 200 characters.
    pub title: String,
    /// At most 2,000 characters.
    pub description: Option<String>,
    /// Whether it is done.
    pub completed: bool,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
}

impl Task {
    /// Where a task that was posted to this path is found.
    #[must_use]
    pub fn location(&self, posted_to: &str) -> String {
        format!("{}/{}", normal_path(posted_to), self.id)
    }
}

/// One page of somebody's tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskList {
    /// In order of their ids.
    pub tasks: Vec<Task>,
    /// The owner.
    pub user_id: String,
    /// How many tasks this page has.
    pub count: usize,
    /// What `after` takes for the next page, if there is one.
    pub next: Option<String>,
}

/// A task to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
}

impl NewTask {
    /// Reads a request body for the rows of a scope.
    ///
    /// # Errors
    ///
    /// `400 bad_request`, `422 validation_failed` or `403 not_owner`, in this order.
    pub fn read(body: &[u8], scope: &UserScope) -> Result<Self, Refusal> {
        let mut body = JsonObject::parse(body)?;
        let title = body.line("title", MAX_TITLE);
        let description = body.text_if_given("description", MAX_DESCRIPTION).flatten();
        body.finish(Self { title, description }, scope)
    }
}

/// What is to be changed about a task; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskChange {
    pub(crate) title: Option<String>,
    /// `Some(None)` takes the description away.
    pub(crate) description: Option<Option<String>>,
    pub(crate) completed: Option<bool>,
}

impl TaskChange {
    /// Reads a request body for the rows of a scope.
    ///
    /// # Errors
    ///
    /// `400 bad_request`, `422 validation_failed` or `403 not_owner`, in this order.
    pub fn read(body: &[u8], scope: &UserScope) -> Result<Self, Refusal> {
        let mut body = JsonObject::parse(body)?;
        let title = body.line_if_given("title", MAX_TITLE);
        let description = body.text_if_given("description", MAX_DESCRIPTION);
        let completed = body.flag_if_given("completed");
        body.finish(Self { title, description, completed }, scope)
    }
}

/// The part of a path that names a task. Both routers fill it in; a `{user_id}` beside it is left to the guard.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskPath {
    task_id: String,
}

impl TaskPath {
    /// The id. To be asked last, so that an id that cannot be is answered exactly like one that is not there.
    ///
    /// # Errors
    ///
    /// `404 not_found` for what is not a decimal number, or one that no task can have.
    pub fn id(&self) -> Result<i64, Refusal> {
        let is_decimal = self.task_id.bytes().all(|byte| byte.is_ascii_digit());
        self.task_id.parse().ok().filter(|_| is_decimal).ok_or_else(Refusal::not_found)
    }
}

const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scope_of;

    fn refused<T: std::fmt::Debug>(read: Result<T, Refusal>) -> (u16, String) {
        let refusal = read.expect_err("a refusal");
        (refusal.status(), refusal.body())
    }

    #[test]
    fn a_title_is_1_to_200_characters_after_trimming() {
        let ann = scope_of("ann");
        let new = |title: &str| NewTask::read(serde_json::json!({ "title": title }).to_string().as_bytes(), &ann);
        assert_eq!(new("  Buy milk\n").map(|task| task.title).ok().as_deref(), Some("Buy milk"));
        assert!(new(&"ü".repeat(200)).is_ok());
        for bad in ["", " \t\u{a0}", &"x".repeat(201)] {
            let (status, body) = refused(new(bad));
            assert_eq!(status, 422);
            assert!(body.contains(r#""errors":[{"field":"title","message":"must be 1 to 200 characters long"}]"#));
        }
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let long = "x".repeat(2_001);
        let body = serde_json::json!({ "title": 7, "description": long, "completed": "yes" }).to_string();
        let (status, body) = refused(TaskChange::read(body.as_bytes(), &scope_of("ann")));
        assert_eq!(status, 422);
        for field in ["title", "description", "completed"] {
            assert!(body.contains(&format!(r#"{{"field":"{field}","#)), "{body}");
        }
    }

    #[test]
    fn a_nul_is_no_text_whatever_the_engine_could_keep() {
        for body in [r#"{"title":"a\u0000"}"#, r#"{"title":"a","description":"\u0000"}"#] {
            let (status, body) = refused(NewTask::read(body.as_bytes(), &scope_of("ann")));
            assert_eq!(status, 422);
            assert!(body.contains(r#""message":"must not hold the character U+0000""#), "{body}");
        }
    }

    #[test]
    fn a_change_keeps_what_it_leaves_out_and_null_takes_a_description_away() {
        let ann = scope_of("ann");
        let read = |body: &str| TaskChange::read(body.as_bytes(), &ann);
        assert_eq!(read("{}").ok(), Some(TaskChange::default()));
        assert_eq!(
            read(r#"{"description":null,"completed":true,"extra":1}"#).ok(),
            Some(TaskChange { title: None, description: Some(None), completed: Some(true) })
        );
        assert_eq!(refused(read(r#"{"title":null}"#)).0, 422);
        assert_eq!(refused(read(r#"{"completed":null}"#)).0, 422);
    }

    #[test]
    fn rules_come_before_the_owner_and_the_owner_is_checked_under_both_names() {
        let ann = scope_of("ann");
        let read = |body: &str| NewTask::read(body.as_bytes(), &ann);
        assert!(read(r#"{"title":"x","user_id":"ann","userId":null}"#).is_ok());
        assert_eq!(refused(read(r#"{"title":"","user_id":"bob"}"#)).0, 422);
        for body in [r#"{"title":"x","user_id":"bob"}"#, r#"{"title":"x","userId":7}"#] {
            let (status, body) = refused(read(body));
            assert_eq!(status, 403);
            assert!(body.contains("not_owner"));
        }
    }

    #[test]
    fn a_task_id_is_plain_decimal_in_range() {
        let id = |text: &str| TaskPath { task_id: text.to_owned() }.id().ok();
        assert_eq!(id("7"), Some(7));
        assert_eq!(id("9223372036854775807"), Some(i64::MAX));
        for bad in ["", "+7", "-7", "7.0", "7e0", "0x7", " 7", "٧", "7a", "9223372036854775808"] {
            assert_eq!(id(bad), None, "{bad}");
        }
    }
}
