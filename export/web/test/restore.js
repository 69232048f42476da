// node test/restore.js IMAGE.jpg OUTPUT.png [--model=NAME] [--seed=N] [--projection=float|none]
//     [--flag=CHROMIUM_FLAG ...] [--screenshot=FILE.png]
// Restores a JPEG with the built page in Chromium; prints what the page says and requests as JSON.

import { copyFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { download, give, idle, openPage } from "./browser.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    seed: { type: "string", default: "0" },
    projection: { type: "string", default: "float" },
    flag: { type: "string", multiple: true, default: [] },
    screenshot: { type: "string" },
  },
});
const [image, output] = positionals;

const { page, requests, errors, origin, close } = await openPage(values.flag);
try {
  await page.evaluate(({ model, seed, projection }) => {
    if (model) document.getElementById("model").value = model;
    document.getElementById("seed").value = seed;
    document.getElementById("projected").checked = projection === "float";
  }, values);
  await give(page, image);
  const said = await page.textContent("#said");
  const facts = await page.textContent("#facts");
  if (values.screenshot) await page.screenshot({ path: values.screenshot });
  let name = null;
  if (await page.isEnabled("#download")) {
    const saved = await download(page);
    copyFileSync(saved.path, output);
    name = saved.name;
    await idle(page);
  }
  console.log(JSON.stringify({ said, facts, name, origin, requests, errors }));
} finally {
  await close();
}
