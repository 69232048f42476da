// A file's levels without an entropy decoder: no maintained one on npm returns coefficients. Where
// the browser exposes the decoded component planes (WebCodecs), their rounded DCT gives the levels
// back, except for some where samples were clipped. Otherwise the decoded pixels are compressed
// again; their colours were rounded and their chroma smoothed, so luma is good and chroma less so.

import { componentPlanes, forward, inverse } from "./codec.js";
import { largestFactors, withWholeBlocks } from "./jpeg.js";

// Rounds of estimating the samples as they were before the decoder clipped them.
const UNCLIPPING = 10;

const PLANAR = new Set(["I420", "I422", "I444"]);

/**
 * The levels of a file.
 *
 * @param {Uint8Array} bytes the file, without EXIF.
 * @param {object} header of the file.
 * @param {object} image its decode, in the form that codec.js uses.
 * @returns {Promise<{levels: object[], source: "planes" | "pixels"}>}
 */
export async function estimateLevels(bytes, header, image) {
  const decoded = await decodedPlanes(bytes, header);
  const planes = decoded ?? componentPlanes(image, header.components);
  const levels = planes.map((plane, i) => {
    return decoded ? unclippedLevels(plane, header.tables[i]) : roundedLevels(plane, header.tables[i]);
  });
  return { levels, source: decoded ? "planes" : "pixels" };
}

function roundedLevels(plane, table) {
  const { rows, columns, data } = forward(plane, table);
  return { rows, columns, data: data.map(Math.round) };
}

/** Levels of a decoded plane less 128; clipped samples may have been anywhere beyond -128 or 127. */
export function unclippedLevels(plane, table) {
  const levels = roundedLevels(plane, table);
  for (let top = 0; top < plane.rows; top += 8) {
    for (let left = 0; left < plane.columns; left += 8) {
      const at = Array.from({ length: 64 }, (_, k) => (top + (k >> 3)) * plane.columns + left + (k & 7));
      const samples = Float32Array.from(at, (k) => plane.data[k]);
      if (!samples.some(isClipped)) continue;
      const found = unclippedBlock(samples, table);
      at.forEach((to, k) => (levels.data[to] = found[k]));
    }
  }
  return levels;
}

/** Levels [64] of a block; clipped samples are estimated repeatedly from the levels so far. */
function unclippedBlock(samples, table) {
  const block = { rows: 8, columns: 8 };
  let levels = roundedLevels({ ...block, data: samples }, table).data;
  for (let round = 0; round < UNCLIPPING; round += 1) {
    const meant = inverse({ ...block, data: levels }, table).data;
    const data = samples.map((sample, k) => {
      if (!isClipped(sample)) return sample;
      return sample < 0 ? Math.min(sample, meant[k]) : Math.max(sample, meant[k]);
    });
    const next = roundedLevels({ ...block, data }, table).data;
    if (next.every((level, k) => level === levels[k])) break;
    levels = next;
  }
  return levels;
}

function isClipped(sample) {
  return sample === -128 || sample === 127;
}

/** Each component's samples less 128, or null where the browser does not expose them. */
async function decodedPlanes(bytes, header) {
  if (!("ImageDecoder" in globalThis)) return null;
  let frame;
  try {
    const data = withWholeBlocks(bytes, header);
    const decoder = new ImageDecoder({ data, type: "image/jpeg", colorSpaceConversion: "none" });
    ({ image: frame } = await decoder.decode());
    decoder.close();
    const samples = new Uint8Array(frame.allocationSize());
    const layouts = await frame.copyTo(samples);
    const gray = header.components.length === 1; // decoded to RGB with equal channels
    if (!gray && !PLANAR.has(frame.format)) return null;
    return header.components.map((part, i) =>
      wholeBlocks(
        samples,
        layouts[i],
        gray ? 4 : 1,
        sizeOf(part, frame.visibleRect, header),
        blocksOf(part, header),
      ),
    );
  } catch {
    return null; // the pixels are used instead
  } finally {
    frame?.close();
  }
}

function sizeOf(part, { width, height }, { components }) {
  const [across, down] = largestFactors(components);
  return [Math.ceil((height * part.down) / down), Math.ceil((width * part.across) / across)];
}

function blocksOf(part, header) {
  return sizeOf(part, header, header).map((size) => 8 * Math.ceil(size / 8));
}

function wholeBlocks(samples, { offset, stride }, step, [height, width], [rows, columns]) {
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const line = offset + Math.min(row, height - 1) * stride;
    for (let column = 0; column < columns; column += 1) {
      data[row * columns + column] = samples[line + step * Math.min(column, width - 1)] - 128;
    }
  }
  return { rows, columns, data };
}
