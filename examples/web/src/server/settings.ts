// The environment, read once the server runs: a build depends on none of it.

/**
 * How the browser reaches the task server:
 * `direct`, with a token, across origins; `gateway`, with a token, through this server;
 * `cookie`, through this server with the session cookie alone.
 */
export type Mode = "direct" | "gateway" | "cookie";

export function settings() {
  return {
    /** Fixed: were it to follow the request's Host header, so would the issuer of tokens. */
    baseUrl: required("BETTER_AUTH_URL"),
    secret: required("BETTER_AUTH_SECRET"),
    databaseUrl: process.env.DATABASE_URL,
    databasePath: process.env.DATABASE_PATH ?? "data/auth.db",
    adminEmails: (process.env.ADMIN_EMAILS ?? "").toLowerCase().split(",").filter(Boolean),
    tokenLifetime: process.env.TOKEN_LIFETIME ?? "15m",
    limitsSignIns: process.env.AUTH_RATE_LIMIT !== "off",
    tasksUrl: required("TASKS_API_URL"),
    mode: mode(process.env.TASKS_API_MODE ?? "direct"),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; ./start sets it`);
  return value;
}

function mode(value: string): Mode {
  if (value === "direct" || value === "gateway" || value === "cookie") return value;
  throw new Error("TASKS_API_MODE takes direct, gateway or cookie");
}
