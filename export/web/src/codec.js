// From pixels to a file's coefficients and back, in real arithmetic, as keras_jpeg_gan/jpeg/tensors
// does: JFIF's colours (ITU-T T.871), downsampling and padding as in libjpeg's encoder, the
// orthonormal DCT of 8x8 blocks. A block's coefficients take the place of its samples in the plane.
//
// image: {width, height, channels: 1 or 3, data: Float32Array [height, width, channels]}, 0..255.
// plane: {rows, columns, data: Float32Array [rows, columns]}, both multiples of 8.

import { largestFactors } from "./jpeg.js";

const RED = 0.299;
const GREEN = 0.587;
const BLUE = 0.114;
const CB_SCALE = 0.5 / (1 - BLUE);
const CR_SCALE = 0.5 / (1 - RED);
const MATRIX = Float64Array.from({ length: 64 }, (_, k) => {
  const [frequency, position] = [k >> 3, k & 7];
  return frequency ? Math.cos((frequency * (2 * position + 1) * Math.PI) / 16) / 2 : Math.sqrt(1 / 8);
});

/**
 * Each component's samples less 128, downsampled and padded as libjpeg's encoder does.
 *
 * @param {object} image
 * @param {{across: number, down: number}[]} components the sampling factors of the file's components.
 * @returns {object[]} planes.
 */
export function componentPlanes(image, components) {
  const layouts = layoutsOf(image, components);
  return ycbcr(image).map((channel, i) => {
    const { rows, columns, across, down, ys, xs } = layouts[i];
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        let sum = 0;
        for (let dy = 0; dy < down; dy += 1) {
          const line = ys[row * down + dy] * image.width;
          for (let dx = 0; dx < across; dx += 1) sum += channel[line + xs[column * across + dx]];
        }
        data[row * columns + column] = sum / (across * down);
      }
    }
    return { rows, columns, data };
  });
}

/**
 * Add a change of an image's component planes to its pixels: each pixel changes by the weighted
 * mean of the samples that it contributes to. In whole MCUs the planes then change by exactly that.
 */
export function addChange(image, planes, components) {
  const layouts = layoutsOf(image, components);
  const changes = planes.map(({ rows, columns, data }, i) => {
    const { across, down, ys, xs } = layouts[i];
    const sums = new Float32Array(image.width * image.height);
    const [inRows, inColumns] = [counts(ys, image.height), counts(xs, image.width)];
    for (let y = 0; y < rows * down; y += 1) {
      const line = ys[y] * image.width;
      const from = Math.floor(y / down) * columns;
      for (let x = 0; x < columns * across; x += 1) sums[line + xs[x]] += data[from + Math.floor(x / across)];
    }
    return sums.map((sum, k) => sum / (inRows[Math.floor(k / image.width)] * inColumns[k % image.width]));
  });
  const data = new Float32Array(image.data);
  if (planes.length === 1) {
    changes[0].forEach((change, k) => (data[k] += change));
  } else {
    const [luma, cb, cr] = changes;
    for (let k = 0; k < luma.length; k += 1) {
      const red = cr[k] / CR_SCALE;
      const blue = cb[k] / CB_SCALE;
      data[3 * k] += luma[k] + red;
      data[3 * k + 1] += luma[k] - (RED * red + BLUE * blue) / GREEN;
      data[3 * k + 2] += luma[k] + blue;
    }
  }
  return { ...image, data };
}

/** Each component's plane size, and the pixel row and column behind each of its positions. */
function layoutsOf({ width, height }, components) {
  const [hMax, vMax] = largestFactors(components);
  return components.map((part) => {
    const [across, down] = [hMax / part.across, vMax / part.down];
    const columns = 8 * Math.ceil(width / (8 * across));
    const rows = 8 * Math.ceil(height / (8 * down));
    // Columns are repeated at full resolution. Rows are repeated only up to the next whole group;
    // from there the downsampled row is repeated.
    const groups = (Math.ceil(height / vMax) * vMax) / down;
    const ys = Int32Array.from({ length: rows * down }, (_, y) => {
      const row = Math.min(Math.floor(y / down), groups - 1);
      return Math.min(row * down + (y % down), height - 1);
    });
    const xs = Int32Array.from({ length: columns * across }, (_, x) => Math.min(x, width - 1));
    return { rows, columns, across, down, ys, xs };
  });
}

function counts(indices, size) {
  const result = new Int32Array(size);
  for (const index of indices) result[index] += 1;
  return result;
}

/** Planes of Y - 128, Cb - 128, Cr - 128, or of gray - 128, at full resolution. */
function ycbcr({ channels, data }) {
  if (channels === 1) return [data.map((value) => value - 128)];
  const size = data.length / 3;
  const planes = [new Float32Array(size), new Float32Array(size), new Float32Array(size)];
  for (let k = 0; k < size; k += 1) {
    const red = data[3 * k];
    const green = data[3 * k + 1];
    const blue = data[3 * k + 2];
    const luma = RED * red + GREEN * green + BLUE * blue;
    planes[0][k] = luma - 128;
    planes[1][k] = CB_SCALE * (blue - luma);
    planes[2][k] = CR_SCALE * (red - luma);
  }
  return planes;
}

/** Coefficients of a plane in steps of a table [64]. */
export function forward(plane, table) {
  const result = transformed(plane, (k, j) => MATRIX[8 * k + j]);
  return overSteps(result, (value, step) => value / step, table);
}

/** The plane of coefficients in steps of a table [64]: the inverse of `forward`. */
export function inverse(plane, table) {
  const scaled = overSteps({ ...plane, data: plane.data.slice() }, (value, step) => value * step, table);
  return transformed(scaled, (k, j) => MATRIX[8 * j + k]);
}

function overSteps(plane, combine, table) {
  const { columns, data } = plane;
  for (let k = 0; k < data.length; k += 1) {
    const row = Math.floor(k / columns);
    const column = k % columns;
    data[k] = combine(data[k], table[8 * (row & 7) + (column & 7)]);
  }
  return plane;
}

/** M B Mᵀ for each block B; entry(k, j) is row k, column j of the matrix M. */
function transformed({ rows, columns, data }, entry) {
  const matrix = Float64Array.from({ length: 64 }, (_, k) => entry(k >> 3, k & 7));
  const result = new Float32Array(data);
  const line = new Float64Array(8);
  const pass = (start, stride) => {
    for (let j = 0; j < 8; j += 1) line[j] = result[start + j * stride];
    for (let k = 0; k < 8; k += 1) {
      let sum = 0;
      for (let j = 0; j < 8; j += 1) sum += matrix[8 * k + j] * line[j];
      result[start + k * stride] = sum;
    }
  };
  for (let start = 0; start < data.length; start += 8) pass(start, 1);
  for (let row = 0; row < rows; row += 8) {
    for (let column = 0; column < columns; column += 1) pass(row * columns + column, columns);
  }
  return { rows, columns, data: result };
}
