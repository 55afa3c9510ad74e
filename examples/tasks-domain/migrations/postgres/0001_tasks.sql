-- Row-level security is not said here: the store runs what OwnedTable::migration() of authcore-sqlx says.
CREATE TABLE tasks (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     text        NOT NULL,
    title       text        NOT NULL,
    description text,
    completed   boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- A page of one user's tasks is read straight off this index. Its name is the one that OwnedTable::migration() gives to an
-- index on the owner alone, which is not needed beside it.
CREATE INDEX tasks_user_id_idx ON tasks (user_id, id);
