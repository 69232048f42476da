// Restores every NAME.jpg of a folder whose decode is NAME.rgb into NAME.out, by the stand-ins,
// and says what its header says.

package jpeggan

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

fun main(arguments: Array<String>) {
    val folder = File(arguments[0])
    val seed = arguments[1].toULong().toLong()
    val card = readCard(File(folder, "card.json").readText())
    val file = ByteBuffer.allocateDirect(4).putInt(0, card.tile)
    for (path in folder.listFiles()!!.filter { it.extension == "jpg" }.sorted()) {
        try {
            val data = path.readBytes()
            val header = readHeader(data)
            val tables = header.tables.map { it.toList() }
            println("${path.name} ${header.width} ${header.height} $tables")
            BitmapFactory.decoded =
                bitmap(header, File(folder, path.nameWithoutExtension + ".rgb").readBytes())
            Restorer(file, card, file).use { restorer ->
                val restored = restorer.restore(header, decode(data), seed)
                val written = decodeAgain(toImage(restored), data)
                File(folder, path.nameWithoutExtension + ".out").writeBytes(written)
            }
            File(folder, path.nameWithoutExtension + ".plain").writeBytes(withoutMetadata(data))
        } catch (error: RestoreError) {
            println("${path.name} ${error.message}")
        }
    }
    val normals = noise(seed, 3, -8, -6, 33)
    val buffer = ByteBuffer.allocate(4 * normals.size).order(ByteOrder.LITTLE_ENDIAN)
    normals.forEach { buffer.putFloat(it) }
    File(folder, "noise").writeBytes(buffer.array())
}

/** Bytes of red, green and blue as the platform's picture. */
private fun bitmap(header: Header, bytes: ByteArray): Bitmap =
    toImage(Picture(header.width, header.height, bytes))

/** The platform's picture as bytes. */
private fun decodeAgain(image: Bitmap, data: ByteArray): ByteArray {
    BitmapFactory.decoded = image
    return decode(data).bytes
}
