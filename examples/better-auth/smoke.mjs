// Runs a server from the outside and checks what a verifier relies on: `node smoke.mjs [server.mjs] [--no-jwks-cache]`.
// Needs nothing but Node, so tokens are verified by code that is not Better Auth's.
import { spawn } from "node:child_process";
import { constants, createPublicKey, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const SERVER = process.argv[2] ?? "server.mjs";
const SIGNS_CACHE = !process.argv.includes("--no-jwks-cache");
let passed = 0;
let failed = 0;
const stops = []; // how each server ended

await usersAndTokens();
await rotation();
for (const alg of ["EdDSA", "ES256", "ES512", "RS256", "PS256"]) await algorithm(alg);
await names();
await cookieCache("compact", (data) => "session" in data && "signature" in data);
await cookieCache("jwt", (header) => header.alg === "HS256");
await cookieCache("jwe", (header) => header.alg === "dir");
if (SIGNS_CACHE) await cookieCache("jwks", (header) => header.typ === "better-auth.session-cache+jwt");
await chunks();
await plugins();
await origins();
await restart();
await wrongSettings();
check("SIGTERM ended every server with 0 within a second", stops.every((end) => end.status === 0 && end.seconds < 1));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

async function usersAndTokens() {
  await withServer({ ADMIN_EMAILS: "Root@Example.com" }, async (origin) => {
    const ada = await signUp(origin, "ada@example.com");
    const root = await signUp(origin, "root@example.com");
    const { header, claims, token } = await mint(origin, ada.cookie);
    const keys = await jwks(origin);

    check("the key set holds the token's kid", keys.some((key) => key.kid === header.kid));
    check("the signature verifies", signatureVerifies(token, keys));
    check("iss and aud are the origin", claims.iss === origin && claims.aud === origin);
    check("sub is the user's id", claims.sub === ada.user.id);
    check("a token lives 15 minutes", claims.exp - claims.iat === 900);
    check("a user's role is user", claims.role === "user");
    check("an ADMIN_EMAILS user's role is admin", (await mint(origin, root.cookie)).claims.role === "admin");
    check("two users have two subjects", root.user.id !== ada.user.id);
    check("no session, no token", (await fetch(`${origin}/api/auth/token`)).status === 401);
    const eve = await post(origin, "sign-up/email", { ...person("eve@example.com"), role: "admin" });
    check("a role sent at sign-up is refused", eve.status === 400);

    const noOrigin = await post(origin, "sign-out", {}, { cookie: ada.cookie, origin: "null" });
    check("a POST with a cookie needs an Origin", noOrigin.status === 403);
    const signOut = await post(origin, "sign-out", {}, { cookie: ada.cookie });
    check("signing out works with one", signOut.status === 200);
    const after = await fetch(`${origin}/api/auth/token`, { headers: { cookie: ada.cookie } });
    check("a signed-out cookie gets no token", after.status === 401);
  });
}

async function rotation() {
  await withServer({ JWKS_ROTATION_SECONDS: "2" }, async (origin) => {
    const { cookie } = await signUp(origin, "ada@example.com");
    const first = await mint(origin, cookie);
    await sleep(3000);
    const published = await jwks(origin);
    check("no key is published ahead", published.length === 1 && published[0].kid === first.header.kid);
    const second = await mint(origin, cookie);
    const keys = await jwks(origin);
    check("the kid changes after the interval", second.header.kid !== first.header.kid);
    check("the new token verifies by the new key", signatureVerifies(second.token, keys));
    check("the old token still verifies by the old key", signatureVerifies(first.token, keys));
  });
}

async function algorithm(alg) {
  await withServer({ JWT_ALG: alg, JWT_EXPIRATION: "90s" }, async (origin) => {
    const { header, claims, token } = await mint(origin, (await signUp(origin, "ada@example.com")).cookie);
    const good = header.alg === alg && signatureVerifies(token, await jwks(origin));
    check(`${alg}: signs, verifies and lives as long as told`, good && claims.exp - claims.iat === 90);
  });
}

async function names() {
  const origin = "https://id.example.com";
  await withServer({ BETTER_AUTH_URL: origin, COOKIE_PREFIX: "shop" }, async (here) => {
    const { cookie } = await signUp(here, "ada@example.com", { origin });
    check("prefix and secure name apply", cookie.startsWith("__Secure-shop.session_token="));
    check("iss is BETTER_AUTH_URL", (await mint(here, cookie)).claims.iss === origin);
  });
}

async function cookieCache(kind, recognise) {
  await withServer({ COOKIE_CACHE: kind }, async (origin) => {
    const { cookie } = await signUp(origin, "ada@example.com");
    const [, start] = /better-auth\.session_data=([^.;]+)/.exec(cookie) ?? [];
    const decoded = start && JSON.parse(Buffer.from(start, "base64url"));
    check(`COOKIE_CACHE=${kind} writes that kind`, decoded && recognise(decoded));
  });
}

async function chunks() {
  await withServer({ COOKIE_CACHE: "compact", COOKIE_CACHE_SECONDS: "60", USER_NOTES: "on" }, async (origin) => {
    const response = await post(origin, "sign-up/email", { ...person("ada@example.com"), notes: "n".repeat(5000) });
    const lines = response.headers.getSetCookie();
    const parts = lines.filter((line) => /^better-auth\.session_data\.[01]=/.test(line));
    check("a long note splits the cookie cache", parts.length === 2);
    check("the cookie cache lives as long as told", parts.every((line) => /; Max-Age=60;/.test(line)));
  });
}

async function plugins() {
  const env = { MULTI_SESSION: "on", BEARER: "signed", API_KEYS: "database", API_KEY_SESSIONS: "on", DELETE_USER: "on" };
  await withServer(env, async (origin) => {
    const { cookie, user, bearer, token } = await signUp(origin, "ada@example.com");
    check("MULTI_SESSION=on names the session twice", /better-auth\.session_token_multi-/.test(cookie));

    const caller = async (headers) => (await (await fetch(`${origin}/api/auth/get-session`, { headers })).json())?.user.id;
    check("BEARER=signed takes a signed token", (await caller({ authorization: `Bearer ${bearer}` })) === user.id);
    check("and no raw one", (await caller({ authorization: `Bearer ${token}` })) === undefined);

    const { key } = await (await post(origin, "api-key/create", { name: "ci" }, { cookie })).json();
    check("API_KEY_SESSIONS=on takes an API key", (await caller({ "x-api-key": key })) === user.id);

    const gone = await post(origin, "delete-user", { password: person().password }, { cookie });
    check("DELETE_USER=on deletes", gone.status === 200 && (await caller({ cookie })) === undefined);
  });
}

async function origins() {
  await withServer({ TRUSTED_ORIGINS: "http://localhost:3000" }, async (here) => {
    const from = (origin) => post(here, "sign-up/email", person("ada@example.com"), { origin });
    check("another origin may not sign up", (await from("http://evil.example")).status === 403);
    check("a trusted one may", (await from("http://localhost:3000")).status === 200);
  });
}

async function restart() {
  const folder = await mkdtemp(join(tmpdir(), "better-auth-"));
  const env = { DATABASE_PATH: join(folder, "auth.db"), BETTER_AUTH_SECRET: randomBytes(32).toString("hex") };
  let cookie, before;
  await withServer(env, async (origin) => {
    ({ cookie } = await signUp(origin, "ada@example.com"));
    before = await mint(origin, cookie);
  });
  await withServer(env, async (origin) => {
    const after = await mint(origin, cookie);
    const same = after.claims.sub === before.claims.sub && after.header.kid === before.header.kid;
    check("a database file keeps users, sessions and keys", same);
  });
  await rm(folder, { recursive: true });
}

async function wrongSettings() {
  const wrong = {
    PORT: "65536",
    HOST: "not an address",
    BETTER_AUTH_URL: "ftp://127.0.0.1",
    BETTER_AUTH_SECRET: "short",
    DATABASE_PATH: "/no/such/folder/auth.db",
    DATABASE_URL: "mongodb://127.0.0.1/auth",
    ORGANIZATIONS: "yes",
    JWT_ALG: "HS256",
    JWT_EXPIRATION: "soon",
    JWKS_ROTATION_SECONDS: "0",
    ADMIN_EMAILS: "root",
    TRUSTED_ORIGINS: "http://localhost:3000/",
    COOKIE_PREFIX: "a;b",
    COOKIE_CACHE: "yes",
    COOKIE_CACHE_SECONDS: "60", // without COOKIE_CACHE
    BEARER: "yes",
    MULTI_SESSION: "yes",
    DELETE_USER: "yes",
    USER_NOTES: "yes",
    API_KEYS: "redis", // without REDIS_URL
    API_KEY_SESSIONS: "yes",
    REDIS_URL: "redis://127.0.0.1:1/", // nobody listens there
    SESSIONS_IN_DATABASE: "on", // without REDIS_URL
  };
  for (const [name, value] of Object.entries(wrong)) {
    const child = launch({ [name]: value });
    let text = "";
    child.stderr.on("data", (chunk) => (text += chunk));
    const [status] = await once(child, "close");
    check(`${name}=${value}: status 2, one line names it`, status === 2 && new RegExp(`^${name}: .+\n$`).test(text));
  }
}

async function withServer(env, body) {
  const child = launch(env);
  const failedBefore = failed;
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  try {
    const [firstLine] = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")]);
    const [, origin] = /^listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(firstLine) ?? [];
    if (!origin) throw new Error(`the server did not start: ${firstLine}`);
    await body(origin);
  } catch (error) {
    check(error.stack, false);
  }
  if (child.exitCode === null) stops.push(await stop(child));
  if (failed > failedBefore) console.error(log);
}

async function stop(child) {
  const begin = performance.now();
  child.kill("SIGTERM");
  const [status] = await once(child, "exit");
  return { status, seconds: (performance.now() - begin) / 1000 };
}

// Nothing of the caller's environment but PATH: a stray BETTER_AUTH_* would change the answers.
function launch(env) {
  const clean = { PATH: process.env.PATH, PORT: "0", ...env };
  return spawn(process.execPath, [SERVER], { env: clean, stdio: ["ignore", "pipe", "pipe"] });
}

// `origin`: Better Auth wants one here, as Node's fetch sends `Sec-Fetch-Mode` as a browser does.
function post(origin, path, body, headers = {}) {
  headers = { "content-type": "application/json", origin, ...headers };
  return fetch(`${origin}/api/auth/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

function person(email) {
  return { name: "A Person", email, password: "correct horse battery" };
}

async function signUp(origin, email, headers) {
  const response = await post(origin, "sign-up/email", person(email), headers);
  if (response.status !== 200) throw new Error(`sign-up: ${response.status} ${await response.text()}`);
  const cookie = response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  return { cookie, bearer: response.headers.get("set-auth-token"), ...(await response.json()) };
}

async function mint(origin, cookie) {
  const response = await fetch(`${origin}/api/auth/token`, { headers: { cookie } });
  if (response.status !== 200) throw new Error(`token: ${response.status} ${await response.text()}`);
  const { token } = await response.json();
  const [header, claims] = token.split(".").map((part) => Buffer.from(part, "base64url"));
  return { token, header: JSON.parse(header), claims: JSON.parse(claims) };
}

async function jwks(origin) {
  return (await (await fetch(`${origin}/api/auth/jwks`)).json()).keys;
}

function signatureVerifies(token, keys) {
  const [header, claims, signature] = token.split(".");
  const { kid } = JSON.parse(Buffer.from(header, "base64url"));
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) return false;
  const [digest, how] = {
    EdDSA: [null, {}],
    ES256: ["sha256", { dsaEncoding: "ieee-p1363" }],
    ES512: ["sha512", { dsaEncoding: "ieee-p1363" }],
    RS256: ["sha256", {}],
    PS256: ["sha256", { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
  }[jwk.alg];
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), ...how };
  return verify(digest, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"));
}

function check(name, good) {
  if (good) passed += 1;
  else failed += 1;
  console.log(`${good ? "ok  " : "FAIL"} ${name}`);
}
