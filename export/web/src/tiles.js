// Networks of fixed tiles over an image of any size, with the result of the whole at once, as
// keras_jpeg_gan/decoding/tiles.py: of each window only what no cut can have touched is kept.
// The image's own borders are windows' borders, since convolutions pad with zeros there; where
// the image is smaller than the tile, its lower and right border cannot be.

export const GRID = 16;

/** The least multiple of the grid that is at least size. */
export function roundUp(size, grid = GRID) {
  return Math.ceil(size / grid) * grid;
}

/**
 * Windows [start, start + tile) along an axis; [first, last) of each is kept.
 *
 * @param {number} size length of the axis, a multiple of GRID.
 * @param {number} tile length of a window, a multiple of GRID above 2 halo.
 * @param {number} halo positions to drop at each cut, a multiple of GRID.
 * @returns {{start: number, first: number, last: number}[]} that keep every position once.
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

/** All windows of an image, row by row: pairs of spans {y, x}. */
export function windows(height, width, { tile, halo }) {
  const across = spans(roundUp(width), tile, halo);
  return spans(roundUp(height), tile, halo).flatMap((y) => across.map((x) => ({ y, x })));
}

/**
 * The card of the tile to use for an image: one that fits into it, if any, and the least work.
 *
 * @param {{tile: number, halo: number}[]} cards of one model, at least one.
 */
export function chooseTile(cards, height, width) {
  const fits = ({ tile }) => tile <= roundUp(height) && tile <= roundUp(width);
  const work = (card) => windows(height, width, card).length * card.tile ** 2;
  const candidates = cards.some(fits) ? cards.filter(fits) : cards;
  return candidates.reduce((best, card) => (work(card) < work(best) ? card : best));
}

/**
 * A window of an image, which is continued by repeating its last row and column.
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
 * Put what is kept of a window's result into an image.
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
