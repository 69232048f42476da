// Where the samples of a file differ, as keras_jpeg_gan/metrics/deviation.py.

const WHITE_TO_BLACK = 64; // grey levels

/** Running mean and deviation of images (Welford 1962). */
export class Spread {
  #count = 0;
  #mean;
  #squares;

  /** Add an image: RGBA [4 n] as in ImageData, all of one size. */
  add(rgba) {
    this.#mean ??= new Float64Array(rgba.length);
    this.#squares ??= new Float64Array(rgba.length);
    this.#count += 1;
    for (let k = 0; k < rgba.length; k += 1) {
      const change = rgba[k] - this.#mean[k];
      this.#mean[k] += change / this.#count;
      this.#squares[k] += change * (rgba[k] - this.#mean[k]);
    }
  }

  /** [n] in grey levels: root of the unbiased variance, averaged over RGB; needs two images. */
  get deviation() {
    const squares = this.#squares;
    return Float64Array.from({ length: squares.length / 4 }, (_, k) => {
      const sum = squares[4 * k] + squares[4 * k + 1] + squares[4 * k + 2];
      return Math.sqrt(sum / 3 / (this.#count - 1));
    });
  }
}

/** [n] in grey levels -> RGBA: 0 is white, 64 and above black, with a fourth root in between. */
export function deviationMap(deviation) {
  const result = new Uint8ClampedArray(4 * deviation.length);
  deviation.forEach((value, k) => {
    const dark = Math.min(value / WHITE_TO_BLACK, 1) ** 0.25;
    result.fill(255 * (1 - dark), 4 * k, 4 * k + 3);
    result[4 * k + 3] = 255;
  });
  return result;
}
