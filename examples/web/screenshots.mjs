// Pictures of each page for the documents: TASKS_SERVER=path/to/tasks-axum node screenshots.mjs
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openWorld } from "./tests/world.mjs";

const FOLDER = join(import.meta.dirname, "../../docs/images/web");
const WIDE = { viewport: { width: 820, height: 640 } };
const PHONE = { viewport: { width: 375, height: 812 }, colorScheme: "dark" };

mkdirSync(FOLDER, { recursive: true });
const endings = [];
const test = { after: (end) => endings.push(end) }; // as the tests' own: ends what was begun
const world = await openWorld();
const shot = ({ page }, name) => page.screenshot({ path: join(FOLDER, `${name}.png`), animations: "disabled" });

const guest = await world.visitor(test, WIDE);
await guest.page.goto("/");
await shot(guest, "front");
await guest.page.goto("/signup");
await shot(guest, "signup");

const ada = await world.person(test, "Ada", WIDE);
await ada.add("Write to Mr. Babbage", "Ask about the second engine, and its cards");
await ada.add("Order blue ink");
await ada.add("Translate Menabrea’s paper", "With notes of my own");
await ada.add("Compute the Bernoulli numbers");
await ada.task("Order blue ink").check();
await ada.page.reload();
await ada.task("Order blue ink").waitFor();
await shot(ada, "tasks");
ada.allow(422);
await ada.send("   ");
await ada.says("Title must be");
await shot(ada, "refused");
await ada.page.reload();
await ada.task("Order blue ink").waitFor();
ada.allow(429);
await world.restartTaskServer({ RATE_LIMIT: "on", RATE_LIMIT_MAX_REQUESTS: "1", RATE_LIMIT_WINDOW_MS: "9000" });
await ada.add("Practise the harp");
await ada.send("Ride out with Byron’s ghost");
await ada.says("Too many requests");
await shot(ada, "waiting");
await ada.task("Ride out with Byron’s ghost").waitFor();
await world.restartTaskServer();

const phone = await world.visitor(test, PHONE);
await phone.signIn(ada.email);
await phone.task("Order blue ink").waitFor();
await shot(phone, "phone-dark");

for (const name of ["profile", "sessions"]) {
  await ada.page.goto(`/${name}`);
  await ada.page.waitForLoadState("networkidle");
  await shot(ada, name);
}

const root = await world.person(test, "Root", WIDE);
await root.page.goto("/admin");
await root.page.getByRole("link", { name: "Tasks of Ada" }).click();
await root.page.getByText("Order blue ink").waitFor();
await shot(root, "admin");

for (const end of endings) await end();
await world.close();
