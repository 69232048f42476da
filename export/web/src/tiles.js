// Runs a network for fixed tiles over an image of any size, with the result that the whole image
// would give, as keras_jpeg_gan/decoding/tiles.py: only the part of a window that no cut can affect
// is kept. The image's borders are window borders too, since convolutions pad with zeros there;
// if the image is smaller than the tile, its lower and right borders cannot be.

export const GRID = 16;

/** The smallest multiple of the grid that is at least size. */
export function roundUp(size, grid = GRID) {
  return Math.ceil(size / grid) * grid;
}

/**
 * Windows [start, start + tile) along an axis; [first, last) of each is kept.
 *
 * @param {number} size length of the axis, a multiple of GRID.
 * @param {number} tile length of a window, a multiple of GRID above 2 halo.
 * @param {number} halo positions to drop at each cut, a multiple of GRID.
 * @returns {{start: number, first: number, last: number}[]} that together keep every position once.
 */
export function spans(size, tile, halo) {
  if (size <= tile) return [{ start: 0, first: 0, last: size }];
  const step = tile - 2 * halo;
  const count = 1 + Math.ceil((size - tile) / step);
  const starts = Array.from({ length: count }, (_, i) => Math.min(i * step, size - tile));
  return starts.map((start, i) => ({
    start,
    first: i ? start + halo : 0,
    last: i + 1 < count ? starts[i + 1] + halo : size,
  }));
}

/** All windows of an image, row by row, as pairs of spans {y, x}. */
export function windows(height, width, { tile, halo }) {
  const across = spans(roundUp(width), tile, halo);
  return spans(roundUp(height), tile, halo).flatMap((y) => across.map((x) => ({ y, x })));
}

/**
 * The card whose tile suits an image best: one that fits into it, if any, with the least work.
 *
 * @param {{tile: number, halo: number}[]} cards of one model; at least one.
 */
export function chooseTile(cards, height, width) {
  const fits = ({ tile }) => tile <= roundUp(height) && tile <= roundUp(width);
  const work = (card) => windows(height, width, card).length * card.tile ** 2;
  const candidates = cards.some(fits) ? cards.filter(fits) : cards;
  return candidates.reduce((best, card) => (work(card) < work(best) ? card : best));
}

/**
 * Cut a window out of an image; beyond the image its last row and column are repeated.
 *
 * @param {{width: number, height: number, data: ArrayLike<number>}} image RGBA, as ImageData.
 * @returns {Float32Array} [tile, tile, 3].
 */
export function cutWindow({ width, height, data }, top, left, tile) {
  const result = new Float32Array(tile * tile * 3);
  let to = 0;
  for (let row = top; row < top + tile; row += 1) {
    const line = Math.min(row, height - 1) * width;
    for (let column = left; column < left + tile; column += 1) {
      const from = 4 * (line + Math.min(column, width - 1));
      result[to] = data[from];
      result[to + 1] = data[from + 1];
      result[to + 2] = data[from + 2];
      to += 3;
    }
  }
  return result;
}

/**
 * Copy the kept part of a window's result into an image.
 *
 * @param {{width: number, height: number, data: Float32Array}} image [height, width, 3].
 * @param {Float32Array} result [tile, tile, 3] of the window {y, x}.
 */
export function pasteWindow(image, result, { y, x }, tile) {
  const last = Math.min(x.last, image.width);
  for (let row = y.first; row < Math.min(y.last, image.height); row += 1) {
    const from = (row - y.start) * tile - x.start;
    image.data.set(
      result.subarray(3 * (from + x.first), 3 * (from + last)),
      3 * (row * image.width + x.first),
    );
  }
}
