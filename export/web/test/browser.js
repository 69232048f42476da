// The built page in a headless Chromium, for tests: CHROMIUM is its path, by default Debian's.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { preview } from "vite";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why the page cannot be tested here, or undefined. */
export function missing() {
  if (!existsSync(EXECUTABLE)) return `no ${EXECUTABLE}`;
  const index = new URL("../dist/index.html", import.meta.url);
  return existsSync(index) ? undefined : "no dist/: npm run build makes it";
}

/**
 * Serve dist/ and open it.
 *
 * @param {string[]} flags more of Chromium's.
 * @returns {Promise<object>} page; requests: the URLs asked for so far; errors: what the page logged
 *   as such; origin; close().
 */
export async function openPage(flags = []) {
  const root = new URL("..", import.meta.url).pathname;
  const server = await preview({ root, logLevel: "error", preview: { port: 0, host: "localhost" } });
  const [origin] = server.resolvedUrls.local;
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", ...flags] });
  const context = await browser.newContext({ viewport: { width: 1120, height: 720 } });
  const page = await context.newPage();
  page.setDefaultTimeout(300_000); // a sample takes seconds even on an idle machine
  const [requests, errors] = [[], []];
  context.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    const chatter = /^(INFO|WARNING):/.test(message.text()); // LiteRT logs everything as errors
    if (message.type() === "error" && !chatter) errors.push(message.text());
  });
  await page.goto(origin);
  await page.waitForFunction(() => document.querySelectorAll("#model option").length > 0);
  const close = async () => {
    await browser.close();
    await server.close();
  };
  return { page, context, requests, errors, origin, server, close };
}

/** Wait until no request is running. */
export async function idle(page) {
  await page.waitForFunction(() => !document.getElementById("file").disabled);
}

/** Open a file in the page, and wait for its sample. */
export async function give(page, file) {
  await page.setInputFiles("#file", file);
  await idle(page);
}

/** The path of the temporary PNG file that the page's button saves. */
export async function download(page) {
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  return { path: await saved.path(), name: saved.suggestedFilename() };
}
