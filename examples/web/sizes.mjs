// How much JavaScript a page's first load takes: TASKS_SERVER=path/to/tasks-axum node sizes.mjs
// "Next.js" is what every page of any app loads: React, the router, the runtime. The rest is this app's own, the client of
// Better Auth in it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openWorld } from "./tests/world.mjs";

const { rootMainFiles } = JSON.parse(readFileSync(join(import.meta.dirname, ".next/build-manifest.json"), "utf8"));
const endings = [];
const test = { after: (end) => endings.push(end) };
const world = await openWorld();

const kilobytes = (bytes) => (bytes / 1000).toFixed(1);

// The bytes of all scripts that are loaded until the page is at rest, by a browser that has kept none.
async function load(page, path) {
  const scripts = [];
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  page.on("requestfinished", (request) => request.resourceType() === "script" && scripts.push(request));
  await page.goto(path);
  await page.waitForLoadState("networkidle");
  const sums = { next: [0, 0], own: [0, 0] };
  for (const script of scripts) {
    const sum = rootMainFiles.some((file) => script.url().endsWith(file)) ? sums.next : sums.own;
    sum[0] += (await script.sizes()).responseBodySize;
    sum[1] += (await (await script.response()).body()).length;
  }
  await devtools.detach();
  return sums;
}

try {
  console.log("| page | own, compressed | own | Next.js, compressed | Next.js |\n|---|---|---|---|---|");
  const row = async (visitor, path) => {
    const { next, own } = await load(visitor.page, path);
    console.log(`| \`${path}\` | ${[...own, ...next].map((bytes) => `${kilobytes(bytes)} kB`).join(" | ")} |`);
  };
  for (const path of ["/", "/login"]) await row(await world.visitor(test), path);
  const ada = await world.person(test, "Ada");
  for (const path of ["/dashboard", "/profile", "/sessions"]) await row(ada, path);
} finally {
  for (const end of endings.reverse()) await end();
  await world.close();
}
