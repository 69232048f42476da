// Where a file has no colour, the restored image gets none, as keras_jpeg_gan/decoding/colour.py.

const CELL = 16; // side in pixels

/**
 * How much of the network's colour to keep in each cell of 16x16 pixels: the mean of whether there
 * is colour in the cell or in one that touches it, and whether there is any up to two cells away.
 *
 * @param {{width: number, height: number, data: ArrayLike<number>}} decoded RGBA, as ImageData.
 * @returns {number[][]} rows of 0, 1/2 or 1.
 */
export function keptColour({ width, height, data }) {
  const rows = Array.from({ length: Math.ceil(height / CELL) }, () =>
    new Array(Math.ceil(width / CELL)).fill(false),
  );
  for (let k = 0; k < width * height; k += 1) {
    if (data[4 * k] !== data[4 * k + 1] || data[4 * k] !== data[4 * k + 2]) {
      rows[Math.floor(k / width / CELL)][Math.floor((k % width) / CELL)] = true;
    }
  }
  const near = grown(rows);
  const far = grown(near);
  return near.map((row, y) => row.map((is, x) => (is + far[y][x]) / 2));
}

/** Draw the pixels of an image [height, width, 3] towards their channels' mean, in place. */
export function damp(image, decoded) {
  const { width, height, data } = image;
  const kept = keptColour(decoded);
  for (let k = 0; k < width * height; k += 1) {
    const weight = kept[Math.floor(k / width / CELL)][Math.floor((k % width) / CELL)];
    if (weight === 1) continue;
    const mean = (data[3 * k] + data[3 * k + 1] + data[3 * k + 2]) / 3;
    for (let i = 3 * k; i < 3 * k + 3; i += 1) data[i] = mean + weight * (data[i] - mean);
  }
  return image;
}

/** Cells that are set, or touch one that is. */
function grown(rows) {
  const isSet = (y, x) => [-1, 0, 1].some((dx) => rows[y]?.[x + dx]);
  return rows.map((row, y) => row.map((_, x) => [-1, 0, 1].some((dy) => isSet(y + dy, x))));
}
