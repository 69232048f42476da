// The page's modules: their invariants, and their results against the Python package's (vectors.json).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { extended, isFree } from "../src/border.js";
import { componentPlanes, forward, inverse } from "../src/codec.js";
import { damp, keptColour } from "../src/colour.js";
import {
  JpegFormatError,
  networkTables,
  orientationOf,
  readHeader,
  samplingName,
  withWholeBlocks,
  withoutExtras,
} from "../src/jpeg.js";
import { unclippedLevels } from "../src/levels.js";
import { noiseWindow, philox } from "../src/noise.js";
import { crc32 } from "../src/png.js";
import { countMissed, project } from "../src/projection.js";
import { Spread, deviationMap } from "../src/spread.js";
import { chooseTile, cutWindow, pasteWindow, roundUp, spans, windows } from "../src/tiles.js";

const here = (name) => readFileSync(new URL(name, import.meta.url));
const vectors = JSON.parse(here("vectors.json"));
const example = (name) => new Uint8Array(here(`../../../examples/${name}`));
const unpacked = (text) => new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);

function assertClose(found, expected, tolerance) {
  assert.equal(found.length, expected.length);
  const worst = found.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k])), 0);
  assert.ok(worst <= tolerance, `off by ${worst}`);
}

// Known answers of philox4x32-10 in the Random123 library: counter, key, words.
const KNOWN = [
  ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
];

test("noise: published known answers of the generator", () => {
  const words = (text) => text.split(" ").map((word) => Number.parseInt(word, 16));
  for (const [counter, key, expected] of KNOWN)
    assert.deepEqual(philox(words(counter), words(key)), words(expected));
});

test("noise: the normals are Python's", () => {
  for (const {
    window: [seed, ...window],
    normals,
  } of vectors.noise) {
    assertClose(noiseWindow(BigInt(seed), ...window), unpacked(normals), 1e-5);
  }
});

test("noise: a window is the cut of the whole field", () => {
  const whole = noiseWindow(5n, 1, 0, 0, 9, 20);
  for (let left = 0; left < 8; left += 1) {
    const cut = noiseWindow(5n, 1, 3, left, 2, 7);
    for (let row = 0; row < 2; row += 1) {
      const line = 20 * (3 + row) + left;
      assert.deepEqual(cut.subarray(7 * row, 7 * row + 7), whole.subarray(line, line + 7));
    }
  }
});

/** An image [height, width, channels] by a function of row, column and channel. */
function drawn(width, height, channels, value) {
  const data = Float32Array.from({ length: width * height * channels }, (_, k) => {
    const [pixel, channel] = [Math.floor(k / channels), k % channels];
    return value(Math.floor(pixel / width), pixel % width, channel);
  });
  return { width, height, channels, data };
}

for (const factor of [1, 2]) {
  test(`border: free only if no repeated edge has the levels, ${factor}x${factor}`, () => {
    const chroma = { across: 1, down: 1 };
    const file = {
      components: [{ across: factor, down: factor }, chroma, chroma],
      tables: Array.from({ length: 3 }, () => new Uint16Array(64).fill(6)),
    };
    const [width, height] = [45, 37];
    const wave = (y, x, i) => 128 + 50 * Math.sin(x / 5 + i) + 30 * Math.cos(y / 4);
    const whole = (value) => drawn(48, 48, 3, value);
    const levelsOf = (image) =>
      componentPlanes(image, file.components).map((plane, i) => {
        const { rows, columns, data } = forward(plane, file.tables[i]);
        return { rows, columns, data: data.map(Math.round) };
      });
    const visible = drawn(width, height, 3, wave);
    assert.ok(!isFree(visible, file, levelsOf(visible)));
    const black = whole((y, x, i) => (y < height && x < width ? wave(y, x, i) : 0));
    const all = levelsOf(black);
    const own = levelsOf(visible).map(({ rows, columns }, i) => {
      const data = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row += 1) {
        const from = row * all[i].columns;
        data.set(all[i].data.subarray(from, from + columns), row * columns);
      }
      return { rows, columns, data };
    });
    assert.ok(isFree(visible, file, own));
    const { image, levels } = extended(visible, file, own);
    const projected = project(image, file, levels);
    assert.equal(countMissed(projected, file, levels), 0);
    for (let row = 0; row < height; row += 1) {
      for (let k = 0; k < 3 * width; k += 1) {
        const [found, given] = [projected.data[row * 3 * image.width + k], visible.data[row * 3 * width + k]];
        assert.ok(Math.abs(found - given) < 40, `row ${row}: ${found} for ${given}`);
      }
    }
  });
}

test("colour: kept near colour, taken out elsewhere", () => {
  const [width, height] = [140, 100];
  const decoded = { width, height, data: new Uint8ClampedArray(4 * width * height).fill(7) };
  const image = { width, height, data: Float32Array.from({ length: 3 * width * height }, (_, k) => k % 11) };
  damp(image, decoded);
  for (let k = 0; k < image.data.length; k += 3) {
    assert.equal(image.data[k], image.data[k + 1]);
    assert.equal(image.data[k], image.data[k + 2]);
  }
  decoded.data[4 * (40 * width + 60)] = 9; // in row 2, column 3 of 7 by 9 cells
  assert.deepEqual(keptColour(decoded), [
    [0, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0],
    [0, 0.5, 1, 1, 1, 0.5, 0, 0, 0],
    [0, 0.5, 1, 1, 1, 0.5, 0, 0, 0],
    [0, 0.5, 1, 1, 1, 0.5, 0, 0, 0],
    [0, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
});

test("header: sizes, sampling and tables are Python's", () => {
  for (const [name, expected] of Object.entries(vectors.examples)) {
    const header = readHeader(example(name));
    assert.deepEqual([header.width, header.height], expected.size);
    assert.equal(samplingName(header), expected.sampling);
    assert.deepEqual(
      header.tables.map((table) => [...table]),
      expected.tables,
    );
    assertClose(networkTables(header.tables), unpacked(expected.network_tables), 1e-4);
  }
});

// Segments for made-up files.
const segment = (code, ...content) => [
  0xff,
  code,
  (content.length + 2) >> 8,
  (content.length + 2) & 255,
  ...content,
];
const ones = [0, ...Array(64).fill(1)];
const frame = (code, width, height, ...parts) =>
  segment(code, 8, height >> 8, height & 255, width >> 8, width & 255, parts.length, ...parts.flat());
const made = (...segments) => new Uint8Array([0xff, 0xd8, ...segments.flat(), 0xff, 0xd9]);
const scan = (...parts) => [
  ...segment(0xda, parts.length, ...parts.flatMap((part) => [part, 0]), 0, 63, 0),
  1,
  2,
  3,
];
const GRAY = [1, 0x11, 0];

test("header: what cannot be restored is refused with its name", () => {
  const tables = segment(0xdb, ...ones);
  const refusals = [
    [new Uint8Array([1, 2, 3]), /not a JPEG/],
    [made(tables, frame(0xc3, 8, 8, GRAY), scan(1)), /lossless/],
    [made(tables, frame(0xc9, 8, 8, GRAY), scan(1)), /arithmetic/],
    [
      made(tables, frame(0xc0, 8, 8, GRAY, [2, 0x11, 0], [3, 0x11, 0], [4, 0x11, 0]), scan(1)),
      /4 components/,
    ],
    [made(tables, frame(0xc0, 8, 0, GRAY), scan(1)), /size of 8x0/],
    [made(tables, frame(0xc0, 60000, 60000, GRAY), scan(1)), /megapixels/],
    [
      made(tables, frame(0xc0, 8, 8, [1, 0x31, 0], [2, 0x21, 0], [3, 0x11, 0]), scan(1, 2, 3)),
      /whole ratios/,
    ],
    [
      made(tables, frame(0xc0, 8, 8, [82, 0x11, 0], [71, 0x11, 0], [66, 0x11, 0]), scan(82, 71, 66)),
      /RGB-coded/,
    ],
    [made(frame(0xc0, 8, 8, GRAY), scan(1)), /table 0 is missing/],
    [made(segment(0xdb, 0, ...Array(64).fill(0)), frame(0xc0, 8, 8, GRAY), scan(1)), /step of 0/],
    [made(tables, scan(1)), /before the frame/],
    [made(tables, frame(0xc0, 8, 8, GRAY)), /before its first scan/],
    [made(tables), /no frame header/],
    [made(tables, frame(0xc0, 8, 8, GRAY), scan(1)).subarray(0, -1), /its end is missing/],
  ];
  for (const [bytes, message] of refusals) {
    assert.throws(
      () => readHeader(bytes),
      (error) => error instanceof JpegFormatError && message.test(error.message),
    );
  }
});

test("header: tables go from zigzag to natural order, 8 and 16 bits", () => {
  const zigzag = Array.from({ length: 64 }, (_, k) => k + 1);
  const wide = segment(0xdb, 0x10, ...zigzag.flatMap((step) => [1, step]));
  const header = readHeader(made(wide, frame(0xc0, 8, 8, GRAY), scan(1)));
  assert.deepEqual(
    [...header.tables[0].subarray(0, 10)],
    [1, 2, 6, 7, 15, 16, 28, 29, 3, 5].map((k) => 256 + k),
  );
});

test("header: a file without its extras keeps everything else, in order", () => {
  const parts = [segment(0xdb, ...ones), frame(0xc0, 8, 8, GRAY), scan(1)];
  const extra = segment(
    0xe1,
    ...Buffer.from("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", "latin1"),
  );
  const bytes = made(extra, ...parts);
  const header = readHeader(bytes);
  assert.deepEqual(withoutExtras(bytes, header), made(...parts));
  assert.equal(orientationOf(header.exif), 6);
  assert.equal(orientationOf(null), 1);
});

test("header: sizes are rounded up to what is coded anyway", () => {
  const color = [
    [1, 0x22, 0],
    [2, 0x11, 0],
    [3, 0x11, 0],
  ];
  const start = [segment(0xdb, ...ones), frame(0xc2, 21, 33, ...color)];
  const rounded = (...scans) => {
    const bytes = made(...start, ...scans);
    const { width, height } = readHeader(withWholeBlocks(bytes, readHeader(bytes)));
    return [width, height];
  };
  assert.deepEqual(rounded(scan(1, 2, 3)), [32, 48]);
  assert.deepEqual(rounded(scan(1, 2, 3), scan(1)), [24, 40]); // scans of one component end at their own blocks
});

test("tiles: every position is kept once, out of the halo, and borders are windows' borders", () => {
  const halo = 48;
  for (const tile of [128, 256]) {
    for (let size = 16; size <= 1040; size += 16) {
      let position = 0;
      const found = spans(size, tile, halo);
      for (const { start, first, last } of found) {
        assert.equal(first, position);
        assert.equal(start % 16, 0);
        assert.ok(first === 0 || first >= start + halo);
        assert.ok(last === size || last <= start + tile - halo);
        assert.ok(start >= 0 && (start + tile <= size || size < tile));
        position = last;
      }
      assert.equal(position, size);
    }
  }
});

test("tiles: a network of small reach gives the same in windows as at once", () => {
  const [width, height, tile, halo] = [150, 91, 64, 16];
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, k) => (k * 7919) % 251);
  const far = (pixels, side, row, column) =>
    // zero beyond the window, as convolutions pad
    row < 0 || column < 0 || row >= side[0] || column >= side[1] ? 0 : pixels[3 * (row * side[1] + column)];
  const network = (pixels, side) => {
    const result = new Float32Array(pixels.length);
    for (let k = 0; k < pixels.length; k += 3) {
      const [row, column] = [Math.floor(k / 3 / side[1]), (k / 3) % side[1]];
      result[k] = far(pixels, side, row - halo, column) + 2 * far(pixels, side, row + 3, column + halo);
    }
    return result;
  };
  const image = { width, height, data: new Float32Array(3 * width * height) };
  for (const window of windows(height, width, { tile, halo })) {
    const pixels = cutWindow({ width, height, data }, window.y.start, window.x.start, tile);
    pasteWindow(image, network(pixels, [tile, tile]), window, tile);
  }
  const side = [roundUp(height), roundUp(width)];
  const whole = new Float32Array(3 * side[0] * side[1]);
  for (let row = 0; row < side[0]; row += 1) {
    for (let column = 0; column < side[1]; column += 1) {
      const from = 4 * (Math.min(row, height - 1) * width + Math.min(column, width - 1));
      whole.set(data.subarray(from, from + 3), 3 * (row * side[1] + column));
    }
  }
  const expected = network(whole, side);
  for (let row = 0; row < height; row += 1) {
    const line = expected.subarray(3 * row * side[1], 3 * (row * side[1] + width));
    assert.deepEqual(image.data.subarray(3 * row * width, 3 * (row + 1) * width), line);
  }
});

test("tiles: one that fits into the image, of these the least work", () => {
  const cards = [128, 256, 512].map((tile) => ({ tile, halo: 48 }));
  const chosen = (height, width) => chooseTile(cards, height, width).tile;
  assert.equal(chosen(512, 512), 512);
  assert.equal(chosen(2000, 3000), 512);
  assert.equal(chosen(480, 480), 256);
  assert.equal(chosen(100, 100), 128);
  assert.equal(chosen(140, 3000), 128);
});

const noisy = (seed, { width, height, components }) => {
  const channels = components.length;
  const fields = components.map((_, f) => noiseWindow(seed, f, 0, 0, height, width));
  const data = Float32Array.from({ length: channels * width * height }, (_, k) => {
    return 128 + 40 * fields[k % channels][Math.floor(k / channels)];
  });
  return { width, height, channels, data };
};

const levelsOf = (file, image) =>
  componentPlanes(image, file.components).map(({ rows, columns }, i) => ({
    rows,
    columns,
    data: Float32Array.from(file.levels[i]),
  }));

test("codec: the transform of blocks is orthonormal, and its inverse is one", () => {
  const data = noiseWindow(0n, 0, 0, 0, 16, 24);
  const plane = { rows: 16, columns: 24, data };
  const ones64 = Array(64).fill(1);
  const coefficients = forward(plane, ones64);
  const energy = (values) => values.reduce((sum, value) => sum + value * value, 0);
  assert.ok(Math.abs(energy(coefficients.data) / energy(data) - 1) < 1e-6);
  assertClose(inverse(coefficients, ones64).data, data, 1e-5);
});

test("levels: come back from rounded and clipped samples", () => {
  const table = Array.from({ length: 64 }, (_, k) => 10 * (1 + (k >> 3) + (k & 7)));
  const noise = noiseWindow(1n, 0, 0, 0, 128, 128);
  const within = (samples) => samples.map((sample) => Math.min(Math.max(Math.round(sample), -128), 127));
  const plane = { rows: 128, columns: 128, data: within(noise.map((value) => 60 * value)) };
  const levels = forward(plane, table).data.map(Math.round);
  const decoded = { ...plane, data: within(inverse({ ...plane, data: levels }, table).data) };
  const off = ({ data }) => data.filter((value, k) => Math.round(value) !== levels[k]).length;
  assert.ok(off(forward(decoded, table)) > 30);
  assert.equal(off(unclippedLevels(decoded, table)), 0);
});

test("projection: the projected image is Python's, whole and cut MCUs", () => {
  for (const file of vectors.projections) {
    const image = noisy(2n, file);
    assertClose(project(image, file, levelsOf(file, image)).data, unpacked(file.projected), 5e-3);
  }
});

test("projection: whole MCUs miss no level, and projecting again changes nothing", () => {
  const { components, tables } = vectors.projections.find(
    ({ components: all }) => all.length === 3 && all[0].down === 2,
  );
  const file = { width: 16, height: 400, components, tables }; // more rows than one strip
  const levels = componentPlanes(noisy(1n, file), components).map((plane, i) => {
    const { rows, columns, data } = forward(plane, tables[i]);
    return { rows, columns, data: data.map(Math.round) };
  });
  const image = noisy(2n, file);
  assert.ok(countMissed(image, file, levels) > 1000);
  const once = project(image, file, levels);
  assert.equal(countMissed(once, file, levels), 0);
  assertClose(project(once, file, levels).data, once.data, 1e-3);
});

test("spread: deviation and its map are Python's", () => {
  const spread = new Spread();
  for (const image of vectors.deviation.images) {
    spread.add(
      Uint8ClampedArray.from({ length: (image.length / 3) * 4 }, (_, k) =>
        k % 4 < 3 ? image[3 * (k >> 2) + (k % 4)] : 255,
      ),
    );
  }
  assertClose(spread.deviation, unpacked(vectors.deviation.deviation), 1e-4);
  assert.deepEqual(
    [...deviationMap(spread.deviation)].filter((_, k) => k % 4 === 0),
    vectors.deviation.map,
  );
});

test("png: the check sum of IEND is the one in every PNG file", () => {
  assert.equal(crc32(Buffer.from("IEND")), 0xae426082);
});
