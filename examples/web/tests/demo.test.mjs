// The one page of the servers' demo mode, at a server in demo mode. No Node.js behind it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTaskServer, stop } from "../stack.mjs";
import { BINARY, launchBrowser } from "./world.mjs";

test("alice and bob, side by side: each refusal with its reason", async (t) => {
  const server = await startTaskServer(BINARY, { tasks: { BIND_ADDR: "127.0.0.1:0" } });
  t.after(() => stop(server));
  const [url] = /http:\/\/\S+/.exec(server.log());
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 900, height: 1200 } });
  page.setDefaultTimeout(10_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.stack));
  await page.goto(url);

  const alice = page.getByRole("region", { name: "Alice" });
  const bob = page.getByRole("region", { name: "Bob" });
  const log = page.getByRole("log");
  const shows = (text) => log.getByText(text).first().waitFor();

  await alice.getByLabel("New task").fill("Water the plants");
  await alice.getByRole("button", { name: "Add", exact: true }).click();
  await alice.getByText("Water the plants").waitFor();
  await bob.getByRole("button", { name: "Read Alice’s list" }).click();
  await shows("Bob: GET /api/alice/tasks → 403, not_owner: This belongs to another user");
  await bob.getByRole("button", { name: "Delete Alice’s first task" }).click();
  await shows(/^Bob: DELETE \/api\/tasks\/\d+ → 404, not_found/);
  await alice.getByRole("button", { name: "Ask without a token" }).click();
  await shows(/^Alice: GET \/api\/alice\/tasks → 401, missing_credentials/);
  await bob.getByRole("button", { name: "Make it say the other's name" }).click();
  await shows(/^Bob: GET \/api\/alice\/tasks → 401, token_invalid/);
  await bob.getByRole("button", { name: "A fresh one" }).click();
  await alice.getByRole("button", { name: "Six messages" }).click();
  await shows(/^Alice: POST \/api\/messages → 429, rate_limited/);
  assert.match(await log.locator("article").first().textContent(), /retry-after: \d+/);
  await bob.getByRole("button", { name: "Own list" }).click();
  await shows("Bob: GET /api/tasks → 200");
  assert.deepEqual(errors, []);
  if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
});
