// A stand-in for what Restorer.kt takes of Android's pictures: their pixels, and no decoder.

package android.graphics

class Bitmap(val width: Int, val height: Int) {
    private val pixels = IntArray(width * height)

    enum class Config { ARGB_8888 }

    fun getPixels(to: IntArray, offset: Int, stride: Int, x: Int, y: Int, width: Int, height: Int) {
        for (row in 0 until height) {
            pixels.copyInto(to, offset + row * stride, at(x, y + row), at(x, y + row) + width)
        }
    }

    fun setPixels(of: IntArray, offset: Int, stride: Int, x: Int, y: Int, width: Int, height: Int) {
        for (row in 0 until height) {
            val start = offset + row * stride
            of.copyInto(pixels, at(x, y + row), start, start + width)
        }
    }

    fun recycle() {}

    private fun at(x: Int, y: Int): Int = y * width + x

    companion object {
        fun createBitmap(width: Int, height: Int, config: Config): Bitmap = Bitmap(width, height)
    }
}

object BitmapFactory {
    /** What every file is decoded to. */
    var decoded: Bitmap? = null

    class Options {
        var inPreferredConfig: Bitmap.Config? = null
        var inScaled = true
    }

    fun decodeByteArray(data: ByteArray, offset: Int, length: Int, options: Options?): Bitmap? =
        decoded
}
