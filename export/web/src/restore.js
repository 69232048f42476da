// One sample of one photograph: the network over its windows, the projection, and rounding.

import { cropped, extended, overlaid } from "./border.js";
import { damp } from "./colour.js";
import { noiseWindow } from "./noise.js";
import { countMissed, project } from "./projection.js";
import { cutWindow, pasteWindow, windows } from "./tiles.js";

/**
 * What the network makes of an image, without colour where the image has none all around.
 *
 * @param {ImageData} decoded the file's decode.
 * @param {object} network a Network, or what has its `card` and `run`.
 * @param {Float32Array} tables [2, 8, 8] in steps.
 * @param {bigint} seed which sample.
 * @param {(share: number) => Promise<void>} progress awaited after each window, 0..1; may throw.
 * @returns {Promise<object>} an image of three channels, as codec.js has it, not clipped.
 */
export async function estimate(decoded, network, tables, seed, progress) {
  const { width, height } = decoded;
  const { tile, noise_strides: strides } = network.card;
  const image = { width, height, channels: 3, data: new Float32Array(3 * width * height) };
  const all = windows(height, width, network.card);
  for (const [i, { y, x }] of all.entries()) {
    const noise = strides.map((stride, f) =>
      noiseWindow(seed, f, y.start / stride, x.start / stride, tile / stride, tile / stride),
    );
    const pixels = cutWindow(decoded, y.start, x.start, tile);
    pasteWindow(image, await network.run(pixels, tables, noise), { y, x }, tile);
    await progress((i + 1) / all.length);
  }
  return damp(image, decoded);
}

/**
 * Project an estimate onto a file's levels, if they are given, and round it.
 *
 * @param {object} estimated as `estimate` gives it.
 * @param {object} header of the file.
 * @param {object[]} levels planes, one for each component; null to leave out the projection.
 * @param {boolean} free whether samples beyond the image are free (border.js).
 * @returns {{pixels: ImageData, missed: number?}} how many levels the rounded image misses.
 */
export function finish(estimated, header, levels, free = false) {
  const gray = header.components.length === 1;
  const image = gray ? meanOfChannels(estimated) : estimated;
  if (!levels) return { pixels: rounded(image), missed: null };
  const whole = free ? extended(image, header, levels) : { image, levels };
  const found = project(whole.image, header, whole.levels);
  const pixels = rounded(cropped(found, image.width, image.height));
  const shown = overlaid(found, fromPixels(pixels, gray));
  return { pixels, missed: countMissed(shown, header, whole.levels) };
}

/** An ImageData as an image with three channels, or one if it is gray. */
export function fromPixels({ width, height, data }, gray) {
  const channels = gray ? 1 : 3;
  const values = Float32Array.from({ length: channels * width * height }, (_, k) =>
    gray ? data[4 * k] : data[4 * Math.floor(k / 3) + (k % 3)],
  );
  return { width, height, channels, data: values };
}

/** The channel mean is the nearest gray image. */
function meanOfChannels({ width, height, data }) {
  const gray = Float32Array.from(
    { length: width * height },
    (_, k) => (data[3 * k] + data[3 * k + 1] + data[3 * k + 2]) / 3,
  );
  return { width, height, channels: 1, data: gray };
}

function rounded({ width, height, channels, data }) {
  const result = new ImageData(width, height);
  for (let k = 0; k < width * height; k += 1) {
    for (let i = 0; i < 3; i += 1) {
      result.data[4 * k + i] = data[channels * k + (channels === 3 ? i : 0)]; // halves to even
    }
    result.data[4 * k + 3] = 255;
  }
  return result;
}
