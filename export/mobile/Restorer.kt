// Restores a JPEG with a TFLite model, tile by tile.
//
// The counterpart of restorer.py, function by function. It was compiled and run with stand-ins for
// Android's and LiteRT's classes, but not on a device.

package jpeggan

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.CancellationException
import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.ln
import kotlin.math.round
import kotlin.math.sin
import kotlin.math.sqrt
import org.json.JSONObject
import org.tensorflow.lite.Interpreter

// Tiles begin and end on multiples of this.
const val GRID = 16

// Philox-4x32-10 (Salmon et al., 2011).
val MULTIPLIERS = longArrayOf(0xD2511F53, 0xCD9E8D57)
val KEY_STEPS = longArrayOf(0x9E3779B9, 0xBB67AE85)
const val ROUNDS = 10
const val LOW = 0xFFFFFFFFL

/** The caller has cancelled the restoration. */
class CancelledError : CancellationException()

/**
 * What NAME.tflite.json says about a network: the side of its tiles, the halo of pixels around
 * them that affects their results, and the pixels per position of each noise field, along a side.
 */
class Card(val tile: Int, val halo: Int, val noiseStrides: List<Int>)

/** A tile along one axis: the network sees [start, stop), of which [first, last) is kept. */
data class Span(val start: Int, val stop: Int, val first: Int, val last: Int)

/** Rows of pixels, three bytes each: red, green, blue. */
class Picture(val width: Int, val height: Int, val bytes: ByteArray)

/** Read the card of a network for fixed tiles. */
fun readCard(text: String): Card {
    val values = JSONObject(text)
    if (values.isNull("tile")) {
        throw RestoreError("a network of any size: export one with --tile=256")
    }
    val strides = values.getJSONArray("noise_strides")
    val card = Card(
        values.getInt("tile"),
        values.getInt("halo"),
        List(strides.length()) { strides.getInt(it) },
    )
    if (card.tile <= 2 * card.halo) {
        throw RestoreError("tiles of ${card.tile} are too small for a halo of ${card.halo}")
    }
    return card
}

/**
 * Tiles of one length that together keep every position of an axis once.
 *
 * The first tile begins and the last one ends with the axis, since networks notice its ends. What
 * is kept lies at least `halo` from every other end of a tile. An axis shorter than a tile has two
 * tiles, one aligned with each end, which reach beyond the other end; each keeps its own half.
 *
 * @param size length of the axis; it is rounded up to `GRID`.
 */
fun spans(size: Int, tile: Int, halo: Int): List<Span> {
    val rounded = (size + GRID - 1) / GRID * GRID
    if (rounded < tile) {
        val middle = (size + 1) / 2
        return listOf(Span(0, tile, 0, middle), Span(rounded - tile, rounded, middle, size))
    }
    val found = mutableListOf<Span>()
    var first = 0
    while (first < size) {
        val start = minOf(maxOf(first - halo, 0), rounded - tile)
        val stop = start + tile
        val last = minOf(if (stop == rounded) stop else stop - halo, size)
        found.add(Span(start, stop, first, last))
        first = last
    }
    return found
}

/** A tile of a picture, T * T * 3; beyond the picture its edge is repeated. */
fun cut(picture: Picture, rows: Span, columns: Span): FloatArray {
    val tile = FloatArray((rows.stop - rows.start) * (columns.stop - columns.start) * 3)
    var i = 0
    for (row in rows.start until rows.stop) {
        val y = row.coerceIn(0, picture.height - 1)
        for (column in columns.start until columns.stop) {
            val x = column.coerceIn(0, picture.width - 1)
            for (channel in 0 until 3) {
                val byte = picture.bytes[(y * picture.width + x) * 3 + channel]
                tile[i++] = (byte.toInt() and 0xFF).toFloat()
            }
        }
    }
    return tile
}

/** Copy the kept part of a tile into a picture, rounded and clipped. */
fun paste(tile: FloatArray, rows: Span, columns: Span, picture: Picture) {
    val side = columns.stop - columns.start
    for (y in rows.first until rows.last) {
        for (x in columns.first until columns.last) {
            for (channel in 0 until 3) {
                val kept = tile[((y - rows.start) * side + x - columns.start) * 3 + channel]
                if (!kept.isFinite()) {
                    throw RestoreError(
                        "the network's output is not finite: run it without the delegate"
                    )
                }
                val rounded = round(kept).coerceIn(0f, 255f).toInt().toByte()
                picture.bytes[(y * picture.width + x) * 3 + channel] = rounded
            }
        }
    }
}

/** Cells that are set, or touch one that is. */
fun grown(cells: List<BooleanArray>): List<BooleanArray> =
    List(cells.size) { y ->
        BooleanArray(cells[y].size) { x ->
            val around = maxOf(x - 1, 0)..minOf(x + 1, cells[y].size - 1)
            (maxOf(y - 1, 0)..minOf(y + 1, cells.size - 1)).any { row ->
                around.any { column -> cells[row][column] }
            }
        }
    }

/**
 * How much of the network's colour to keep in each cell of 16 x 16 pixels: 0, 1/2 or 1.
 *
 * A cell has colour if R, G and B differ in one of its pixels. The weight is the mean of two
 * indicators: whether there is colour in the cell or in one that touches it, and whether there is
 * any up to two cells away. So a gray picture stays gray.
 */
fun keptColour(picture: Picture): List<FloatArray> {
    val width = (picture.width + GRID - 1) / GRID
    val cells = List((picture.height + GRID - 1) / GRID) { BooleanArray(width) }
    var i = 0
    for (y in 0 until picture.height) {
        for (x in 0 until picture.width) {
            val red = picture.bytes[i++]
            val green = picture.bytes[i++]
            val blue = picture.bytes[i++]
            if (red != green || red != blue) {
                cells[y / GRID][x / GRID] = true
            }
        }
    }
    val near = grown(cells)
    val far = grown(near)
    return List(cells.size) { y ->
        FloatArray(width) { x -> if (near[y][x]) 1f else if (far[y][x]) 0.5f else 0f }
    }
}

/** Draw the pixels of a tile towards their channels' mean, as far as their colour is not kept. */
fun damp(tile: FloatArray, rows: Span, columns: Span, kept: List<FloatArray>): FloatArray {
    val side = columns.stop - columns.start
    return FloatArray(tile.size) {
        val pixel = it / 3
        val line = kept[((rows.start + pixel / side) / GRID).coerceIn(0, kept.size - 1)]
        val weight = line[((columns.start + pixel % side) / GRID).coerceIn(0, line.size - 1)]
        val mean = (tile[3 * pixel] + tile[3 * pixel + 1] + tile[3 * pixel + 2]) / 3
        mean + weight * (tile[it] - mean)
    }
}

/** Four random words from four counter words and two key words: 32 bits each, held in 64. */
fun philox(counter: LongArray, key: LongArray): LongArray {
    var (c0, c1, c2, c3) = counter
    var (k0, k1) = key
    repeat(ROUNDS) {
        val first = c0 * MULTIPLIERS[0]
        val second = c2 * MULTIPLIERS[1]
        c0 = (second ushr 32) xor c1 xor k0
        c1 = second and LOW
        c2 = (first ushr 32) xor c3 xor k1
        c3 = first and LOW
        k0 = (k0 + KEY_STEPS[0]) and LOW
        k1 = (k1 + KEY_STEPS[1]) and LOW
    }
    return longArrayOf(c0, c1, c2, c3)
}

/**
 * Standard normals, side * side, of a noise field, starting at row `top` and column `left`.
 *
 * Those at row i, columns 4 m to 4 m + 3 come from the counter (m, i, field, 0) under the low and
 * the high half of the seed, by the Box-Muller transform in double precision. Rows and
 * columns may be negative.
 */
fun noise(seed: Long, field: Int, top: Int, left: Int, side: Int): FloatArray {
    val begin = left shr 2
    val end = (left + side + 3) shr 2
    val key = longArrayOf(seed and LOW, (seed ushr 32) and LOW)
    val normals = FloatArray(side * side)
    val four = DoubleArray(4)
    for (row in top until top + side) {
        for (group in begin until end) {
            val counter = longArrayOf(group.toLong() and LOW, row.toLong() and LOW, field.toLong(), 0)
            val words = philox(counter, key)
            for (pair in 0 until 4 step 2) {
                val radius = sqrt(-2 * ln((words[pair] + 0.5) / 4294967296.0))
                val angle = 2 * PI * ((words[pair + 1] + 0.5) / 4294967296.0)
                four[pair] = radius * cos(angle)
                four[pair + 1] = radius * sin(angle)
            }
            for (i in 0 until 4) {
                val column = 4 * group + i - left
                if (column in 0 until side) {
                    normals[(row - top) * side + column] = four[i].toFloat()
                }
            }
        }
    }
    return normals
}

/** The platform's decode of a file, without rotation or colour conversion. */
fun decode(data: ByteArray): Picture {
    val plain = withoutMetadata(data)
    val options = BitmapFactory.Options()
    options.inPreferredConfig = Bitmap.Config.ARGB_8888
    options.inScaled = false
    val bitmap = BitmapFactory.decodeByteArray(plain, 0, plain.size, options)
        ?: throw RestoreError("a broken JPEG: the platform cannot decode it")
    val bytes = ByteArray(bitmap.width * bitmap.height * 3)
    val row = IntArray(bitmap.width)
    var i = 0
    for (y in 0 until bitmap.height) {
        bitmap.getPixels(row, 0, bitmap.width, 0, y, bitmap.width, 1)
        for (color in row) {
            bytes[i++] = (color shr 16).toByte()
            bytes[i++] = (color shr 8).toByte()
            bytes[i++] = color.toByte()
        }
    }
    return Picture(bitmap.width, bitmap.height, bytes).also { bitmap.recycle() }
}

/** The picture as an image of the platform. */
fun toImage(picture: Picture): Bitmap {
    val bitmap = Bitmap.createBitmap(picture.width, picture.height, Bitmap.Config.ARGB_8888)
    val row = IntArray(picture.width)
    var i = 0
    for (y in 0 until picture.height) {
        for (x in row.indices) {
            val red = picture.bytes[i++].toInt() and 0xFF
            val green = picture.bytes[i++].toInt() and 0xFF
            val blue = picture.bytes[i++].toInt() and 0xFF
            row[x] = (0xFF shl 24) or (red shl 16) or (green shl 8) or blue
        }
        bitmap.setPixels(row, 0, picture.width, 0, y, picture.width, 1)
    }
    return bitmap
}

/**
 * A network, and optionally the float projection, ready to restore one picture at a time.
 *
 * Create, use and close it on one thread other than the main one: a GPU delegate requires that.
 *
 * @param network a TFLite model for fixed tiles with float pixels, as a direct or mapped buffer.
 * @param card its card.
 * @param projection projection_TILE.tflite for the same tiles, or none; it runs on the processor.
 * @param threads processor threads, for both.
 * @param options for the network, if a delegate is to run it.
 */
class Restorer(
    network: ByteBuffer,
    private val card: Card,
    projection: ByteBuffer? = null,
    threads: Int = 4,
    options: Interpreter.Options = Interpreter.Options().setNumThreads(threads),
) : AutoCloseable {
    private val network = Interpreter(network, options)
    private val projection =
        projection?.let { Interpreter(it, Interpreter.Options().setNumThreads(threads)) }

    /**
     * Restore a picture.
     *
     * @param header the file's header.
     * @param decoded the file's `decode`.
     * @param seed the sample to draw; its 64 bits are unsigned.
     * @param cancelled called before each tile; true stops the restoration.
     * @param progress called after each tile with the share that is done.
     */
    fun restore(
        header: Header,
        decoded: Picture,
        seed: Long = 0,
        cancelled: () -> Boolean = { false },
        progress: (Double) -> Unit = {},
    ): Picture {
        if (decoded.width != header.width || decoded.height != header.height) {
            throw RestoreError("the decoder gives another size than the header")
        }
        val restored = Picture(decoded.width, decoded.height, ByteArray(decoded.bytes.size))
        val rowsOfTiles = spans(header.height, card.tile, card.halo)
        val columnsOfTiles = spans(header.width, card.tile, card.halo)
        val kept = keptColour(decoded)
        var done = 0
        for (rows in rowsOfTiles) {
            for (columns in columnsOfTiles) {
                if (cancelled()) {
                    throw CancelledError()
                }
                val pixels = cut(decoded, rows, columns)
                var tile = runNetwork(pixels, header, rows, columns, seed)
                tile = damp(tile, rows, columns, kept)
                if (projection != null) {
                    tile = project(tile, pixels, header)
                }
                paste(tile, rows, columns, restored)
                done += 1
                progress(done.toDouble() / (rowsOfTiles.size * columnsOfTiles.size))
            }
        }
        return restored
    }

    /** The network's output for a tile, with the noise of the tile's position. */
    private fun runNetwork(
        pixels: FloatArray,
        header: Header,
        rows: Span,
        columns: Span,
        seed: Long,
    ): FloatArray {
        val inputs = mutableMapOf("pixels" to pixels, "tables" to networkTables(header))
        for ((field, stride) in card.noiseStrides.withIndex()) {
            val top = rows.start / stride
            val left = columns.start / stride
            val normals = noise(seed, field, top, left, card.tile / stride)
            inputs["noise_$field"] = normals
        }
        return run(network, "restore", inputs, "restored")
    }

    /** The nearest tile, in real arithmetic, that has the levels of the decoded one. */
    private fun project(tile: FloatArray, pixels: FloatArray, header: Header): FloatArray {
        val inputs = mapOf(
            "pixels" to tile,
            "decoded" to pixels,
            "tables" to projectionTables(header),
        )
        return run(projection!!, projectionName(header), inputs, "projected")
    }

    /** Free the memory of both. */
    override fun close() {
        network.close()
        projection?.close()
    }
}

/** The output of a signature. */
fun run(
    interpreter: Interpreter,
    name: String,
    inputs: Map<String, FloatArray>,
    output: String,
): FloatArray {
    val given = inputs.mapValues { (_, values) ->
        val buffer = ByteBuffer.allocateDirect(4 * values.size).order(ByteOrder.nativeOrder())
        buffer.asFloatBuffer().put(values)
        buffer
    }
    val size = interpreter.getOutputTensorFromSignature(output, name).numBytes()
    val found = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder())
    interpreter.runSignature(given, mapOf<String, Any>(output to found), name)
    found.rewind()
    return FloatArray(size / 4).also { found.asFloatBuffer().get(it) }
}
