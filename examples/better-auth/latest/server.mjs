// The server on the Better Auth of the package.json beside this file. Node looks packages up from the
// importing file's folder, so they are imported here and handed over, as `../server.mjs` does.
import { apiKey } from "@better-auth/api-key";
import { redisStorage } from "@better-auth/redis-storage";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { admin } from "better-auth/plugins/admin";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";
import { multiSession } from "better-auth/plugins/multi-session";
import { organization } from "better-auth/plugins/organization";
import { Redis } from "ioredis";
import { MysqlDialect, PostgresDialect, SqliteDialect } from "kysely";
import Database from "libsql";
import { serve } from "../serve.mjs";

const plugins = { admin, apiKey, bearer, jwt, multiSession, organization };
const dialects = { MysqlDialect, PostgresDialect, SqliteDialect };
const drivers = { Database, importMysql: () => import("mysql2"), importPg: () => import("pg") };
await serve({ betterAuth, getMigrations, toNodeHandler, plugins, ...dialects, ...drivers, Redis, redisStorage });
