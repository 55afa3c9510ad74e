//! What is said to the database: one text for both engines, but for how they tell and write the time.

/// The statements of the store. Each names the owner, also where a policy holds it to the owner's rows: the database then
/// compares once, before it looks for rows.
pub(super) struct Statements {
    /// Owner, the id before the page, `completed` or null, how many.
    pub(super) list: &'static str,
    /// Id, owner.
    pub(super) find: &'static str,
    /// Owner, title, description.
    pub(super) create: &'static str,
    /// Id, owner, title or null, whether the description changes, description, `completed` or null.
    pub(super) change: &'static str,
    /// Id, owner.
    pub(super) toggle: &'static str,
    /// Id, owner.
    pub(super) delete: &'static str,
}

macro_rules! statements {
    (now: $now:literal, times: $times:literal) => {
        Statements {
            list: concat!(
                "SELECT id, user_id, title, description, completed, ",
                $times,
                " FROM tasks ",
                "WHERE user_id = $1 AND id > $2 AND ($3 IS NULL OR completed = $3) ORDER BY id LIMIT $4",
            ),
            find: concat!(
                "SELECT id, user_id, title, description, completed, ",
                $times,
                " FROM tasks ",
                "WHERE id = $1 AND user_id = $2",
            ),
            create: concat!(
                "INSERT INTO tasks (user_id, title, description, created_at, updated_at) ",
                "VALUES ($1, $2, $3, ",
                $now,
                ", ",
                $now,
                ") ",
                "RETURNING id, user_id, title, description, completed, ",
                $times,
            ),
            change: concat!(
                "UPDATE tasks SET title = coalesce($3, title), ",
                "description = CASE WHEN $4 THEN $5 ELSE description END, ",
                "completed = coalesce($6, completed), updated_at = ",
                $now,
                " WHERE id = $1 AND user_id = $2 ",
                "RETURNING id, user_id, title, description, completed, ",
                $times,
            ),
            toggle: concat!(
                "UPDATE tasks SET completed = NOT completed, updated_at = ",
                $now,
                " WHERE id = $1 AND user_id = $2 ",
                "RETURNING id, user_id, title, description, completed, ",
                $times,
            ),
            delete: "DELETE FROM tasks WHERE id = $1 AND user_id = $2 RETURNING id",
        }
    };
}

/// Times are kept as they are answered.
pub(super) const SQLITE: Statements =
    statements!(now: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", times: "created_at, updated_at");

pub(super) const POSTGRES: Statements = statements!(
    now: "statement_timestamp()",
    times: r#"to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
              to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at"#
);
