// Seeded noise by absolute position, as keras_jpeg_gan/decoding/noise.py: Philox-4x32-10 (Salmon
// et al. 2011) and the Box-Muller transform. The normals at row i, columns 4 m ... 4 m + 3 of
// field f come from the counter (m, i, f, 0) under the two halves of the 64-bit seed.

export const SEEDS = 1n << 64n;

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57];
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85];
const ROUNDS = 10;

/** Four random words from four counter words and two key words, all uint32. */
export function philox([c0, c1, c2, c3], [k0, k1]) {
  for (let round = 0; round < ROUNDS; round += 1) {
    const high0 = highWord(c0, MULTIPLIERS[0]);
    const high1 = highWord(c2, MULTIPLIERS[1]);
    const low0 = Math.imul(c0, MULTIPLIERS[0]) >>> 0;
    const low1 = Math.imul(c2, MULTIPLIERS[1]) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + KEY_STEPS[0]) >>> 0;
    k1 = (k1 + KEY_STEPS[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The upper half of the 64-bit product of two uint32, from 16-bit halves. */
function highWord(a, b) {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const first = a1 * b0 + ((a0 * b0) >>> 16);
  const second = a0 * b1 + (first & 0xffff);
  return (a1 * b1 + (first >>> 16) + (second >>> 16)) >>> 0;
}

/**
 * Standard normals of one field, starting at row `top` and column `left`.
 *
 * @param {bigint} seed 0 to 2^64 - 1.
 * @param {number} field index of the noise input, from 0.
 * @returns {Float32Array} [height, width]; windows are consistent cuts of one infinite field.
 */
export function noiseWindow(seed, field, top, left, height, width) {
  const key = [Number(seed & 0xffffffffn), Number(seed >> 32n)];
  const result = new Float32Array(height * width);
  const firstGroup = Math.floor(left / 4);
  const endGroup = Math.ceil((left + width) / 4);
  for (let row = 0; row < height; row += 1) {
    for (let group = firstGroup; group < endGroup; group += 1) {
      const words = philox([group, top + row, field, 0], key);
      for (let pair = 0; pair < 4; pair += 2) {
        const radius = Math.sqrt(-2 * Math.log(uniform(words[pair])));
        const angle = 2 * Math.PI * uniform(words[pair + 1]);
        const column = 4 * group + pair - left;
        if (column >= 0 && column < width) result[row * width + column] = radius * Math.cos(angle);
        if (column >= -1 && column + 1 < width) result[row * width + column + 1] = radius * Math.sin(angle);
      }
    }
  }
  return result;
}

function uniform(word) {
  return (word + 0.5) * 2 ** -32;
}
