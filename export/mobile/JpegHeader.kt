// What a restoration needs from a JPEG file's header: size, sampling, tables.
//
// The counterpart of jpeg_header.py, function by function, in plain Kotlin.

package jpeggan

import kotlin.math.sqrt

// Natural index of each zigzag position (ITU-T T.81, figure A.6).
val ZIGZAG = intArrayOf(
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)

// Codes of JPEG's markers (T.81, table B.1).
const val SOF0 = 0xC0
const val SOF2 = 0xC2
const val DHT = 0xC4
const val JPG = 0xC8
const val DAC = 0xCC
const val SOF15 = 0xCF
const val RST0 = 0xD0
const val SOI = 0xD8
const val EOI = 0xD9
const val SOS = 0xDA
const val DQT = 0xDB
const val APP0 = 0xE0
const val APP14 = 0xEE
const val APP15 = 0xEF
const val COM = 0xFE

/** The reason why a file is not restored, on one line. */
class RestoreError(message: String) : Exception(message)

/** A marker segment: its code, and where its content starts and stops. */
class Segment(val code: Int, val start: Int, val stop: Int)

/** A component of the frame: its id, its sampling factors and the number of its table. */
class Component(val identifier: Int, val across: Int, val down: Int, val table: Int)

/** The contents of a JPEG file's header; tables has 64 steps in natural order per component. */
class Header(
    val width: Int,
    val height: Int,
    val components: List<Component>,
    val tables: List<IntArray>,
)

/** A byte, 0 to 255. */
private fun ByteArray.at(position: Int): Int = this[position].toInt() and 0xFF

/** A big-endian 16-bit number. */
fun wordAt(data: ByteArray, position: Int): Int = (data.at(position) shl 8) or data.at(position + 1)

/** Whether a segment's content begins with a text, followed by at least one byte. */
fun begins(data: ByteArray, segment: Segment, text: String): Boolean =
    segment.stop - segment.start > text.length &&
        text.indices.all { data.at(segment.start + it) == text[it].code }

/**
 * The marker segments, up to the end of the image or as far as the file goes.
 *
 * Stuffing, restart markers and fill bytes are skipped, like entropy-coded data.
 */
fun segments(data: ByteArray): List<Segment> {
    if (data.size < 4 || wordAt(data, 0) != (0xFF00 or SOI)) {
        throw RestoreError("not a JPEG file")
    }
    val found = mutableListOf<Segment>()
    var position = 2
    while (position + 4 <= data.size) {
        val code = data.at(position + 1)
        if (data.at(position) != 0xFF || code < SOF0 || code == 0xFF || code in RST0..SOI) {
            position += 1
            continue
        }
        val start = position + 4
        val stop = position + 2 + wordAt(data, position + 2)
        if (code == EOI || stop < start || stop > data.size) {
            break
        }
        found.add(Segment(code, start, stop))
        position = stop
    }
    return found
}

/** Size, sampling and tables of a file: for each component, the table defined at its first scan. */
fun readHeader(data: ByteArray): Header {
    val defined = mutableMapOf<Int, IntArray>()
    val tables = mutableMapOf<Int, IntArray>()
    var width = 0
    var height = 0
    var components = listOf<Component>()
    var jfif = false
    var adobe = -1
    for (segment in segments(data)) {
        val code = segment.code
        val start = segment.start
        val stop = segment.stop
        if (code == APP0 && begins(data, segment, "JFIF")) {
            jfif = true
        } else if (code == APP14 && begins(data, segment, "Adobe") && stop - start >= 12) {
            adobe = data.at(start + 11)
        } else if (code == DQT) {
            readTables(data, segment, defined)
        } else if (code in SOF0..SOF2 && components.isEmpty()) {
            components = readComponents(data, segment)
            height = wordAt(data, start + 1)
            width = wordAt(data, start + 3)
        } else if (code in SOF0..SOF15 && code !in listOf(DHT, JPG, DAC)) {
            throw RestoreError("neither a baseline nor a progressive JPEG")
        } else if (code == SOS) {
            val scanned = readScan(data, segment)
            for (i in components.indices) {
                val steps = defined[components[i].table]
                if (components[i].identifier in scanned && steps != null && i !in tables) {
                    tables[i] = steps
                }
            }
            if (components.isNotEmpty() && tables.size == components.size) {
                break
            }
        }
    }
    if (width == 0 || height == 0 || tables.size < components.size) {
        throw RestoreError("a broken JPEG: its header is not complete")
    }
    if (tables.values.any { 0 in it }) {
        throw RestoreError("a broken JPEG: a quantization table has a step of 0")
    }
    val named = components.map { it.identifier } == "RGB".map { it.code }
    if (components.size == 3 && !jfif && (adobe == 0 || (adobe < 0 && named))) {
        throw RestoreError("an RGB-coded JPEG: only grayscale and YCbCr are restored")
    }
    return Header(width, height, components, components.indices.map { tables.getValue(it) })
}

/** Add the quantization tables of a segment, with 8 or 16 bits per step, to `defined`. */
fun readTables(data: ByteArray, segment: Segment, defined: MutableMap<Int, IntArray>) {
    var position = segment.start
    while (position < segment.stop) {
        val size = 1 + (data.at(position) shr 4)
        if (size > 2 || position + 1 + 64 * size > segment.stop) {
            throw RestoreError("a broken JPEG: malformed quantization tables")
        }
        val steps = IntArray(64)
        for (i in 0 until 64) {
            val place = position + 1 + size * i
            steps[ZIGZAG[i]] = if (size == 1) data.at(place) else wordAt(data, place)
        }
        defined[data.at(position) and 15] = steps
        position += 1 + 64 * size
    }
}

/** The components of a frame header. */
fun readComponents(data: ByteArray, segment: Segment): List<Component> {
    val length = segment.stop - segment.start
    val count = if (length > 5) data.at(segment.start + 5) else 0
    if (count !in listOf(1, 3) || length != 6 + 3 * count || data.at(segment.start) != 8) {
        throw RestoreError("only 8-bit grayscale and YCbCr are restored")
    }
    val found = mutableListOf<Component>()
    for (i in 0 until count) {
        val place = segment.start + 6 + 3 * i
        val factors = data.at(place + 1)
        found.add(Component(data.at(place), factors shr 4, factors and 15, data.at(place + 2)))
    }
    return found
}

/** The component ids of a scan. */
fun readScan(data: ByteArray, segment: Segment): List<Int> {
    val count = if (segment.stop > segment.start) data.at(segment.start) else 0
    if (count == 0 || segment.stop - segment.start < 1 + 2 * count) {
        throw RestoreError("a broken JPEG: a malformed scan")
    }
    return List(count) { data.at(segment.start + 1 + 2 * it) }
}

/**
 * The file without EXIF, profiles and comments, but with JFIF's and Adobe's segments.
 *
 * A decoder then neither rotates the picture nor converts its colours.
 */
fun withoutMetadata(data: ByteArray): ByteArray {
    val kept = java.io.ByteArrayOutputStream(data.size)
    var position = 0
    for (segment in segments(data)) {
        val code = segment.code
        if (code == COM || (code in APP0 + 1..APP15 && code != APP14)) {
            kept.write(data, position, segment.start - 4 - position)
            position = segment.stop
        }
    }
    kept.write(data, position, data.size - position)
    return kept.toByteArray()
}

/** The steps of Y, Cb and Cr, 3 * 64; a grayscale file's are used for all. */
fun projectionTables(header: Header): FloatArray {
    val luma = header.tables[0]
    val blue = if (header.tables.size == 3) header.tables[1] else luma
    val red = if (header.tables.size == 3) header.tables[2] else luma
    return FloatArray(3 * 64) { listOf(luma, blue, red)[it / 64][it % 64].toFloat() }
}

/** The steps of luma, and the geometric mean of Cb's and Cr's, 2 * 64. */
fun networkTables(header: Header): FloatArray {
    val tables = projectionTables(header)
    val chroma = DoubleArray(64) { sqrt(tables[64 + it].toDouble() * tables[128 + it]) }
    return FloatArray(2 * 64) { if (it < 64) tables[it] else chroma[it - 64].toFloat() }
}

/** The signature of the float projection for the file's sampling. */
fun projectionName(header: Header): String {
    val luma = header.components[0]
    val chroma = header.components.drop(1)
    for ((name, across, down) in listOf(
        Triple("project_444", 1, 1),
        Triple("project_422", 2, 1),
        Triple("project_420", 2, 2),
    )) {
        if (chroma.all { luma.across == across * it.across && luma.down == down * it.down }) {
            return name // grayscale takes the first
        }
    }
    throw RestoreError("no projection for the file's sampling: restore it without")
}
