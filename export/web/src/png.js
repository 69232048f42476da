// PNG chunks that a canvas does not write: EXIF and the ICC profile of the photograph.

const AFTER_HEADER = 8 + 25; // signature and IHDR

/**
 * A PNG file with the metadata of the JPEG that it was made from.
 *
 * @param {Uint8Array} png as written by a canvas.
 * @param {{exif: Uint8Array?, icc: Uint8Array}} metadata
 * @param {string} comment what made the pixels.
 * @returns {Promise<Blob>}
 */
export async function withMetadata(png, { exif, icc }, comment) {
  const latin1 = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const chunks = [chunk("tEXt", latin1(`Restoration\0${comment}`))];
  if (exif?.length) chunks.push(chunk("eXIf", exif));
  if (icc?.length) {
    const compressed = new Blob([icc]).stream().pipeThrough(new CompressionStream("deflate"));
    const profile = new Uint8Array(await new Response(compressed).arrayBuffer());
    chunks.push(chunk("iCCP", new Uint8Array([...latin1("ICC profile\0\0"), ...profile])));
  }
  const image = icc?.length ? without(png, "sRGB") : png;
  return new Blob([image.subarray(0, AFTER_HEADER), ...chunks, image.subarray(AFTER_HEADER)], {
    type: "image/png",
  });
}

function chunk(type, content) {
  const result = new Uint8Array(12 + content.length);
  const view = new DataView(result.buffer);
  view.setUint32(0, content.length);
  result.set(
    Uint8Array.from(type, (character) => character.charCodeAt(0)),
    4,
  );
  result.set(content, 8);
  view.setUint32(8 + content.length, crc32(result.subarray(4, 8 + content.length)));
  return result;
}

/** The file without chunks of one type: a PNG has either an ICC profile or sRGB. */
function without(png, type) {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const kept = [png.subarray(0, 8)];
  for (let at = 8; at < png.length;) {
    const end = at + 12 + view.getUint32(at);
    if (String.fromCharCode(...png.subarray(at + 4, at + 8)) !== type) kept.push(png.subarray(at, end));
    at = end;
  }
  const result = new Uint8Array(kept.reduce((size, part) => size + part.length, 0));
  let position = 0;
  for (const part of kept) {
    result.set(part, position);
    position += part.length;
  }
  return result;
}

/** The CRC-32 of PNG and zlib (ISO 3309). */
export function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}
