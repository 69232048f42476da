// What a user does with the built page in Chromium. Needs dist/ (npm run build).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { download, give, idle, missing, openPage } from "./browser.js";

const PHOTO = new URL("../../../examples/wood.jpg", import.meta.url).pathname;
const skip = missing();

let opened, page;

before(async () => {
  if (skip) return;
  opened = await openPage();
  page = opened.page;
});

after(async () => {
  await opened?.close();
});

const shown = () => page.evaluate(() => document.getElementById("after").toDataURL());
const text = (id) => page.textContent(`#${id}`);

test("a file that is no JPEG is refused with a reason, and the page goes on", { skip }, async () => {
  await give(page, { name: "note.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no photograph") });
  assert.match(await text("said"), /^note\.jpg: not a JPEG/);
});

test("a JPEG is restored, and the page says from what and how", { skip }, async () => {
  await give(page, PHOTO);
  assert.equal(await text("said"), "");
  assert.equal(await text("shown"), "sample 0");
  assert.match(await text("facts"), /480 × 360, 4:2:0, baseline.*(WebAssembly|WebGPU).*component planes/);
  const same = await page.evaluate(() => {
    const [before, after] = ["before", "after"].map((id) => document.getElementById(id));
    return before.width === 480 && after.width === 480 && before.toDataURL() === after.toDataURL();
  });
  assert.equal(same, false);
});

test("the slider shows more of the one or the other", { skip }, async () => {
  const clip = () => page.evaluate(() => getComputedStyle(document.getElementById("after")).clipPath);
  const box = await page.locator("#slider").boundingBox();
  await page.mouse.click(box.x + box.width / 4, box.y + box.height / 2);
  assert.match(await clip(), /inset\(0px 0px 0px 2[45]\.?\d*%\)/);
  await page.press("#slider", "End");
  assert.match(await clip(), /100%/);
  await page.press("#slider", "Home");
});

test("another sample differs, and its seed gives it again", { skip }, async () => {
  const first = await shown();
  await page.click("#another");
  await idle(page);
  assert.equal(await text("shown"), "sample 1");
  assert.notEqual(await shown(), first);
  await page.fill("#seed", "0");
  await page.press("#seed", "Enter");
  await idle(page);
  assert.equal(await shown(), first);
  await page.fill("#seed", "-1");
  await page.press("#seed", "Enter");
  assert.match(await text("said"), /0 to 2\^64 - 1/);
  await page.fill("#seed", "0");
  await page.press("#seed", "Enter");
  await idle(page);
});

test("the PNG has what is shown, under the photograph's name", { skip }, async () => {
  const { name } = await download(page);
  assert.equal(name, "wood.restored.png");
  await idle(page);
});

test("the deviation of samples is a gray map", { skip }, async () => {
  await page.selectOption("#count", "4");
  await page.click("#deviate");
  await idle(page);
  assert.equal(await text("shown"), "deviation of 4 samples");
  assert.match(await text("said"), /differ by \d+\.\d grey levels/);
  const gray = await page.evaluate(() => {
    const canvas = document.getElementById("after");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.every((value, k) => k % 4 === 3 || value === data[k - (k % 4)]);
  });
  assert.ok(gray);
});

test("work is cancelled between windows, and begun anew", { skip }, async () => {
  await page.selectOption("#count", "32");
  await page.click("#deviate");
  await page.waitForFunction(() => document.getElementById("progress").value > 0);
  assert.ok(await page.isVisible("#running"));
  await page.click("#cancel");
  await idle(page);
  assert.equal(await text("said"), "Cancelled.");
  await page.click("#another");
  await idle(page);
  assert.equal(await text("shown"), "sample 1");
});

test("a regression draws no samples", { skip }, async (context) => {
  const models = await page.locator("#model option").allTextContents();
  if (!models.includes("regression")) return context.skip("no regression in this build");
  await page.selectOption("#model", "regression");
  await idle(page);
  assert.equal(await text("shown"), "restored");
  assert.ok(await page.isDisabled("#another"));
  assert.ok(await page.isDisabled("#deviate"));
});

test("without a network the page opens and restores again", { skip }, async () => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await opened.server.close();
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll("#model option").length > 0);
  await give(page, PHOTO);
  assert.equal(await text("said"), "");
  assert.equal(await text("shown"), "sample 0");
});

test("nothing was asked of any other machine, and nothing failed", { skip }, () => {
  const local = (url) => url.startsWith(opened.origin) || url.startsWith("blob:") || url.startsWith("data:");
  assert.deepEqual(
    opened.requests.filter((url) => !local(url)),
    [],
  );
  assert.deepEqual(opened.errors, []);
});
