// A JPEG file's markers (ITU-T T.81, annex B): what the network and the projection need from them.
// Files that cannot be restored are refused here; the message says what they are and what to do.

export class JpegFormatError extends Error {}

export const MAX_MEGAPIXELS = 50; // about two gigabytes of memory

const BROKEN = "a broken JPEG; get another copy";
const CONVERT = "convert it with another program";
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DQT = 0xdb;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const FRAMES = new Map([
  [0xc0, "baseline"],
  [0xc1, "extended"],
  [0xc2, "progressive"],
]);
const REFUSED = new Map([
  [0xc3, "lossless"],
  ...[0xc5, 0xc6, 0xc7, 0xcd, 0xce, 0xcf].map((code) => [code, "hierarchical"]),
  ...[0xc9, 0xca, 0xcb].map((code) => [code, "arithmetically coded"]), // browsers cannot decode them
]);

// Natural index of each zigzag position (T.81, figure A.6): diagonals, in alternating directions.
const ZIGZAG = Array.from({ length: 64 }, (_, k) => k).sort((a, b) => {
  const [da, db] = [diagonal(a), diagonal(b)];
  return da - db || (da % 2 ? a - b : b - a);
});

function diagonal(k) {
  return (k >> 3) + (k & 7);
}

/**
 * Walk the markers of a file.
 *
 * @param {Uint8Array} bytes
 * @returns {{
 *   width: number, height: number, frame: string,
 *   components: {identifier: number, across: number, down: number, table: number}[],
 *   tables: Uint16Array[], interleaved: boolean, sizeAt: number,
 *   extras: {start: number, stop: number}[], exif: Uint8Array?, icc: Uint8Array?,
 * }} tables: [64] steps in natural order for each component; interleaved: one scan holds
 *   all components; sizeAt: position of the frame's height, which its width follows; extras: EXIF, XMP
 *   and ICC segments, markers included.
 * @throws {JpegFormatError}
 */
export function readHeader(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== SOI || bytes[2] !== 0xff) {
    throw new JpegFormatError("not a JPEG: give the JPEG that it was made from, if any");
  }
  const header = { frame: "", extras: [], exif: null, icc: null };
  const found = {
    tables: new Map(),
    latched: new Map(),
    icc: [],
    jfif: false,
    adobe: null,
    scans: 0,
    end: false,
  };
  for (const { code, start, content, stop } of segments(bytes)) {
    if (REFUSED.has(code)) {
      const kind = REFUSED.get(code);
      throw new JpegFormatError(`${kind}: only baseline and progressive JPEGs are restored; ${CONVERT}`);
    }
    if (FRAMES.has(code)) readFrame(header, FRAMES.get(code), content, start);
    else if (code === DQT) readTables(found.tables, content);
    else if (code === SOS) readScan(header, found, content);
    else if (code === EOI) found.end = true;
    else if (code === APP0 && begins(content, "JFIF\0")) found.jfif = true;
    else if (code === APP14 && begins(content, "Adobe") && content.length >= 12) found.adobe = content[11];
    else if (code === APP1 || code === APP2) {
      header.extras.push({ start, stop });
      if (begins(content, "Exif\0\0")) header.exif ??= content.subarray(6);
      if (begins(content, "ICC_PROFILE\0")) found.icc[content[12]] = content.subarray(14);
    }
  }
  if (!header.frame) throw new JpegFormatError(`no frame header: ${BROKEN}`);
  if (!found.scans) throw new JpegFormatError(`it ends before its first scan: ${BROKEN}`);
  if (!found.end)
    throw new JpegFormatError("its end is missing: jpeg-gan-decode --allow_truncated restores what is there");
  header.icc = joined(found.icc.filter(Boolean));
  header.tables = header.components.map((part, i) => {
    const table = found.latched.get(i) ?? found.tables.get(part.table);
    if (!table) throw new JpegFormatError(`quantization table ${part.table} is missing: ${BROKEN}`);
    if (table.includes(0)) throw new JpegFormatError(`a quantization table with a step of 0: ${BROKEN}`);
    return table;
  });
  return header;
}

function* segments(bytes) {
  let position = 2;
  while (position + 2 <= bytes.length) {
    if (bytes[position] !== 0xff || bytes[position + 1] < 0xc0 || bytes[position + 1] === 0xff) {
      position += 1; // entropy-coded data, stuffing, fill
      continue;
    }
    const code = bytes[position + 1];
    if (code === EOI) {
      yield { code };
      return;
    }
    if (code >= 0xd0 && code < SOI) {
      position += 2; // restart
      continue;
    }
    if (code === SOI) throw new JpegFormatError(`a second start-of-image marker inside: ${BROKEN}`);
    const stop = position + 2 + word(bytes, position + 2);
    if (stop < position + 4 || stop > bytes.length) return;
    yield { code, start: position, content: bytes.subarray(position + 4, stop), stop };
    position = stop;
  }
}

function readFrame(header, frame, content, start) {
  if (header.frame) throw new JpegFormatError(`two frame headers: ${BROKEN}`);
  const count = content[5];
  if (content.length < 6 || content.length !== 6 + 3 * count) {
    throw new JpegFormatError(`a frame header of the wrong length: ${BROKEN}`);
  }
  if (content[0] !== 8) {
    throw new JpegFormatError(`a ${content[0]}-bit JPEG: only 8-bit ones are restored; ${CONVERT}`);
  }
  if (count !== 1 && count !== 3) {
    throw new JpegFormatError(`${count} components: only grayscale and YCbCr are restored; ${CONVERT}`);
  }
  const [height, width] = [word(content, 1), word(content, 3)];
  if (!height || !width) throw new JpegFormatError(`a size of ${width}x${height}: ${BROKEN}`);
  if (width * height > MAX_MEGAPIXELS * 1e6) {
    throw new JpegFormatError(
      `${width}x${height} is more than ${MAX_MEGAPIXELS} megapixels: use jpeg-gan-decode`,
    );
  }
  const components = Array.from({ length: count }, (_, i) => {
    const [identifier, factors, table] = content.subarray(6 + 3 * i);
    return { identifier, across: factors >> 4, down: factors & 15, table };
  });
  const [across, down] = largestFactors(components);
  const known = (part) => part.across && part.down && across % part.across === 0 && down % part.down === 0;
  if (across > 4 || down > 4 || !components.every(known)) {
    const text = components.map((part) => `${part.across}x${part.down}`).join(",");
    throw new JpegFormatError(`sampling factors ${text}: only whole ratios are restored; ${CONVERT}`);
  }
  Object.assign(header, { frame, width, height, components, sizeAt: start + 5, interleaved: false });
}

function readTables(tables, content) {
  let rest = content;
  while (rest.length) {
    const wide = rest[0] >> 4;
    const size = wide ? 128 : 64;
    if (wide > 1 || (rest[0] & 15) > 3 || rest.length < 1 + size) {
      throw new JpegFormatError(`a malformed segment of quantization tables: ${BROKEN}`);
    }
    const table = new Uint16Array(64);
    ZIGZAG.forEach((natural, k) => {
      table[natural] = wide ? word(rest, 1 + 2 * k) : rest[1 + k];
    });
    tables.set(rest[0] & 15, table);
    rest = rest.subarray(1 + size);
  }
}

function readScan(header, found, content) {
  if (!header.frame) throw new JpegFormatError(`a scan before the frame header: ${BROKEN}`);
  const identifiers = header.components.map((part) => part.identifier);
  // libjpeg's own rule for the colour space of three components (jdapimin.c).
  const named = found.adobe === null && String.fromCharCode(...identifiers) === "RGB";
  if (identifiers.length === 3 && !found.jfif && (found.adobe === 0 || named)) {
    throw new JpegFormatError(`an RGB-coded JPEG: only grayscale and YCbCr are restored; ${CONVERT}`);
  }
  found.scans += 1;
  const count = content[0];
  header.interleaved = found.scans === 1 && count === header.components.length && count > 1;
  for (let k = 0; k < count; k += 1) {
    const i = identifiers.indexOf(content[1 + 2 * k]);
    const table = found.tables.get(header.components[i]?.table);
    if (table && !found.latched.has(i)) found.latched.set(i, table);
  }
}

/** The largest factors of all components: [across, down]. */
export function largestFactors(components) {
  return [
    Math.max(...components.map((part) => part.across)),
    Math.max(...components.map((part) => part.down)),
  ];
}

/** "4:2:0", "gray", ... or the factors, as in "2x2,2x1,1x1". */
export function samplingName({ components }) {
  if (components.length === 1) return "gray";
  const factors = components.map((part) => `${part.across}x${part.down}`).join(",");
  const names = { "1x1": "4:4:4", "2x1": "4:2:2", "1x2": "4:4:0", "2x2": "4:2:0", "4x1": "4:1:1" };
  const [first, ...others] = factors.split(",");
  return (others.every((pair) => pair === "1x1") && names[first]) || factors;
}

/**
 * The two tables that the network takes: luma's, and the geometric mean of Cb's and Cr's. A
 * grayscale file's only table is used for both.
 *
 * @param {Uint16Array[]} tables [64] steps for each component.
 * @returns {Float32Array} [2, 8, 8] in steps.
 */
export function networkTables(tables) {
  const [luma, cb, cr] = tables.length === 1 ? [tables[0], tables[0], tables[0]] : tables;
  const result = new Float32Array(128);
  luma.forEach((step, k) => {
    result[k] = step;
    result[64 + k] = Math.sqrt(cb[k] * cr[k]);
  });
  return result;
}

/** The file without EXIF, XMP and ICC profile, so that it decodes unrotated and unconverted. */
export function withoutExtras(bytes, { extras }) {
  const kept = [];
  let position = 0;
  for (const { start, stop } of extras) {
    kept.push(bytes.subarray(position, start));
    position = stop;
  }
  return joined([...kept, bytes.subarray(position)]);
}

/**
 * The file with its size rounded up to the whole blocks that it contains anyway, so that a decoder
 * also returns the samples beyond the right and lower border.
 */
export function withWholeBlocks(bytes, { width, height, components, interleaved, sizeAt }) {
  const [across, down] = interleaved ? largestFactors(components) : [1, 1];
  const result = bytes.slice();
  const size = [Math.ceil(height / (8 * down)) * 8 * down, Math.ceil(width / (8 * across)) * 8 * across];
  size.forEach((value, i) => {
    result[sizeAt + 2 * i] = value >> 8;
    result[sizeAt + 2 * i + 1] = value & 255;
  });
  return result;
}

/** EXIF's orientation, 1 to 8, or 1 (as coded) if there is none. */
export function orientationOf(exif) {
  if (!exif || exif.length < 8) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > exif.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let at = directory + 2; at + 12 <= exif.length && at < directory + 2 + 12 * entries; at += 12) {
    if (view.getUint16(at, little) === 0x0112) {
      const value = view.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  }
  return 1;
}

function word(bytes, position) {
  return (bytes[position] << 8) | bytes[position + 1];
}

function begins(bytes, text) {
  return [...text].every((character, i) => bytes[i] === character.charCodeAt(0));
}

function joined(parts) {
  const result = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let position = 0;
  for (const part of parts) {
    result.set(part, position);
    position += part.length;
  }
  return result;
}
