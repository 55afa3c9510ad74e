// From sign-up to tasks and back, for one person and for two.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, openWorld } from "./world.mjs";

let world;
before(async () => {
  world = await openWorld();
});
after(() => world.close());

test("sign up, work on tasks, sign out, come back", async (t) => {
  const ada = await world.visitor(t);
  await ada.page.goto("/dashboard?from=link");
  await ada.at("/login?next=%2Fdashboard%3Ffrom%3Dlink");
  await ada.signUp("Ada", "ada@example.com");
  await ada.says("Nothing to do yet.");

  await ada.add("Write to Babbage", "About the engine");
  await ada.add("Buy ink");
  await ada.button("Edit Buy ink").click();
  await ada.page.getByRole("form", { name: "Edit Buy ink" }).getByLabel("Title").fill("Buy blue ink");
  await ada.button("Save").click();
  await ada.task("Write to Babbage").check();

  await ada.button("Open").click();
  await eventually(ada.titles, ["Buy blue ink"]);
  await ada.button("Done").click();
  await eventually(ada.titles, ["Write to Babbage"]);
  await ada.button("Delete Write to Babbage").click();
  await ada.button("Really delete Write to Babbage").click();
  await ada.says("Nothing is done yet.");
  await ada.page.reload();
  await eventually(ada.titles, ["Buy blue ink"]);

  await ada.button("Sign out").click();
  await ada.at("/login");
  await ada.page.goto("/dashboard");
  await ada.at("/login?next=%2Fdashboard");
  ada.allow(401);
  await ada.signIn("ada@example.com", "not the password");
  await ada.says("Invalid email or password");
  await ada.signIn("ada@example.com");
  await ada.at("/dashboard");
  await eventually(ada.titles, ["Buy blue ink"]);
});

test("a list longer than a page is shown piece by piece, in order", async (t) => {
  const ada = await world.person(t, "Ada");
  const titles = Array.from({ length: 12 }, (_, index) => `Task ${index + 1}`);
  for (const title of titles) await ada.add(title);
  await ada.page.reload();
  await eventually(ada.titles, titles.slice(0, 10));
  await ada.add("Task 13"); // stands at the end before the rest is loaded
  await ada.button("Show more").click();
  await eventually(ada.titles, [...titles, "Task 13"]);
});

test("a task added before the list has come is in it all the same", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.says("Nothing to do yet.");
  const added = ada.page.waitForResponse((response) => response.request().method() === "POST");
  const late = async (route) => {
    const response = await route.fetch(); // empty still
    await added;
    await route.fulfill({ response });
  };
  await ada.page.route("**/api/tasks?*", late, { times: 1 });
  await ada.page.reload();
  await ada.add("Quick");
});

test("a cookie that nobody signed opens no page", async (t) => {
  const eve = await world.visitor(t);
  const value = `${"x".repeat(32)}.${"A".repeat(43)}=`;
  await eve.context.addCookies([{ name: "better-auth.session_token", value, url: world.webUrl }]);
  for (const path of ["/dashboard", "/profile", "/sessions", "/admin"]) {
    await eve.page.goto(path);
    await eve.at(`/login?next=${encodeURIComponent(path)}`);
  }
});

test("after signing in one stays on this site, whatever the link said", async (t) => {
  const ada = await world.person(t, "Ada");
  for (const next of ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)"]) {
    await ada.page.goto(`/login?next=${encodeURIComponent(next)}`);
    await ada.fillAndSend("Sign in", ada.email);
    await ada.at("/dashboard");
  }
});

test("two people in two browsers never see each other's rows", async (t) => {
  const [ada, bob] = await Promise.all([world.person(t, "Ada"), world.person(t, "Bob")]);
  await Promise.all([ada.add("Hers"), bob.add("His")]);
  await Promise.all([ada.page.reload(), bob.page.reload()]);
  await eventually(ada.titles, ["Hers"]);
  await eventually(bob.titles, ["His"]);

  const { body: list } = await ada.ask("GET", `${world.taskUrl}/api/tasks`);
  const [hers] = list.tasks;
  const byPath = await bob.ask("GET", `${world.taskUrl}/api/${hers.user_id}/tasks`);
  assert.deepEqual([byPath.status, byPath.body.code], [403, "not_owner"]);
  for (const method of ["GET", "DELETE"]) {
    const byId = await bob.ask(method, `${world.taskUrl}/api/tasks/${hers.id}`);
    assert.deepEqual([byId.status, byId.body.code], [404, "not_found"]);
  }
});

test("one browser, another person: nothing of the first one is left", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.add("Hers");
  const other = await ada.context.newPage(); // a second window, in which Bob signs in
  await other.goto("/signup");
  for (const [label, value] of [
    ["Name", "Bob"],
    ["E-mail", "bob.late@example.com"],
    ["Password", "correct horse battery"],
  ]) {
    await other.getByLabel(label).fill(value);
  }
  await other.getByRole("button", { name: "Sign up" }).click();
  await other.waitForURL("**/dashboard");
  await ada.page.clock.setFixedTime(Date.now() + 14.9 * 60_000); // the first window needs a new token now
  await ada.send("Whose?");
  await ada.says("Good to see you, Bob");
  await eventually(ada.titles, []);
});
