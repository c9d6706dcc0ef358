// Walks the console as a person would and says on stdout, as JSON, what it saw:
//   node walk.mjs PLAN.json    {"chromium", "owner_url", "url", "auditor", "task", "shots", "gateway", "fresh": calls to send to it}
// Every page by light and dark, wide and narrow; axe-core on each; what the browser complained about; what the page weighs.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wide = { width: 1360, height: 900 };
const phone = { width: 390, height: 844 };
const seen = { complaints: [], violations: [], pages: {}, weight: 0, first_paint_ms: 0, checks: {} };

mkdirSync(plan.shots, { recursive: true });
const browser = await chromium.launch({ executablePath: plan.chromium, args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"] });

async function open(options = {}) {
  const context = await browser.newContext({ viewport: wide, deviceScaleFactor: 1, reducedMotion: "reduce", timezoneId: "UTC", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) seen.complaints.push(`${page.url()}: ${message.text()}`); });
  page.on("pageerror", (error) => seen.complaints.push(`${page.url()}: ${error.stack}`));
  page.on("requestfailed", (request) => {
    if (!request.url().endsWith("/api/events")) seen.complaints.push(`${request.url()} failed: ${request.failure()?.errorText}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(plan.url) && !(plan.empty_url && request.url().startsWith(new URL(plan.empty_url).origin)) && !request.url().startsWith("data:")) seen.complaints.push(`asked elsewhere: ${request.url()}`);
  });
  return page;
}

async function settled(page) {
  await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector(".loading"));
  await page.waitForTimeout(120);  // charts draw in the next frames
}

async function go(page, hash) {
  await page.evaluate((target) => { location.hash = target; }, hash);
  await page.waitForTimeout(60);
  await settled(page);
}

async function inspect(page, name) {
  const results = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  for (const one of results.violations) {
    if (["serious", "critical"].includes(one.impact))
      seen.violations.push(`${name}: ${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).join(" | ")}`);
  }
}

async function shoot(page, name, fullPage = true) {
  await page.evaluate(() => window.scrollTo(0, 0));
  const size = page.viewportSize();
  // What is fixed to a phone's lower edge would else cover the middle of the picture.
  const height = fullPage && size.width < 600 ? await page.evaluate(() => document.documentElement.scrollHeight) : size.height;
  if (height !== size.height) await page.setViewportSize({ ...size, height });
  await page.screenshot({ path: `${plan.shots}/${name}.png`, fullPage });
  if (height !== size.height) await page.setViewportSize(size);
}

async function textOf(page) {
  return page.evaluate(() => document.querySelector("main").innerText);
}

const walk = [["overview", "#/"], ["tasks", "#/tasks"], ["task", `#/tasks/${plan.task}`], ["pooled", `#/tasks/${plan.pooled}`],
  ["unmeasured", `#/tasks/${plan.unmeasured}`], ["models", "#/models"], ["routing", "#/routing"],
  ["calls", "#/calls"], ["keys", "#/keys"], ["settings", "#/settings"]];

// Without a token: the way in, and nothing else.
const stranger = await open();
await stranger.goto(plan.url);
await stranger.waitForSelector("input[type=password]");
await inspect(stranger, "login");
await shoot(stranger, "login");
await stranger.context().close();

// The owner, wide and light.
const owner = await open();
let weight = 0;
owner.on("response", async (response) => {
  if (new URL(response.url()).pathname.startsWith("/api/")) return;
  const sizes = await response.request().sizes().catch(() => null);
  weight += sizes?.responseBodySize ?? 0;
});
await owner.goto(plan.owner_url);
await settled(owner);
const firstPaint = (page) => page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity);
seen.first_paint_ms = await firstPaint(owner);
seen.weight = weight;
seen.checks.token_left_address = !owner.url().includes("ut-");
// A table that is wider than its card hides columns.
const hiddenTables = (page, name) => page.evaluate((where) => [...document.querySelectorAll(".stack")].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => `${where}: ${one.ariaLabel}`), name);
seen.checks.tables_cut = [];
for (const [name, hash] of walk) {
  await go(owner, hash);
  seen.checks.tables_cut.push(...await hiddenTables(owner, name));
  await inspect(owner, name);
  await shoot(owner, name);
  seen.pages[name] = await textOf(owner);
}

// What else runs on the machine may have slowed the first paint: the best of a few counts.
for (let again = 0; again < 3 && seen.first_paint_ms > 500; ++again) {
  const page = await open();
  await page.goto(plan.owner_url);
  await settled(page);
  seen.first_paint_ms = Math.min(seen.first_paint_ms, await firstPaint(page));
  await page.context().close();
}

// Content is opened on demand.
await go(owner, `#/tasks/${plan.task}`);
await owner.getByRole("button", { name: "Show examples" }).click();
await owner.waitForSelector(".examples article");
await owner.getByRole("button", { name: "Look at this machine" }).click();
await owner.waitForSelector("text=needs no download");
await owner.getByRole("button", { name: "Ask the model again" }).click();
await owner.getByText(/Of \d+ calls it keeps/).waitFor();
await inspect(owner, "task-open");
await shoot(owner, "task-open");
seen.pages.task_open = await textOf(owner);
await go(owner, "#/calls");
await owner.locator("tbody a").first().click();
await settled(owner);
await owner.getByRole("button", { name: "Show content" }).click();
await owner.waitForSelector(".conversation li");
await inspect(owner, "call");
await shoot(owner, "call");
seen.pages.call = await textOf(owner);
await owner.goBack();
await settled(owner);
await owner.locator("tbody tr").first().locator("a").nth(1).click();  // its session
await owner.getByText("This session").waitFor();
await settled(owner);
await inspect(owner, "session");
await shoot(owner, "session");
seen.pages.session = await textOf(owner);
await go(owner, "#/nowhere");
seen.pages.nowhere = await textOf(owner);

// The map: zoom, filter, keyboard.
await go(owner, "#/tasks");
await owner.getByRole("button", { name: "Zoom in" }).click();
seen.checks.zoomed = (await owner.locator(".map svg").getAttribute("viewBox")).split(" ")[2] < 1000;
await owner.getByRole("searchbox").fill("zzz-nothing");
await owner.waitForSelector("text=No task matches");
await owner.getByRole("searchbox").fill("");
await owner.locator("a.place").first().focus();
await owner.keyboard.press("Enter");
await owner.waitForFunction(() => location.hash.startsWith("#/tasks/t-"));
seen.checks.map_by_keyboard = true;
// A switch of a route, seen at once on a page that is open beside it.
const beside = await open({ colorScheme: "dark" });
await beside.goto(plan.owner_url);
await settled(beside);
await beside.keyboard.press("Tab");
seen.checks.skip_link = await beside.evaluate(() => document.activeElement?.classList.contains("skip"));
await beside.evaluate(() => document.activeElement.blur());
await go(beside, "#/tasks");
const row = (page) => page.locator("tr", { has: page.locator(`a[href="#/tasks/${plan.task}"]`) });
await row(beside).getByText("small model", { exact: true }).waitFor();
await go(owner, "#/routing");
const change = (page) => row(page).getByRole("button", { name: /who answers/ });
await change(owner).click();
await owner.getByRole("radio", { name: /The LLM only/ }).check();
await owner.getByLabel("Why").fill("the browser test looks at it");
await inspect(owner, "routing-dialog");
await shoot(owner, "routing-dialog", false);
await owner.getByRole("button", { name: "Change", exact: true }).click();
await row(owner).getByText("off", { exact: true }).waitFor();
await row(beside).getByText("LLM", { exact: true }).waitFor();
seen.checks.live_update = true;
// A canary: a share of the sessions, then another share; the calls that a gateway answers meanwhile appear by themselves.
async function canary(share, reason, shot) {
  await change(owner).click();
  await owner.getByRole("radio", { name: /^Canary/ }).check();
  await owner.getByLabel("Percent of the sessions").fill(share);
  await owner.getByLabel("Why").fill(reason);
  if (shot) await inspect(owner, shot);
  if (shot) await shoot(owner, shot, false);
  await owner.getByRole("button", { name: "Change", exact: true }).click();
  await row(owner).getByText(`canary ${share} %`, { exact: true }).waitFor();
}
async function send(call) {
  const reply = await fetch(`${plan.gateway}/v1/chat/completions`, {
    method: "POST", headers: { "content-type": "application/json", "x-understudy-session": call.session }, body: JSON.stringify(call.request) });
  await reply.text();
  return { mode: reply.headers.get("x-understudy-mode"), reason: reply.headers.get("x-understudy-reason") };
}
await canary("40", "a first share", "canary-dialog");
const [knock, ...fresh] = plan.fresh;
for (const until = Date.now() + 5000; Date.now() < until && (await send(knock)).mode !== "canary";) await owner.waitForTimeout(50);
const sent = [];
for (const call of fresh) sent.push({ session: call.session, ...await send(call) });
seen.canary = sent;
const decisions = owner.getByRole("region", { name: "Decisions" });
await decisions.getByText("not in the canary").first().waitFor();
await decisions.getByText("accepted").first().waitFor();
await settled(owner);
await inspect(owner, "canary");
await shoot(owner, "canary");
await change(owner).click();
await owner.getByRole("radio", { name: /^Canary/ }).check();
seen.checks.share_kept = await owner.getByLabel("Percent of the sessions").inputValue();
await owner.getByRole("button", { name: "Cancel" }).click();
await canary("12.5", "less is enough");
seen.pages.canary = await textOf(owner);
// A virtual key: issued, shown once, revoked.
await go(owner, "#/keys");
await owner.getByRole("button", { name: "New virtual key…" }).click();
await owner.getByLabel("Name").fill("browser");
await owner.getByLabel("Requests per minute").fill("30");
await inspect(owner, "key-dialog");
await shoot(owner, "key-dialog", false);
await owner.getByRole("button", { name: "Issue" }).click();
seen.checks.secret_shown = (await owner.locator(".secret").textContent()).startsWith("us-");
await owner.getByRole("button", { name: "Done" }).click();
await owner.getByRole("button", { name: "Revoke browser" }).click();
await owner.getByRole("button", { name: "Revoke", exact: true }).click();
await owner.locator("tr", { hasText: "browser" }).getByText("revoked").waitFor();
seen.checks.secret_gone = !(await textOf(owner)).includes("us-");
// The theme goes with the button, whatever the system says.
await go(owner, "#/settings");
await owner.getByRole("button", { name: "theme: auto" }).click();
await owner.getByRole("button", { name: "theme: light" }).click();
await owner.waitForFunction(() => document.documentElement.dataset.theme === "dark");
seen.checks.theme = await owner.evaluate(() => document.documentElement.dataset.theme);
await owner.context().close();

// Dark, wide; then a phone, where nothing may be wider than the screen.
for (const [name, hash] of walk) {
  await go(beside, hash);
  await inspect(beside, `${name} dark`);
  if (["overview", "tasks", "task", "routing"].includes(name)) await shoot(beside, `${name}-dark`);
}
await beside.context().close();
// Words of the map that cover each other, or leave it.
const wordsApart = (page) => page.evaluate(() => {
  const map = document.querySelector(".map svg").getBoundingClientRect();
  const boxes = [...document.querySelectorAll(".map text")].map((text) => text.getBoundingClientRect());
  const inside = boxes.every((box) => box.left >= map.left - 1 && box.right <= map.right + 1 && box.bottom <= map.bottom + 1);
  const places = [...document.querySelectorAll(".map .place")].map((place) => [...place.querySelectorAll("text")].map((text) => text.getBoundingClientRect()));
  const apart = places.every((some, index) => places.slice(index + 1).every((others) => some.every((a) => others.every((b) =>
    a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1))));
  return inside && apart;
});
const small = await open({ viewport: phone, isMobile: true, hasTouch: true });
seen.checks.phone_tables = [];
await small.goto(plan.owner_url);
await settled(small);
seen.checks.phone_overflow = [];
for (const [name, hash] of walk) {
  await go(small, hash);
  const over = await small.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (over > 1) seen.checks.phone_overflow.push(`${name}: ${over} px too wide`);
  seen.checks.phone_tables.push(...await hiddenTables(small, name));
  if (name === "tasks") seen.checks.map_words_apart = await wordsApart(small);
  await shoot(small, `${name}-phone`);
}
await go(small, "#/settings");
seen.checks.phone_frame = await small.getByRole("button", { name: /^Theme:/ }).isVisible() && await small.getByRole("button", { name: "Leave" }).isVisible();
await go(small, "#/routing");
seen.checks.switch_on_a_phone = await change(small).isVisible();
await small.context().close();

// An auditor sees metadata, and no content.
const auditor = await open();
await auditor.goto(plan.url);
await auditor.getByLabel("Token").fill(plan.auditor);
await auditor.getByRole("button", { name: "Open the console" }).click();
await settled(auditor);
await go(auditor, "#/calls");
await auditor.locator("tbody a").first().click();
await settled(auditor);
seen.pages.auditor_call = await textOf(auditor);
await go(auditor, `#/tasks/${plan.task}`);
seen.pages.auditor_task = await textOf(auditor);
await auditor.context().close();

// What loads, what fails, and a console that is gone.
const failing = await open();
failing.removeAllListeners("console");  // the browser reports the failures itself
failing.removeAllListeners("requestfailed");
await failing.route("**/api/events", (route) => route.abort());
await failing.goto(plan.owner_url);
await failing.locator(".banner").waitFor();
await settled(failing);
await inspect(failing, "away");
await shoot(failing, "away", false);
seen.pages.away = await textOf(failing);
let answer;
const asked = new Promise((ask) => { answer = ask; });
await failing.route("**/api/tasks", async (route) => { await asked; await route.fulfill({ status: 503, json: { error: { message: "the disk is away", hint: "mount it", code: "unavailable" } } }); });
await failing.evaluate(() => { location.hash = "#/tasks"; });
await failing.locator(".loading").waitFor();
await shoot(failing, "loading", false);
seen.pages.loading = await failing.locator(".loading").textContent();
answer();
await failing.getByRole("button", { name: "Try again" }).waitFor();
await inspect(failing, "failed");
await shoot(failing, "failed", false);
seen.pages.failed = await textOf(failing);
await failing.unroute("**/api/tasks");
await failing.getByRole("button", { name: "Try again" }).click();
await failing.locator(".map svg").waitFor();
seen.checks.tried_again = true;
await failing.context().close();

// A token that is none.
const wrong = await open();
wrong.removeAllListeners("console");  // the browser reports the 401 itself
await wrong.goto(plan.url);
await wrong.getByLabel("Token").fill("ut-" + "A".repeat(43));
await wrong.getByRole("button", { name: "Open the console" }).click();
await wrong.getByRole("alert").waitFor();
seen.pages.wrong = await textOf(wrong);

// A home without anything yet.
if (plan.empty_url) {
  const empty = await open();
  await empty.goto(plan.empty_url);
  await settled(empty);
  for (const [name, hash] of walk.filter(([, hash]) => !hash.startsWith("#/tasks/"))) {
    await go(empty, hash);
    seen.pages[`empty ${name}`] = await textOf(empty);
    await inspect(empty, `empty ${name}`);
    if (["overview", "tasks"].includes(name)) await shoot(empty, `${name}-empty`);
  }
}
await browser.close();
console.log(JSON.stringify(seen));
