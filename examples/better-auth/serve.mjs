// A Better Auth server over node:http. `server.mjs` hands in the packages, so two versions share this file.
import { createServer } from "node:http";
import { openDatabase } from "./database.mjs";
import { readSettings, refuse } from "./settings.mjs";

export async function serve({ betterAuth, getMigrations, toNodeHandler, plugins, caches, ...packages }) {
  const settings = readSettings(caches);
  const database = await openDatabase(packages, settings);
  let handler = (_request, response) => response.writeHead(503).end(); // until the port, so the base URL, is known
  const server = createServer((request, response) => handler(request, response));
  stopOnSignal(server, database);

  const here = `http://${settings.urlHost}:${await listen(server, settings)}`;
  const options = authOptions(plugins, database.options, settings.baseUrl ?? here, settings);
  if (settings.redisUrl) options.secondaryStorage = await secondaryStorage(packages, settings);
  await (await getMigrations(options)).runMigrations();
  handler = toNodeHandler(betterAuth(options));
  console.log(`listening on ${here}`);
}

function authOptions(plugins, database, baseURL, settings) {
  return {
    baseURL, // fixed: without it `iss` and `aud` would follow the request's Host header
    secret: settings.secret,
    database,
    trustedOrigins: settings.trustedOrigins,
    emailAndPassword: { enabled: true },
    user: {
      deleteUser: { enabled: settings.deleteUser },
      additionalFields: settings.userNotes ? { notes: { type: "string", required: false } } : {},
    },
    plugins: pluginsOf(plugins, settings),
    databaseHooks: { user: { create: { before: async (user) => makeAdmin(user, settings.adminEmails) } } },
    session: {
      cookieCache: cookieCache(settings.cookieCache, settings.cookieCacheSeconds),
      storeSessionInDatabase: settings.sessionsInDatabase !== "off",
      preserveSessionInDatabase: settings.sessionsInDatabase === "preserve",
    },
    advanced: { cookiePrefix: settings.cookiePrefix },
    rateLimit: { enabled: false }, // tests sign up faster than a person does
    telemetry: { enabled: false },
  };
}

function pluginsOf({ admin, apiKey, bearer, jwt, multiSession, organization }, settings) {
  const plugins = [
    admin(), // gives users a `role`, which the JWT then carries
    jwt({
      jwks: { keyPairConfig: { alg: settings.jwtAlg }, rotationInterval: settings.rotationSeconds },
      jwt: { expirationTime: settings.jwtExpiration },
      sessionCookieCache: settings.cookieCache === "jwks",
    }),
  ];
  if (settings.bearer !== "off") plugins.push(bearer({ requireSignature: settings.bearer === "signed" }));
  if (settings.organizations) plugins.push(organization({ teams: { enabled: true } }));
  if (settings.multiSession) plugins.push(multiSession());
  if (settings.apiKeys !== "off") plugins.push(apiKey(apiKeyOptions(settings)));
  return plugins;
}

function apiKeyOptions({ apiKeys, apiKeySessions }) {
  const storage = apiKeys === "database" ? "database" : "secondary-storage";
  return { enableSessionForAPIKeys: apiKeySessions, storage, fallbackToDatabase: apiKeys === "both" };
}

// "jwks" is our word for strategy "jwt" signed by the jwt plugin's key pair instead of the secret.
function cookieCache(kind, maxAge) {
  return kind ? { enabled: true, strategy: kind === "jwks" ? "jwt" : kind, maxAge } : { enabled: false };
}

// Sign-up refuses a `role` field, so the first admin comes from the environment.
function makeAdmin(user, adminEmails) {
  return adminEmails.includes(user.email.toLowerCase()) ? { data: { ...user, role: "admin" } } : undefined;
}

// Better Auth then keeps sessions in Redis, and in the database only if told so.
async function secondaryStorage({ Redis, redisStorage }, { redisUrl, redisPrefix }) {
  const client = new Redis(redisUrl, { lazyConnect: true, maxRetriesPerRequest: 1 });
  client.on("error", () => {}); // each command that fails says so itself
  await client.connect().catch((error) => refuse("REDIS_URL", `cannot connect: ${error.message}`));
  return redisPrefix && redisStorage ? redisStorage({ client, keyPrefix: redisPrefix }) : byHand(client, redisPrefix);
}

// What one writes without the package: three functions, and most often no prefix.
function byHand(client, prefix) {
  return {
    get: (key) => client.get(prefix + key),
    set: (key, value, ttl) => (ttl ? client.set(prefix + key, value, "EX", ttl) : client.set(prefix + key, value)),
    delete: (key) => client.del(prefix + key),
  };
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
    server.close(async () => {
      await database.close();
      process.exit(0);
    });
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}
