// The server on the Better Auth of the package.json beside this file. Node looks packages up from the
// importing file's folder, so they are imported here and handed over; `latest/` does the same.
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { admin } from "better-auth/plugins/admin";
import { jwt } from "better-auth/plugins/jwt";
import { SqliteDialect } from "kysely";
import Database from "libsql";
import { serve } from "./serve.mjs";

await serve({ betterAuth, getMigrations, toNodeHandler, admin, jwt, SqliteDialect, Database });
