// Samples below and to the right of the image, as keras_jpeg_gan/jpeg/projection/border.py: encoders of
// phones write zeros or black there. If no image whose edge is repeated has a file's levels, they
// are free: the image is extended to whole MCUs, projected, and cropped. Images and planes as in codec.js.

import { addChange, componentPlanes, forward, inverse } from "./codec.js";
import { largestFactors } from "./jpeg.js";
import { cropImage, cropPlane, project } from "./projection.js";

// How far an orthonormal coefficient may stay from its cell; libjpeg's own rounding leaves 2 at most.
const FAR = 4;

/**
 * Whether no image whose edge is repeated has the levels.
 *
 * @param {object} image the decode.
 * @param {{components: object[], tables: ArrayLike<number>[]}} file
 * @param {object[]} levels planes of integers, one for each component.
 */
export function isFree(image, file, levels) {
  const [across, down] = largestFactors(file.components).map((factor) => 8 * factor);
  const [right, bottom] = [Math.floor(image.width / across), Math.floor(image.height / down)];
  const strips = [];
  if (image.width % across) strips.push([right, 0]);
  if (image.height % down) strips.push([0, bottom]);
  return strips.some(([x, y]) => {
    const own = levels.map((plane, i) => {
      const part = file.components[i];
      return cropPlane(plane, 8 * part.across * x, 8 * part.down * y);
    });
    const found = project(cropImage(image, across * x, down * y), file, own, 0);
    return componentPlanes(found, file.components).some((plane, i) =>
      forward(plane, file.tables[i]).data.some((value, k) => {
        const step = file.tables[i][8 * (Math.floor(k / plane.columns) & 7) + ((k % plane.columns) & 7)];
        return (Math.abs(value - own[i].data[k]) - 0.5) * step > FAR;
      }),
    );
  });
}

/**
 * An image, extended to whole MCUs by what the levels say is hidden, and levels of the same size.
 * Blocks that the file does not have get those that the extended image has, so that they are free.
 *
 * @returns {{image: object, levels: object[]}}
 */
export function extended(image, file, levels) {
  const [across, down] = largestFactors(file.components).map((factor) => 8 * factor);
  const [columns, rows] = [Math.ceil(image.width / across), Math.ceil(image.height / down)];
  const [width, height] = [columns * across, rows * down];
  const whole = levels.map((plane, i) => {
    const part = file.components[i];
    return enlarged(plane, 8 * part.down * rows, 8 * part.across * columns);
  });
  const gray = { ...image, width, height, data: new Float32Array(width * height * image.channels).fill(128) };
  const samples = whole.map((plane, i) => inverse(plane, file.tables[i]));
  const result = overlaid(addChange(gray, samples, file.components), image);
  componentPlanes(result, file.components).forEach((plane, i) => {
    forward(plane, file.tables[i]).data.forEach((value, k) => {
      const inside = k % plane.columns < levels[i].columns && k < levels[i].rows * plane.columns;
      if (!inside) whole[i].data[k] = value;
    });
  });
  return { image: result, levels: whole };
}

/** A larger image with a smaller one in its corner. */
export function overlaid(larger, image) {
  const data = larger.data.slice();
  const line = image.width * image.channels;
  for (let row = 0; row < image.height; row += 1) {
    data.set(image.data.subarray(row * line, (row + 1) * line), row * larger.width * image.channels);
  }
  return { ...larger, data };
}

/** The first rows and columns of an image. */
export function cropped({ width: before, channels, data }, width, height) {
  const result = new Float32Array(width * height * channels);
  for (let row = 0; row < height; row += 1) {
    const from = row * before * channels;
    result.set(data.subarray(from, from + width * channels), row * width * channels);
  }
  return { width, height, channels, data: result };
}

function enlarged({ rows: before, columns: line, data }, rows, columns) {
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < before; row += 1) {
    result.set(data.subarray(row * line, (row + 1) * line), row * columns);
  }
  return { rows, columns, data: result };
}
