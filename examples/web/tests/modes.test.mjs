// The same page by each way to the task server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openWorld } from "./world.mjs";

for (const mode of ["direct", "gateway", "cookie"]) {
  test(`${mode}: tasks come and go`, async (t) => {
    const world = await openWorld({ mode });
    t.after(() => world.close());
    const ada = await world.person(t, "Ada");
    await ada.add("One");
    await ada.task("One").check();
    await ada.page.getByRole("button", { name: "Edit One" }).click();
    await ada.page.getByRole("form", { name: "Edit One" }).getByLabel("Title").fill("Uno");
    await ada.button("Save").click();
    await ada.button("Delete Uno").click();
    await ada.button("Really delete Uno").click();
    await ada.says("Nothing to do yet.");

    const sent = ada.requests.filter((request) => /\/api\/tasks/.test(request.url()) && request.method() !== "OPTIONS");
    const headers = await Promise.all(sent.map((request) => request.allHeaders()));
    assert.deepEqual(
      [...new Set(sent.map((request) => new URL(request.url()).origin))],
      [mode === "direct" ? world.taskUrl : world.webUrl],
    );
    assert.ok(
      headers.every((each) => (each.authorization !== undefined) === (mode !== "cookie")),
      "who carries a token",
    );
    assert.ok(
      headers.every((each) => (each.cookie !== undefined) === (mode === "cookie")),
      "who carries a cookie",
    );

    if (mode !== "gateway") return;
    await world.stopTaskServer();
    ada.allow(500);
    await ada.send("Two");
    await ada.says("The task server cannot be reached.");
    await world.restartTaskServer();
    await ada.button("Add task").click();
    await eventually(ada.titles, ["Two"]);
  });
}

test("cookie: a session that ends is noticed at once, with no token left over", async (t) => {
  const world = await openWorld({ mode: "cookie" });
  t.after(() => world.close());
  const here = await world.person(t, "Ada");
  const phone = await world.visitor(t);
  await phone.signIn(here.email);
  await phone.at("/dashboard");
  await phone.add("Still in");
  await here.page.goto("/sessions");
  await here.button("Sign out all others").click();
  await eventually(() => here.button("Sign out all others").count(), 0);
  phone.allow(401);
  await phone.send("Out");
  await phone.at("/login?next=%2Fdashboard");
});
