#!/bin/sh
# Run once by the image of PostgreSQL, over an empty volume: a database for each server, each with a plain role that owns
# it. The task server refuses to start as a superuser, whom row-level security does not hold.
set -eu
psql --no-psqlrc -v ON_ERROR_STOP=1 -v auth="$AUTH_DB_PASSWORD" -v tasks="$TASKS_DB_PASSWORD" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE auth LOGIN PASSWORD :'auth';
CREATE DATABASE auth OWNER auth;
REVOKE CONNECT ON DATABASE auth FROM PUBLIC;
CREATE ROLE tasks LOGIN PASSWORD :'tasks';
CREATE DATABASE tasks OWNER tasks;
REVOKE CONNECT ON DATABASE tasks FROM PUBLIC;
SQL
