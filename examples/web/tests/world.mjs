// A stack of its own on free ports, and the people who visit it with real browsers.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { configure, startTaskServer, startWeb, stop } from "../stack.mjs";

export const BINARY = process.env.TASKS_SERVER ?? assert.fail("TASKS_SERVER names no program; ./test sets it");
export const PASSWORD = "correct horse battery";

export async function openWorld({ mode = "direct", env = {}, taskEnv = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "authcore-web-"));
  const [webPort, taskPort] = await freePorts(2);
  const options = { webPort, taskPort, folder, mode };
  options.env = { AUTH_RATE_LIMIT: "off", ADMIN_EMAILS: "root@example.com", ...env };
  options.taskEnv = { RATE_LIMIT: "off", ...taskEnv };
  const settings = configure(options);
  const web = await startWeb(settings);
  let tasks, browser;
  try {
    tasks = await startTaskServer(BINARY, settings);
    browser = await launchBrowser();
  } catch (error) {
    await Promise.all([web, tasks].map((child) => child && stop(child))); // or the test run would never end
    throw error;
  }
  let people = 0;

  return {
    ...settings,
    /** Somebody with a browser of their own. What goes wrong in it fails the test. */
    visitor: (test, device) => visitor(test, browser, settings.webUrl, device),
    /** A visitor who has signed up, and sees their tasks. */
    async person(test, name, device) {
      people += 1;
      const somebody = await visitor(test, browser, settings.webUrl, device);
      const email = name === "Root" ? "root@example.com" : `${name.toLowerCase()}.${people}@example.com`;
      await somebody.signUp(name, email);
      return somebody;
    },
    stopTaskServer: () => stop(tasks),
    /** Starts it again, on the same port and database, with other settings besides. */
    async restartTaskServer(more = {}) {
      await stop(tasks);
      tasks = await startTaskServer(BINARY, configure({ ...options, taskEnv: { ...options.taskEnv, ...more } }));
    },
    async close() {
      await browser.close();
      await Promise.all([stop(web), stop(tasks)]);
      await rm(folder, { recursive: true });
    },
  };
}

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: process.getuid() === 0 ? ["--no-sandbox"] : [], // Chromium has none for root
  });
}

async function visitor(test, browser, webUrl, device = {}) {
  const context = await browser.newContext({ baseURL: webUrl, viewport: { width: 900, height: 1000 }, ...device });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const faults = [];
  const allowed = new Set();
  const requests = [];
  const refusals = [];
  context.on("weberror", (error) => faults.push(error.error().stack));
  context.on("console", (message) => {
    const refused = /^Failed to load resource: .*?(\d{3}|net::\w+)/.exec(message.text())?.[1];
    if (["error", "warning"].includes(message.type()) && !allowed.has(refused)) faults.push(message.text());
  });
  context.on("request", (request) => requests.push(request));
  context.on(
    "response",
    (response) => response.status() >= 400 && refusals.push(`${response.status()} ${new URL(response.url()).pathname}`),
  );
  test.after(async () => {
    await context.close();
    assert.deepEqual(faults, [], "errors in the browser");
  });

  const main = page.getByRole("main");
  const button = (name) => page.getByRole("button", { name, exact: true });
  return {
    context,
    page,
    main,
    button,
    requests,
    refusals,
    /** Browsers write a refused request to the console: these statuses are meant to come. */
    allow: (...statuses) => statuses.forEach((status) => allowed.add(String(status))),
    task: (title) => page.getByRole("checkbox", { name: title, exact: true }),
    says: (text) => page.getByText(text).filter({ visible: true }).first().waitFor(),
    at: (path) => page.waitForURL(webUrl + path),
    async signUp(name, email) {
      await page.goto("/signup");
      await page.getByLabel("Name").fill(name);
      await this.fillAndSend("Sign up", email);
      await this.at("/dashboard");
      this.email = email;
    },
    async signIn(email, password = PASSWORD) {
      await page.goto("/login");
      await this.fillAndSend("Sign in", email, password);
    },
    async fillAndSend(name, email, password = PASSWORD) {
      await page.getByLabel("E-mail").fill(email);
      await page.getByLabel("Password").fill(password);
      await button(name).click();
    },
    async add(title, note = "") {
      await this.send(title, note);
      await this.task(title).waitFor();
    },
    async send(title, note = "") {
      await page.getByLabel("Title").fill(title);
      await page.getByLabel("Note (optional)").fill(note);
      await button("Add task").click();
    },
    titles: () => page.locator(".task-title").allTextContents(),
    /** What the task server answers to this person's own token. */
    async ask(method, url) {
      const { token } = await (await context.request.get("/api/auth/token")).json();
      const response = await context.request.fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
      return { status: response.status(), body: await response.json() };
    },
  };
}

/** Waits until `look` gives what is wanted, and says what it gave otherwise. */
export async function eventually(look, wanted) {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      return assert.deepEqual(await look(), wanted);
    } catch {
      await sleep(100);
    }
  }
  assert.deepEqual(await look(), wanted);
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(
    (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port))),
  );
  const found = await Promise.all(ports);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return found;
}
