// What a keyboard, a screen reader and a narrow screen need, on every page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openWorld } from "./world.mjs";

let world;
before(async () => {
  world = await openWorld();
});
after(() => world.close());

const PUBLIC = ["/", "/login", "/signup"];
const PRIVATE = ["/dashboard", "/profile", "/sessions", "/admin"];

test("each page has a title, one main heading, and a name for whatever takes input", async (t) => {
  const guest = await world.visitor(t);
  for (const path of PUBLIC) await pageIsNamed(guest, path);
  const root = await world.person(t, "Root");
  await root.add("Something");
  for (const path of PRIVATE) await pageIsNamed(root, path);
});

test("the tab key walks the tasks in the order in which they are read, and always shows where it is", async (t) => {
  const ada = await world.person(t, "Ada");
  await ada.add("First");
  await ada.page.reload();
  await ada.task("First").waitFor();
  const names = [];
  for (let step = 0; step < 16; step += 1) {
    await ada.page.keyboard.press("Tab");
    const { name, outline } = await ada.page.evaluate(focused);
    assert.notEqual(outline, "none", `${name} shows the focus`);
    names.push(name);
  }
  const bar = ["Skip to content", "Tasks", "Tasks", "Profile", "Sessions", "Sign out"];
  const form = ["Title", "Note (optional)", "Add task"];
  assert.deepEqual(names, [...bar, ...form, "All", "Open", "Done", "First", "Edit First", "Delete First", "body"]);
});

test("a task is added, edited, done and deleted without a mouse, and the focus is never lost", async (t) => {
  const ada = await world.person(t, "Ada");
  const { keyboard } = ada.page;
  const focus = async () => (await ada.page.evaluate(focused)).name;
  await ada.page.getByLabel("Title").focus();
  await keyboard.type("Typed");
  await keyboard.press("Enter");
  await ada.task("Typed").waitFor();
  assert.equal(await focus(), "Title");
  await ada.button("Edit Typed").press("Enter");
  assert.equal(await focus(), "Title");
  await keyboard.type("Retyped");
  await keyboard.press("Escape");
  assert.equal(await focus(), "Edit Typed");
  await ada.task("Typed").press("Space");
  await ada.page.getByRole("status").getByText("Completed Typed").waitFor({ state: "attached" });
  await ada.button("Done").press("Enter");
  await ada.task("Typed").press("Space");
  await ada.says("Nothing is done yet.");
  assert.equal(await focus(), "Your list");
  await ada.button("All").press("Enter");
  await ada.button("Delete Typed").press("Enter");
  assert.equal(await focus(), "Really delete Typed");
  await keyboard.press("Enter");
  await ada.says("Nothing to do yet.");
  assert.equal(await focus(), "Your list");
});

test("nothing is wider than a small phone, and text stands out in light and dark", async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    const device = { viewport: { width: 320, height: 640 }, colorScheme };
    const guest = await world.visitor(t, device);
    for (const path of PUBLIC) await fitsAndStandsOut(guest, path);
    await guest.signIn("root@example.com");
    await guest.at("/dashboard");
    await guest.add(`${colorScheme} ${"x".repeat(60)}`, "a note");
    for (const path of PRIVATE) await fitsAndStandsOut(guest, path);
  }
});

async function pageIsNamed({ page }, path) {
  await page.goto(path);
  assert.match(await page.title(), path === "/" ? /^Tasks$/ : /^[\w ]+ · Tasks$/);
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, `${path}: main headings`);
  assert.equal(await page.getByRole("main").count(), 1, `${path}: main regions`);
  const unnamed = await page.locator("input:not([type=hidden]), button, a, section").evaluateAll((elements) =>
    elements
      .filter((element) => {
        const labelled = element.getAttribute("aria-labelledby");
        const byId = labelled && document.getElementById(labelled)?.textContent;
        const label = [...(element.labels ?? [])].map((each) => each.textContent).join("");
        return !(
          element.getAttribute("aria-label") ||
          byId ||
          label ||
          (element.tagName !== "SECTION" && element.textContent.trim())
        );
      })
      .map((element) => element.outerHTML),
  );
  assert.deepEqual(unnamed, [], `${path}: without a name`);
}

async function fitsAndStandsOut({ page }, path) {
  await page.goto(path);
  await page.waitForLoadState("networkidle");
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 320, `${path}: ${width} px wide`);
  assert.deepEqual(await page.evaluate(faint), [], `${path}: contrast under 4.5`);
}

/** The name of what has the focus, and how that shows; runs in the browser. */
function focused() {
  const element = document.activeElement;
  const label = element.labels?.[0]?.textContent ?? element.textContent;
  const name = element === document.body ? "body" : (element.getAttribute("aria-label") ?? label);
  return { name, outline: element === document.body ? "body" : getComputedStyle(element).outlineStyle };
}

/** Texts with less contrast than WCAG 2.2 asks for (1.4.3); runs in the browser. */
function faint() {
  const paint = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  const rgba = (color) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    return paint.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (color) => {
    const [r, g, b] = [...rgba(color)]
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgba(color)[3] === 255) return color;
    }
    return "white";
  };
  const texts = [...document.querySelectorAll("body *")].filter(
    (element) =>
      element.checkVisibility() &&
      [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()),
  );
  return texts.flatMap((element) => {
    const [light, dark] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort(
      (a, b) => b - a,
    );
    const contrast = (light + 0.05) / (dark + 0.05);
    return contrast < 4.5 ? [`${element.textContent.trim()}: ${contrast.toFixed(2)}`] : [];
  });
}
