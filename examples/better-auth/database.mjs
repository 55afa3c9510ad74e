// The database: SQLite inside, or PostgreSQL or MySQL at a URL. Each as Better Auth takes it, and how to close it.
import { refuse } from "./settings.mjs";

export async function openDatabase(packages, { databasePath, databaseUrl }) {
  if (!databaseUrl) return openSqlite(packages, databasePath);
  const open = databaseUrl.startsWith("mysql:") ? openMysql : openPostgres;
  return open(packages, databaseUrl).catch((error) => refuse("DATABASE_URL", `cannot connect: ${error.message}`));
}

function openSqlite({ SqliteDialect, Database }, path) {
  try {
    const database = new Database(path);
    database.pragma("busy_timeout = 5000"); // milliseconds
    database.prepare("SELECT count(*) FROM sqlite_master").get(); // opening alone does not look at the file
    const dialect = new SqliteDialect({ database: waiting(database) });
    return { options: { dialect, type: "sqlite", transaction: true }, close: () => database.close() };
  } catch (error) {
    return refuse("DATABASE_PATH", `cannot open the database: ${error.message}`);
  }
}

// A plain BEGIN takes the write lock only at the first write, and fails there at once while another process holds it.
// BEGIN IMMEDIATE waits its turn, so tests may write to the file too.
function waiting(database) {
  const prepare = (sql) => database.prepare(sql === "begin" ? "begin immediate" : sql);
  return { prepare, close: () => database.close() };
}

async function openPostgres({ PostgresDialect, importPg }, connectionString) {
  const { default: pg } = await importPg();
  const pool = new pg.Pool({ connectionString });
  pool.on("error", () => {}); // a connection that broke while idle is replaced
  pool.on("connect", (client) => client.on("error", () => {})); // in use: its statement fails, and not the process
  await pool.query("SELECT 1");
  const dialect = new PostgresDialect({ pool });
  return { options: { dialect, type: "postgres", transaction: true }, close: () => pool.end() };
}

async function openMysql({ MysqlDialect, importMysql }, uri) {
  const { default: mysql } = await importMysql();
  // In UTC on both sides: otherwise times are written in the zone of this process, and nothing says so.
  const pool = mysql.createPool({ uri, timezone: "Z" });
  pool.on("connection", (connection) => connection.query("SET time_zone = '+00:00'"));
  await pool.promise().query("SELECT 1");
  const dialect = new MysqlDialect({ pool });
  return { options: { dialect, type: "mysql", transaction: true }, close: () => pool.promise().end() };
}
