// The server on the Better Auth of the package.json beside this file, as `../server.mjs` has it. This version has API keys
// among its own plugins and its migrations elsewhere, and there is no storage for Redis that goes with it.
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db";
import { toNodeHandler } from "better-auth/node";
import { admin, apiKey, bearer, jwt, multiSession, organization } from "better-auth/plugins";
import { Redis } from "ioredis";
import { MysqlDialect, PostgresDialect, SqliteDialect } from "kysely";
import Database from "libsql";
import { serve } from "../serve.mjs";

const plugins = { admin, apiKey, bearer, jwt, multiSession, organization };
const dialects = { MysqlDialect, PostgresDialect, SqliteDialect };
const caches = ["compact", "jwt", "jwe"]; // signing the cache with the key set came later
const drivers = { Database, importMysql: () => import("mysql2"), importPg: () => import("pg") };
await serve({ betterAuth, getMigrations, toNodeHandler, plugins, ...dialects, ...drivers, Redis, caches });
