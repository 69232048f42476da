// The page: sends what the user asks for to the worker, and shows what comes back.

import { Client } from "./client.js";
import { SEEDS } from "./noise.js";
import { draw, Viewer } from "./viewer.js";

const part = (id) => document.getElementById(id);
const client = new Client();
const viewer = new Viewer(part("view"), part("stage"), part("slider"), part("zoom"));

let models = [];
let photo = null; // {name, orientation, ...} of the open file
let result = null; // {pixels, comment, suffix} of the picture on display

/** Send a request to the worker, with progress and a way to cancel; undefined if it failed. */
async function run(doing, method, parameters) {
  setBusy(true);
  say("");
  part("progress").value = 0;
  try {
    return await client.request(method, parameters, ({ share, what }) => {
      part("running").hidden = false;
      part("progress").value = share;
      part("doing").textContent = what ?? doing;
    });
  } catch (error) {
    say(error.cancelled ? "Cancelled." : `${photo?.name ?? "JPEG"}: ${error.message}`, !error.cancelled);
    return undefined;
  } finally {
    part("running").hidden = true;
    setBusy(false);
  }
}

async function open(file) {
  photo = { name: file.name };
  const opened = await run("reading", "open", { file });
  if (!opened) return;
  photo = { ...photo, ...opened, size: file.size };
  result = null;
  document.body.classList.remove("empty");
  part("shown").hidden = true;
  draw(part("before"), opened.pixels, opened.orientation);
  draw(part("after"), opened.pixels, opened.orientation);
  viewer.fit();
  showFacts();
  await restore();
}

async function restore() {
  const parameters = chosen();
  if (!parameters) return;
  const sample = await run("restoring", "restore", parameters);
  if (!sample) return;
  const { seed, model, projected } = parameters;
  show(sample.pixels, drawsSamples(model) ? `sample ${seed}` : "restored", {
    comment: `keras_jpeg_gan in the browser; model ${model}; seed ${seed}; projection ${projected ? "float" : "none"}`,
    suffix: ".restored",
  });
  showFacts(sample);
}

async function deviate() {
  const parameters = chosen();
  if (!parameters) return;
  const count = Number(part("count").value);
  const deviation = await run("drawing", "deviate", { ...parameters, count });
  if (!deviation) return;
  show(deviation.pixels, `deviation of ${count} samples`, {
    comment: `keras_jpeg_gan in the browser; model ${parameters.model}; deviation of ${count} samples`,
    suffix: ".deviation",
  });
  say(
    `The samples differ by ${deviation.mean.toFixed(1)} grey levels on average. White: they agree; darker: they differ.`,
  );
}

/** The settings of the controls, or undefined if the seed is invalid. */
function chosen() {
  const text = part("seed").value.trim();
  if (!/^\d+$/.test(text) || BigInt(text) >= SEEDS) {
    say("The seed must be a whole number from 0 to 2^64 - 1.", true);
    return undefined;
  }
  return { model: part("model").value, seed: text, projected: part("projected").checked };
}

function show(pixels, tag, { comment, suffix }) {
  result = { pixels, comment, suffix };
  draw(part("after"), pixels, photo.orientation);
  part("shown").textContent = tag;
  part("shown").hidden = false;
  part("download").disabled = false;
}

async function download() {
  const { pixels, comment, suffix } = result;
  const blob = await run("writing", "png", { pixels, comment });
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = photo.name.replace(/\.[^.]*$/, "") + suffix + ".png";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Where the levels that the projection uses came from.
const SOURCES = {
  planes: "from the decoder's component planes",
  pixels: "estimated from the decoded pixels",
};

function showFacts(sample) {
  const { width, height } = photo.pixels;
  const facts = [
    ["File", `${photo.name}, ${Math.ceil(photo.size / 1024)} kB`],
    ["Image", `${width} × ${height}, ${photo.sampling}, ${photo.frame}`],
  ];
  if (sample) {
    facts.push([
      "Network",
      `${sample.accelerator}, tiles of ${sample.tile}, ${sample.seconds.toFixed(1)}\u00a0s`,
    ]);
    if (sample.source) {
      const kept = sample.levels - sample.missed;
      facts.push(["Levels", `${SOURCES[sample.source]}; ${share(kept, sample.levels)} kept after rounding`]);
    }
  }
  const entries = facts.flatMap(([term, text]) => [
    ["dt", term],
    ["dd", text],
  ]);
  part("facts").replaceChildren(
    ...entries.map(([tag, text]) => Object.assign(document.createElement(tag), { textContent: text })),
  );
}

/** A share as a percentage, or "all". */
function share(count, all) {
  return count === all ? "all" : `${(Math.floor((count / all) * 10000) / 100).toFixed(2)}\u00a0%`;
}

function setBusy(busy) {
  for (const id of ["seed", "model", "projected", "count", "file"]) part(id).disabled = busy;
  for (const id of ["another", "deviate"]) part(id).disabled = busy || !drawsSamples(part("model").value);
  part("download").disabled = busy || !result;
}

/** Whether a model takes noise. A regression does not. */
function drawsSamples(model) {
  return models.some((card) => card.model === model && card.noise_strides.length > 0);
}

function say(text, bad = false) {
  part("said").textContent = text;
  part("said").classList.toggle("bad", bad);
}

function listen() {
  part("file").addEventListener("change", ({ target }) => {
    if (target.files.length) open(target.files[0]);
    target.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  addEventListener("dragleave", () => document.body.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file && !part("file").disabled) open(file);
  });
  part("another").addEventListener("click", () => {
    if (!chosen()) return;
    part("seed").value = (BigInt(part("seed").value) + 1n) % SEEDS;
    restore();
  });
  for (const id of ["seed", "model", "projected"]) part(id).addEventListener("change", restore);
  part("deviate").addEventListener("click", deviate);
  part("cancel").addEventListener("click", () => client.cancel());
  part("download").addEventListener("click", download);
}

async function start() {
  models = (await run("starting", "models")) ?? [];
  const names = [...new Set(models.map((card) => card.model))];
  part("model").replaceChildren(...names.map((name) => new Option(name)));
  listen();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("./offline.js");
}

start();
