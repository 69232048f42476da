// The float projection, as keras_jpeg_gan/jpeg/tensors/consistency.py: the nearest image whose unrounded
// coefficients lie within half a step of the file's levels. Images and planes as in codec.js.

import { addChange, componentPlanes, forward, inverse } from "./codec.js";
import { largestFactors } from "./jpeg.js";

// Distance to keep from the borders of the cells, in steps: there rounding may go either way.
export const MARGIN = 0.02;

// Where the image's border cuts an MCU.
const EDGE_ITERATIONS = 60;

// Rows of pixels processed at once, to bound memory; a multiple of every MCU height.
const STRIP = 192;

/**
 * Project an image onto a file's levels. In whole MCUs this is the orthogonal projection; in those
 * that the right or lower border cuts, an accelerated alternating projection.
 *
 * @param {object} image
 * @param {{components: object[], tables: ArrayLike<number>[]}} file
 * @param {object[]} levels planes of integers, one for each component.
 * @returns {object} an image, not clipped.
 */
export function project(image, file, levels, margin = MARGIN) {
  const result = { ...image, data: image.data.slice() };
  for (const strip of strips(result, file, levels)) {
    strip.image.data.set(step(strip.image, file, strip.levels, margin).data);
  }
  const unit = largestFactors(file.components).map((factor) => 8 * factor);
  const cut = [Math.floor((image.width - 1) / unit[0]), Math.floor((image.height - 1) / unit[1])];
  if (image.width % unit[0]) projectBorder(result, file, levels, margin, cut[0], 0);
  if (image.height % unit[1]) projectBorder(result, file, levels, margin, 0, cut[1]);
  return result;
}

/** How many of a file's levels an image misses by more than half a step. */
export function countMissed(image, file, levels) {
  let missed = 0;
  for (const strip of strips(image, file, levels)) {
    componentPlanes(strip.image, file.components).forEach((plane, i) => {
      forward(plane, file.tables[i]).data.forEach((value, k) => {
        if (Math.abs(value - strip.levels[i].data[k]) > 0.5) missed += 1;
      });
    });
  }
  return missed;
}

/** Views of an image's rows and of their levels, in strips of whole MCUs. */
function* strips(image, { components }, levels) {
  const [, vMax] = largestFactors(components);
  const line = image.width * image.channels;
  for (let top = 0; top < image.height; top += STRIP) {
    const bottom = Math.min(top + STRIP, image.height);
    const rows = { ...image, height: bottom - top, data: image.data.subarray(top * line, bottom * line) };
    const own = levels.map(({ rows: height, columns, data }, i) => {
      const [first, last] = [top, top + STRIP].map((y) => Math.min((y * components[i].down) / vMax, height));
      return { rows: last - first, columns, data: data.subarray(first * columns, last * columns) };
    });
    yield { image: rows, levels: own };
  }
}

/** Clamp the coefficients to their cells, and spread the change over the pixels. */
function step(image, { components, tables }, levels, margin) {
  const reach = 0.5 - margin;
  const changes = componentPlanes(image, components).map((plane, i) => {
    const found = forward(plane, tables[i]);
    found.data.forEach((value, k) => {
      const error = value - levels[i].data[k];
      found.data[k] = Math.min(Math.max(error, -reach), reach) - error;
    });
    return inverse(found, tables[i]);
  });
  return addChange(image, changes, components);
}

/** Iterate, in place, on the part to the right of or below a number of MCUs (the other is 0). */
function projectBorder(image, file, levels, margin, across, down) {
  const [hMax, vMax] = largestFactors(file.components);
  const [left, top] = [8 * hMax * across, 8 * vMax * down];
  const borderLevels = levels.map((plane, i) => {
    const { across: h, down: v } = file.components[i];
    return cropPlane(plane, 8 * h * across, 8 * v * down);
  });
  const border = iterate(cropImage(image, left, top), file, borderLevels, margin);
  const line = border.width * image.channels;
  for (let row = 0; row < border.height; row += 1) {
    const to = ((top + row) * image.width + left) * image.channels;
    image.data.set(border.data.subarray(row * line, (row + 1) * line), to);
  }
}

/** Steps with Nesterov momentum (FISTA of Beck and Teboulle, with simpler weights). */
function iterate(image, file, levels, margin) {
  let before = image;
  let ahead = image;
  for (let k = 0; k < EDGE_ITERATIONS; k += 1) {
    const after = step(ahead, file, levels, margin);
    const momentum = k / (k + 3);
    const data = after.data.map((value, i) => value + momentum * (value - before.data[i]));
    [before, ahead] = [after, { ...image, data }];
  }
  return before;
}

export function cropImage({ width, height, channels, data }, left, top) {
  const cropped = crop(data, width * channels, height, left * channels, top);
  return { width: width - left, height: height - top, channels, data: cropped };
}

export function cropPlane({ rows, columns, data }, left, top) {
  return { rows: rows - top, columns: columns - left, data: crop(data, columns, rows, left, top) };
}

function crop(data, width, height, left, top) {
  const result = new data.constructor((width - left) * (height - top));
  for (let row = top; row < height; row += 1) {
    result.set(data.subarray(row * width + left, (row + 1) * width), (row - top) * (width - left));
  }
  return result;
}
