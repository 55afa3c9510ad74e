// Starts the web app and a Rust task server side by side. Run by `./start`; the browser tests use its parts.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const HERE = import.meta.dirname;

/**
 * What both servers are told, so that it agrees. `folder` holds the databases and Better Auth's secret.
 * `env` has the last word for the web app, `taskEnv` for the task server.
 */
export function configure({ webPort, taskPort, folder, mode = "direct", env = {}, taskEnv = {} }) {
  const webUrl = `http://localhost:${webPort}`;
  const taskUrl = `http://127.0.0.1:${taskPort}`;
  const secret = env.BETTER_AUTH_SECRET ?? keptSecret(folder);
  const authFile = join(folder, "auth.db");
  const sessions = {
    BETTER_AUTH_SECRET: secret,
    BETTER_AUTH_DATABASE_URL: env.DATABASE_URL ?? `sqlite:${authFile}`,
  };
  return {
    webUrl,
    taskUrl,
    webPort,
    web: {
      BETTER_AUTH_URL: webUrl,
      BETTER_AUTH_SECRET: secret,
      DATABASE_PATH: authFile,
      TASKS_API_URL: taskUrl,
      TASKS_API_MODE: mode,
      ...env,
    },
    tasks: {
      BIND_ADDR: `127.0.0.1:${taskPort}`,
      BETTER_AUTH_URL: webUrl,
      DATABASE_URL: `sqlite:${join(folder, "tasks.db")}?mode=rwc`,
      CORS_ORIGINS: webUrl,
      RATE_LIMIT_WINDOW_MS: "60000", // the default, 100 in a quarter of an hour, is soon used up by one person's clicks
      RUST_LOG: "warn",
      ...(mode === "cookie" && sessions), // in the other modes it needs nothing but the URL
      ...taskEnv,
    },
  };
}

export async function startTaskServer(binary, { tasks }) {
  const child = launch(binary, [], tasks);
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")]);
  if (!String(line).startsWith("listening on ")) throw new Error(`${binary} did not start: ${child.log()}`);
  return child;
}

export async function startWeb({ web, webUrl, webPort }) {
  const next = join(HERE, "node_modules/next/dist/bin/next");
  const child = launch(process.execPath, [next, "start", HERE, "-H", "127.0.0.1", "-p", String(webPort)], web);
  for (let tries = 0; child.exitCode === null && tries < 300; tries += 1) {
    const answer = await fetch(`${webUrl}/api/auth/ok`).catch(() => undefined);
    if (answer?.ok) return child;
    await sleep(100);
  }
  await stop(child);
  throw new Error(`the web app did not start: ${child.log()}`);
}

export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 12_000); // the task server drains for 10 s at most
  await once(child, "exit");
  clearTimeout(late);
}

// Nothing of the caller's environment but what programs need: a stray DATABASE_URL would reach both.
function launch(program, args, env) {
  const { PATH, HOME } = process.env;
  const child = spawn(program, args, {
    env: { PATH, HOME, NODE_ENV: "production", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  const keep = (chunk) => (log = (log + chunk).slice(-20_000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.log = () => log;
  return child;
}

// Kept beside the databases: with another secret, the sessions in them would be worth nothing.
function keptSecret(folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "secret");
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

async function main() {
  const pick = (names) =>
    Object.fromEntries(names.filter((name) => process.env[name]).map((name) => [name, process.env[name]]));
  const settings = configure({
    webPort: Number(process.env.WEB_PORT ?? 3000),
    taskPort: Number(process.env.TASKS_PORT ?? 8000),
    folder: join(HERE, "data"),
    mode: process.env.TASKS_API_MODE,
    env: pick(["BETTER_AUTH_SECRET", "DATABASE_URL", "ADMIN_EMAILS", "TOKEN_LIFETIME"]),
    taskEnv: pick(["RATE_LIMIT", "RATE_LIMIT_WINDOW_MS", "RATE_LIMIT_MAX_REQUESTS", "REDIS_URL", "RUST_LOG"]),
  });
  const children = [];
  let ending = false;
  const end = async (status) => {
    if (ending) return; // the servers that end now are no fault
    ending = true;
    await Promise.all(children.map(stop));
    process.exit(status);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void end(0));
  try {
    children.push(await startWeb(settings)); // first: the task server fetches its keys from there when it starts
    children.push(await startTaskServer(process.env.TASKS_SERVER, settings));
  } catch (error) {
    console.error(error.message);
    await end(1);
  }
  for (const child of children) {
    child.stdout.pipe(process.stdout);
    child.stderr.pipe(process.stderr);
    child.once("exit", () => void end(1));
  }
  console.log(`the app: ${settings.webUrl}\nthe task server: ${settings.taskUrl}`);
}

if (process.argv[1] === import.meta.filename) await main();
