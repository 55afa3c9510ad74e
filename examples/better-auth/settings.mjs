// The environment, read once. A wrong value ends the process: status 2, one line naming the variable.
import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";

/** `caches`: the values of COOKIE_CACHE, besides `off`, that this version of Better Auth knows. */
export function readSettings(caches = CACHES, env = process.env) {
  const host = setting(env, "HOST", "127.0.0.1", /^[A-Za-z0-9.:-]+$/, "use an address such as 127.0.0.1");
  const baseUrl = setting(env, "BETTER_AUTH_URL", null, isWebUrl, "use a URL such as http://127.0.0.1:4000");
  if (!baseUrl && !LOOPBACK.includes(host)) refuse("BETTER_AUTH_URL", `set it, as HOST=${host} is not loopback`);

  const expires = setting(env, "JWT_EXPIRATION", "15m", /^[1-9]\d{0,5}[smhd]$/, "use a span such as 90s or 15m");
  const rotation = setting(env, "JWKS_ROTATION_SECONDS", null, /^[1-9]\d{0,8}$/, "use whole seconds, 1 or more");
  const cache = choice(env, "COOKIE_CACHE", ["off", ...caches]);
  const cacheSeconds = setting(env, "COOKIE_CACHE_SECONDS", null, /^[1-9]\d{0,6}$/, "use whole seconds, 1 or more");
  const redisUrl = setting(env, "REDIS_URL", null, isRedisUrl, "use a URL such as redis://127.0.0.1:6379");
  const prefix = setting(env, "REDIS_PREFIX", "better-auth:", /^[!-~]{1,64}$/, "use visible ASCII, 64 at most");
  const copies = choice(env, "SESSIONS_IN_DATABASE", ["off", "on", "preserve"]);
  const apiKeys = choice(env, "API_KEYS", ["off", "database", "redis", "both"]);
  const databaseUrl = setting(env, "DATABASE_URL", null, isDatabaseUrl, "use postgres://… or mysql://…, or DATABASE_PATH");
  if (databaseUrl && env.DATABASE_PATH) refuse("DATABASE_URL", "leave it out, or DATABASE_PATH: there is one database");
  if (copies !== "off" && !redisUrl) refuse("SESSIONS_IN_DATABASE", "says nothing without REDIS_URL: they are there anyway");
  if (["redis", "both"].includes(apiKeys) && !redisUrl) refuse("API_KEYS", "set REDIS_URL to keep them in Redis");
  if (cacheSeconds && cache === "off") refuse("COOKIE_CACHE_SECONDS", "says nothing without COOKIE_CACHE");
  return {
    host,
    urlHost: isIPv6(host) ? `[${host}]` : host,
    port: Number(setting(env, "PORT", "4000", isPort, "use 0 (any free port) to 65535")),
    baseUrl,
    secret: setting(env, "BETTER_AUTH_SECRET", randomBytes(32).toString("base64"), isSecret, SECRET_HINT),
    databasePath: setting(env, "DATABASE_PATH", ":memory:", /^(?![a-z]{2,}:)/i, "use a file path, not a URL"),
    databaseUrl,
    jwtAlg: choice(env, "JWT_ALG", ["EdDSA", "ES256", "ES512", "RS256", "PS256"]),
    jwtExpiration: expires,
    rotationSeconds: rotation ? Number(rotation) : undefined,
    adminEmails: list(env, "ADMIN_EMAILS", (item) => /^[^@\s]+@[^@\s]+$/.test(item), "list e-mail addresses").map(
      (email) => email.toLowerCase(),
    ),
    trustedOrigins: list(env, "TRUSTED_ORIGINS", isOrigin, "list exact origins such as http://localhost:3000"),
    cookiePrefix: setting(env, "COOKIE_PREFIX", "better-auth", /^[A-Za-z0-9._-]+$/, "use A-Z a-z 0-9 . _ -"),
    cookieCache: cache === "off" ? undefined : cache,
    cookieCacheSeconds: cacheSeconds ? Number(cacheSeconds) : undefined,
    bearer: choice(env, "BEARER", ["off", "on", "signed"]),
    organizations: isOn(env, "ORGANIZATIONS"),
    multiSession: isOn(env, "MULTI_SESSION"),
    deleteUser: isOn(env, "DELETE_USER"),
    userNotes: isOn(env, "USER_NOTES"),
    apiKeys,
    apiKeySessions: isOn(env, "API_KEY_SESSIONS"),
    redisUrl,
    redisPrefix: prefix === "none" ? "" : prefix, // an empty variable counts as absent
    sessionsInDatabase: copies,
  };
}

/** Says which variable is wrong and how to mend it, never its value: it may be a secret. */
export function refuse(name, mend) {
  console.error(`${name}: ${mend}`);
  process.exit(2);
}

// `accept`: a pattern, a list of the allowed values, or a test. An empty variable counts as absent.
function setting(env, name, fallback, accept = () => true, mend = "") {
  const value = env[name];
  if (!value) return fallback;
  const good = Array.isArray(accept) ? accept.includes(value) : accept.test ? accept.test(value) : accept(value);
  return good ? value : refuse(name, mend);
}

// The first one counts where the variable is absent.
function choice(env, name, values) {
  return setting(env, name, values[0], values, `use one of ${values.join(", ")}`);
}

const isOn = (env, name) => choice(env, name, ["off", "on"]) === "on";

function list(env, name, accept, mend) {
  const items = (env[name] ?? "").split(",").map((item) => item.trim()).filter(Boolean);
  return items.every(accept) ? items : refuse(name, mend);
}

const isPort = (text) => /^\d{1,5}$/.test(text) && Number(text) <= 65535;
const isOrigin = (text) => URL.canParse(text) && new URL(text).origin === text;
const isSecret = (text) => text.length >= 32 && text !== PUBLIC_DEFAULT_SECRET;

function isWebUrl(text) {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return ["http:", "https:"].includes(protocol) && !(username || password || search || hash);
}

const isDatabaseUrl = (text) =>
  URL.canParse(text) && ["postgres:", "postgresql:", "mysql:"].includes(new URL(text).protocol);
const isRedisUrl = (text) => URL.canParse(text) && ["redis:", "rediss:"].includes(new URL(text).protocol);

const LOOPBACK = ["127.0.0.1", "localhost", "::1"];
const CACHES = ["compact", "jwt", "jwe", "jwks"];
const PUBLIC_DEFAULT_SECRET = "better-auth-secret-12345678901234567890"; // Better Auth's own fallback, known to all
const SECRET_HINT = "use 32 or more random characters, such as from `openssl rand -base64 32`";
