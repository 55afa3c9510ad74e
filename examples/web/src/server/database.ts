// Better Auth's database: an SQLite file, or PostgreSQL where DATABASE_URL names one.
import { PostgresDialect, SqliteDialect, type SqliteDatabase, type SqliteStatement } from "kysely";
import Sqlite from "libsql";
import { Pool } from "pg";

export function openDatabase({ databaseUrl, databasePath }: { databaseUrl: string | undefined; databasePath: string }) {
  if (databaseUrl) {
    const pool = new Pool({ connectionString: databaseUrl });
    pool.on("error", () => undefined); // a connection that broke while idle is replaced
    pool.on("connect", (client) => client.on("error", () => undefined)); // in use: its statement fails, not the process
    return { dialect: new PostgresDialect({ pool }), type: "postgres" as const, transaction: true };
  }
  const file = new Sqlite(databasePath);
  file.pragma("busy_timeout = 5000"); // milliseconds
  file.pragma("journal_mode = WAL");
  return { dialect: new SqliteDialect({ database: waiting(file) }), type: "sqlite" as const, transaction: true };
}

// A plain BEGIN takes the write lock only at the first write, and fails there at once while another connection holds it
// (src/proxy.ts has one of its own). BEGIN IMMEDIATE waits its turn.
function waiting(file: InstanceType<typeof Sqlite>): SqliteDatabase {
  const prepare = (sql: string) => file.prepare(sql === "begin" ? "begin immediate" : sql) as unknown as SqliteStatement;
  return { prepare, close: () => file.close() };
}
