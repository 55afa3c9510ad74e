-- AUTOINCREMENT: the id of a deleted task is never given to another one.
CREATE TABLE tasks (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id     TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    description TEXT,
    completed   INTEGER NOT NULL DEFAULT 0 CHECK (completed IN (0, 1)),
    created_at  TEXT    NOT NULL,
    updated_at  TEXT    NOT NULL
) STRICT;

-- A page of one user's tasks is read straight off this index.
CREATE INDEX tasks_of_user ON tasks (user_id, id);
