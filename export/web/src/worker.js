// The worker decodes a photograph, restores it and compares samples; the page only displays.
// Requests are {id, method, parameters}; replies are {id, progress} and finally {id, result} or
// {id, error}. {cancel: true} stops the running request.

import { isFree } from "./border.js";
import { estimateLevels } from "./levels.js";
import { networkTables, orientationOf, readHeader, samplingName, withoutExtras } from "./jpeg.js";
import { Network } from "./network.js";
import { SEEDS } from "./noise.js";
import { withMetadata } from "./png.js";
import { estimate, finish, fromPixels } from "./restore.js";
import { Spread, deviationMap } from "./spread.js";
import { chooseTile } from "./tiles.js";

const BASE = new URL("..", self.location.href).href; // the worker lies in assets/

class Cancelled extends Error {}

let cards;
let network;
let photo;
let cancelled = false;

const METHODS = {
  /** The cards of all models. */
  async models() {
    const response = await fetch(`${BASE}models/index.json`);
    cards = await response.json();
    return cards;
  },

  /** Open a JPEG file, to which all further requests refer. */
  async open({ file }) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const original = readHeader(bytes);
    const coded = withoutExtras(bytes, original);
    const header = readHeader(coded);
    const decoded = await decode(coded);
    if (decoded.width !== header.width || decoded.height !== header.height) {
      throw new Error("the browser decodes this file to another size");
    }
    photo = { header, coded, decoded, metadata: original };
    return {
      pixels: decoded,
      sampling: samplingName(header),
      frame: header.frame,
      orientation: orientationOf(original.exif),
    };
  },

  /** Restore the photograph with one seed. */
  async restore({ model, seed, projected }, progress) {
    await load(model, progress);
    const started = performance.now();
    const sample = await draw(BigInt(seed), projected, progress);
    const seconds = (performance.now() - started) / 1000;
    const { accelerator, card } = network;
    const { source, count } = projected ? photo.levels : {};
    return { ...sample, seconds, accelerator, tile: card.tile, source, levels: count };
  },

  /** Draw several samples, starting at a seed, and map where they differ. */
  async deviate({ model, seed, projected, count }, progress) {
    await load(model, progress);
    const spread = new Spread();
    for (let k = 0; k < count; k += 1) {
      const within = (share) => progress((k + share) / count, `sample ${k + 1} of ${count}`);
      const { pixels } = await draw((BigInt(seed) + BigInt(k)) % SEEDS, projected, within);
      spread.add(pixels.data);
    }
    const { deviation } = spread;
    const { width, height } = photo.header;
    const mean = deviation.reduce((sum, value) => sum + value, 0) / deviation.length;
    return { pixels: new ImageData(deviationMap(deviation), width, height), mean };
  },

  /** Encode pixels as a PNG file with the photograph's metadata. */
  async png({ pixels, comment }) {
    const canvas = new OffscreenCanvas(pixels.width, pixels.height);
    canvas.getContext("2d", { alpha: false }).putImageData(pixels, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/png" });
    return withMetadata(new Uint8Array(await blob.arrayBuffer()), photo.metadata, comment);
  },
};

/** The browser's own decode, bit for bit: without colour management, alpha or rotation. */
async function decode(bytes) {
  const blob = new Blob([bytes], { type: "image/jpeg" });
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, options);
  } catch {
    throw new Error("the browser cannot decode it: a broken JPEG; get another copy");
  }
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** Load the network of a model whose tile suits the photograph best. */
async function load(model, progress) {
  const { width, height } = photo.header;
  const card = chooseTile(
    cards.filter((one) => one.model === model),
    height,
    width,
  );
  if (network?.card === card) return;
  await progress(0, "loading the network");
  network?.delete();
  network = undefined;
  network = await Network.load(card, BASE);
}

async function draw(seed, projected, progress) {
  const { header, coded, decoded } = photo;
  photo.tables ??= networkTables(header.tables);
  const estimated = await estimate(decoded, network, photo.tables, seed, progress);
  if (projected) photo.levels ??= await levelsOf(coded, header, decoded);
  return finish(estimated, header, projected ? photo.levels.planes : null, photo.levels?.free);
}

async function levelsOf(coded, header, decoded) {
  const image = fromPixels(decoded, header.components.length === 1);
  const { levels: planes, source } = await estimateLevels(coded, header, image);
  const free = isFree(image, header, planes);
  return { planes, source, free, count: planes.reduce((sum, { data }) => sum + data.length, 0) };
}

/** Report progress, and stop if the request was cancelled. */
function reporter(id) {
  return async (share, what) => {
    self.postMessage({ id, progress: { share, what } });
    await new Promise((resolve) => setTimeout(resolve)); // messages arrive between tasks
    if (cancelled) throw new Cancelled("cancelled");
  };
}

self.addEventListener("message", async ({ data: { id, method, parameters, cancel } }) => {
  cancelled = Boolean(cancel);
  if (cancel) return;
  try {
    self.postMessage({ id, result: await METHODS[method](parameters, reporter(id)) });
  } catch (error) {
    self.postMessage({ id, error: { message: error.message, cancelled: error instanceof Cancelled } });
  }
});
