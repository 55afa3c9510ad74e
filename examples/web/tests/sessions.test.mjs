// Tokens that expire, sessions that end, and administrators. Tokens live for four seconds here.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, openWorld } from "./world.mjs";

const LIFETIME = 4000;

let world;
before(async () => {
  world = await openWorld({ env: { TOKEN_LIFETIME: "4s" }, taskEnv: { AUTH_LEEWAY: "0s" } });
});
after(() => world.close());

const tokens = ({ requests }) => requests.filter((request) => request.url().endsWith("/api/auth/token")).length;

test("a token is renewed before it expires, once for all who wait", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.add("One");
  await ada.page.clock.setFixedTime(Date.now() + 60_000);
  const before = tokens(ada);
  await ada.page.evaluate(() =>
    ["Open", "Done"].forEach((name) =>
      [...document.querySelectorAll("button")].find((button) => button.textContent === name).click(),
    ),
  );
  await ada.says("Nothing is done yet.");
  assert.deepEqual([tokens(ada) - before, ada.refusals], [1, []]);
});

test("a token that expired all the same is renewed unseen", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.page.clock.setFixedTime(Date.now()); // this clock stands still, so the page thinks the token fresh
  await ada.add("One");
  const before = tokens(ada);
  await sleep(LIFETIME + 1000);
  ada.allow(401);
  await ada.add("Two");
  assert.deepEqual([tokens(ada) - before, ada.refusals], [1, ["401 /api/tasks"]]);
  assert.equal(await ada.page.getByRole("main").getByRole("alert").count(), 0);
});

test("no token is kept where it outlives the page", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.add("One");
  const kept = await ada.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  );
  assert.equal(kept, '[{},{},""]');
});

test("a session ended from elsewhere leads to /login, from a page and from a request", async (t) => {
  const here = await world.person(t, "Ada");
  const phone = await world.visitor(t);
  await phone.signIn(here.email);
  await phone.at("/dashboard");
  await phone.add("Still in");

  await here.page.goto("/sessions");
  await here.page.getByRole("button", { name: /^End the session of Chrome on Linux/ }).click();
  await eventually(() => here.page.getByRole("button", { name: /^End the session/ }).count(), 0);

  await phone.page.clock.setFixedTime(Date.now() + 60_000); // its next token is due
  phone.allow(401);
  await phone.send("Out");
  await phone.at("/login?next=%2Fdashboard");
  await phone.page.goto("/profile");
  await phone.at("/login?next=%2Fprofile");
  await here.page.goto("/dashboard");
  await eventually(here.titles, ["Still in"]);
});

test("a new name reaches the task server with the next token", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.page.getByRole("link", { name: "Profile" }).click();
  const facts = () => ada.page.locator(".facts dd").nth(1).textContent();
  await eventually(facts, "Ada");
  await ada.page.getByLabel("Name").fill("Ada Lovelace");
  await ada.button("Save name").click();
  await eventually(facts, "Ada Lovelace");
});

test("a new password signs other devices out", async (t) => {
  const ada = await world.person(t, "Ada");
  const phone = await world.visitor(t);
  await phone.signIn(ada.email);
  await phone.at("/dashboard");
  await ada.page.goto("/profile");
  ada.allow(400);
  await ada.page.getByLabel("Current password").fill("wrong password");
  await ada.page.getByLabel("New password").fill("another good one");
  await ada.button("Change password").click();
  await ada.says("Invalid password");
  await ada.page.getByLabel("Current password").fill("correct horse battery");
  await ada.button("Change password").click();
  await ada.says("Changed");
  await phone.page.goto("/sessions");
  await phone.at("/login?next=%2Fsessions");
  await ada.page.goto("/dashboard");
  await ada.add("Still here");
});

test("an administrator sees whose tasks are whose, and bans; for others the page is not there", async (t) => {
  const bob = await world.person(t, "Bob");
  await bob.add("His");
  bob.allow(404);
  await bob.page.goto("/admin");
  await bob.says("This page could not be found.");
  await bob.page.goto("/dashboard");

  const root = await world.person(t, "Root");
  await root.page.getByRole("link", { name: "Admin" }).click();
  await root.page.getByRole("link", { name: "Tasks of Bob" }).click();
  await root.page.getByRole("region", { name: "Tasks of Bob" }).getByText("His").waitFor();
  await root.button("Ban Bob").click();
  await root.button("Unban Bob").waitFor();

  await bob.page.goto("/dashboard");
  await bob.at("/login?next=%2Fdashboard");
  bob.allow(403);
  await bob.fillAndSend("Sign in", bob.email);
  await bob.says(/banned/i);
  await root.button("Unban Bob").click();
  await root.button("Ban Bob").waitFor();
  await bob.signIn(bob.email);
  await eventually(bob.titles, ["His"]);
});
