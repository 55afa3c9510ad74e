// A Better Auth server over node:http. `server.mjs` hands in the packages, so two versions share this file.
import { createServer } from "node:http";
import { readSettings, refuse } from "./settings.mjs";

export async function serve({ betterAuth, getMigrations, toNodeHandler, admin, jwt, SqliteDialect, Database }) {
  const settings = readSettings();
  const database = openDatabase(Database, settings.databasePath);
  let handler = (_request, response) => response.writeHead(503).end(); // until the port, so the base URL, is known
  const server = createServer((request, response) => handler(request, response));
  stopOnSignal(server, database);

  const here = `http://${settings.urlHost}:${await listen(server, settings)}`;
  const dialect = new SqliteDialect({ database: waiting(database) });
  const options = authOptions({ admin, jwt }, dialect, settings.baseUrl ?? here, settings);
  await (await getMigrations(options)).runMigrations();
  handler = toNodeHandler(betterAuth(options));
  console.log(`listening on ${here}`);
}

function authOptions({ admin, jwt }, dialect, baseURL, settings) {
  return {
    baseURL, // fixed: without it `iss` and `aud` would follow the request's Host header
    secret: settings.secret,
    database: { dialect, type: "sqlite", transaction: true },
    trustedOrigins: settings.trustedOrigins,
    emailAndPassword: { enabled: true },
    plugins: [
      admin(), // gives users a `role`, which the JWT then carries
      jwt({
        jwks: { keyPairConfig: { alg: settings.jwtAlg }, rotationInterval: settings.rotationSeconds },
        jwt: { expirationTime: settings.jwtExpiration },
        sessionCookieCache: settings.cookieCache === "jwks",
      }),
    ],
    databaseHooks: { user: { create: { before: async (user) => makeAdmin(user, settings.adminEmails) } } },
    session: { cookieCache: cookieCache(settings.cookieCache) },
    advanced: { cookiePrefix: settings.cookiePrefix },
    rateLimit: { enabled: false }, // tests sign up faster than a person does
    telemetry: { enabled: false },
  };
}

// "jwks" is our word for strategy "jwt" signed by the jwt plugin's key pair instead of the secret.
function cookieCache(kind) {
  return kind ? { enabled: true, strategy: kind === "jwks" ? "jwt" : kind } : { enabled: false };
}

// Sign-up refuses a `role` field, so the first admin comes from the environment.
function makeAdmin(user, adminEmails) {
  return adminEmails.includes(user.email.toLowerCase()) ? { data: { ...user, role: "admin" } } : undefined;
}

function openDatabase(Database, path) {
  try {
    const database = new Database(path);
    database.pragma("busy_timeout = 5000"); // milliseconds
    database.prepare("SELECT count(*) FROM sqlite_master").get(); // opening alone does not look at the file
    return database;
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

function listen(server, { host, port }) {
  return new Promise((resolve) => {
    server.once("error", ({ code }) => {
      refuse(["EADDRINUSE", "EACCES"].includes(code) ? "PORT" : "HOST", `cannot listen: ${code}`);
    });
    server.listen(port, host, () => resolve(server.address().port));
  });
}

// Requests under way may finish; a connection that is still open a second later is cut.
function stopOnSignal(server, database) {
  const stop = () => {
    server.close(() => {
      database.close();
      process.exit(0);
    });
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}
