// What the task server refuses, in words; and how the page recovers.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { eventually, openWorld } from "./world.mjs";

let world;
before(async () => {
  world = await openWorld();
});
afterEach(() => world.restartTaskServer());
after(() => world.close());

test("what breaks a rule is said at its field, and what was typed stays", async (t) => {
  const ada = await world.person(t, "Ada");
  ada.allow(422);
  await ada.send("   ", "n".repeat(2001));
  const title = ada.page.getByLabel("Title");
  await ada.says("Title must be 1 to 200 characters long");
  await eventually(
    () => title.evaluate((input) => document.getElementById(input.getAttribute("aria-describedby")).textContent),
    "Title must be 1 to 200 characters long",
  );
  await eventually(() => title.evaluate((input) => input === document.activeElement), true);
  assert.equal((await ada.page.getByLabel("Note (optional)").inputValue()).length, 2001);
  await ada.add("Good");
  assert.equal(await ada.page.getByText("Please mend").count(), 0);
});

test("a task deleted elsewhere is said to be gone, and leaves the list", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.add("Fleeting");
  const { body } = await ada.ask("GET", `${world.taskUrl}/api/tasks`);
  const { token } = await (await ada.context.request.get("/api/auth/token")).json();
  await fetch(`${world.taskUrl}/api/tasks/${body.tasks[0].id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
  ada.allow(404);
  await ada.task("Fleeting").click();
  await ada.says("This task is gone");
  await eventually(ada.titles, []);
});

test("somebody else's task may not be touched, and the page says so", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.add("Mine");
  // The page never asks for another's rows, so here the request is bent on its way.
  await ada.page.route("**/api/tasks/*", (route) =>
    route.continue({ url: route.request().url().replace("/api/tasks", "/api/bob/tasks") }),
  );
  ada.allow(403);
  await ada.task("Mine").click();
  await ada.says("You may not do this: it belongs to somebody else.");
});

test("too many requests: the page says so, waits and goes on by itself", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.says("Nothing to do yet.");
  await world.restartTaskServer({ RATE_LIMIT: "on", RATE_LIMIT_MAX_REQUESTS: "2", RATE_LIMIT_WINDOW_MS: "4000" });
  ada.allow(429);
  await ada.add("One");
  await ada.add("Two");
  await ada.send("Three");
  await ada.says(/Too many requests. Trying again in \d seconds?\./);
  await ada.task("Three").waitFor();
  await eventually(() => ada.page.getByText("Too many requests").count(), 0);
  await eventually(ada.titles, ["One", "Two", "Three"]);
});

test("too many requests for long: the person is told when to come back", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.says("Nothing to do yet.");
  await world.restartTaskServer({ RATE_LIMIT: "on", RATE_LIMIT_MAX_REQUESTS: "1", RATE_LIMIT_WINDOW_MS: "3600000" });
  ada.allow(429);
  await ada.add("One");
  await ada.send("Two");
  await ada.says("That was too much at once. Try again in 60 minutes.");
  assert.equal(await ada.page.getByLabel("Title").inputValue(), "Two");
});

test("the task server restarts in the middle: nothing typed and nothing stored is lost", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.add("Before");
  await world.stopTaskServer();
  ada.allow("net::ERR_CONNECTION_REFUSED");
  await ada.send("During");
  await ada.says("The task server cannot be reached.");
  await ada.page.reload();
  await ada.says("The task server cannot be reached.");
  await world.restartTaskServer();
  await ada.button("Try again").click();
  await eventually(ada.titles, ["Before"]);
  await ada.add("After");
  await eventually(() => ada.page.getByRole("main").getByRole("alert").count(), 0);
});

test("keys that cannot be had are an outage, not a refusal: nobody is sent to /login", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.says("Nothing to do yet.");
  await world.restartTaskServer({ BETTER_AUTH_JWKS_URL: "http://127.0.0.1:9/jwks" });
  ada.allow(503);
  await ada.send("Patience");
  await ada.says(/The task server cannot answer just now. Nothing is lost: try again in \d+ seconds?\./);
  await ada.at("/dashboard");
  await world.restartTaskServer();
  await ada.button("Add task").click();
  await eventually(ada.titles, ["Patience"]);
});
